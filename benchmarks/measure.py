"""Runs of several who do the same work in turn: so that what disturbs one disturbs all."""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.peer import Running
from benchmarks.workload import Asked


@dataclass(frozen=True)
class Series:
    """One figure of each run. The worst is the largest, or the smallest where more is better."""

    values: tuple[float, ...]
    more_is_better: bool = False

    @property
    def median(self) -> float:
        """The middle one."""
        return median(self.values)

    @property
    def worst(self) -> float:
        """The one to be prepared for."""
        return (min if self.more_is_better else max)(self.values)

    def over(self, other: "Series", *, more_is_better: bool = False) -> "Series":
        """The ratio in each run."""
        return Series(tuple(a / b for a, b in zip(self.values, other.values, strict=True)), more_is_better)


@dataclass(frozen=True)
class Effort:
    """How long to measure: runs, and the seconds and iterations that one run of one candidate may take."""

    runs: int = 5
    seconds: float = 2.0
    most: int = 2000
    least: int = 2


@dataclass(frozen=True)
class Cost:
    """What one request costs, in each run."""

    wall: Series
    """Milliseconds until the answer has come: the median of the run's requests."""
    cpu: Series
    """Milliseconds of processor time of the server's processes: the run's mean."""


@dataclass(frozen=True)
class Candidate:
    """Somebody, and what to ask of them."""

    running: Running
    questions: Iterator[Asked]


def compare(candidates: Mapping[str, Candidate], effort: Effort) -> dict[str, Cost]:
    """What a request costs each of the candidates; they take turns, run by run."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in candidates}
    for candidate in candidates.values():
        _run(candidate, effort)  # pools, caches and code warm up
    for _ in range(effort.runs):
        for name, candidate in candidates.items():
            found[name].append(_run(candidate, effort))
    return {name: Cost(*(Series(column) for column in zip(*runs, strict=True))) for name, runs in found.items()}


def _run(candidate: Candidate, effort: Effort) -> tuple[float, float]:
    """Wall and processor milliseconds of one request."""
    running, seconds = candidate.running, list[float]()
    before, end = running.cpu(), time.monotonic() + effort.seconds
    while len(seconds) < effort.least or (time.monotonic() < end and len(seconds) < effort.most):
        seconds.append(running.ask(next(candidate.questions))[1])
    return median(seconds) * 1e3, (running.cpu() - before) / len(seconds) * 1e3


def same(answer: Any, expected: Any) -> bool:
    """Whether two answers are equal; numbers to 6 digits, as MySQL's text protocol writes a FLOAT."""
    if isinstance(expected, dict):
        return (
            isinstance(answer, dict)
            and answer.keys() == expected.keys()
            and all(same(answer[name], value) for name, value in expected.items())
        )
    if isinstance(expected, list):
        return isinstance(answer, list) and len(answer) == len(expected) and all(map(same, answer, expected))
    if isinstance(expected, float) and isinstance(answer, float | int):
        return math.isclose(answer, expected, rel_tol=1e-5)
    return bool(answer == expected)
