"""Responses of units to trials: trial by trial, over the repeats of a condition, and by brain area."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from gql_nda import tables as t
from gql_nda.arrays.numbers import as_list
from gql_nda.context import Context
from gql_nda.errors import BadUserInput, LimitExceeded, PublicError
from gql_nda.query import Key, Row
from gql_nda.resolvers.traces import SCAN, Absent, Recording, over_traces, recordings
from gql_nda.science import responses as science
from gql_nda.science.reasons import Reasons, joined, reasons
from gql_nda.science.resampling import unclocked

Floats = NDArray[np.float64]
Numbers = list[float | None]
R = TypeVar("R")

FRAMES = "FRAMES"
"""Trials are cut by frames; the other way is by time."""

_HASH: int = t.trial.c.condition_hash.type.length  # type: ignore[attr-defined]  # a CHAR has one


# --- which trials ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chosen:
    """The trials of a scan that satisfy all that is given; hashes are told apart by case."""

    condition_hash: str | None = None
    trial_idx: tuple[int, ...] | None = None
    type: str | None = None

    def of(self, trials: Sequence[Row]) -> list[Row]:
        """Those trials, in order."""
        return [trials[i] for i in self.at(trials)]

    def during(self, recording: Recording) -> list[Row]:
        """Those trials of a recording, in order: who asks for a condition looks through its own."""
        hash_ = self.condition_hash
        return self.of(recording.trials if hash_ is None else recording.repeats.get(hash_, []))

    def at(self, trials: Sequence[Row]) -> list[int]:
        """Their places among all trials."""
        wanted = list(self._wanted())
        return [i for i, trial in enumerate(trials) if all(trial[name] in values for name, values in wanted)]

    def lacking(self, found: Sequence[Row]) -> str | None:
        """What was asked for and isn't there."""
        if not found:
            return "the scan has no such trial"
        absent = sorted(set(self.trial_idx or ()) - {trial["trial_idx"] for trial in found})
        return f"no such trials: {', '.join(map(str, absent[:10]))}" if absent else None

    def _wanted(self) -> Iterator[tuple[str, frozenset[Any]]]:
        if self.trial_idx is not None:
            yield "trial_idx", frozenset(self.trial_idx)
        for name, value in (("condition_hash", self.condition_hash), ("type", self.type)):
            if value is not None:
                yield name, frozenset([value])


def chosen(
    context: Context, condition_hash: str | None = None, trial_idx: Sequence[int] | None = None, kind: str | None = None
) -> Chosen:
    """What arguments choose; LIMIT_EXCEEDED for more trials than a list may have."""
    most = context.limits.list_values
    numbers = None if trial_idx is None else tuple(sorted(set(trial_idx)))
    if numbers is not None and len(numbers) > most:
        raise LimitExceeded(f"list_values: at most {most} trials at a time", limit="list_values", maximum=most)
    # one that is too long is no trial's, and would only fill the cache
    hash_ = None if condition_hash is None else condition_hash[: _HASH + 1]
    return Chosen(hash_, numbers, kind)


async def readable(rows: Iterable[Row], context: Context) -> dict[Key, Recording]:
    """The recordings of rows, by scan, whose clock can be read."""
    return {scan: of for scan, of in (await _recorded(rows, context)).items() if not isinstance(of.clock, PublicError)}


async def _recorded(rows: Iterable[Row], context: Context) -> dict[Key, Recording]:
    found = await recordings((row.at(SCAN.on) for row in rows), context)
    return {scan: recording for scan, recording in found.items() if isinstance(recording, Recording)}


def spend(
    rows: Sequence[Row], known: Mapping[Key, Recording], context: Context, count: Callable[[Recording], int]
) -> None:
    """Count the numbers that each row of a scan gives, before they are computed."""
    counts = {scan: count(recording) for scan, recording in known.items()}
    context.spend_values(sum(counts.get(row.at(SCAN.on), 0) for row in rows))


def lengths(of: Chosen, align: str, recording: Recording) -> science.Lengths:
    """How long chosen trials are as they are cut: none is, by times that can't be used."""
    trials = of.during(recording)
    if align == FRAMES:
        return science.frame_lengths(*_columns(recording, trials, "start_idx", "end_idx"))
    if unclocked(recording.frame_times):
        return science.frame_lengths([], [])
    ends = _columns(recording, trials, "start_frame_time", "end_frame_time")
    return science.time_lengths(recording.frame_times, *ends)


def _columns(recording: Recording, trials: Sequence[Row], *names: str) -> list[Floats]:
    """Columns of trials; NaN where a row has nothing."""
    return [np.array(recording.column(name, trials), float) for name in names]


# --- cuts ------------------------------------------------------------------------------------------


class Cut(NamedTuple):
    """Responses (unit, trial, sample), when they were taken (s from the trial's start), and how long trials are."""

    values: Floats
    times: Floats
    lengths: science.Lengths


