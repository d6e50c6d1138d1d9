"""Arrays by reference, and the little of them that GraphQL carries."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any
from urllib.parse import urlencode

from graphql.pyutils import Path
from numpy.typing import NDArray
from sqlalchemy import Column

from gql_nda.arrays.formats import fitting
from gql_nda.arrays.numbers import Numeric, Preview, PreviewPoints, Shifted, Slice, Statistics, Summary
from gql_nda.codec import Header, peek
from gql_nda.context import Context
from gql_nda.errors import ArrayTooLarge, BadUserInput, BlobCorrupt
from gql_nda.keys import format_key
from gql_nda.loaders import Reduction
from gql_nda.query import Key
from gql_nda.resolvers.computed import Computed
from gql_nda.stores import Head, located, table_of
from gql_nda.tables import Array


@dataclass(frozen=True, slots=True)
class ArrayRef:
    """An array that stays where it is: its column, its row's key and its header.

    ``shift`` is added to every value: a unit's times are its scan's, shifted by the unit's delay.
    """

    column: Column[Any]
    key: Key
    header: Header
    shift: float = 0.0

    @property
    def expected(self) -> Array:
        """What the column is said to hold."""
        described: Array = self.column.info["array"]
        return described

    @property
    def size(self) -> int:
        """Number of values."""
        return prod(self.header.shape)

    @property
    def address(self) -> str:
        """The path under which the array can be read."""
        return address(self.column, self.key)

    @property
    def query(self) -> dict[str, str]:
        """What the address must say besides."""
        return {"shift": repr(self.shift)} if self.shift else {}

    async def read(self, context: Context, read: Callable[[NDArray[Any]], Any]) -> Any:
        """What a reader finds in the values, flattened in C order; an array too large for that is refused unread."""
        header, most = self.header, context.limits.decoded_bytes
        nbytes = header.nbytes if header.streamable else max(header.nbytes, header.raw_size)
        if nbytes > most:
            message = f"decoded_bytes: the array has {nbytes} bytes, at most {most} are read in a query; use href"
            raise ArrayTooLarge(message, limit="decoded_bytes", maximum=most)
        shifted = Shifted(self.shift, read)
        reduction = Reduction(self.key, Numeric(context.limits.blob_bytes), shifted)
        return await context.loaders.reduced(self.column).load(reduction)


AnyArray = ArrayRef | Computed
"""Whatever ``NdArray`` can be."""


def address(column: Column[Any], key: Key) -> str:
    """``/arrays/<table>/<key>/<column>``."""
    table = table_of(column)
    return f"/arrays/{table.name.lstrip('#')}/{format_key(table, key)}/{column.name}"


def header_of(column: Column[Any], key: Key, head: Head, limit: int) -> Header:
    """The header of a blob; BLOB_CORRUPT says where the blob lies."""
    try:
        return peek(head.prefix, head.size, limit=limit)
    except BlobCorrupt as error:
        raise located(error, column, key) from None


def reference(column: Column[Any], key: Key, head: Head, context: Context, shift: float = 0.0) -> ArrayRef:
    """The array that a blob's beginning tells of; BLOB_CORRUPT where it can't."""
    return ArrayRef(column, key, header_of(column, key, head, context.limits.blob_bytes), shift)


async def values(
    array: AnyArray, context: Context, at: Path, start: int | None, stop: int | None, step: int | None
) -> list[float | None]:
    """Some of the values, flattened in C order and sliced as Python slices: the field ``at`` a path tells them."""
    if step is not None and step < 1:
        raise BadUserInput(f"step: {step} is less than 1", argument="step")
    size, most = array.size, context.limits.array_values
    count = len(range(*slice(start, stop, step).indices(size)))
    if count > most:
        message = f"array_values: {count} values asked for, at most {most} a call; slice them, or use href"
        raise ArrayTooLarge(message, limit="array_values", maximum=most)
    context.spend_values(count, at)
    found: list[float | None] = await array.read(context, Slice(start, stop, step))
    return found


async def preview(array: AnyArray, context: Context, at: Path, points: int) -> PreviewPoints:
    """Least and largest values of successive bins, told by the field ``at`` a path."""
    most = context.limits.array_values
    if points < 1:
        raise BadUserInput(f"points: {points} is less than 1", argument="points")
    if points > most:
        raise ArrayTooLarge(f"array_values: at most {most} points a preview", limit="array_values", maximum=most)
    context.spend_values(min(points, array.size) * 3, at)
    found: PreviewPoints = await array.read(context, Preview(points))
    return found


async def statistics(array: AnyArray, context: Context) -> Statistics:
    """Statistics of all values."""
    found: Statistics = await array.read(context, Summary())
    return found


def href(array: AnyArray, context: Context, form: str) -> str:
    """The absolute address of the whole array in some format."""
    fitting(form, array.header, context.limits.decoded_bytes)
    query = {**({"format": form} if form != "npy" else {}), **array.query}
    return f"{context.base_url}{array.address}{'?' if query else ''}{urlencode(query)}"
