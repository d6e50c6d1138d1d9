"""Blobs made by hand."""

import struct
import zlib
from typing import Final

MYM, DJ0 = b"mYm\0", b"dj0\0"
NONE = b"\xff"
F8: Final = 6


def u64(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}Q", *numbers)


def u32(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


def sized(*members: bytes) -> bytes:
    return b"".join(u64(len(member)) + member for member in members)


def text(letters: bytes) -> bytes:
    return b"\x05" + sized(letters)


def real(number: float) -> bytes:
    return b"\x0d" + struct.pack("<d", number)


def collection(code: bytes, *members: bytes, count: int | None = None) -> bytes:
    return code + u64(len(members) if count is None else count) + sized(*members)


def listed(*members: bytes) -> bytes:
    return collection(b"\x02", *members)


def mapped(*pairs: tuple[bytes, bytes]) -> bytes:
    return b"\x04" + u64(len(pairs)) + sized(*(thing for pair in pairs for thing in pair))


def array(shape: tuple[int, ...], type_id: int, data: bytes = b"", complex_flag: int = 0) -> bytes:
    return b"A" + u64(len(shape), *shape) + u32(type_id, complex_flag) + data


def cell(shape: tuple[int, ...], *members: bytes) -> bytes:
    return b"C" + u64(len(shape), *shape) + sized(*members)


def names(*fields: bytes) -> bytes:
    return u32(len(fields)) + b"".join(field + b"\0" for field in fields)


def struct_array(shape: tuple[int, ...], fields: tuple[bytes, ...], *members: bytes) -> bytes:
    return b"S" + u64(len(shape), *shape) + names(*fields) + sized(*members)


def records(fields: tuple[bytes, ...], *columns: bytes) -> bytes:
    return b"F" + names(*fields) + b"".join(columns)


def moment(date: int, time: int) -> bytes:
    return b"t" + struct.pack("<iq", date, time)


def zipped(raw: bytes, stated: int | None = None) -> bytes:
    """In DataJoint's envelope, with the length it states."""
    return envelope(zlib.compress(raw), len(raw) if stated is None else stated)


def envelope(stream: bytes, stated: int) -> bytes:
    return b"ZL123\0" + u64(stated) + stream


def bomb(raw: bytes, zeros: int) -> bytes:
    """A zlib stream of ``raw`` and then some multiple of 16 MiB of zeros, made without inflating it."""
    block = bytes(1 << 24)
    deflate = zlib.compressobj(9)
    start = deflate.compress(raw) + deflate.flush(zlib.Z_FULL_FLUSH)
    start += deflate.compress(block) + deflate.flush(zlib.Z_FULL_FLUSH)
    again = deflate.compress(block) + deflate.flush(zlib.Z_FULL_FLUSH)
    return start + again * (zeros // len(block) - 1) + deflate.flush()
