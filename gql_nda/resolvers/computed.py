"""Arrays that no blob holds: they are computed when they are read, at an address that says of what."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gql_nda.arrays.formats import Format
from gql_nda.codec import Header
from gql_nda.context import Context
from gql_nda.errors import ArrayTooLarge, BadUserInput
from gql_nda.tables import Array


@dataclass(frozen=True, slots=True)
class Computed:
    """An array that isn't computed yet: its address below ``/arrays/``, with its arguments, and its shape.

    ``compute`` gives an array of that shape and dtype; reading it is bound by ``decoded_bytes``.
    """

    path: str
    shape: tuple[int, ...]
    expected: Array
    compute: Callable[[], Awaitable[NDArray[Any]]]
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def header(self) -> Header:
        """As a blob's: what is known before anything is read."""
        nbytes = self.size * np.dtype(self.expected.dtype).itemsize
        return Header("array", self.shape, self.expected.dtype, nbytes, False, nbytes, 0)

    @property
    def size(self) -> int:
        """Number of values."""
        return prod(self.shape)

    @property
    def address(self) -> str:
        """The path under which the array can be read."""
        return f"/arrays/{self.path}"

    async def read(self, context: Context, read: Callable[[NDArray[Any]], Any]) -> Any:
        """What a reader finds in the values, flattened in C order."""
        values = await self.values(context.limits.decoded_bytes)
        return await asyncio.to_thread(read, values.reshape(-1))

    async def values(self, most: int) -> NDArray[Any]:
        """The array, if it has no more bytes than that."""
        if self.header.nbytes > most:
            message = f"decoded_bytes: the array has {self.header.nbytes} bytes, at most {most} are computed at once"
            raise ArrayTooLarge(message, limit="decoded_bytes", maximum=most)
        return await self.compute()

    async def written(self, form: Format, most: int) -> bytes:
        """All bytes of the array in some format that fits it."""
        values = await self.values(most)
        return await asyncio.to_thread(form.whole, self.header, values)


At = Callable[[str, Mapping[str, str], Context], Awaitable[Computed | None]]
"""Finds the array of a key and arguments that an address gives as text; None where there is none."""


def number(query: Mapping[str, str], name: str) -> float | None:
    """An argument that is a number, None where it isn't given."""
    if name not in query:
        return None
    try:
        return float(query[name])
    except ValueError:
        raise BadUserInput(f"{name}: {query[name][:40]!r} is no number", argument=name) from None


def whole(query: Mapping[str, str], name: str) -> int | None:
    """An argument that is a whole number, None where it isn't given."""
    given = number(query, name)
    if given is None:
        return None
    if not given.is_integer() or abs(given) >= 2**31:
        raise BadUserInput(f"{name}: {given} is no whole number", argument=name)
    return int(given)
