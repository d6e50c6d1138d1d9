"""What an operation's answer holds of something that is limited, by where the response tells it."""

from collections import Counter

from graphql.pyutils import Path

Place = tuple[str | int, ...]


class Spent:
    """How many things of a kind an operation answers.

    What stands at a path counts once, however often it is executed; what is told again at another path, without being
    executed there, counts again.
    """

    def __init__(self) -> None:
        self._below: Counter[Place] = Counter()
        self._known: set[Place] = set()
        self._same: dict[Place, Place] = {}

    @property
    def total(self) -> int:
        """The number of things, at all paths and at none."""
        return self._below[()]

    def add(self, count: int, path: Path | None = None) -> None:
        """Count the things at a path; those at none, of many rows together, count each time."""
        if path is None:
            self._below[()] += count
        elif (place := self._first(path)) not in self._known:
            self._known.add(place)
            self._count(place, count)

    def below(self, path: Path) -> int:
        """The number of things at a path, and at those that begin with it."""
        return self._below.get(self._first(path), 0)

    def repeat(self, told: Path, at: Path) -> None:
        """Count at another path what stands below one."""
        if (place := _place(at)) not in self._same:
            self._same[place] = self._first(told)
            self._count(place, self.below(told))

    def _count(self, place: Place, count: int) -> None:
        for depth in range(len(place) + 1):
            self._below[place[:depth]] += count

    def _first(self, path: Path) -> Place:
        """The place where what is told at a path was executed."""
        place, depth = _place(path), 0
        while self._same and depth < len(place):
            depth += 1
            if (first := self._same.get(place[:depth])) is not None:
                place, depth = first + place[depth:], 0
        return place


def _place(path: Path) -> Place:
    return tuple(path.as_list())
