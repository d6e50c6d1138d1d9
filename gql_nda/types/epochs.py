"""Behaviour at the frames of a scan, and its epochs: derived fields of Scan."""

from typing import Any

import strawberry
from strawberry import UNSET

from gql_nda.context import Context
from gql_nda.resolvers import epochs as derived
from gql_nda.types.arguments import argument
from gql_nda.types.array import NdArray
from gql_nda.types.enums import BehaviorSource, PupilState
from gql_nda.types.fields import batch

Info = strawberry.Info[Context, None]
Asked = strawberry.Parent[derived.Behavior]


def _at_frames(name: str) -> Any:
    """A series at the frames, as its column describes it."""

    async def resolve(of: Asked, info: Info) -> NdArray | None:
        return await derived.at_frames(name, of, info.context)  # type: ignore[return-value]

    return strawberry.field(resolver=resolve, description=derived.SERIES[name].stored.comment)


@strawberry.type(description="Pupil and treadmill of a scan on one axis, its frames. What isn't known is NaN there.")
class Behavior:
    """Value: ``gql_nda.resolvers.epochs.Behavior``."""

    pupil_min_r: NdArray | None = _at_frames("pupil_min_r")
    pupil_maj_r: NdArray | None = _at_frames("pupil_maj_r")
    pupil_x: NdArray | None = _at_frames("pupil_x")
    pupil_y: NdArray | None = _at_frames("pupil_y")
    treadmill_velocity: NdArray | None = _at_frames("treadmill_velocity")

    @strawberry.field(description="Time of each frame at the first depth, counted from the first frame (s).")
    async def times(of: Asked, info: Info) -> NdArray | None:
        """The axis that all series share."""
        return await derived.times(of, info.context)  # type: ignore[return-value]

    @strawberry.field(description="What is missing, and why; null where nothing is.")
    async def reason(of: Asked, info: Info) -> str | None:
        """Of rows that aren't there."""
        return await derived.reason(of, info.context)


@strawberry.input(description="What a number must lie between: above `gt`, if given, and below `lt`, if given.")
class FloatBounds:
    """One bound, or both."""

    gt: float | None = strawberry.field(default=UNSET, description="It is greater than this.")
    lt: float | None = strawberry.field(default=UNSET, description="It is less than this.")


@strawberry.type(description="Successive frames in which all conditions held.")
class Epoch:
    """Value: ``gql_nda.resolvers.epochs.Epoch``."""

    start: int = strawberry.field(description="Index of the first frame, from 0.")
    stop: int = strawberry.field(description="Index behind the last frame, as a slice has it.")
    start_time: float = strawberry.field(description="Time of the first frame, counted from the scan's first (s).")
    stop_time: float = strawberry.field(
        description="When the last frame ends: at the next one, or after the median time between frames if that is "
        "sooner (s)."
    )
    duration: float = strawberry.field(description="From `startTime` to `stopTime` (s).")


@strawberry.type(description="When a mouse did what was asked for.")
class Epochs:
    """Value: ``gql_nda.resolvers.epochs.Epochs``."""

    epochs: list[Epoch] | None = strawberry.field(description="The epochs, in order; null with a reason.")
    nframes: int | None = strawberry.field(description="Number of frames in all epochs together; null with a reason.")
    total_duration: float | None = strawberry.field(
        description="Duration of all epochs together (s); null with a reason."
    )
    reason: str | None = strawberry.field(
        description="What the scan lacks to tell epochs, or which trace is resampled, or ends before the scan does: "
        "frames without a value count as NaN. Null where all is there."
    )


@strawberry.type
class ScanBehavior:
    """What is derived of a scan's behaviour."""

    behavior: Behavior | None = batch(
        derived.behaviors,
        "Pupil and treadmill on one axis: the frames of the scan.",
        argument(
            "source",
            BehaviorSource | None,
            "Whether series are shown as they are stored, or resampled here from the raw ones.",
            BehaviorSource.SYNCHRONISED,
        ),
    )
    epochs: Epochs | None = batch(
        derived.epochs,
        "Epochs of behaviour at the frames of the scan, by the stored ManualPupil and Treadmill, or by the raw ones, "
        "resampled here, where these aren't stored: successive frames in which all conditions hold. One condition at "
        "least must be given.",
        argument(
            "running",
            FloatBounds | None,
            "Speed of the treadmill (cm/s): the absolute value of its velocity, for running either way. A frame "
            "without one never fits.",
        ),
        argument("pupil", PupilState | None, "Whether the pupil was found in the frame."),
        argument("min_duration", float | None, "Leave out epochs shorter than this (s)."),
    )
