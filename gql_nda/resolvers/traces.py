"""Traces of units with their scan's clock and trials: what is computed of responses starts here."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeGuard, TypeVar

import numpy as np
from numpy.typing import NDArray

from gql_nda import tables as t
from gql_nda.arrays.numbers import Numeric, numeric
from gql_nda.context import Context
from gql_nda.errors import ArrayTooLarge, BlobCorrupt, PublicError
from gql_nda.loaders import Reduction
from gql_nda.query import Key, Query, Row, by_key
from gql_nda.stores import located

R = TypeVar("R")
Floats = NDArray[np.float64]

SCAN = by_key(t.scan)
TRACE = t.activity.c.trace

UNTRACED = "the unit has no activity trace"

PORTION = 16 << 20
"""Bytes of blobs that are read at a time: few portions of all requests are held at once (``Cache.traces``)."""

TOGETHER = 200
"""Units computed at once: 32 MB of decoded traces of 40,000 frames, however well their blobs are compressed."""


@dataclass(frozen=True)
class Recording:
    """A scan, when its frames were taken (s), and its trials in order.

    Frame times are those of the first field; a unit's are ``ms_delay`` later. They're empty where none are stored;
    damaged ones trouble who asks for them, and no others.
    """

    scan: Row
    clock: Floats | PublicError
    trials: list[Row]

    @property
    def frame_times(self) -> Floats:
        """The clock; raises what is wrong with it."""
        if isinstance(self.clock, PublicError):
            raise copy(self.clock)  # the cache's own mustn't gather tracebacks
        return self.clock

    @property
    def fps(self) -> float:
        """The nominal rate (Hz): it isn't the measured one."""
        return float(self.scan["fps"])

    @cached_property
    def repeats(self) -> Mapping[str, list[Row]]:
        """The trials that show each condition, in order."""
        shown: dict[str, list[Row]] = defaultdict(list)
        for trial in self.trials:
            shown[trial["condition_hash"]].append(trial)
        return dict(shown)

    def column(self, name: str, trials: Sequence[Row] | None = None) -> list[Any]:
        """A column of the trials, or of some."""
        return [trial[name] for trial in (self.trials if trials is None else trials)]


Compute = Callable[[Recording, Sequence[Row], NDArray[Any]], Sequence[R]]
"""Results for units of one scan from their traces (unit, frame), all of one length."""

Absent = Callable[[str, Recording | None], R]
"""The result for a unit without a trace, or without a scan: for what reason."""


async def recordings(scans: Iterable[Key], context: Context) -> dict[Key, Recording | BaseException]:
    """The recordings of scans by key, kept in the cache; what went wrong in reading one stays with it."""
    keys = list(dict.fromkeys(scans))

    async def missing(keys: list[Key]) -> Sequence[Recording | BaseException | None]:
        return await _recordings(keys, context)

    found = await context.cache.each("recording", keys, missing)
    return {key: recording for key, recording in zip(keys, found, strict=True) if recording is not None}


async def _recordings(keys: list[Key], context: Context) -> list[Recording | BaseException | None]:
    """The recordings of scans; None where there is no such scan."""
    loaders, decode = context.loaders, Numeric(context.limits.decoded_bytes)
    rows, times, trials = await asyncio.gather(
        loaders.row(SCAN).load_many(keys),
        loaders.reduced(t.scan_times.c.frame_times).load_each([Reduction(key, decode, _floats) for key in keys]),
        loaders.ask(context.store.rows, Query(t.trial, SCAN.on, tuple(keys))),
    )
    return [
        scan and (clock if failed(clock) else Recording(scan, clock, trials.get(key, [])))
        for key, scan, clock in zip(keys, rows, (_NONE if clock is None else clock for clock in times), strict=True)
    ]


def failed(read: object) -> TypeGuard[BaseException]:
    """Whether something couldn't be read now; damage is there to stay, and known."""
    return isinstance(read, BaseException) and not isinstance(read, DAMAGE)


DAMAGE = (BlobCorrupt, ArrayTooLarge)
"""What is wrong with a blob, whenever it is read."""

_NONE: Floats = np.zeros(0)


def _floats(values: NDArray[Any]) -> Floats:
    return values.astype(np.float64)


def _nothing(_: Recording) -> str | None:
    return None


