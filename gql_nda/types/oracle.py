"""The oracle score, computed again, and the oracle raster: fields of Unit."""

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from gql_nda.context import Context
from gql_nda.resolvers import oracle as derived
from gql_nda.resolvers.stimulus import CONDITIONS
from gql_nda.types.fields import batch

if TYPE_CHECKING:
    from gql_nda.types.stimulus import Clip

Info = strawberry.Info[Context, None]
Raster = strawberry.Parent[derived.Raster]
Hash = strawberry.Parent[str]

Cube = list[list[list[float | None]]]
"""Numbers (repeat, clip, sample)."""

_CLIPS = CONDITIONS[derived.CLIP]


@strawberry.type(description="An oracle score computed from the unit's trace, as far as the method is public.")
class OracleComputed:
    """Value: ``gql_nda.resolvers.oracle.Score``."""

    pearson: float | None = strawberry.field(
        description="Correlation of the responses to each clip with the mean of its other repeats, pooled over all "
        "clips shown three times or more, times (n - 1) / n: 0 for a constant trace."
    )
    trials: int = strawberry.field(description="Number of trials that the score is of; 0 without a score.")
    reason: str | None = strawberry.field(description="Why there is no score; null where there is one.")


@strawberry.type(description="A clip that the scan shows ten times.")
class OracleClip:
    """Value: its condition hash."""

    @strawberry.field(description="The clip's condition hash.")
    def condition_hash(clip: Hash) -> str:
        """Itself."""
        return clip

    @strawberry.field(description="The clip; null where the database holds none of that hash.")
    async def condition(clip: Hash, info: Info) -> Annotated["Clip", strawberry.lazy("gql_nda.types.stimulus")] | None:
        """By primary key."""
        found: Any = await info.context.loaders.row(_CLIPS).load((clip,))
        return found  # type: ignore[no-any-return]


@strawberry.type(
    description="Responses of a unit to the clips that its scan shows ten times, repeat by repeat. A repeat is a block "
    "of successive trials that shows each clip once. A unit without a raster has no clips, and a reason."
)
class OracleRaster:
    """Value: ``gql_nda.resolvers.oracle.Raster``."""

    clips: list[OracleClip] = strawberry.field(
        description="The clips, in the order of the arrays: by condition hash, descending, whatever its case."
    )
    repeats: int = strawberry.field(description="Number of repeats.")
    samples: int = strawberry.field(
        description="Number of samples of the longest clip: its duration times the scan's nominal rate, rounded."
    )

    @strawberry.field(description="Number of the trial that shows each clip: [repeat][clip].")
    async def trial_idx(raster: Raster, info: Info) -> list[list[int]]:
        """As the scan has them."""
        return raster.trial_idx(info.path)

    @strawberry.field(
        description="When the responses are sampled: [repeat][clip][sample], seconds on the clock of the scan's frame "
        "times, evenly from a trial's start to its end. Null behind the end of a clip shorter than the longest."
    )
    async def times(raster: Raster, info: Info) -> Cube | None:
        """The same for all units of a scan."""
        return raster.times(info.path)

    @strawberry.field(
        description="Activity at these times, interpolated linearly between the unit's own frames (frame times plus "
        "delay): [repeat][clip][sample], in the trace's units. Null beyond the trace and where it isn't finite."
    )
    async def values(raster: Raster, info: Info) -> Cube | None:
        """From the trace."""
        return await raster.values(info.path)

    @strawberry.field(
        description="The values of each repeat scaled from 0 to 1 over its clips: [repeat][clip][sample]. Null where "
        "values are, and in a repeat without any change."
    )
    async def normalized(raster: Raster, info: Info) -> Cube | None:
        """From the trace."""
        return await raster.normalized(info.path)

    @strawberry.field(description="The stored oracle score; null where the unit has none, as artifacts.")
    async def pearson(raster: Raster) -> float | None:
        """From the table."""
        return await raster.pearson()

    @strawberry.field(description="What is missing, and why; null where nothing is. Takes the trace, as values do.")
    async def reason(raster: Raster) -> str | None:
        """Of the scan, or of the trace."""
        return await raster.reason()


@strawberry.type
class UnitOracle:
    """Fields of a unit."""

    oracle_computed: OracleComputed | None = batch(
        derived.computed,
        "The oracle score computed from the unit's trace. The resampling behind the stored scores isn't published: "
        "this one, sampled as `oracleRaster` is, comes close but needn't equal `oracle`, which stays the truth.",
    )
    oracle_raster: OracleRaster | None = batch(
        derived.rasters,
        "Responses to the clips that the scan shows ten times. Their values count towards `operation_values`.",
    )
