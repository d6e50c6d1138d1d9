"""From a value to its blob, the same bytes as DataJoint writes."""

import datetime
import zlib
from collections.abc import Callable, Iterable, Mapping, MutableSequence, Sequence, Set
from decimal import Decimal
from functools import lru_cache
from struct import Struct as Form
from types import NoneType
from typing import Any, TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from gql_nda.codec import codes
from gql_nda.codec.codes import C128, DJ0, F64, MOMENT, MYM, U16, U32, U64, ZLIB
from gql_nda.codec.objects import Cell, Struct

_F8 = np.dtype("<f8")
_FLOAT, _BOXED = Form("<QBd"), Form("<QBQIId")
"""A float in a list, and one of NumPy's: length, code; no dimensions, type 6, real; the number."""

_COMPRESSED_FROM = 1000
"""Raw bytes beyond which DataJoint tries to compress."""


def pack(value: object, *, compress: bool = True, level: int = -1) -> bytes:
    """The blob of a value; compressed when it's long and that helps, at zlib's ``level`` (-1 to 9).

    Raises TypeError for what the format can't hold, ValueError for what nests too deep.
    """
    writer = Writer()
    body = writer.value(value)
    raw = (DJ0 if writer.native else MYM) + body
    if compress and len(raw) > _COMPRESSED_FROM:
        packed = ZLIB + U64.pack(len(raw)) + zlib.compress(raw, level)
        return min(raw, packed, key=len)
    return raw


class Writer:
    """Writes objects, and notes whether one of them is ``native`` to Python (protocol dj0)."""

    def __init__(self) -> None:
        self.native = False
        self._depth = 0

    def value(self, value: object) -> bytes:
        """An object: its code and body."""
        self._depth += 1
        if self._depth > codes.MAX_DEPTH:
            raise ValueError(f"nests more than {codes.MAX_DEPTH} objects")
        native, write = _writer(type(value))  # type: ignore[arg-type]  # mypy: a class isn't Hashable
        self.native |= native
        octets = write(self, value)
        self._depth -= 1
        return octets

    def members(self, values: Iterable[object]) -> bytes:
        """Objects, each preceded by its length."""
        return b"".join(sized(self.value(value)) for value in values)


def sized(octets: bytes) -> bytes:
    """Bytes preceded by their length."""
    return U64.pack(len(octets)) + octets


# --- arrays: what MATLAB knows ----------------------------------------------------------------
def _array(writer: Writer, array: NDArray[Any]) -> bytes:
    if array.dtype.fields:
        writer.native = True
        return _records(writer, np.array(array))
    if array.dtype.kind in "OU":
        writer.native = True
        members = writer.members(array.ravel(order="F"))
        return _array_head(array.shape, codes.OBJECT) + members
    is_complex = array.dtype.kind == "c"
    planes = (array.real, array.imag) if is_complex else (array,)
    type_id = codes.TYPE_IDS.get(planes[0].dtype.str)
    if type_id is None:
        raise TypeError(f"an array of {array.dtype} has no place in a blob")
    writer.native |= type_id in codes.TIMES or (array.ndim == 0 and type_id != codes.CHAR)
    return b"".join([_array_head(array.shape, type_id, is_complex), *(_plane(plane) for plane in planes)])


def _array_head(shape: tuple[int, ...], type_id: int, is_complex: bool = False) -> bytes:
    return bytes([codes.ARRAY]) + _shape(shape) + U32.pack(type_id) + U32.pack(is_complex)


def _shape(shape: tuple[int, ...]) -> bytes:
    return U64.pack(len(shape)) + b"".join(map(U64.pack, shape))


def _plane(plane: NDArray[Any]) -> bytes:
    """The elements, column-major; characters as 16 bits each.

    DataJoint itself writes characters row-major, and so reads back a matrix of them transposed.
    """
    octets = plane.tobytes(order="F")
    if plane.dtype.kind != "S":
        return octets
    return np.frombuffer(octets, np.uint8).astype("<u2").tobytes()


def _records(writer: Writer, array: NDArray[Any]) -> bytes:
    names = array.dtype.names or ()
    columns = [array[name] for name in names]
    if any(column.shape != array.shape for column in columns):
        raise TypeError("a field of several values a record has no place in a blob")
    nested = (_records if column.dtype.fields else _array for column in columns)
    return (
        bytes([codes.RECORDS])
        + _names(names)
        + b"".join(write(writer, column) for write, column in zip(nested, columns, strict=True))
    )


def _names(names: Sequence[str]) -> bytes:
    return U32.pack(len(names)) + b"".join(name.encode() + b"\0" for name in names)


def _cell(writer: Writer, cell: Cell) -> bytes:
    return bytes([codes.CELL]) + _shape(cell.shape) + writer.members(cell.ravel(order="F"))


