"""Python lists of numbers, decoded in bulk.

A number in a list is its length, a head that is constant for its kind, and its bytes: a float is
``0x0d`` and 8 bytes, a float64 of NumPy's is ``'A'``, no dimensions, type 6, and 8 bytes. So once it's
known where the members begin, all of a kind are converted in one stroke.
"""

import struct
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from gql_nda.codec import codes
from gql_nda.codec.objects import Reader
from gql_nda.errors import BlobCorrupt

Octets: TypeAlias = NDArray[np.uint8]
"""(members, width) bytes."""

_NUMBER = (bool, int, float, np.bool_, np.integer, np.floating)


class Kind(NamedTuple):
    """A kind of number: the bytes it begins with, how many follow, and what they mean."""

    head: bytes
    width: int
    convert: Callable[[Octets], NDArray[Any]]

    @property
    def size(self) -> int:
        """Bytes of the whole member."""
        return len(self.head) + self.width


def _bool(octets: Octets) -> NDArray[Any]:
    return octets[:, 0].astype(bool)


def _int(octets: Octets) -> NDArray[Any]:
    """Signed integers of 1 to 8 bytes: moved to the upper end of 64 bits, then down with their sign."""
    spare = 8 - octets.shape[1]
    numbers: NDArray[np.int64] = np.pad(octets, ((0, 0), (spare, 0))).view("<i8")[:, 0]
    numbers >>= 8 * spare
    return numbers


def _as(dtype: np.dtype[Any]) -> Callable[[Octets], NDArray[Any]]:
    return _bool if dtype == np.bool_ else lambda octets: octets.view(dtype)[:, 0]


KINDS = (
    Kind(bytes([codes.FLOAT]), 8, _as(np.dtype("<f8"))),
    Kind(bytes([codes.BOOL]), 1, _bool),
    *(Kind(bytes([codes.INT]) + codes.U16.pack(width), width, _int) for width in range(1, 9)),
    *(
        Kind(struct.pack("<BQII", codes.ARRAY, 0, type_id, 0), dtype.itemsize, _as(dtype))
        for type_id, dtype in codes.REALS.items()
    ),
)


def read_numbers(raw: bytes | memoryview, limit: int) -> NDArray[np.float64]:
    """The float64 vector of a raw blob that is a list of numbers.

    Raises BlobCorrupt when it holds anything but numbers, or ends too early or late.
    """
    octets = np.frombuffer(raw, np.uint8)
    starts, sizes = _members(raw)
    values, unread = np.empty(len(starts)), np.ones(len(starts), bool)
    for kind in KINDS:
        chosen = np.flatnonzero(sizes == kind.size)
        if chosen.size:
            chosen, numbers = _convert(octets, starts, chosen, kind)
            values[chosen], unread[chosen] = numbers, False
    return _one_by_one(raw, limit) if unread.any() else values


def _members(raw: bytes | memoryview) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each member begins behind its length, and that length."""
    read, at = codes.U64.unpack_from, codes.PROTOCOL + 9
    (count,) = read(raw, at - 8)
    starts = []
    try:
        for _ in range(count):
            starts.append(at + 8)
            at += 8 + read(raw, at)[0]
    except (struct.error, OverflowError):
        raise BlobCorrupt("ends too early") from None
    if at != len(raw):
        raise BlobCorrupt("holds a list whose members don't fill it")
    bounds = np.array([*starts, at + 8], np.int64)
    return bounds[:-1], np.diff(bounds) - 8


def _convert(
    octets: Octets, starts: NDArray[np.int64], chosen: NDArray[np.intp], kind: Kind
) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """Those of the chosen members that are of a kind, and their numbers."""
    members = sliding_window_view(octets, kind.size)[starts[chosen]]
    head, body = np.split(members, [len(kind.head)], axis=1)
    fits = (head == np.frombuffer(kind.head, np.uint8)).all(axis=1)
    return chosen[fits], kind.convert(np.ascontiguousarray(body[fits]))


def _one_by_one(raw: bytes | memoryview, limit: int) -> NDArray[np.float64]:
    """The slow way, for the numbers that are of no kind above: integers beyond 64 bits."""
    members = Reader(raw, limit).whole()
    assert isinstance(members, list)
    if not all(isinstance(member, _NUMBER) for member in members):
        raise BlobCorrupt("holds a list of other things than numbers")
    try:
        return np.array([float(member) for member in members])
    except OverflowError:
        raise BlobCorrupt("holds a list with an integer that no float64 can hold") from None
