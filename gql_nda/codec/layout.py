"""How an array lies in a blob: its shape, its type, and where its bytes are."""

from math import prod
from struct import Struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gql_nda.codec import codes
from gql_nda.codec.cursor import Cursor
from gql_nda.errors import BlobCorrupt

_TYPE = Struct("<II")
_DIMS = [Struct(f"<{ndim}Q") for ndim in range(codes.MAX_DIMS + 1)]
_COMPLEX = {np.dtype("<f4"): np.dtype("<c8")}
"""Complex types of real ones, where they aren't complex128."""


class Layout(NamedTuple):
    """An array of numbers or times of a fixed width, as it lies in raw bytes ``offset`` to ``end``.

    ``stored`` is the type of the bytes, ``dtype`` that of the ``length`` elements: they differ when it's
    complex, which is stored as a plane of real and a plane of imaginary parts.
    """

    shape: tuple[int, ...]
    length: int
    stored: np.dtype[Any]
    dtype: np.dtype[Any]
    offset: int
    end: int

    def read(self, raw: bytes | memoryview) -> NDArray[Any]:
        """The array: a read-only view of ``raw``, unless it's complex."""
        plane = np.frombuffer(raw, self.stored, self.length, self.offset)
        if self.dtype is self.stored:
            return plane.reshape(self.shape, order="F")
        array = np.empty(self.length, self.dtype)
        array.real = plane
        array.imag = np.frombuffer(raw, self.stored, self.length, self.offset + plane.nbytes)
        return array.reshape(self.shape, order="F")


class Loose(NamedTuple):
    """An array of characters or objects (``type_id``), which have no fixed width."""

    shape: tuple[int, ...]
    type_id: int


def read_layout(cursor: Cursor, limit: int) -> Layout | Loose:
    """What follows an array's code. The cursor is left where the elements begin.

    Raises BlobCorrupt when the shape is absurd, the type unknown, or there are more bytes than
    ``limit`` or than the rest of the blob can hold.
    """
    shape = read_shape(cursor, limit)
    type_id, is_complex = cursor.numbers(_TYPE)
    if type_id in (codes.CHAR, codes.OBJECT) and not is_complex:
        return Loose(shape, type_id)
    stored = codes.FIXED.get(type_id)
    if stored is None or is_complex > (type_id in codes.REALS):
        raise BlobCorrupt(f"holds an array of the unknown type {type_id} (complex: {is_complex})")
    dtype = _COMPLEX.get(stored, np.dtype("<c16")) if is_complex else stored
    count, offset = prod(shape), cursor.at
    end = offset + count * stored.itemsize * (1 + is_complex)
    if end > cursor.size or count * dtype.itemsize > limit:
        raise BlobCorrupt(f"promises {count} x {dtype}, more than it holds or than the limit of {limit} bytes")
    return Layout(shape, count, stored, dtype, offset, end)


def read_shape(cursor: Cursor, limit: int) -> tuple[int, ...]:
    """The dimensions of an array, whose product is within ``limit`` even without those that are 0."""
    ndim = cursor.u64()
    if ndim > codes.MAX_DIMS:
        raise BlobCorrupt(f"has {ndim} dimensions, more than {codes.MAX_DIMS}")
    shape = cursor.numbers(_DIMS[ndim])
    if prod(filter(None, shape)) > limit:
        raise BlobCorrupt(f"has the absurd shape {str(shape)[:100]}")
    return shape