def cut(recording: Recording, units: Sequence[Row], traces: NDArray[Any], trials: list[Row], align: str) -> Cut:
    """Responses to trials. ValueError by frame times that can't be used."""
    starts, ends = _columns(recording, trials, "start_frame_time", "end_frame_time")
    delays = np.array([unit["ms_delay"] for unit in units], float)
    if align != FRAMES:
        aligned, axis = science.by_times(traces, recording.frame_times, delays, starts, ends)
        return Cut(aligned.values, np.broadcast_to(axis, aligned.values.shape), aligned.lengths)
    first, last = _columns(recording, trials, "start_idx", "end_idx")
    aligned = science.by_frames(traces, first, last)
    clock = np.full((1, traces.shape[1]), np.nan)
    known = min(traces.shape[1], len(recording.frame_times))
    clock[0, :known] = recording.frame_times[:known]
    taken = science.by_frames(clock, first, last).values - starts[:, None]
    return Cut(aligned.values, taken + delays[:, None, None] / 1000, aligned.lengths)


Tell = Callable[[Cut, list[Row], Reasons], list[R]]
"""Results for units from their cut, and what each of them is missing."""


async def _over_cuts(
    units: Sequence[Row], context: Context, name: str, of: Chosen, align: str, tell: Tell[R], absent: Absent[R]
) -> Sequence[R | BaseException]:
    """What is told of units' responses to chosen trials; no trace is read where none of them can be cut."""

    def compute(recording: Recording, units: Sequence[Row], traces: NDArray[Any]) -> Sequence[R]:
        trials = of.during(recording)
        found = cut(recording, units, traces, trials, align)
        missing = reasons(len(units), *_gaps(of, align, recording), (_short(found), science.SHORT))
        return tell(found, trials, missing)

    return await over_traces(units, context, (name, of, align), compute, absent, partial(_uncut, of, align))


def _gaps(of: Chosen, align: str, recording: Recording) -> Iterator[tuple[bool, str]]:
    """What is missing whatever the traces hold."""
    texts = of.lacking(of.during(recording)), unclocked(recording.frame_times)
    unfit = int(lengths(of, align, recording).unfit.sum())
    yield from ((True, text) for text in texts if text)
    yield unfit > 0, f"{unfit} of the trials have no finite start and end, or are too long"


def _uncut(of: Chosen, align: str, recording: Recording) -> str | None:
    """Why none of the trials can be cut, if so."""
    some = not lengths(of, align, recording).unfit.all()
    if some and (align == FRAMES or not unclocked(recording.frame_times)):
        return None
    return reasons(1, *_gaps(of, align, recording))[0]


def _short(found: Cut) -> NDArray[np.bool_]:
    """Whether units lack samples of the trials: (unit,)."""
    inside = np.arange(found.values.shape[2]) < found.lengths.samples[:, None]
    return np.asarray((inside & ~np.isfinite(found.values)).any(axis=(1, 2)))


# --- trial by trial --------------------------------------------------------------------------------


class TrialResponse(NamedTuple):
    """One trial's samples; those that weren't recorded are None, and so are all of a trial that can't be cut."""

    trial: Row
    times: Numbers | None
    values: Numbers | None

    @property
    def trial_idx(self) -> Any:
        """The trial's."""
        return self.trial["trial_idx"]

    @property
    def condition_hash(self) -> Any:
        """The trial's."""
        return self.trial["condition_hash"]


class UnitResponses(NamedTuple):
    """Responses to several trials, and times that stand for all of theirs."""

    times: Numbers | None
    trials: list[TrialResponse] | None
    reason: str | None = None


async def responses(
    units: Sequence[Row],
    context: Context,
    *,
    condition_hash: str | None = None,
    trial_idx: Sequence[int] | None = None,
    type: str | None = None,  # noqa: A002
    align: str = FRAMES,
) -> Sequence[UnitResponses | BaseException]:
    """Each unit's responses to the trials that satisfy all that is given."""
    of = chosen(context, condition_hash, trial_idx, type)
    if of == Chosen():
        raise BadUserInput("conditionHash: give conditionHash, trialIdx or type", argument="conditionHash")
    spend(units, await readable(units, context), context, partial(_response_numbers, of, align))
    return await _over_cuts(
        units, context, "responses", of, align, _responses, lambda why, _: UnitResponses(None, None, why)
    )


def _response_numbers(of: Chosen, align: str, recording: Recording) -> int:
    """Time and value of each sample, and the axis."""
    found = lengths(of, align, recording)
    return 2 * int(found.samples.sum()) + found.longest


def _responses(found: Cut, trials: list[Row], missing: Reasons) -> list[UnitResponses]:
    axes = science.averaged(found.times, axis=1).mean
    each = zip(as_list(axes), as_list(found.values), as_list(found.times), missing, strict=True)
    ends = [None if unfit else n for n, unfit in zip(*(column.tolist() for column in found.lengths), strict=True)]

    def told(values: list[Numbers], times: list[Numbers]) -> list[TrialResponse]:
        rows = zip(trials, times, values, ends, strict=True)
        return [
            TrialResponse(trial, *((None, None) if n is None else (when[:n], what[:n])))
            for trial, when, what, n in rows
        ]

    return [UnitResponses(axis, told(values, times), reason) for axis, values, times, reason in each]


