"""From a blob to what it holds."""

from typing import Any

from numpy.typing import NDArray

from gql_nda.codec import codes
from gql_nda.codec.envelope import Opening, open_blob, unwrap
from gql_nda.codec.header import leading_layout, read_header
from gql_nda.codec.lists import read_numbers
from gql_nda.codec.objects import Reader, scalar
from gql_nda.errors import BlobCorrupt

_HEAD = 1024
"""Bytes that surely hold the header of an array of ``MAX_DIMS`` dimensions, however compressed."""


def unpack(blob: bytes, *, limit: int = codes.LIMIT) -> object:
    """What ``datajoint.blob.unpack`` gives: arrays, NumPy scalars, or Python objects.

    Arrays are read-only views, column-major. Where DataJoint lets NumPy guess from the members of a
    cell or object array, this keeps them as they are, in an object array. Raises BlobCorrupt, and
    nothing else, for bytes that aren't a blob, are more than ``limit``, or nest more than 32 deep.
    """
    opening = _open(blob, limit)
    layout = leading_layout(opening, limit)
    if layout is not None:
        return scalar(layout.read(unwrap(blob, opening)))
    return Reader(_unwrap_objects(blob, opening), limit).whole()


def unpack_array(blob: bytes, *, limit: int = codes.LIMIT) -> NDArray[Any]:
    """The array of an array blob, or the float64 vector of a list of numbers.

    Read-only where it's a view of the blob; of no dimensions where the blob holds a scalar array.
    Raises BlobCorrupt like ``unpack``, and for a blob that holds anything else.
    """
    opening = _open(blob, limit)
    layout = leading_layout(opening, limit)
    if layout is not None:
        return layout.read(unwrap(blob, opening))
    read_header(opening, limit)
    return read_numbers(_unwrap_objects(blob, opening), limit)


def _open(blob: bytes, limit: int) -> Opening:
    return open_blob(blob[:_HEAD], len(blob), limit)


def _unwrap_objects(blob: bytes, opening: Opening) -> bytes | memoryview:
    """The raw bytes of what has no header that tells its size: so fewer of them are taken on trust."""
    if opening.size > codes.OBJECTS_LIMIT:
        raise BlobCorrupt(f"holds {opening.size} bytes of objects, more than the limit {codes.OBJECTS_LIMIT}")
    return unwrap(blob, opening)
