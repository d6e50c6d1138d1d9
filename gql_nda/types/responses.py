"""Responses of units to trials, by brain area, and the conditions of a scan."""

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from gql_nda.context import Context
from gql_nda.resolvers import areas
from gql_nda.resolvers import conditions as shown
from gql_nda.resolvers import responses as derived
from gql_nda.types.enums import BrainArea, TrialType
from gql_nda.types.fields import argument, batch, each_of

if TYPE_CHECKING:
    from gql_nda.types.stimulus import Clip, Monet2, Trial, Trippy

_STIMULUS = strawberry.lazy("gql_nda.types.stimulus")


@strawberry.enum(description="How responses are cut at trials.")
class Alignment(Enum):
    """Frames, or times."""

    FRAMES = strawberry.enum_value(
        derived.FRAMES,
        description="The frames of the trial's rows, startIdx to endIdx, both included: as nda's users cut. A unit's "
        "delay doesn't move them; it's in their times.",
    )
    TIME = strawberry.enum_value(
        "TIME",
        description="Interpolated linearly at times a measured frame period apart, from startFrameTime to "
        "endFrameTime, the unit's delay made up for.",
    )


_HASH = argument("condition_hash", str | None, "Only trials of this condition; hashes that differ by case differ.")
_TYPE = argument("type", TrialType | None, "Only trials of this type.")
_ALIGN = argument("align", Alignment | None, "How the trials are cut: by FRAMES unless told.")

_REASON = "Why something is missing; null when nothing is."

# --- of a unit -------------------------------------------------------------------------------------


@strawberry.type(description="A unit's response to one trial.")
class TrialResponse:
    """Value: ``gql_nda.resolvers.responses.TrialResponse``."""

    trial_idx: int = strawberry.field(description="Number of the trial within its scan.")
    condition_hash: str = strawberry.field(description="Hash of the condition shown.")
    times: list[float | None] | None = strawberry.field(
        description="When each sample was taken: measured, and counted from the trial's start (s). Null for samples "
        "beyond the recording that no frame was taken of."
    )
    values: list[float | None] | None = strawberry.field(
        description="The samples of the activity trace; null for what wasn't recorded."
    )
    trial: Annotated["Trial", _STIMULUS] | None = strawberry.field(description="The trial.")


@strawberry.type(description="A unit's responses to several trials.")
class UnitResponses:
    """Value: ``gql_nda.resolvers.responses.UnitResponses``."""

    times: list[float | None] | None = strawberry.field(
        description="One axis for all trials (s from a trial's start): the mean of the trials' own times."
    )
    trials: list[TrialResponse] | None = each_of(
        strawberry.field(description="The responses, trials in order."), shown.TRIALS
    )
    reason: str | None = strawberry.field(description=_REASON)


@strawberry.type(
    description="The mean response to a condition over its repeats, sample by sample: lists of one length. Samples "
    "that weren't recorded are left out; n counts those that were."
)
class Psth:
    """Value: ``gql_nda.resolvers.responses.Psth``."""

    times: list[float | None] | None = strawberry.field(
        description="When the samples were taken, from a trial's start: the mean over the repeats (s)."
    )
    mean: list[float | None] | None = strawberry.field(description="Mean of the activity; null where n is 0.")
    sem: list[float | None] | None = strawberry.field(
        description="Standard error of the mean: the deviation with n - 1, over the root of n; null where n is below 2."
    )
    n: list[int] | None = strawberry.field(description="Number of repeats that have the sample.")
    repeats: int = strawberry.field(description="Number of trials that showed the condition.")
    reason: str | None = strawberry.field(description=_REASON)


@strawberry.type(description="A unit's mean response to each of several trials: lists of one length, trials in order.")
class TrialMeans:
    """Value: ``gql_nda.resolvers.responses.TrialMeans``."""

    trial_idx: list[int] | None = strawberry.field(description="Number of each trial within the scan.")
    condition_hash: list[str] | None = strawberry.field(description="Hash of the condition that each trial showed.")
    mean: list[float | None] | None = strawberry.field(
        description="Mean activity over each trial's frames, startIdx to endIdx; null where none was recorded."
    )
    frames: list[int] | None = strawberry.field(description="Number of frames that each mean is of.")
    reason: str | None = strawberry.field(description=_REASON)


