"""How alike a unit responds to the clips that its scan shows ten times: the score, computed again, and the raster."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from graphql.pyutils import Path
from numpy.typing import NDArray

from gql_nda import tables as t
from gql_nda.arrays.numbers import as_list, shortest
from gql_nda.context import Context
from gql_nda.errors import ArrayTooLarge, PublicError
from gql_nda.loaders import Derived
from gql_nda.query import Key, Row, up
from gql_nda.resolvers.traces import SCAN, Recording, over_traces, recordings
from gql_nda.science import oracle

Floats = NDArray[np.float64]
Cube = list[list[list[float | None]]]
"""Numbers (repeat, clip, sample); None where there is none."""

CLIP = "stimulus.Clip"
ORACLE = up(t.scan_unit, t.oracle)


def _trials(recording: Recording) -> oracle.Trials:
    """The trials that count: those of clips."""
    clips = [trial for trial in recording.trials if trial["type"] == CLIP]
    names = ("trial_idx", "condition_hash", "start_frame_time", "end_frame_time")
    return oracle.Trials(*(recording.column(name, clips) for name in names))


def _delays(units: Sequence[Row]) -> list[Any]:
    return [unit["ms_delay"] for unit in units]


# --- the score -------------------------------------------------------------------------------------


class Score(NamedTuple):
    """An oracle score, of so many trials; None, of none, for the reason told."""

    pearson: float | None
    trials: int
    reason: str | None


async def computed(units: Sequence[Row], context: Context) -> Sequence[Score | BaseException]:
    """The score of each unit, from its trace."""
    return await over_traces(units, context, "oracle score", _scores, lambda why, _: Score(None, 0, why))


def _scores(recording: Recording, units: Sequence[Row], traces: NDArray[Any]) -> list[Score]:
    pearson, trials, reasons = oracle.scores(
        traces, recording.frame_times, _delays(units), _trials(recording), recording.fps
    )
    each = zip(as_list(pearson), reasons, strict=True)
    return [Score(r, 0 if r is None else trials, reason) for r, reason in each]


# --- the raster's axes -----------------------------------------------------------------------------


class Axes(NamedTuple):
    """The clips of a scan's rasters, the trials that show them (repeat, clip), and when each is sampled (s)."""

    clips: list[str]
    trial_idx: list[list[int]]
    times: Floats
    reason: str | None


async def _axes(units: Sequence[Row], context: Context) -> dict[Key, Axes | BaseException]:
    """The axes of the units' scans, kept in the cache."""

    async def missing(scans: list[Key]) -> list[Axes | BaseException]:
        found = await recordings(scans, context)
        return [_of_scan(found.get(scan)) for scan in scans]

    scans = list(dict.fromkeys(unit.at(SCAN.on) for unit in units))
    return dict(zip(scans, await context.cache.each("oracle axes", scans, missing), strict=True))


def _of_scan(recording: Recording | BaseException | None) -> Axes | BaseException:
    if isinstance(recording, BaseException):
        return recording
    if recording is None:
        return Axes([], [], np.empty((0, 0, 0)), "the unit's scan is not there")
    try:
        return _of_recording(recording)
    except (PublicError, TypeError, ValueError) as error:  # a damaged clock, or trials that no column should hold
        return error


def _of_recording(recording: Recording) -> Axes:
    trials = _trials(recording)
    clips, positions, times, reason = oracle.layout(trials, recording.frame_times, recording.fps)
    numbers = np.asarray(trials.trial_idx, int)
    return Axes(clips, numbers[positions].tolist(), times, reason)


# --- the raster ------------------------------------------------------------------------------------


class Drawn(NamedTuple):
    """A unit's responses (repeat, clip, sample), NaN where there are none; without any, None and the reason."""

    raw: Floats | None
    reason: str | None


def _drawn(recording: Recording, units: Sequence[Row], traces: NDArray[Any]) -> list[Drawn]:
    found = oracle.raster(traces, recording.frame_times, _delays(units), _trials(recording), recording.fps)
    return [Drawn(raw.copy(), reason) for raw, reason in zip(found.raw, found.reasons, strict=True)]


