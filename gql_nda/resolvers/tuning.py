"""Monet2's directions, when they were shown, and how units respond to them."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gql_nda import tables as t
from gql_nda.arrays.numbers import Numeric, as_list
from gql_nda.context import Context
from gql_nda.errors import BlobCorrupt
from gql_nda.loaders import Reduction
from gql_nda.query import Key, Row
from gql_nda.resolvers.responses import Chosen, Numbers, spend
from gql_nda.resolvers.stimulus import CONDITIONS
from gql_nda.resolvers.traces import SCAN, Recording, failed, over_traces, recordings
from gql_nda.science import tuning as science
from gql_nda.science.reasons import joined
from gql_nda.science.resampling import unclocked
from gql_nda.stores import located

MONET2 = "stimulus.Monet2"
"""The type of its trials."""

Shown = Mapping[str, science.Segments | BaseException | None]
"""The segments of conditions by hash; None where directions or onsets are absent."""

# --- segments --------------------------------------------------------------------------------------


class Frames(NamedTuple):
    """Frames from ``start`` on and before ``stop``."""

    start: int
    stop: int


class Segment(NamedTuple):
    """One direction of a trial (degrees), from when to when (s from the trial's start), and its frames."""

    direction: float
    onset: float
    offset: float
    frames: Frames | None = None


async def segments(conditions: Sequence[Row], context: Context) -> list[list[Segment] | BaseException | None]:
    """The segments of each Monet2."""
    shown = await _shown([row["condition_hash"] for row in conditions], context)
    return [_told(shown[row["condition_hash"]], context) for row in conditions]


async def trial_segments(trials: Sequence[Row], context: Context) -> list[list[Segment] | BaseException | None]:
    """The segments of each trial with their frames; None unless it showed Monet2."""
    monet2 = [trial for trial in trials if trial["type"] == MONET2]
    shown = await _shown([trial["condition_hash"] for trial in monet2], context)
    found = await recordings((trial.at(SCAN.on) for trial in monet2), context)
    return [
        _told(shown[trial["condition_hash"]], context, trial, found.get(trial.at(SCAN.on)))
        if trial["type"] == MONET2
        else None
        for trial in trials
    ]


def _told(
    shown: science.Segments | BaseException | None,
    context: Context,
    trial: Row | None = None,
    recording: Recording | BaseException | None = None,
) -> list[Segment] | BaseException | None:
    """Segments one by one; an error in the frame times is the trial's."""
    if shown is None or isinstance(shown, BaseException):
        return shown
    clock = recording.clock if isinstance(recording, Recording) else recording
    if isinstance(clock, BaseException):
        return clock
    context.spend_values(sum(map(len, shown)) + (0 if trial is None else 2 * len(shown.degrees)))
    frames: list[Frames | None] = [None] * len(shown.degrees)
    if trial is not None and clock is not None and not unclocked(clock):
        found = science.segment_frames(trial["start_frame_time"], shown, clock)
        frames = [Frames(*pair) for pair in found.tolist()]
    return [Segment(*one) for one in zip(*(column.tolist() for column in shown), frames, strict=True)]


async def _shown(hashes: Sequence[str], context: Context) -> Shown:
    """The segments of conditions, kept in the cache: few conditions serve all scans and units."""
    wanted = list(dict.fromkeys(hashes))

    async def missing(hashes: list[str]) -> list[science.Segments | BaseException | None]:
        return await _read([(hash_,) for hash_ in hashes], context)

    return dict(zip(wanted, await context.cache.each("segments", wanted, missing), strict=True))


async def _read(keys: list[Key], context: Context) -> list[science.Segments | BaseException | None]:
    loaders, decode = context.loaders, Numeric(context.limits.decoded_bytes)
    wanted = [Reduction(key, decode, np.array) for key in keys]
    rows, *columns = await asyncio.gather(
        loaders.row(CONDITIONS[MONET2]).load_many(keys),
        loaders.reduced(t.monet2.c.directions).load_each(wanted),
        loaders.reduced(t.monet2.c.onsets).load_each(wanted),
    )
    return [_joined(row, *blobs) for row, *blobs in zip(rows, *columns, strict=True)]


def _joined(row: Row | None, directions: Any, onsets: Any) -> science.Segments | BaseException | None:
    """The segments of one condition; BLOB_CORRUPT where its columns don't belong together."""
    for column in (directions, onsets):
        if column is None or isinstance(column, BaseException):
            return column
    if row is None:
        return None
    try:
        return science.segments(directions, onsets, float(row["duration"]))
    except (TypeError, ValueError) as error:
        return located(BlobCorrupt(str(error)), t.monet2.c.directions, row.key)


# --- tuning ----------------------------------------------------------------------------------------


class Tuning(NamedTuple):
    """A unit's responses by direction (nda degrees, rising), and how selective they are."""

    directions: list[float] | None
    responses: Numbers | None
    sem: Numbers | None
    n: list[int] | None
    gosi: float | None
    gdsi: float | None
    osi: float | None
    dsi: float | None
    preferred_direction: float | None
    preferred_orientation: float | None
    reason: str | None


async def direction_tuning(units: Sequence[Row], context: Context) -> Sequence[Tuning | BaseException]:
    """Each unit's tuning to the directions of its scan's Monet2 trials."""
    found = await recordings((unit.at(SCAN.on) for unit in units), context)
    trials = [trial for recording in found.values() if isinstance(recording, Recording) for trial in _of(recording)]
    shown = await _shown([trial["condition_hash"] for trial in trials], context)
    known = {scan: recording for scan, recording in found.items() if isinstance(recording, Recording)}
    spend(units, known, context, partial(_numbers, shown))
    return await over_traces(units, context, "direction tuning", partial(_tuning, shown), _untuned)


def _numbers(shown: Shown, recording: Recording) -> int:
    """Numbers of a curve: direction, response, sem and n of each direction."""
    segments = [shown[trial["condition_hash"]] for trial in _of(recording)]
    return 4 * len(science.distinct([of for of in segments if isinstance(of, science.Segments)]))


def _of(recording: Recording) -> list[Row]:
    return Chosen(type=MONET2).during(recording)


def _untuned(reason: str, _: Recording | None) -> Tuning:
    return Tuning(None, None, None, None, None, None, None, None, None, None, reason)


def _tuning(
    shown: Shown, recording: Recording, units: Sequence[Row], traces: NDArray[Any]
) -> Sequence[Tuning | BaseException]:
    """The tuning of units of one scan."""
    trials = [(trial, shown[trial["condition_hash"]]) for trial in _of(recording)]
    known = [(trial, found) for trial, found in trials if isinstance(found, science.Segments) and len(found.degrees)]
    errors = [found for _, found in trials if isinstance(found, BaseException)]
    if grave := [error for error in errors if failed(error) or not known]:
        return [grave[0]] * len(units)
    lost = _lost(len(trials) - len(known) - len(errors), errors)
    why = unclocked(recording.frame_times) or (None if known else lost or "the scan has no Monet2 trials")
    if why:
        return [_untuned(why, recording)] * len(units)
    starts = recording.column("start_frame_time", [trial for trial, _ in known])
    delays = [unit["ms_delay"] for unit in units]
    means, degrees = science.segment_means(traces, recording.frame_times, delays, starts, [s for _, s in known])
    return _selective(science.curve(means, degrees), lost)


def _lost(absent: int, errors: Sequence[BaseException]) -> str | None:
    """Which trials take no part; of those with damaged directions the first is told."""
    return joined(
        f"{absent} Monet2 trials have no directions" if absent else None,
        f"{len(errors)} Monet2 trials have directions that can't be read: {errors[0]}" if errors else None,
    )


def _selective(curve: science.Curve, lost: str | None) -> list[Tuning]:
    found = science.selectivity(curve.mean, curve.degrees)
    reasons = [joined(lost, reason) for reason in found.reasons]
    columns = zip(as_list(curve.mean), as_list(curve.sem), curve.n.tolist(), strict=True)
    indices = zip(*(as_list(index) for index in found[:-1]), strict=True)
    return [
        Tuning._make([curve.degrees.tolist(), *lists, *each, reason])
        for lists, each, reason in zip(columns, indices, reasons, strict=True)
    ]