# --- over the repeats of a condition ---------------------------------------------------------------


class Psth(NamedTuple):
    """The mean response over repeats, sample by sample; ``n`` repeats have the sample."""

    times: Numbers | None
    mean: Numbers | None
    sem: Numbers | None
    n: list[int] | None
    repeats: int
    reason: str | None = None


async def psth(
    units: Sequence[Row], context: Context, *, condition_hash: str, align: str = FRAMES
) -> Sequence[Psth | BaseException]:
    """Each unit's mean response to a condition."""
    of = chosen(context, condition_hash)
    spend(units, await readable(units, context), context, partial(psth_numbers, of, align))
    return await psths(units, context, of, align)


def psth_numbers(of: Chosen, align: str, recording: Recording) -> int:
    """Time, mean, standard error and n of each sample."""
    return 4 * lengths(of, align, recording).longest


async def psths(units: Sequence[Row], context: Context, of: Chosen, align: str) -> Sequence[Psth | BaseException]:
    """Each unit's mean response to chosen trials."""

    def absent(why: str, recording: Recording | None) -> Psth:
        return Psth(None, None, None, None, len(of.during(recording)) if recording else 0, why)

    return await _over_cuts(units, context, "psth", of, align, _psths, absent)


def _psths(found: Cut, trials: list[Row], missing: Reasons) -> list[Psth]:
    times, (mean, sem, n) = science.averaged(found.times, axis=1).mean, science.psth(found.values)
    each = zip(as_list(times), as_list(mean), as_list(sem), n.tolist(), strict=True)
    huge = reasons(len(mean), ((~np.isfinite(mean) & (n > 0)).any(axis=-1), science.HUGE))
    told = map(joined, missing, huge)
    return [Psth(*lists, len(trials), reason) for lists, reason in zip(each, told, strict=True)]


# --- the mean of each trial ------------------------------------------------------------------------


class AllMeans(NamedTuple):
    """Mean response to every trial of a scan, in order, and how many frames each is of: (trial,)."""

    mean: Floats
    frames: NDArray[np.int32]
    reason: str | None = None


class TrialMeans(NamedTuple):
    """Mean response to some trials: lists of one length."""

    trial_idx: list[int] | None
    condition_hash: list[str] | None
    mean: Numbers | None
    frames: list[int] | None
    reason: str | None = None


async def all_means(units: Sequence[Row], context: Context) -> Sequence[AllMeans | BaseException]:
    """Each unit's mean response to every trial of its scan."""
    nothing = np.zeros(0), np.zeros(0, np.int32)
    return await over_traces(units, context, "trial means", _all_means, lambda why, _: AllMeans(*nothing, why))


def _all_means(recording: Recording, units: Sequence[Row], traces: NDArray[Any]) -> list[AllMeans]:  # noqa: ARG001
    means, frames = science.trial_means(traces, recording.column("start_idx"), recording.column("end_idx"))
    each = zip(means, frames.astype(np.int32), strict=True)
    return [AllMeans(mean.copy(), count.copy()) for mean, count in each]  # rows that the cache can let go one by one


async def trial_means(
    units: Sequence[Row],
    context: Context,
    *,
    condition_hash: str | None = None,
    type: str | None = None,  # noqa: A002
) -> Sequence[TrialMeans | BaseException]:
    """Each unit's mean response to the trials that satisfy all that is given; to all, if nothing is."""
    of = chosen(context, condition_hash, kind=type)
    known = await _recorded(units, context)  # frames need no clock
    some = {scan: _Some(of, recording) for scan, recording in known.items()}
    spend(units, known, context, lambda recording: 4 * len(some[recording.scan.key].at))
    return [
        mean if isinstance(mean, BaseException) else _told(mean, some.get(unit.at(SCAN.on)))
        for unit, mean in zip(units, await all_means(units, context), strict=True)
    ]


class _Some:
    """Chosen trials of a recording."""

    def __init__(self, of: Chosen, recording: Recording) -> None:
        self.at = of.at(recording.trials)
        trials = [recording.trials[i] for i in self.at]
        self.names = recording.column("trial_idx", trials), recording.column("condition_hash", trials)
        first, last = _columns(recording, trials, "start_idx", "end_idx")
        self.lengths = np.fmax(last - first + 1, 1)
        self.lacking = of.lacking(trials)


def _told(means: AllMeans, some: _Some | None) -> TrialMeans:
    """The means of chosen trials."""
    if means.reason is not None or some is None or not some.at:
        return TrialMeans(None, None, None, None, joined(means.reason, some.lacking if some else None))
    mean, frames = means.mean[some.at], means.frames[some.at]
    short = science.SHORT if (frames < some.lengths).any() else None
    huge = science.HUGE if (~np.isfinite(mean) & (frames > 0)).any() else None
    return TrialMeans(*some.names, as_list(mean), frames.tolist(), joined(some.lacking, short, huge))
