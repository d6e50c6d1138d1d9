"""Traces of units with their scan's clock and trials: what is computed of responses starts here."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gql_nda import tables as t
from gql_nda.arrays.numbers import Numeric, numeric
from gql_nda.context import Context
from gql_nda.errors import PublicError
from gql_nda.loaders import Reduction, located
from gql_nda.query import Key, Query, Relation, Row
from gql_nda.tables import key_names

R = TypeVar("R")
Floats = NDArray[np.float64]

SCAN = Relation(t.scan, key_names(t.scan))
TRACE = t.activity.c.trace


@dataclass(frozen=True)
class Recording:
    """A scan, when its frames were taken (s), and its trials in order.

    Frame times are those of the first field; a unit's are ``ms_delay`` later. They're empty where none are stored.
    """

    scan: Row
    frame_times: Floats
    trials: list[Row]

    @property
    def fps(self) -> float:
        """The nominal rate (Hz): it isn't the measured one."""
        return float(self.scan["fps"])

    def column(self, name: str, trials: Sequence[Row] | None = None) -> list[Any]:
        """A column of the trials, or of some."""
        return [trial[name] for trial in (self.trials if trials is None else trials)]


Compute = Callable[[Recording, Sequence[Row], NDArray[Any]], Sequence[R]]
"""Results for units of one scan from their traces (unit, frame), all of one length."""


async def recordings(scans: Iterable[Key], context: Context) -> dict[Key, Recording | BaseException]:
    """The recordings of scans by key; an error in the frame times of one stays with it."""
    keys = list(dict.fromkeys(scans))
    loaders, decode = context.loaders, Numeric(context.limits.decoded_bytes)
    rows, times, trials = await asyncio.gather(
        loaders.row(SCAN).load_many(keys),
        loaders.reduced(t.scan_times.c.frame_times).load_each([Reduction(key, decode, _floats) for key in keys]),
        loaders.ask(context.store.rows, Query(t.trial, SCAN.on, tuple(keys))),
    )
    return {
        key: clock if isinstance(clock, BaseException) else Recording(scan, _NONE if clock is None else clock, of)
        for key, scan, clock, of in zip(keys, rows, times, (trials.get(key, []) for key in keys), strict=True)
        if scan is not None
    }


_NONE: Floats = np.zeros(0)


def _floats(values: NDArray[Any]) -> Floats:
    return values.astype(np.float64)


async def over_traces(
    units: Sequence[Row],
    context: Context,
    name: Hashable,
    compute: Compute[R],
    absent: Callable[[str], R],
) -> Sequence[R | BaseException]:
    """What is computed of each unit's activity trace, kept under ``name`` in the cache: one result a unit.

    Traces are read and decoded in portions, and computed with in a thread: one call for the units of a scan in a
    portion. A unit without a trace has what ``absent`` says for the reason; an error stays with its own unit.
    """
    by_key = {unit.key: unit for unit in units}

    async def missing(keys: list[Key]) -> Sequence[R | BaseException]:
        found = await recordings((by_key[key].at(SCAN.on) for key in keys), context)
        results: dict[Key, Any] = {}
        for portion in await context.loaders.portions(TRACE, keys):
            blobs = await context.loaders.ask(context.store.blobs, TRACE, portion)
            work = [by_key[key] for key in portion if key in blobs]
            results |= await asyncio.to_thread(_computed, work, blobs, found, compute, context.limits.decoded_bytes)
        return [results[key] if key in results else absent("the unit has no activity trace") for key in keys]

    return await context.cache.each(name, [unit.key for unit in units], missing)


def _computed(
    units: Sequence[Row],
    blobs: Mapping[Key, bytes],
    found: Mapping[Key, Recording | BaseException],
    compute: Compute[R],
    most: int,
) -> dict[Key, R | BaseException]:
    """The results of a portion of units."""
    results: dict[Key, R | BaseException] = {}
    alike: dict[tuple[Key, int], list[tuple[Row, NDArray[Any]]]] = defaultdict(list)
    for unit in units:
        try:
            trace = numeric(blobs[unit.key], most)
        except PublicError as error:
            results[unit.key] = located(error, TRACE, unit.key)
        else:
            alike[unit.at(SCAN.on), len(trace)].append((unit, trace))
    for (scan, _), members in alike.items():
        of, traces = [unit for unit, _ in members], np.stack([trace for _, trace in members])
        recording, keys = found[scan], [unit.key for unit in of]
        if isinstance(recording, BaseException):
            results.update(dict.fromkeys(keys, recording))
        else:
            results.update(zip(keys, compute(recording, of, traces), strict=True))
    return results
