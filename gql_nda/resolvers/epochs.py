"""Pupil and treadmill at the frames of a scan, and the epochs in which they are as one wants."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import inf, prod
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Column, Table

from gql_nda import tables as t
from gql_nda.arrays.numbers import Numeric
from gql_nda.codec import Header
from gql_nda.context import Context
from gql_nda.errors import BadUserInput, BlobCorrupt, PublicError
from gql_nda.keys import format_key, parse_key
from gql_nda.loaders import Reduction
from gql_nda.query import Key, Row
from gql_nda.resolvers import arrays
from gql_nda.resolvers.arrays import AnyArray, ArrayRef
from gql_nda.resolvers.computed import At, Computed
from gql_nda.science import epochs as science
from gql_nda.science.reasons import joined
from gql_nda.science.resampling import resample, unclocked
from gql_nda.stores import located, table_of
from gql_nda.tables import Array

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

FRAME_TIMES = t.scan_times.c.frame_times


# --- series ----------------------------------------------------------------------------------------


class Series(NamedTuple):
    """One series of behaviour: at the frames, as it was recorded, and the clock that it was recorded on."""

    stored: Column[Any]
    raw: Column[Any]
    clock: Column[Any]


PUPIL = ("pupil_min_r", "pupil_maj_r", "pupil_x", "pupil_y")
VELOCITY = "treadmill_velocity"

SERIES = {
    name: Series(t.manual_pupil.c[name], t.raw_manual_pupil.c[name], t.raw_manual_pupil.c.pupil_times) for name in PUPIL
} | {VELOCITY: Series(t.treadmill.c[VELOCITY], t.raw_treadmill.c[VELOCITY], t.raw_treadmill.c.treadmill_timestamps)}
"""The series by name, which is that of their columns."""

ABSENT = {
    t.scan_times: "the scan has no frame times",
    t.manual_pupil: "the scan has no synchronised pupil",
    t.treadmill: "the scan has no synchronised treadmill",
    t.raw_manual_pupil: "the scan has no raw pupil",
    t.raw_treadmill: "the scan has no raw treadmill",
}
"""Why there is nothing, by the table without a row for the scan."""


def _reading(scan: Key, context: Context) -> Reduction:
    return Reduction(scan, Numeric(context.limits.decoded_bytes), _known)


def _known(values: NDArray[Any]) -> Floats:
    """What isn't finite is not known."""
    numbers = values.astype(np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan)


# --- behaviour on the axis of the frames -----------------------------------------------------------


class Behavior(NamedTuple):
    """What the mouse did at the frames of a scan: as it is stored, or resampled from what was recorded."""

    scan: Key
    resampled: bool


async def behaviors(
    scans: Sequence[Row],
    context: Context,  # noqa: ARG001
    *,
    source: str | None = None,
) -> list[Behavior]:
    """The behaviour of each scan: nothing is read yet."""
    resampled = source == "resampled"
    return [Behavior(scan.key, resampled) for scan in scans]


async def times(of: Behavior, context: Context) -> ArrayRef | None:
    """The times of the frames; None where there are none."""
    return await _stored(FRAME_TIMES, of.scan, context)


async def at_frames(name: str, of: Behavior, context: Context) -> AnyArray | None:
    """A series at the frames; None where there is none."""
    if of.resampled:
        return await resampled(name, of.scan, context)
    return await _stored(SERIES[name].stored, of.scan, context)


async def reason(of: Behavior, context: Context) -> str | None:
    """What is missing, if anything is; what is damaged is told where it is asked for."""
    (clock,) = await context.loaders.reduced(FRAME_TIMES).load_each([_reading(of.scan, context)])
    if isinstance(clock, BaseException):
        clock = _NO_TIMES
    told = ABSENT[t.scan_times] if clock is None else _disordered(clock)
    lacking = partial(_untimed if of.resampled else _short, 0 if clock is None else len(clock))
    return joined(
        *dict.fromkeys([told, *await asyncio.gather(*(lacking(s, of.scan, context) for s in SERIES.values()))])
    )


_NO_TIMES: Floats = np.zeros(0)


async def _short(frames: int, series: Series, scan: Key, context: Context) -> str | None:
    """What the stored series lacks of so many frames."""
    table = table_of(series.stored)
    try:
        header = await _header(series.stored, scan, context)
    except PublicError:
        return None
    return ABSENT[table] if header is None else _ends(table, prod(header.shape), frames)