@strawberry.type
class UnitTrials:
    """What a unit does while trials are shown."""

    responses: UnitResponses | None = batch(
        derived.responses,
        "The unit's activity during the trials that satisfy all that is given; give at least one argument.",
        _HASH,
        argument("trial_idx", list[int] | None, "Only trials of these numbers: at most 1,000."),
        _TYPE,
        _ALIGN,
    )
    psth: Psth | None = batch(
        derived.psth,
        "The unit's mean response to a condition over its repeats.",
        argument("condition_hash", str, "Hash of the condition; hashes that differ by case differ."),
        _ALIGN,
    )
    trial_means: TrialMeans | None = batch(
        derived.trial_means,
        "The unit's mean response to each trial: of the whole scan, or of those that satisfy all that is given.",
        _HASH,
        _TYPE,
    )


# --- of a brain area -------------------------------------------------------------------------------


_AREAS = argument("areas", list[BrainArea] | None, "Only these areas, in this order.")
_UNITS = argument("units", int | None, "Most units of an area to average, from 1 to 1,000: 100 unless told.")


@strawberry.type(description="The mean response of units of one brain area to one trial.")
class AreaResponse:
    """Value: ``gql_nda.resolvers.areas.AreaResponse``."""

    brain_area: BrainArea | None = strawberry.field(description="The area.")
    mean: float | None = strawberry.field(
        description="Mean over n units of their mean activity over the trial's frames, startIdx to endIdx."
    )
    sem: float | None = strawberry.field(description="Standard error of the mean over units; null where n is below 2.")
    n: int = strawberry.field(description="Number of units that took part.")
    units: int = strawberry.field(description="Number of units that the area has in the scan.")
    reason: str | None = strawberry.field(description=_REASON)


@strawberry.type(
    description="The mean response of units of one brain area to a condition, sample by sample: lists of one length."
)
class AreaPsth:
    """Value: ``gql_nda.resolvers.areas.AreaPsth``."""

    brain_area: BrainArea | None = strawberry.field(description="The area.")
    times: list[float | None] | None = strawberry.field(
        description="When the samples were taken, from a trial's start: the mean over units (s)."
    )
    mean: list[float | None] | None = strawberry.field(
        description="Mean over units of their mean over repeats; null where n is 0."
    )
    sem: list[float | None] | None = strawberry.field(
        description="Standard error of the mean over units; null where n is below 2."
    )
    n: list[int] | None = strawberry.field(description="Number of units that have the sample.")
    units: int = strawberry.field(description="Number of units that the area has in the scan.")
    reason: str | None = strawberry.field(description=_REASON)


@strawberry.type
class TrialAreas:
    """What brain areas do during a trial."""

    area_responses: list[AreaResponse] | None = batch(
        areas.area_responses,
        "The response of each brain area to the trial, areas by name: means over some units of the area, which are "
        "taken at even steps through all of them, so that every field and depth takes part. At most 10,000 units' "
        "traces are averaged, all scans together.",
        _AREAS,
        _UNITS,
    )


# --- of a scan -------------------------------------------------------------------------------------


@strawberry.type(description="A condition that a scan shows.")
class ShownCondition:
    """Value: ``gql_nda.resolvers.conditions.Shown``."""

    condition_hash: str = strawberry.field(description="Its hash.")
    type: TrialType | None = strawberry.field(description="The type of its trials.")
    repeats: int = strawberry.field(description="Number of trials that show it.")
    trial_idx: list[int] | None = strawberry.field(description="Numbers of these trials, in order.")

    @strawberry.field(description="The clip, Monet2 or Trippy; null where the database doesn't describe it.")
    def condition(
        of: strawberry.Parent[shown.Shown], info: strawberry.Info[Context, None]
    ) -> (
        Annotated[
            Annotated["Clip", _STIMULUS] | Annotated["Monet2", _STIMULUS] | Annotated["Trippy", _STIMULUS],
            strawberry.union("Condition"),
        ]
        | None
    ):
        """By primary key."""
        return shown.condition(of, info.context)  # type: ignore[return-value]


@strawberry.type
class ScanConditions:
    """What a scan shows."""

    conditions: list[ShownCondition] | None = each_of(
        batch(
            shown.conditions,
            "The conditions of the scan's trials, each once, in order of first showing.",
            argument("min_repeats", int | None, "Only conditions shown at least so often, from 1: 1 unless told."),
            _TYPE,
        ),
        shown.TRIALS,
    )
    area_psths: list[AreaPsth] | None = batch(
        areas.area_psths,
        "The mean response of each brain area to a condition, areas by name: the mean over units of their PSTHs. Units "
        "are taken as for areaResponses.",
        argument("condition_hash", str, "Hash of the condition; hashes that differ by case differ."),
        _AREAS,
        _UNITS,
        _ALIGN,
    )
