"""What a scan shows: the order and the times of its trials, and the movie of the whole scan."""

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gql_nda import tables
from gql_nda.demo.batches import Batch, Row, records
from gql_nda.demo.chance import Floats, chance, quantised
from gql_nda.demo.conditions import (
    CLASSES,
    CONDITIONS,
    MONET2,
    ORACLE,
    PUBLISHED_MONET2,
    SIZE,
    TRIPPY,
    Condition,
    Pictures,
    pictures,
    shown_once,
    shown_twice,
)
from gql_nda.demo.facts import Recording
from gql_nda.demo.scan import TICK, frame_times

_T = TypeVar("_T")

TRIALS = 464
ONCE_A_CLASS = 48

ORACLE_ORDER = {(5, 7): "K5Ge7O", (7, 4): "G7O5eK"}
"""Published orders of the six oracle clips, by the first character of their hash."""

FILLERS = (32, 34, 40, 30, 34, 66, 32, 34, 34, 32, 36)
"""Trials before, between and after the ten oracle blocks of 7_4; other scans shuffle all but the first."""

MONITOR = 1 - 1.6e-5
"""Length of the monitor's second on the stimulus clock."""

GAPS = np.array([5, 6]) / 60
"""Pauses between trials (s): whole flips at 60 Hz."""

HUNG = (8, 9)
"""The one scan whose first trial hangs for one flip."""

BLANK = 128
"""Grey level of the screen between trials."""

_RUN = 4
_FLIP_JITTER = 8e-6


@dataclass(frozen=True, slots=True)
class Schedule:
    """The trials of a scan: conditions, flips (s) and frames; ``end`` is inclusive."""

    conditions: list[Condition]
    flips: list[Floats]
    start: NDArray[np.int64]
    end: NDArray[np.int64]


@lru_cache(maxsize=2)
def schedule(recording: Recording) -> Schedule:
    """When a scan shows what."""
    conditions = sequence(recording)
    flips = _flips(recording, conditions)
    start, end = _frames(flips, frame_times(recording))
    return Schedule(conditions, flips, start, end)


# --- the order -------------------------------------------------------------------------------------


def sequence(recording: Recording) -> list[Condition]:
    """The condition of every trial: ten blocks of the oracle clips among the others."""
    rng = chance("sequence", *recording.key)
    block = oracle_order(recording)
    fillers = iter(_fillers(recording, rng))
    gaps = FILLERS if recording.key == (7, 4) else (FILLERS[0], *rng.permutation(FILLERS[1:]).tolist())
    order = [next(fillers) for _ in range(gaps[0])]
    for gap in gaps[1:]:
        order += [*block, *(next(fillers) for _ in range(gap))]
    return order


def oracle_order(recording: Recording) -> list[Condition]:
    """The oracle clips in the one order in which a scan always shows them."""
    hashes = [*ORACLE]
    known = ORACLE_ORDER.get(recording.key)
    if known:
        return [CONDITIONS[h] for h in sorted(hashes, key=lambda h: known.index(h[0]))]
    return [CONDITIONS[hashes[i]] for i in chance("oracle order", *recording.key).permutation(len(hashes))]


def _fillers(recording: Recording, rng: np.random.Generator) -> list[Condition]:
    """The trials outside the oracle blocks: single clips, and runs of Monet2 and of Trippy."""
    clips = _shuffled(rng, [[c] for c in _clips(rng)])
    monet2, trippy = (_runs(_shuffled(rng, [*kind, *kind])) for kind in (MONET2, TRIPPY))
    head = clips[:12]
    if recording.key == (4, 7):
        head, monet2 = [*clips[:6], _with_published(monet2), *clips[6:12]], monet2[1:]
    rest = _shuffled(rng, [*clips[12:], *monet2, *trippy])
    return [condition for item in (*head, *rest) for condition in item]