async def _untimed(_frames: int, series: Series, scan: Key, context: Context) -> str | None:
    """Why the raw series gives nothing, whatever it holds."""
    table = table_of(series.raw)
    (times,) = await context.loaders.reduced(series.clock).load_each([_reading(scan, context)])
    if isinstance(times, BaseException):
        return None
    if times is None:
        return ABSENT[table]
    return f"{table.name} has fewer than two known times" if np.isfinite(times).sum() < 2 else None


def _ends(table: Table, samples: int, frames: int) -> str | None:
    return f"{table.name} ends {frames - samples} frames before the scan" if samples < frames else None


def _disordered(clock: Floats) -> str | None:
    """Why frame times can't be used; one alone, or none, needs no order."""
    return unclocked(clock) if len(clock) > 1 else None


async def _stored(column: Column[Any], scan: Key, context: Context) -> ArrayRef | None:
    head = await context.loaders.head(column).load(scan)
    return None if head is None else arrays.reference(column, scan, head, context)


async def _header(column: Column[Any], scan: Key, context: Context) -> Header | None:
    found = await _stored(column, scan, context)
    return found.header if found is not None else None


# --- resampled -------------------------------------------------------------------------------------


async def resampled(name: str, scan: Key, context: Context) -> Computed | None:
    """A raw series brought to the frames when it is read; None where it, its clock or the frames' isn't stored."""
    series = SERIES[name]
    columns = (series.raw, series.clock, FRAME_TIMES)
    *recorded, frames = await asyncio.gather(*(_header(column, scan, context) for column in columns))
    if frames is None or None in recorded:
        return None

    async def resampled() -> NDArray[Any]:
        return await context.cache.one(("resampled", name, scan), lambda: _resample(series, scan, context))

    expected = Array(("frame",), "float64", series.stored.info["unit"])
    return Computed(f"scan/{format_key(t.scan, scan)}/{name}_resampled", (prod(frames.shape),), expected, resampled)


async def _resample(series: Series, scan: Key, context: Context) -> Floats:
    columns, reading = (series.raw, series.clock, FRAME_TIMES), _reading(scan, context)
    read = await asyncio.gather(*(context.loaders.reduced(column).load(reading) for column in columns))
    if why := _disordered(read[-1]):
        raise located(BlobCorrupt(why), FRAME_TIMES, scan)
    try:
        return await asyncio.to_thread(resample, *read)
    except ValueError as error:
        raise located(BlobCorrupt(str(error)), series.raw, scan) from None


async def _at_address(name: str, key: str, _query: Mapping[str, str], context: Context) -> Computed | None:
    return await resampled(name, parse_key(t.scan, key), context)


RESAMPLED: dict[str, At] = {f"{name}_resampled": partial(_at_address, name) for name in SERIES}
"""Who finds each resampled series, by its name in addresses."""


# --- conditions ------------------------------------------------------------------------------------


class Bounds(Protocol):
    """What a speed must lie between (cm/s); what is no number bounds nothing."""

    gt: Any
    lt: Any


class Condition(NamedTuple):
    """Which frames one wants: a test of series at the frames, in which NaN is what isn't known."""

    series: tuple[str, ...]
    holds: Callable[..., Mask]


def _conditions(running: Bounds | None, pupil: str | None) -> list[Condition]:
    """All that must hold; BAD_USER_INPUT where that is nothing, or nonsense."""
    found = [Condition((VELOCITY,), _between(running))] if running is not None else []
    if pupil is not None:
        found.append(Condition(PUPIL, science.known if pupil == "valid" else _lost))
    if not found:
        raise BadUserInput("epochs: give running, pupil, or both", argument="running")
    return found


def _between(bounds: Bounds) -> Callable[[Floats], Mask]:
    """Whether a velocity, whichever way, is above one bound and below the other."""
    above, below = (bound if isinstance(bound, int | float) else None for bound in (bounds.gt, bounds.lt))
    if above is None and below is None:
        raise BadUserInput("running: give gt, lt, or both", argument="running")
    least, most = -inf if above is None else above, inf if below is None else below
    if not 0 <= (above or 0) < most:
        raise BadUserInput("running: no speed lies between these bounds, or one is below 0", argument="running")
    return lambda velocity: science.running(np.abs(velocity), least) & science.resting(np.abs(velocity), most)


def _lost(*pupil: Floats) -> Mask:
    return ~science.known(*pupil)


# --- epochs ----------------------------------------------------------------------------------------


class Epoch(NamedTuple):
    """Frames from ``start`` to before ``stop``, and their times (s)."""

    start: int
    stop: int
    start_time: float
    stop_time: float

    @property
    def duration(self) -> float:
        """How long it lasts (s)."""
        return self.stop_time - self.start_time