def _struct(writer: Writer, array: Struct) -> bytes:
    values = [value for record in array.ravel(order="F") for value in record]
    return bytes([codes.STRUCT]) + _shape(array.shape) + _names(array.dtype.names or ()) + writer.members(values)


# --- Python's own types -----------------------------------------------------------------------
def _scalar(writer: Writer, value: object) -> bytes:
    return _array(writer, np.array(value))


def _none(*_: object) -> bytes:
    return bytes([codes.NONE])


def _bool(_: Writer, value: bool) -> bytes:
    return bytes([codes.BOOL, value])


def _int(_: Writer, value: int) -> bytes:
    width = value.bit_length() // 8 + 1
    if width > 0xFFFF:
        raise TypeError("an int of more than 65,535 bytes has no place in a blob")
    return bytes([codes.INT]) + U16.pack(width) + value.to_bytes(width, "little", signed=True)


def _float(_: Writer, value: float) -> bytes:
    return bytes([codes.FLOAT]) + F64.pack(value)


def _complex(_: Writer, value: complex) -> bytes:
    return bytes([codes.COMPLEX]) + C128.pack(value.real, value.imag)


def _moment(_: Writer, value: datetime.date | datetime.time) -> bytes:
    if getattr(value, "tzinfo", None) is not None:
        raise TypeError("a time zone has no place in a blob")
    date = f"{value:%Y%m%d}" if isinstance(value, datetime.date) else "-1"
    time = f"{value:%H%M%S%f}" if isinstance(value, datetime.datetime | datetime.time) else "-1"
    return bytes([codes.DATETIME]) + MOMENT.pack(int(date), int(time))


def _decimal(_: Writer, value: Decimal) -> bytes:
    return bytes([codes.DECIMAL]) + sized(str(value).encode())


def _uuid(_: Writer, value: UUID) -> bytes:
    return bytes([codes.UUID]) + value.bytes


def _text(_: Writer, value: str) -> bytes:
    return bytes([codes.TEXT]) + sized(value.encode())


def _octets(_: Writer, value: bytes) -> bytes:
    return bytes([codes.OCTETS]) + sized(bytes(value))


def _collection(code: int) -> Callable[[Writer, Any], bytes]:
    return lambda writer, values: bytes([code]) + U64.pack(len(values)) + writer.members(values)


def _list(writer: Writer, values: list[Any]) -> bytes:
    """A list. Floats, NumPy's own too, are packed in one stroke: nda's pupil_x has 130,000 of them."""
    if not all(map(_is_float64, values)):
        return _collection(codes.LIST)(writer, values)
    first = writer.members(values[:1])  # the slow way, which also sees how deep it nests
    rest = (
        _FLOAT.pack(9, codes.FLOAT, value) if type(value) is float else _BOXED.pack(25, codes.ARRAY, 0, 6, 0, value)
        for value in values[1:]
    )
    return bytes([codes.LIST]) + U64.pack(len(values)) + first + b"".join(rest)


def _is_float64(value: Any) -> bool:
    kind = type(value)
    return kind is float or kind is np.float64 or (kind is np.ndarray and value.shape == () and value.dtype == _F8)


def _dict(writer: Writer, value: Mapping[object, object]) -> bytes:
    flat = (thing for pair in value.items() for thing in pair)
    return bytes([codes.DICT]) + U64.pack(len(value)) + writer.members(flat)


Write: TypeAlias = Callable[[Writer, Any], bytes]

WRITERS: tuple[tuple[type | tuple[type, ...], bool, Write], ...] = (
    (Cell, False, _cell),
    (Struct, False, _struct),
    (np.ndarray, False, _array),
    ((np.number, np.bool_, np.datetime64), True, _scalar),
    (bool, True, _bool),
    (int, True, _int),
    (complex, True, _complex),
    (float, True, _float),
    ((datetime.date, datetime.time), True, _moment),
    (Decimal, True, _decimal),
    (UUID, True, _uuid),
    (Mapping, True, _dict),
    (str, True, _text),
    ((bytes, bytearray), True, _octets),
    (list, True, _list),
    (MutableSequence, True, _collection(codes.LIST)),
    (Sequence, True, _collection(codes.TUPLE)),
    (Set, True, _collection(codes.SET)),
    (NoneType, True, _none),
)
"""Types, whether they're native to Python, and their writer. The first that fits: a bool is also an int."""


@lru_cache(256)
def _writer(kind: type) -> tuple[bool, Write]:
    for kinds, native, write in WRITERS:
        if issubclass(kind, kinds):
            return native, write
    raise TypeError(f"{kind.__name__} has no place in a blob")
