"""Stimulus, Trial, Clip, Monet2, Trippy."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from gql_nda import tables as t
from gql_nda.resolvers import stimulus as derived
from gql_nda.types.array import NdArray
from gql_nda.types.connection import Connection
from gql_nda.types.entity import Node, entity
from gql_nda.types.enums import TrialType
from gql_nda.types.fields import array, children, choice, column, parent
from gql_nda.types.responses import TrialAreas
from gql_nda.types.tuning import Monet2Segments, TrialSegments

if TYPE_CHECKING:
    from gql_nda.types.scan import Scan

_trial, _clip, _monet2, _trippy = t.trial, t.clip, t.monet2, t.trippy

_BY_HASH = ("condition_hash",)
_TRIALS = "The trials that showed the condition, in any scan."


@entity(t.stimulus)
class Stimulus(Node):
    """What the mouse saw."""

    session: int = column(t.stimulus.c.session)
    scan_idx: int = column(t.stimulus.c.scan_idx)
    movie: NdArray | None = array(t.stimulus.c.movie)
    scan: Annotated["Scan", strawberry.lazy("gql_nda.types.scan")] | None = parent(t.stimulus, t.scan)
    trials: Connection["Trial"] | None = children(t.stimulus, _trial, "The trials of the scan, in order.")


@entity(_trial)
class Trial(Node, TrialAreas, TrialSegments):
    """One presentation of a condition."""

    session: int = column(_trial.c.session)
    scan_idx: int = column(_trial.c.scan_idx)
    trial_idx: int = column(_trial.c.trial_idx)
    type: TrialType = column(_trial.c.type)
    start_idx: int = column(_trial.c.start_idx)
    end_idx: int = column(_trial.c.end_idx)
    start_frame_time: float = column(_trial.c.start_frame_time)
    end_frame_time: float = column(_trial.c.end_frame_time)
    condition_hash: str = column(_trial.c.condition_hash)
    stim_times: NdArray | None = array(_trial.c.stim_times)
    condition: Annotated["Clip | Monet2 | Trippy", strawberry.union("Condition")] | None = choice(
        _trial.c.type, derived.CONDITIONS, "What was shown: the clip, Monet2 or Trippy of the trial's condition hash."
    )
    scan: Annotated["Scan", strawberry.lazy("gql_nda.types.scan")] | None = parent(_trial, t.scan)
    stimulus: Stimulus | None = parent(_trial, t.stimulus)


@entity(_clip)
class Clip(Node):
    """A movie clip."""

    condition_hash: str = column(_clip.c.condition_hash)
    movie_name: str = column(_clip.c.movie_name)
    duration: float = column(_clip.c.duration)
    clip: NdArray | None = array(_clip.c.clip)
    short_movie_name: str = column(_clip.c.short_movie_name)
    fps: float = column(_clip.c.fps)
    trials: Connection[Trial] | None = children(_clip, _trial, _TRIALS, on=_BY_HASH)


@entity(_monet2)
class Monet2(Node, Monet2Segments):
    """Noise with coherent motion."""

    condition_hash: str = column(_monet2.c.condition_hash)
    fps: float = column(_monet2.c.fps)
    duration: float = column(_monet2.c.duration)
    rng_seed: float = column(_monet2.c.rng_seed)
    blue_green_saturation: float = column(_monet2.c.blue_green_saturation)
    pattern_width: int = column(_monet2.c.pattern_width)
    pattern_aspect: float = column(_monet2.c.pattern_aspect)
    temp_kernel: str = column(_monet2.c.temp_kernel)
    temp_bandwidth: float = column(_monet2.c.temp_bandwidth)
    ori_coherence: float = column(_monet2.c.ori_coherence)
    ori_fraction: float = column(_monet2.c.ori_fraction)
    ori_mix: float = column(_monet2.c.ori_mix)
    n_dirs: int = column(_monet2.c.n_dirs)
    speed: float = column(_monet2.c.speed)
    directions: NdArray | None = array(_monet2.c.directions)
    onsets: NdArray | None = array(_monet2.c.onsets)
    movie: NdArray | None = array(_monet2.c.movie)
    trials: Connection[Trial] | None = children(_monet2, _trial, _TRIALS, on=_BY_HASH)


@entity(_trippy)
class Trippy(Node):
    """A drifting random phase."""

    condition_hash: str = column(_trippy.c.condition_hash)
    fps: float = column(_trippy.c.fps)
    rng_seed: float = column(_trippy.c.rng_seed)
    packed_phase_movie: NdArray | None = array(_trippy.c.packed_phase_movie)
    tex_ydim: int = column(_trippy.c.tex_ydim)
    tex_xdim: int = column(_trippy.c.tex_xdim)
    duration: float = column(_trippy.c.duration)
    xnodes: int = column(_trippy.c.xnodes)
    ynodes: int = column(_trippy.c.ynodes)
    up_factor: int = column(_trippy.c.up_factor)
    temp_freq: float = column(_trippy.c.temp_freq)
    temp_kernel_length: int = column(_trippy.c.temp_kernel_length)
    spatial_freq: float = column(_trippy.c.spatial_freq)
    movie: NdArray | None = array(_trippy.c.movie)
    trials: Connection[Trial] | None = children(_trippy, _trial, _TRIALS, on=_BY_HASH)


Condition = Annotated[Clip | Monet2 | Trippy, strawberry.union("Condition", description="What a trial can show.")]