class Epochs(NamedTuple):
    """The epochs of a scan in order, None where what they depend on isn't stored."""

    epochs: list[Epoch] | None
    reason: str | None

    @property
    def nframes(self) -> int | None:
        """Frames in all epochs."""
        return None if self.epochs is None else sum(epoch.stop - epoch.start for epoch in self.epochs)

    @property
    def total_duration(self) -> float | None:
        """How long all last together (s)."""
        return None if self.epochs is None else sum(epoch.duration for epoch in self.epochs)


async def epochs(
    scans: Sequence[Row],
    context: Context,
    *,
    running: Bounds | None = None,
    pupil: str | None = None,
    min_duration: float = 0.0,
) -> list[Epochs | BaseException]:
    """When all conditions held, at the frames of each scan; an error stays with its own scan."""
    conditions = _conditions(running, pupil)
    if min_duration < 0:
        raise BadUserInput(f"minDuration: {min_duration:g} s is less than none", argument="minDuration")
    names = [name for condition in conditions for name in condition.series]
    wanted = [_reading(scan.key, context) for scan in scans]
    clocks, *read = await asyncio.gather(
        context.loaders.reduced(FRAME_TIMES).load_each(wanted), *(_traced(name, wanted, context) for name in names)
    )

    def found() -> list[Epochs | BaseException]:
        traced = [dict(zip(names, of, strict=True)) for of in zip(*read, strict=True)]
        return [_of_scan(conditions, min_duration, *of) for of in zip(clocks, traced, strict=True)]

    per_epoch = len(Epoch._fields) + 1  # its duration
    results = await asyncio.to_thread(found)
    context.spend_values(sum(per_epoch * len(result.epochs or ()) for result in results if isinstance(result, Epochs)))
    return results


class Traced(NamedTuple):
    """A series at the frames: as it is stored, or resampled where it isn't; None without a raw one."""

    values: Floats | None
    resampled: bool = False


async def _traced(name: str, scans: Sequence[Reduction], context: Context) -> list[Traced | BaseException]:
    """A series of each scan; an error stays with its own."""
    stored = await context.loaders.reduced(SERIES[name].stored).load_each(scans)

    async def of(scan: Key, values: Any) -> Traced | BaseException:
        if values is not None:
            return values if isinstance(values, BaseException) else Traced(values)
        array = await resampled(name, scan, context)
        return Traced(None) if array is None else Traced(await array.read(context, np.array), resampled=True)

    each = [of(scan.key, values) for scan, values in zip(scans, stored, strict=True)]
    return list(await asyncio.gather(*each, return_exceptions=True))


def _of_scan(
    conditions: Sequence[Condition], min_duration: float, clock: Any, traced: Mapping[str, Traced | BaseException]
) -> Epochs | BaseException:
    """The epochs of one scan, by its clock, None or an error, and its series."""
    if isinstance(clock, np.ndarray) and (why := _disordered(clock)):
        return Epochs(None, why)
    if error := next((each for each in (clock, *traced.values()) if isinstance(each, BaseException)), None):
        return error
    series = {name: of for name, of in traced.items() if isinstance(of, Traced)}
    absent = [t.scan_times] if clock is None else []
    absent += [table_of(SERIES[name].stored) for name, of in series.items() if of.values is None]
    if absent:
        return Epochs(None, "; ".join(dict.fromkeys(ABSENT[table] for table in absent)))
    known = {name: _until(len(clock), of.values) for name, of in series.items() if of.values is not None}
    masks = [condition.holds(*(known[name] for name in condition.series)) for condition in conditions]
    held = np.logical_and.reduce(masks)
    held[min(len(of.values) for of in series.values() if of.values is not None) :] = False  # there nothing was recorded
    samples, seconds = science.epochs(held, clock, min_duration)
    spans = zip(samples.tolist(), seconds.tolist(), strict=True)
    return Epochs([Epoch(*frames, *at) for frames, at in spans], _told(len(clock), series))


def _until(count: int, values: Floats) -> Floats:
    """A series of so many frames: what it has no value for isn't known."""
    return np.append(values[:count], np.full(max(count - len(values), 0), np.nan))


def _told(count: int, series: Mapping[str, Traced]) -> str | None:
    """Which tables of series aren't stored, and which end before the scan does: each once."""
    told: dict[str, str] = {}
    for name, of in series.items():
        table = table_of(SERIES[name].stored)
        if of.resampled:
            told[table.name] = f"{ABSENT[table]}: the raw one is resampled"
        elif of.values is not None and (short := _ends(table, len(of.values), count)):
            told[table.name] = short
    return joined(*told.values())
