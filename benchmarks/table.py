"""What is printed: one line a comparison, promises beside what was measured."""

from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.measure import Cost, Series


@dataclass(frozen=True)
class Promise:
    """A bound on the median of the runs."""

    bound: float
    at_least: bool = False

    def met(self, series: Series) -> bool:
        """Whether it is kept."""
        return series.median >= self.bound if self.at_least else series.median <= self.bound

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.bound:,g}"


def at_most(bound: float) -> Promise:
    """No more than that."""
    return Promise(bound)


def at_least(bound: float) -> Promise:
    """No less than that."""
    return Promise(bound, at_least=True)


@dataclass(frozen=True)
class Line:
    """One comparison. Its figure is what's promised: a ratio, or an absolute number with its unit."""

    work: str
    ours: str = ""
    against: str = ""
    theirs: str = ""
    figure: Series | None = None
    unit: str = "x"
    promise: Promise | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """Whether the promise is kept; a note where nothing was measured."""
        if self.promise is None or self.figure is None:
            return self.note
        return " ".join(filter(None, ("met" if self.promise.met(self.figure) else "MISSED", self.note)))

    def cells(self) -> tuple[str, ...]:
        """Its texts, column by column."""
        figure = f"{number(self.figure.median)} ({number(self.figure.worst)}) {self.unit}" if self.figure else ""
        promise = f"{self.promise} {self.unit}" if self.promise else ""
        return self.work, self.ours, self.against, self.theirs, figure, promise, self.verdict


HEAD = ("work", "ours", "against", "theirs", "figure: median (worst)", "promise", "")


def faster(work: str, ours: Cost, name: str, theirs: Cost, promise: Promise | None, unit: str = "x faster") -> Line:
    """How many times faster ours is than somebody."""
    figure = theirs.wall.over(ours.wall, more_is_better=True)
    return Line(work, shown(ours), name, shown(theirs), figure, unit, promise)


def shown(cost: Cost) -> str:
    """A cost in a cell."""
    return f"{number(cost.wall.median)} ({number(cost.wall.worst)}) ms, CPU {number(cost.cpu.median)}"


def number(value: float) -> str:
    """Three digits, or all of a whole number."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def telling(lines: Iterable[Line]) -> list[Line]:
    """The lines, printed as they come: a run is long."""
    found = list[Line]()
    for line in lines:
        print("  " + " | ".join(filter(None, line.cells())), flush=True)
        found.append(line)
    return found


def text(lines: Iterable[Line]) -> str:
    """The table for a terminal."""
    rows = [HEAD, *(line.cells() for line in lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def markdown(lines: Iterable[Line]) -> str:
    """The table for a page."""
    rows = [HEAD, ("---",) * len(HEAD), *(line.cells() for line in lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