def _with_published(runs: list[list[Condition]]) -> list[Condition]:
    """The first run, the published Monet2 taken to its third place."""
    flat = [c for run in runs for c in run]
    i = next(i for i, c in enumerate(flat) if c.hash == PUBLISHED_MONET2)
    flat[2], flat[i] = flat[i], flat[2]
    runs[:] = _runs(flat)
    return runs[0]


def _clips(rng: np.random.Generator) -> list[Condition]:
    """90 clips twice, and 48 of each class once."""
    pools = [[c for c in shown_once() if c.movie_class == kind] for kind in CLASSES]
    once = [pool[i] for pool in pools for i in rng.permutation(len(pool))[:ONCE_A_CLASS]]
    return [*shown_twice(), *shown_twice(), *once]


def _shuffled(rng: np.random.Generator, items: list[_T]) -> list[_T]:
    return [items[i] for i in rng.permutation(len(items))]


def _runs(items: list[Condition]) -> list[list[Condition]]:
    return [items[i : i + _RUN] for i in range(0, len(items), _RUN)]


# --- the times -------------------------------------------------------------------------------------


def _flips(recording: Recording, conditions: list[Condition]) -> list[Floats]:
    """Time of every flip of every trial (s), one array a trial."""
    rng = chance("flips", *recording.key)
    pauses = rng.choice(GAPS, len(conditions))
    hangs = [recording.key == HUNG and i == 0 for i in range(len(conditions))]
    lengths = [(c.frames - 1 + hung) / c.fps * MONITOR for c, hung in zip(conditions, hangs, strict=True)]
    starts = recording.first_trial + np.concatenate([[0], np.cumsum(lengths + pauses)[:-1]])
    return [
        quantised(start + _pace(c, hung) + _FLIP_JITTER * rng.uniform(-1, 1, c.frames), TICK)
        for start, c, hung in zip(starts, conditions, hangs, strict=True)
    ]


def _pace(condition: Condition, hung: bool) -> Floats:
    """Time of the flips from the first one (s); a hang holds the 100th picture for one flip more."""
    flips = np.arange(condition.frames)
    return (flips + (hung & (flips >= 100))) / condition.fps * MONITOR


def _frames(flips: list[Floats], times: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last frame of each trial: it lasts until the next one's first frame.

    After the last trial a pause of median length counts in.
    """
    first = np.array([f[0] for f in flips])
    last = np.array([f[-1] for f in flips])
    pause = np.median(first[1:] - last[:-1])
    edges = np.append(first, last[-1] + pause)
    index = np.rint(np.interp(edges, times, np.arange(len(times)))).astype(int)
    return index[:-1], index[1:] - 1


# --- rows ------------------------------------------------------------------------------------------


def movie(recording: Recording) -> Pictures:
    """The screen at each frame (y, x, frame): the picture shown last, grey between trials."""
    height, width = SIZE
    screen = np.full((recording.nframes, width, height), BLANK, np.uint8)
    plan, times = schedule(recording), frame_times(recording)
    for condition, flips, start, end in zip(plan.conditions, plan.flips, plan.start, plan.end, strict=True):
        shown = np.searchsorted(flips, times[start : end + 1], side="right") - 1
        screen[start : end + 1] = pictures(condition)[np.clip(shown, 0, None)]
    return screen.transpose(2, 1, 0)


def trial_rows(recording: Recording) -> list[Row]:
    """Rows of trial."""
    plan = schedule(recording)
    return records(
        **recording.columns,
        trial_idx=np.arange(len(plan.conditions)),
        type=[c.type for c in plan.conditions],
        start_idx=plan.start,
        end_idx=plan.end,
        start_frame_time=[float(f[0]) for f in plan.flips],
        end_frame_time=[float(f[-1]) for f in plan.flips],
        stim_times=[f[None] for f in plan.flips],
        condition_hash=[c.hash for c in plan.conditions],
    )


def stimulus_batches(recording: Recording) -> list[Batch]:
    """The rows of one scan in this room's tables, those of conditions aside."""
    shown: Row = {**recording.columns, "movie": partial(movie, recording)}
    return [(tables.stimulus, [shown]), (tables.trial, trial_rows(recording))]
