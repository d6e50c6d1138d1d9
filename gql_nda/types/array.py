"""Arrays by reference."""

import strawberry

from gql_nda.context import Context
from gql_nda.resolvers import arrays
from gql_nda.resolvers.arrays import ArrayRef
from gql_nda.types.enums import ArrayFormat

Info = strawberry.Info[Context, None]
Array = strawberry.Parent[ArrayRef]


@strawberry.type(description="An array drawn small: the least and the largest value of successive bins.")
class Preview:
    """Value: ``gql_nda.arrays.numbers.PreviewPoints``."""

    x: list[int] = strawberry.field(description="Index at which each bin starts, in the flattened array.")
    min: list[float | None] = strawberry.field(description="Least finite value of each bin; null where none is.")
    max: list[float | None] = strawberry.field(description="Largest finite value of each bin; null where none is.")


@strawberry.type(
    description="An array that stays in the database until it is asked for: its shape and type come from the first "
    "512 bytes alone. Take `values` for a few numbers, `preview` for a plot, `href` for all of it."
)
class NdArray:
    """Value: ``gql_nda.resolvers.arrays.ArrayRef``."""

    @strawberry.field(description="Length of each axis.")
    def shape(self: Array) -> list[int]:
        """From the header."""
        return list(self.header.shape)

    @strawberry.field(description="Type of the values, by NumPy's name.")
    def dtype(self: Array) -> str:
        """From the header."""
        return self.header.dtype

    @strawberry.field(description="Unit of the values; null for counts and arbitrary units.")
    def unit(self: Array) -> str | None:
        """From the table."""
        return self.expected.unit

    @strawberry.field(description="What each axis runs over.")
    def dims(self: Array) -> list[str]:
        """From the table."""
        return list(self.expected.dims)

    @strawberry.field(description="Size of the decoded values, in bytes.")
    def nbytes(self: Array) -> int:
        """From the header."""
        return self.header.nbytes

    @strawberry.field(
        description="Values of the array, flattened in C order and sliced as Python slices: at most 10,000 a call. "
        "NaN and infinities are null, booleans 0 and 1."
    )
    async def values(
        self: Array, info: Info, start: int | None = None, stop: int | None = None, step: int | None = None
    ) -> list[float | None] | None:
        """Read from the blob."""
        return await arrays.values(self, info.context, start, stop, step)

    @strawberry.field(description="The array drawn with at most so many points; a shorter one comes whole.")
    async def preview(self: Array, info: Info, points: int = 1000) -> Preview | None:
        """Read from the blob."""
        return await arrays.preview(self, info.context, points)  # type: ignore[return-value]

    @strawberry.field(description="Least finite value.")
    async def min(self: Array, info: Info) -> float | None:
        """Read from the blob."""
        return (await arrays.statistics(self, info.context)).min

    @strawberry.field(description="Largest finite value.")
    async def max(self: Array, info: Info) -> float | None:
        """Read from the blob."""
        return (await arrays.statistics(self, info.context)).max

    @strawberry.field(description="Mean of the finite values.")
    async def mean(self: Array, info: Info) -> float | None:
        """Read from the blob."""
        return (await arrays.statistics(self, info.context)).mean

    @strawberry.field(description="Number of values that are NaN.")
    async def nan_count(self: Array, info: Info) -> int | None:
        """Read from the blob."""
        return (await arrays.statistics(self, info.context)).nan_count

    @strawberry.field(description="Absolute address of the whole array, to download or to show as a picture.")
    def href(self: Array, info: Info, format: ArrayFormat = ArrayFormat.NPY) -> str:  # noqa: A002
        """Nothing is read yet."""
        return arrays.href(self, info.context, str(format.value))
