"""What an array blob holds, told from its first bytes."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from gql_nda.codec import codes
from gql_nda.codec.cursor import Cursor
from gql_nda.codec.envelope import Opening, open_blob
from gql_nda.codec.layout import Layout, Loose, read_layout
from gql_nda.errors import BlobCorrupt

PEEK = 512
"""Bytes that ``peek`` looks at: the header of any array, of up to 11 dimensions however it's compressed."""

_SMALLEST_MEMBER = 10
"""Bytes of the smallest number in a list: its length, its code, and one byte of a bool."""


@dataclass(frozen=True, slots=True)
class Header:
    """What an array blob holds.

    ``kind`` is "array", or "list" for a Python list of numbers, which reads as a float64 vector.
    ``dtype`` is NumPy's name. ``nbytes`` counts the bytes of the decoded array, ``raw_size`` those of
    the raw blob, in which the elements begin at ``offset``.
    """

    kind: Literal["array", "list"]
    shape: tuple[int, ...]
    dtype: str
    nbytes: int
    compressed: bool
    raw_size: int
    offset: int

    @property
    def streamable(self) -> bool:
        """Whether the raw bytes from ``offset`` on are the array's own, column-major.

        Not so in lists, nor in complex arrays, which store real and imaginary parts apart.
        """
        return self.kind == "array" and np.dtype(self.dtype).kind != "c"


def peek(prefix: bytes, size: int, *, limit: int = codes.LIMIT) -> Header:
    """The header of a blob of ``size`` bytes, from its first ``PEEK`` bytes (or all, if it has fewer).

    Of a list only the first member is looked at. Raises BlobCorrupt when the blob holds no array, or
    promises more than its length, zlib, or ``limit`` (bytes) allow.
    """
    return read_header(open_blob(prefix[:PEEK], size, limit), limit)


def read_header(opening: Opening, limit: int) -> Header:
    """The header of an array or a list of numbers; BlobCorrupt for anything else."""
    layout = leading_layout(opening, limit)
    if layout is not None:
        return _header(opening, "array", layout.shape, layout.dtype, layout.offset)
    if opening.code == codes.LIST:
        cursor = Cursor(opening.raw, opening.size, codes.PROTOCOL + 1)
        length = _list_length(cursor)
        return _header(opening, "list", (length,), np.dtype(np.float64), cursor.at)
    raise BlobCorrupt(f"holds {describe(opening)}, not an array of numbers")


def leading_layout(opening: Opening, limit: int) -> Layout | None:
    """The layout of a blob that is one array of numbers or times; None of any other.

    Raises BlobCorrupt when its length isn't exactly that of the blob.
    """
    if opening.code != codes.ARRAY:
        return None
    layout = read_layout(Cursor(opening.raw, opening.size, codes.PROTOCOL + 1), limit)
    if isinstance(layout, Loose):
        return None
    if layout.end != opening.size:
        raise BlobCorrupt(f"holds {opening.size - layout.end} bytes after its array")
    return layout


def describe(opening: Opening) -> str:
    """What a blob holds, in words."""
    if opening.code == codes.ARRAY:
        return "an array of text or objects"
    return codes.name(opening.code)


def _header(
    opening: Opening, kind: Literal["array", "list"], shape: tuple[int, ...], dtype: np.dtype[Any], offset: int
) -> Header:
    nbytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    return Header(kind, shape, dtype.name, nbytes, opening.compressed, opening.size, offset)


def _list_length(cursor: Cursor) -> int:
    """The length of a list whose first member is a number; the cursor is left at the members."""
    length = cursor.u64()
    if length:
        _expect_number(Cursor(cursor.raw, cursor.size, cursor.at + 8))
    if length * _SMALLEST_MEMBER > cursor.left or length > codes.MAX_ITEMS:
        raise BlobCorrupt(f"promises a list of {length} numbers, more than it holds or than is decoded")
    return length


def _expect_number(cursor: Cursor) -> None:
    code = cursor.byte()
    if code == codes.ARRAY and cursor.u64() == 0:
        return
    if code not in (codes.FLOAT, codes.INT, codes.BOOL):
        raise BlobCorrupt(f"holds a list that begins with {codes.name(code)}, not with a number")