@dataclass
class Page:
    """The units of a level: what is asked of one is read for all of them at once.

    Those ``shown`` have rasters, with so many ``values`` together.
    """

    units: Sequence[Row]
    shown: Sequence[Row]
    values: int
    context: Context

    async def drawn(self, unit: Row) -> Drawn:
        """The responses of a unit: with those of all others, traces are read when they are first asked for."""
        most = self.context.limits.operation_values
        if self.values > most:
            message = f"operation_values: these rasters have {self.values} values, at most {most}; ask for fewer units"
            self.context.refuse(ArrayTooLarge(message, limit="operation_values", maximum=most))
        return await self._drawn[unit.key]

    @cached_property
    def _drawn(self) -> dict[Key, asyncio.Future[Drawn]]:
        loader = self.context.loaders.derived("oracle raster", self._draw)
        return {unit.key: loader.load(Derived(unit)) for unit in self.shown}

    async def _draw(self, units: Sequence[Row]) -> Sequence[Any]:
        return await over_traces(units, self.context, "oracle raster", _drawn, lambda why, _: Drawn(None, why))

    @cached_property
    def stored(self) -> dict[Key, asyncio.Future[Row | None]]:
        """The stored scores by unit."""
        loader = self.context.loaders.row(ORACLE)
        return {unit.key: loader.load(unit.at(ORACLE.on)) for unit in self.units}


@dataclass(frozen=True)
class Raster:
    """The raster of a unit: its axes are at hand, its responses are read with those of its page."""

    unit: Row
    axes: Axes
    page: Page

    @property
    def repeats(self) -> int:
        """Number of repeats."""
        return len(self.axes.trial_idx)

    @property
    def samples(self) -> int:
        """Number of samples of the longest clip."""
        return int(self.axes.times.shape[2])

    @property
    def clips(self) -> list[str]:
        """Condition hashes, in order."""
        return self.axes.clips

    def trial_idx(self, at: Path) -> list[list[int]]:
        """Which trials are shown: (repeat, clip), told by the field ``at`` a path; so below."""
        self.page.context.spend_values(self.repeats * len(self.clips), at)
        return self.axes.trial_idx

    def times(self, at: Path) -> Cube | None:
        """When responses are sampled (s)."""
        self._spend(at)
        return as_list(self.axes.times) if self.clips else None

    async def values(self, at: Path) -> Cube | None:
        """The responses as they are."""
        return await self._read(at, lambda raw: raw)

    async def normalized(self, at: Path) -> Cube | None:
        """The responses, each repeat from 0 to 1."""
        return await self._read(at, lambda raw: oracle.normalised(raw[None])[0][0])

    async def pearson(self) -> float | None:
        """The stored score."""
        found = await self.page.stored[self.unit.key]
        return None if found is None else shortest(found["pearson"])

    async def reason(self) -> str | None:
        """What is missing."""
        return (await self._drawn()).reason

    async def _read(self, at: Path, read: Callable[[Floats], Floats]) -> Cube | None:
        self._spend(at)
        raw = (await self._drawn()).raw
        await asyncio.sleep(0)  # a page has many rasters of thousands of numbers: others may go between
        return None if raw is None else as_list(read(raw))

    async def _drawn(self) -> Drawn:
        return await self.page.drawn(self.unit) if self.clips else Drawn(None, self.axes.reason)

    def _spend(self, at: Path) -> None:
        self.page.context.spend_values(self.axes.times.size, at)


async def rasters(units: Sequence[Row], context: Context) -> Sequence[Raster | BaseException]:
    """The raster of each unit; no trace is read yet."""
    by_scan = await _axes(units, context)
    axes = [by_scan[unit.at(SCAN.on)] for unit in units]
    shown = [(unit, of) for unit, of in zip(units, axes, strict=True) if isinstance(of, Axes) and of.clips]
    page = Page(units, [unit for unit, _ in shown], sum(of.times.size for _, of in shown), context)
    return [Raster(unit, of, page) if isinstance(of, Axes) else of for unit, of in zip(units, axes, strict=True)]
