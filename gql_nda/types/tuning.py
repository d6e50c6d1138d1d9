"""Monet2's directions, and the tuning of units to them."""

import strawberry

from gql_nda.resolvers import tuning
from gql_nda.types.fields import batch

CONVENTION = (
    "In nda degrees: at 0 a vertical feature moves leftwards, and directions run anticlockwise. Published tables count "
    "otherwise: functional_properties_v3 in radians, clockwise from a horizontal bar moving upwards; "
    "digital_twin_properties in degrees, anticlockwise from a vertical bar moving to the right."
)

# --- segments --------------------------------------------------------------------------------------


@strawberry.type(description="A direction that a Monet2 shows for a while.")
class DirectionSegment:
    """Value: ``gql_nda.resolvers.tuning.Segment``."""

    direction: float = strawberry.field(description=f"Direction of motion, as stored. {CONVENTION}")
    onset: float = strawberry.field(description="When it begins, from the trial's start (s).")
    offset: float = strawberry.field(
        description="When it ends, from the trial's start (s): with the next segment's onset, or the stimulus."
    )


@strawberry.type(description="Successive frames of a scan.")
class SegmentFrames:
    """Value: ``gql_nda.resolvers.tuning.Frames``."""

    start: int = strawberry.field(description="Index of the first frame.")
    stop: int = strawberry.field(description="Index behind the last frame: the start where there's none.")


@strawberry.type(description="A direction that a trial showed for a while, and the scan's frames in it.")
class TrialSegment(DirectionSegment):
    """Value: ``gql_nda.resolvers.tuning.Segment``."""

    frames: SegmentFrames | None = strawberry.field(
        description="The frames taken from onset on and before offset, by the scan's measured frame times: those of "
        "its first field; a unit's are msDelay later. Null where the scan has none."
    )


@strawberry.type
class Monet2Segments:
    """What a Monet2 shows when."""

    segments: list[DirectionSegment] | None = batch(
        tuning.segments, "The directions of motion in the order shown; null where directions or onsets are absent."
    )


@strawberry.type
class TrialSegments:
    """What a Monet2 trial showed when."""

    direction_segments: list[TrialSegment] | None = batch(
        tuning.trial_segments,
        "The directions of motion that the trial showed, in order, with their frames; null unless it showed Monet2.",
    )


# --- tuning ----------------------------------------------------------------------------------------


@strawberry.type(
    description="How a unit responds to directions of motion: the mean activity of the frames in each Monet2 segment, "
    "taken at their measured times plus the unit's delay, averaged by direction R(t). Negative R count as 0 in the "
    f"indices and preferences. {CONVENTION} An orientation is a direction modulo 180."
)
class DirectionTuning:
    """Value: ``gql_nda.resolvers.tuning.Tuning``."""

    directions: list[float] | None = strawberry.field(description="The directions shown, rising (nda degrees).")
    responses: list[float | None] | None = strawberry.field(
        description="Mean response to each direction, R; null where none was recorded."
    )
    sem: list[float | None] | None = strawberry.field(
        description="Standard error of each mean, over segments; null where n is below 2."
    )
    n: list[int] | None = strawberry.field(description="Number of segments that each mean is of.")
    gosi: float | None = strawberry.field(
        name="gOSI", description="Global orientation selectivity: |sum R exp(2it)| / sum R, from 0 to 1."
    )
    gdsi: float | None = strawberry.field(
        name="gDSI", description="Global direction selectivity: |sum R exp(it)| / sum R, from 0 to 1."
    )
    osi: float | None = strawberry.field(
        name="OSI",
        description="Orientation selectivity (P - O) / (P + O), from 0 to 1: P is the largest response to an "
        "orientation, the mean of its two directions; O that to the orientation 90 degrees from it.",
    )
    dsi: float | None = strawberry.field(
        name="DSI",
        description="Direction selectivity (P - N) / (P + N), from 0 to 1: P is the largest response to a direction, "
        "N that to its opposite.",
    )
    preferred_direction: float | None = strawberry.field(
        description="Angle of sum R exp(it), from 0 to below 360 (nda degrees)."
    )
    preferred_orientation: float | None = strawberry.field(
        description="Half the angle of sum R exp(2it), from 0 to below 180 (nda degrees)."
    )
    reason: str | None = strawberry.field(description="Why something is missing; null when nothing is.")


@strawberry.type
class UnitTuning:
    """How a unit responds to directions."""

    direction_tuning: DirectionTuning | None = batch(
        tuning.direction_tuning, "The unit's tuning to the directions of its scan's Monet2 trials."
    )
