"""Arrays that no blob holds: they are computed when they are read, at an address that says of what."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gql_nda.arrays.formats import Format
from gql_nda.codec import Header
from gql_nda.context import Context
from gql_nda.errors import ArrayTooLarge, BadUserInput
from gql_nda.tables import Array

Reader = Callable[[NDArray[Any]], Any]


def _all(computed: Any) -> NDArray[Any]:
    array: NDArray[Any] = computed
    return array


@dataclass(frozen=True, slots=True)
class Computed:
    """An array that isn't computed yet: its address below ``/arrays/``, with its arguments, and its shape.

    ``compute`` gives an array of that dtype, or what ``part`` takes it from: arrays computed together have one
    ``source``, which is their path otherwise. Reading is bound by ``decoded_bytes``.
    """

    path: str
    shape: tuple[int, ...]
    expected: Array
    compute: Callable[[], Awaitable[Any]]
    query: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None
    part: Callable[[Any], NDArray[Any]] = _all

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

    async def read(self, context: Context, read: Reader) -> Any:
        """What a reader finds in the values, flattened in C order; an array too large for that is not computed.

        For all who read it at once it is computed once, and then dropped. Few arrays are at hand at a time.
        """
        most = context.limits.decoded_bytes
        if self.header.nbytes > most:
            message = f"decoded_bytes: the array has {self.header.nbytes} bytes, at most {most} are computed at once"
            raise ArrayTooLarge(message, limit="decoded_bytes", maximum=most)

        async def batch(readings: list[_Reading]) -> Sequence[Any]:
            return await context.cache.arrays.run(
                self.compute, lambda computed: [each.of(computed) for each in readings]
            )

        name = ("computed", self.source or self.path, tuple(self.query.items()))
        return await context.loaders.shared(name, batch).load(_Reading(self.part, read))

    async def written(self, form: Format, context: Context) -> bytes:
        """All bytes of the array in some format that fits it."""
        written: bytes = await self.read(context, lambda values: form.whole(self.header, values.reshape(self.shape)))
        return written


class _Reading(NamedTuple):
    """What is read of a part of what is computed."""

    part: Callable[[Any], NDArray[Any]]
    read: Reader

    def of(self, computed: Any) -> Any:
        """What the reader finds."""
        return self.read(self.part(computed).reshape(-1))


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
