"""Every code of the format, as bytes written by hand, beside its value."""

import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from gql_nda.codec import Cell, Struct

from .forge import (
    DJ0,
    F8,
    MYM,
    NONE,
    array,
    cell,
    collection,
    listed,
    mapped,
    moment,
    real,
    records,
    struct_array,
    text,
    u64,
)


def _objects(*values: object) -> NDArray[np.object_]:
    boxes = np.empty(len(values), object)
    for i, value in enumerate(values):
        boxes[i] = value
    return boxes


def _struct() -> Struct:
    return np.array([(1.5, None), (2.5, "x")], [("a", object), ("b", object)]).view(Struct)


ONE_HALF: Final = bytes.fromhex("000000000000f83f")

VECTORS: Final[dict[str, tuple[bytes, object]]] = {
    "NDA.md 4.3": (
        bytes.fromhex(
            "6d596d00 41 0200000000000000 0200000000000000 0300000000000000 07000000 00000000"
            "00000000 00004040 0000803f 00008040 00000040 0000a040"
        ),
        np.array([[0, 1, 2], [3, 4, 5]], "f4"),
    ),
    "float64": (MYM + array((1,), F8, ONE_HALF), np.array([1.5])),
    "bool": (MYM + array((3,), 3, b"\1\0\1"), np.array([True, False, True])),
    "int8": (MYM + array((2, 1), 8, b"\xff\x02"), np.array([[-1], [2]], "i1")),
    "uint8": (MYM + array((2,), 9, b"\xff\x02"), np.array([255, 2], "u1")),
    "int16": (MYM + array((1,), 10, b"\xfe\xff"), np.array([-2], "i2")),
    "uint16": (MYM + array((1,), 11, b"\xfe\xff"), np.array([65534], "u2")),
    "int32": (MYM + array((1,), 12, b"\xfe\xff\xff\xff"), np.array([-2], "i4")),
    "uint32": (MYM + array((1,), 13, b"\xfe\xff\xff\xff"), np.array([2**32 - 2], "u4")),
    "int64": (MYM + array((1,), 14, b"\xfe" + b"\xff" * 7), np.array([-2])),
    "uint64": (MYM + array((1,), 15, b"\xfe" + b"\xff" * 7), np.array([2**64 - 2], "u8")),
    "complex64": (MYM + array((1,), 7, bytes(4) + bytes.fromhex("0000803f"), 1), np.array([1j], "c8")),
    "complex128": (MYM + array((1,), F8, bytes(8) + ONE_HALF, 1), np.array([1.5j])),
    "complex of int8": (MYM + array((2,), 8, b"\1\2\3\4", 1), np.array([1 + 3j, 2 + 4j])),
    "empty": (MYM + array((0, 3), F8), np.empty((0, 3))),
    "days": (DJ0 + array((1,), 65539, u64(1)), np.array(["1970-01-02"], "M8[D]")),
    "attoseconds": (DJ0 + array((1,), 65548, u64(1)), np.array([1], "M8[as]")),
    "scalar": (DJ0 + array((), F8, ONE_HALF), np.float64(1.5)),
    "complex scalar": (DJ0 + array((), F8, bytes(8) + ONE_HALF, 1), np.complex128(1.5j)),
    "text row": (MYM + array((1, 2), 4, b"h\0i\0"), np.array(["hi"])),
    "text column": (MYM + array((2, 1), 4, b"h\0i\0"), np.array([["h"], ["i"]])),
    "letter": (MYM + array((), 4, b"h\0"), np.array("h")),
    "beyond ASCII": (MYM + array((2, 1), 4, b"\xe9\0\x42\x04"), np.array([["é"], ["т"]])),
    "objects": (DJ0 + array((2,), 5, u64(1) + NONE + u64(10) + text(b"x")), _objects(None, "x")),
    "lists in objects": (
        DJ0 + array((2,), 5, (u64(18) + listed(NONE)) * 2),
        _objects([None], [None]),
    ),
    "cell": (DJ0 + cell((2,), NONE, real(1.5)), _objects(None, 1.5).view(Cell)),
    "cell of arrays": (
        MYM + cell((2,), array((1,), 9, b"\1"), array((1,), 9, b"\2")),
        _objects(np.array([1], "u1"), np.array([2], "u1")).view(Cell),
    ),
    "struct": (DJ0 + struct_array((2,), (b"a", b"b"), real(1.5), NONE, real(2.5), text(b"x")), _struct()),
    "struct of nothing": (MYM + struct_array((1,), ()), np.array(None)),
    "records": (
        DJ0 + records((b"a", b"\xc3\xa9"), array((2,), 9, b"\1\2"), array((2,), 3, b"\0\1")),
        np.array([(1, False), (2, True)], [("a", "u1"), ("é", "?")]).view(np.recarray),
    ),
    "records of nothing": (DJ0 + records(()), np.array(None)),
    "None": (DJ0 + NONE, None),
    "tuple": (DJ0 + collection(b"\1", NONE, real(1.5)), (None, 1.5)),
    "list": (DJ0 + listed(NONE, real(1.5)), [None, 1.5]),
    "empty list": (DJ0 + listed(), []),
    "set": (DJ0 + collection(b"\3", real(1.5)), {1.5}),
    "dict": (DJ0 + mapped((text(b"k"), listed(NONE))), {"k": [None]}),
    "string": (DJ0 + text("é☃😀".encode()), "é☃😀"),
    "bytes": (DJ0 + b"\6" + u64(2) + b"\0\xff", b"\0\xff"),
    "int": (DJ0 + b"\x0a\2\0\x80\0", 128),
    "negative int": (DJ0 + b"\x0a\1\0\xff", -1),
    "int of no bytes": (DJ0 + b"\x0a\0\0", 0),
    "true": (DJ0 + b"\x0b\1", True),
    "complex": (DJ0 + b"\x0c" + ONE_HALF + bytes(8), 1.5 + 0j),
    "float": (DJ0 + real(1.5), 1.5),
    "decimal": (DJ0 + b"d" + u64(4) + b"1.50", Decimal("1.50")),
    "date": (DJ0 + moment(20210203, -1), datetime.date(2021, 2, 3)),
    "time": (DJ0 + moment(-1, 10203000004), datetime.time(1, 2, 3, 4)),
    "datetime": (DJ0 + moment(20210203, 0), datetime.datetime(2021, 2, 3)),
    "uuid": (DJ0 + b"u" + bytes(range(16)), UUID(bytes=bytes(range(16)))),
}

DIFFERENT: Final = {"cell", "cell of arrays", "lists in objects", "beyond ASCII"}
"""Where DataJoint fails, or lets NumPy guess."""

READ_ONLY: Final = {name for name in VECTORS if "text" in name or "nothing" in name} | {
    "letter",
    "beyond ASCII",
    "complex of int8",
    "int of no bytes",
}
"""What nothing is written as."""
