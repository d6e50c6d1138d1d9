"""What the bytes of a DataJoint blob mean, and how much of them is believed.

The format: an envelope (raw, or ``ZLIB``, the uint64 length of the raw bytes, and one zlib stream);
inside it a protocol and one object, which is a code byte and its body. Numbers are little-endian,
arrays column-major.
"""

from struct import Struct
from typing import Any, Final

import numpy as np

ZLIB: Final = b"ZL123\0"
ENVELOPE: Final = len(ZLIB) + 8
"""Bytes before the zlib stream: the magic and the length of the raw bytes."""

MYM: Final = b"mYm\0"
DJ0: Final = b"dj0\0"
PROTOCOL: Final = 4
"""Bytes before the object: ``mYm`` for what MATLAB knows, ``dj0`` when Python's own types occur."""

U16, U32, U64 = Struct("<H"), Struct("<I"), Struct("<Q")
F64, C128 = Struct("<d"), Struct("<dd")
MOMENT: Final = Struct("<iq")
"""A date as yyyymmdd and a time as hhmmssuuuuuu, -1 for none."""

# --- codes of objects -------------------------------------------------------------------------
ARRAY, SPARSE, STRUCT, CELL, RECORDS = b"APSCF"
NONE, TUPLE, LIST, SET, DICT, TEXT, OCTETS = 0xFF, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
INT, BOOL, COMPLEX, FLOAT = 0x0A, 0x0B, 0x0C, 0x0D
DECIMAL, DATETIME, UUID = b"dtu"

NAMES: Final = {
    ARRAY: "an array",
    SPARSE: "a sparse array",
    STRUCT: "a struct",
    CELL: "a cell array",
    RECORDS: "a record array",
    NONE: "None",
    TUPLE: "a tuple",
    LIST: "a list",
    SET: "a set",
    DICT: "a dict",
    TEXT: "a string",
    OCTETS: "a byte string",
    INT: "an int",
    BOOL: "a bool",
    COMPLEX: "a complex number",
    FLOAT: "a float",
    DECIMAL: "a decimal",
    DATETIME: "a date or time",
    UUID: "a UUID",
}


def name(code: int) -> str:
    """What a code stands for, in words."""
    return NAMES.get(code, f"an object of the unknown code {code:#04x}")


# --- types of array elements ------------------------------------------------------------------
CHAR, OBJECT = 4, 5
"""Type ids of arrays whose elements aren't fixed numbers: UTF-16 units, and (length, object) pairs."""

REALS: Final[dict[int, np.dtype[Any]]] = {
    type_id: np.dtype(name)
    for type_id, name in {
        3: "?", 6: "<f8", 7: "<f4", 8: "i1", 9: "u1", 10: "<i2", 11: "<u2", 12: "<i4", 13: "<u4", 14: "<i8", 15: "<u8",
    }.items()
}  # fmt: skip
"""Type ids of real numbers, which may come as complex pairs: a plane of real, then one of imaginary parts."""

TIMES: Final[dict[int, np.dtype[Any]]] = {
    65536 + i: np.dtype(f"<M8[{unit}]")
    for i, unit in enumerate(("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as"))
}

FIXED: Final = REALS | TIMES
"""Type ids whose elements have a fixed width: what ``unpack_array`` and ``ArrayStream`` take."""

TYPE_IDS: Final = {dtype.str: type_id for type_id, dtype in FIXED.items()} | {"|S1": CHAR, "|O": OBJECT}

# --- limits -----------------------------------------------------------------------------------
LIMIT: Final = 1 << 30
"""Bytes a decoded blob may have unless the caller allows others: 1 GiB."""

OBJECTS_LIMIT: Final = 1 << 25
"""Raw bytes of a blob that isn't one plain array, 32 MiB: its end is known only when all is inflated."""

MAX_WORK: Final = 1 << 20
WORK: Final = {ARRAY: 4, CELL: 4, STRUCT: 12, RECORDS: 12}
"""Objects in one blob, where some count for more than 1: about a second's work, a microsecond each."""

MAX_ITEMS: Final = 1 << 20
"""Members of a list of numbers that is decoded in bulk."""

MAX_DEPTH: Final = 32
"""Objects within objects."""

MAX_DIMS: Final = 32
MAX_FIELDS: Final = 1 << 12
MAX_NAME: Final = 1 << 10
"""Fields of a struct or record, and bytes of a field's name."""

DEFLATE_RATIO: Final = 1032
"""zlib's densest code: 2 bits stand for 258 bytes."""
