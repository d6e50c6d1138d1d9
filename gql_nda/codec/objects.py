"""The objects of a blob, each code with its reader."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from math import prod
from typing import Any, cast
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from gql_nda.codec import codes
from gql_nda.codec.cursor import Cursor
from gql_nda.codec.layout import Loose, read_layout, read_shape
from gql_nda.errors import BlobCorrupt


class Cell(np.ndarray[Any, np.dtype[np.object_]]):
    """A MATLAB cell array: an array of objects."""


class Struct(np.recarray[Any, Any]):
    """A MATLAB struct array: a record array of objects."""


class Reader(Cursor):
    """Reads the objects in raw bytes, ``MAX_DEPTH`` deep and ``MAX_WORK`` of them at most."""

    __slots__ = ("_depth", "_work", "limit")

    def __init__(self, raw: bytes | memoryview, limit: int) -> None:
        super().__init__(raw, len(raw), codes.PROTOCOL)
        self.limit = limit
        self._depth = 0
        self._work = codes.MAX_WORK

    def whole(self) -> object:
        """The one object that all the raw bytes are."""
        value = self.value()
        if self.left:
            raise BlobCorrupt(f"holds {self.left} bytes after its object")
        return value

    def value(self) -> object:
        """The object at the cursor."""
        code = self.byte()
        read = READERS.get(code)
        if read is None:
            raise BlobCorrupt(f"holds {codes.name(code)}, which can't be decoded")
        self._depth += 1
        if self._depth > codes.MAX_DEPTH:
            raise BlobCorrupt(f"nests objects more than {codes.MAX_DEPTH} deep")
        self._work -= codes.WORK.get(code, 1)
        if self._work < 0:
            raise BlobCorrupt("holds more objects than are decoded")
        try:
            value = read(self)
        except (ArithmeticError, TypeError, ValueError) as error:
            # no date, no UTF-8, no decimal, an unhashable key: what Python itself refuses
            raise BlobCorrupt(f"holds {codes.name(code)} that is invalid") from error
        self._depth -= 1
        return value

    def member(self) -> object:
        """An object preceded by its length in bytes."""
        end = self.u64() + self.at
        value = self.value()
        if self.at != end:
            raise BlobCorrupt("holds an object whose length isn't the stated one")
        return value

    def members(self, count: int) -> list[object]:
        """``count`` objects, each preceded by its length."""
        return [self.member() for _ in range(count)]


# --- Python's own types -----------------------------------------------------------------------
def _none(_: Reader) -> None:
    return None


def _list(reader: Reader) -> list[object]:
    return reader.members(reader.u64())


def _tuple(reader: Reader) -> tuple[object, ...]:
    return tuple(_list(reader))


def _set(reader: Reader) -> set[object]:
    return set(_list(reader))


def _dict(reader: Reader) -> dict[object, object]:
    return {reader.member(): reader.member() for _ in range(reader.u64())}


def _octets(reader: Reader) -> bytes:
    return reader.take(reader.u64())


def _text(reader: Reader) -> str:
    return _octets(reader).decode()


def _int(reader: Reader) -> int:
    (count,) = reader.numbers(codes.U16)
    return int.from_bytes(reader.take(count), "little", signed=True)


def _bool(reader: Reader) -> bool:
    return bool(reader.byte())


def _float(reader: Reader) -> float:
    return cast("float", reader.numbers(codes.F64)[0])


def _complex(reader: Reader) -> complex:
    return complex(*reader.numbers(codes.C128))


def _decimal(reader: Reader) -> Decimal:
    return Decimal(_text(reader))


def _uuid(reader: Reader) -> UUID:
    return UUID(bytes=reader.take(16))


def _moment(reader: Reader) -> datetime.date | datetime.time:
    yyyymmdd, hhmmssuuuuuu = reader.numbers(codes.MOMENT)
    if hhmmssuuuuuu == -1:
        return _date(yyyymmdd)
    if yyyymmdd == -1:
        return _time(hhmmssuuuuuu)
    return datetime.datetime.combine(_date(yyyymmdd), _time(hhmmssuuuuuu))


def _date(yyyymmdd: int) -> datetime.date:
    return datetime.date(yyyymmdd // 10_000, yyyymmdd // 100 % 100, yyyymmdd % 100)


def _time(hhmmssuuuuuu: int) -> datetime.time:
    hhmmss, microsecond = divmod(hhmmssuuuuuu, 1_000_000)
    return datetime.time(hhmmss // 10_000, hhmmss // 100 % 100, hhmmss % 100, microsecond)


# --- arrays -----------------------------------------------------------------------------------
def _array(reader: Reader) -> object:
    layout = read_layout(reader, reader.limit)
    if isinstance(layout, Loose):
        return _chars(reader, layout.shape) if layout.type_id == codes.CHAR else _boxes(reader, layout.shape)
    reader.at = layout.end
    return scalar(layout.read(reader.raw))


def scalar(array: NDArray[Any]) -> object:
    """What DataJoint makes of an array: a NumPy scalar if it has no dimensions."""
    return array[()] if array.ndim == 0 else array


def _chars(reader: Reader, shape: tuple[int, ...]) -> NDArray[np.str_]:
    """A row of characters as one string, in an array of one; else an array of characters."""
    units = np.frombuffer(reader.take(2 * prod(shape)), "<u2")
    letters = units.astype("<u4").view("<U1")
    is_row = len(shape) == 1 or (len(shape) == 2 and shape[0] == 1)
    return np.array(["".join(letters)]) if is_row else letters.reshape(shape, order="F")


def _boxes(reader: Reader, shape: tuple[int, ...]) -> NDArray[np.object_]:
    """An array of objects. Filled one by one, as NumPy would take lists in it for more dimensions."""
    members = reader.members(prod(shape))
    boxes = np.empty(len(members), object)
    for i, member in enumerate(members):
        boxes[i] = member
    return boxes.reshape(shape, order="F")


def _cell(reader: Reader) -> Cell:
    return _boxes(reader, read_shape(reader, reader.limit)).view(Cell)


def _field_names(reader: Reader) -> list[str]:
    count = reader.u32()
    if count > codes.MAX_FIELDS:
        raise BlobCorrupt(f"has {count} fields, more than {codes.MAX_FIELDS}")
    return [reader.name() for _ in range(count)]


def _struct(reader: Reader) -> NDArray[Any]:
    shape = read_shape(reader, reader.limit)
    names = _field_names(reader)
    if not names:
        return np.array(None)
    dtype = np.dtype([(name, object) for name in names])
    rows = [tuple(reader.members(len(names))) for _ in range(prod(shape))]
    return np.array(rows, dtype).reshape(shape, order="F").view(Struct)


def _records(reader: Reader) -> NDArray[Any]:
    """A record array, stored as one array a field, all of one shape."""
    names = _field_names(reader)
    if not names:
        return np.array(None)
    columns = [_column(reader) for _ in names]
    shape = columns[0].shape
    if any(column.shape != shape for column in columns):
        raise BlobCorrupt("holds a record array whose fields differ in shape")
    records = np.empty(shape, np.dtype([(name, column.dtype) for name, column in zip(names, columns, strict=True)]))
    for name, column in zip(names, columns, strict=True):
        records[name] = column
    return records.view(np.recarray)


def _column(reader: Reader) -> NDArray[Any] | np.generic:
    value = reader.value()
    if not isinstance(value, np.ndarray | np.generic):
        raise BlobCorrupt("holds a record array with a field that is no array")
    return value


READERS: dict[int, Callable[[Reader], object]] = {
    codes.ARRAY: _array,
    codes.STRUCT: _struct,
    codes.CELL: _cell,
    codes.RECORDS: _records,
    codes.NONE: _none,
    codes.TUPLE: _tuple,
    codes.LIST: _list,
    codes.SET: _set,
    codes.DICT: _dict,
    codes.TEXT: _text,
    codes.OCTETS: _octets,
    codes.INT: _int,
    codes.BOOL: _bool,
    codes.COMPLEX: _complex,
    codes.FLOAT: _float,
    codes.DECIMAL: _decimal,
    codes.DATETIME: _moment,
    codes.UUID: _uuid,
}
"""Every code but the sparse array's, which DataJoint can't read either."""
