"""How the activity of chosen units goes together: a field of Query."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import strawberry
from strawberry.types.arguments import StrawberryArgument

from gql_nda.context import Context
from gql_nda.resolvers import population as derived
from gql_nda.types.arguments import argument
from gql_nda.types.array import NdArray
from gql_nda.types.fields import declared, each_of
from gql_nda.types.keys import UnitKey

if TYPE_CHECKING:
    from gql_nda.types.unit import UnitConnection

Info = strawberry.Info[Context, None]
Correlation = strawberry.Parent[derived.Correlation]


class CorrelationSpec:
    """Units by their keys."""

    plain: ClassVar[bool] = False
    listed: ClassVar[str] = "units"

    async def resolve(self, row: Any, info: Info, kwargs: dict[str, Any]) -> derived.Correlation:  # noqa: ARG002
        """The correlation, not computed yet."""
        units: list[UnitKey] = kwargs[self.listed]
        return await derived.correlation([unit.key for unit in units], info.context)

    def arguments(self) -> list[StrawberryArgument]:
        """The keys."""
        text = "Keys of units of one scan, 500 at most unless the server is set otherwise; each counts once."
        return [argument(self.listed, list[UnitKey], text)]


@strawberry.type(description="Correlations between the activity traces of units, over all frames of their scan.")
class ActivityCorrelation:
    """Value: ``gql_nda.resolvers.population.Correlation``."""

    units: Annotated["UnitConnection", strawberry.lazy("gql_nda.types.unit")] | None = strawberry.field(
        description="The units, on one page in the order of their keys: the order of `r`. Keys that no unit has are "
        "its `missingKeys`."
    )
    r: NdArray | None = strawberry.field(
        description="Pearson's correlation of every pair: [unit][unit]. It is computed when values are asked for or "
        "downloaded. NaN for units with a reason; null without any unit."
    )

    @strawberry.field(
        description="Why the row and column of each unit are NaN: [unit]. Null where they aren't. Takes the traces."
    )
    async def reasons(correlation: Correlation) -> list[str | None] | None:
        """Of each trace."""
        return await correlation.reasons()


@strawberry.type
class PopulationQuery:
    """Fields of Query."""

    activity_correlation: ActivityCorrelation | None = each_of(
        declared(
            CorrelationSpec(),
            "Pairwise correlation of the activity of some units of one scan. Units of different scans weren't recorded "
            "at the same time: BAD_USER_INPUT.",
        ),
        CorrelationSpec.listed,
    )