async def over_traces(
    units: Sequence[Row],
    context: Context,
    name: Hashable,
    compute: Compute[R],
    absent: Absent[R],
    lacking: Callable[[Recording], str | None] = _nothing,
) -> Sequence[R | BaseException]:
    """What is computed of each unit's activity trace, kept under ``name`` in the cache: one result a unit.

    Traces are read in portions, and decoded and computed with in a thread: one call for the units of a scan among
    ``TOGETHER``. Nothing is read, nor kept, of the units of a scan whose recording is ``lacking`` what it takes. They,
    and a unit without a trace, have what ``absent`` says for the reason; an error stays with its own unit, one in
    ``lacking`` or ``compute`` with its scan's.
    """
    scans = [unit.at(SCAN.on) for unit in units]
    found = await recordings(scans, context)
    told = {scan: _told(found.get(scan), absent, lacking) for scan in dict.fromkeys(scans)}
    of_scan = {unit.key: (unit, scan) for unit, scan in zip(units, scans, strict=True) if told[scan] is None}
    known = {scan: of for scan, of in found.items() if isinstance(of, Recording)}
    most = context.limits.decoded_bytes

    async def missing(keys: list[Key]) -> Sequence[R | BaseException]:
        results: dict[Key, Any] = {}

        def work(blobs: dict[Key, bytes]) -> dict[Key, R | BaseException]:
            return _computed([of_scan[key][0] for key in blobs], blobs, known, compute, most)

        for portion in await context.loaders.portions(keys, TRACE, most=PORTION):
            read = partial(context.loaders.ask, context.store.blobs, TRACE, portion)
            results |= await context.cache.traces.run(read, work)
        return [results[key] if key in results else absent(UNTRACED, known[of_scan[key][1]]) for key in keys]

    computed = iter(await context.cache.each(name, list(of_scan), missing))
    return [next(computed) if result is None else result for result in map(told.__getitem__, scans)]


def _told(
    recording: Recording | BaseException | None, absent: Absent[R], lacking: Callable[[Recording], str | None]
) -> R | BaseException | None:
    """What is told of a scan's units without their traces, if that is all."""
    if isinstance(recording, BaseException):
        return recording
    if recording is None:
        return absent("the unit's scan is not there", None)
    try:
        why = lacking(recording)
    except Exception as error:
        return error
    return None if why is None else absent(why, recording)


def decoded(unit: Key, blob: bytes, most: int) -> NDArray[Any] | BaseException:
    """A unit's trace, of so many bytes at most; an error is this unit's alone, and says whose."""
    try:
        return numeric(blob, most)
    except PublicError as error:
        return located(error, TRACE, unit)
    except Exception as error:  # unforeseen
        return error


def _computed(
    units: Sequence[Row],
    blobs: Mapping[Key, bytes],
    found: Mapping[Key, Recording],
    compute: Compute[R],
    most: int,
) -> dict[Key, R | BaseException]:
    """The results of a portion of units, a few at a time."""
    results: dict[Key, R | BaseException] = {}
    for start in range(0, len(units), TOGETHER):
        some = units[start : start + TOGETHER]
        results |= _of_some([(unit, decoded(unit.key, blobs[unit.key], most)) for unit in some], found, compute)
    return results


def _of_some(
    traces: Iterable[tuple[Row, NDArray[Any] | BaseException]],
    found: Mapping[Key, Recording],
    compute: Compute[R],
) -> dict[Key, R | BaseException]:
    """The results of units with their traces: one call for those of a scan whose traces have one length."""
    results: dict[Key, R | BaseException] = {}
    alike: dict[tuple[Key, int], list[tuple[Row, NDArray[Any]]]] = defaultdict(list)
    for unit, trace in traces:
        if isinstance(trace, BaseException):
            results[unit.key] = trace
        else:
            alike[unit.at(SCAN.on), len(trace)].append((unit, trace))
    for (scan, _), members in alike.items():
        units, alike_traces = zip(*members, strict=True)
        results |= _of_scan(found[scan], units, np.stack(alike_traces), compute)
    return results


def _of_scan(
    recording: Recording, units: Sequence[Row], traces: NDArray[Any], compute: Compute[R]
) -> dict[Key, R | BaseException]:
    """The results of units of one scan; an error is every unit's."""
    keys = [unit.key for unit in units]
    try:
        return dict(zip(keys, compute(recording, units, traces), strict=True))
    except Exception as error:
        return dict.fromkeys(keys, error)
