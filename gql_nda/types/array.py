"""Arrays by reference."""

from typing import Annotated, TypeVar

import strawberry
from strawberry import UNSET

from gql_nda.context import Context
from gql_nda.resolvers import arrays
from gql_nda.resolvers.arrays import AnyArray
from gql_nda.types.arguments import plain
from gql_nda.types.enums import ArrayFormat

Info = strawberry.Info[Context, None]
Array = strawberry.Parent[AnyArray]
Described = strawberry.argument
T = TypeVar("T")

POINTS = 1000
"""Points of a preview unless told otherwise."""


def _given(value: T | None) -> T | None:
    """An argument's value, None where it was left out."""
    return None if value is UNSET else value


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
    """Value: ``gql_nda.resolvers.arrays.AnyArray``."""

    @strawberry.field(description="Length of each axis.")
    def shape(ref: Array) -> list[int]:
        """From the header."""
        return list(ref.header.shape)

    @strawberry.field(description="Type of the values, by NumPy's name.")
    def dtype(ref: Array) -> str:
        """From the header."""
        return ref.header.dtype

    @strawberry.field(description="Unit of the values; null for counts and arbitrary units.")
    def unit(ref: Array) -> str | None:
        """From the table."""
        return ref.expected.unit

    @strawberry.field(description="What each axis runs over.")
    def dims(ref: Array) -> list[str]:
        """From the table."""
        return list(ref.expected.dims)

    @strawberry.field(description="Size of the decoded values, in bytes.")
    def nbytes(ref: Array) -> int:
        """From the header."""
        return ref.header.nbytes

    @strawberry.field(
        description="Values of the array, flattened in C order and sliced as Python slices: at most 10,000 a call. "
        "NaN and infinities are null, booleans 0 and 1."
    )
    async def values(
        ref: Array,
        info: Info,
        start: Annotated[
            int | None, Described("Index of the first value; a negative one counts from the end.")
        ] = UNSET,
        stop: Annotated[int | None, Described("Index behind the last value; as `start`.")] = UNSET,
        step: Annotated[int | None, Described("Take every so many values, from 1.")] = UNSET,
    ) -> list[float | None] | None:
        """Read from the blob."""
        return await arrays.values(ref, info.context, info.path, _given(start), _given(stop), _given(step))

    @strawberry.field(description="The array drawn with at most so many points; a shorter one comes whole.")
    async def preview(
        ref: Array, info: Info, points: Annotated[int | None, Described("Most points to draw, from 1.")] = POINTS
    ) -> Preview | None:
        """Read from the blob."""
        most = POINTS if points is None else points
        return await arrays.preview(ref, info.context, info.path, most)  # type: ignore[return-value]

    @strawberry.field(description="Least finite value.")
    async def min(ref: Array, info: Info) -> float | None:
        """Read from the blob."""
        return (await arrays.statistics(ref, info.context)).min

    @strawberry.field(description="Largest finite value.")
    async def max(ref: Array, info: Info) -> float | None:
        """Read from the blob."""
        return (await arrays.statistics(ref, info.context)).max

    @strawberry.field(description="Mean of the finite values.")
    async def mean(ref: Array, info: Info) -> float | None:
        """Read from the blob."""
        return (await arrays.statistics(ref, info.context)).mean

    @strawberry.field(description="Number of values that are NaN.")
    async def nan_count(ref: Array, info: Info) -> int | None:
        """Read from the blob."""
        return (await arrays.statistics(ref, info.context)).nan_count

    @strawberry.field(description="Absolute address of the whole array, to download or to show as a picture.")
    def href(
        ref: Array,
        info: Info,
        format: Annotated[ArrayFormat | None, Described("The form of the download.")] = ArrayFormat.NPY,  # noqa: A002
    ) -> str:
        """Nothing is read yet."""
        return arrays.href(ref, info.context, plain(format or ArrayFormat.NPY))
