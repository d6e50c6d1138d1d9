"""A position in raw bytes, from which fixed numbers, names and runs of bytes are read."""

import struct
from typing import Any

from gql_nda.codec.codes import MAX_NAME, U32, U64
from gql_nda.errors import BlobCorrupt


class Cursor:
    """Where reading stands in ``raw``.

    ``size`` is the length of all raw bytes; ``raw`` may be only their beginning (``peek``), then
    reading beyond it is an error like reading beyond the end.
    """

    __slots__ = ("at", "raw", "size")

    def __init__(self, raw: bytes | memoryview, size: int, at: int) -> None:
        self.raw = raw
        self.size = size
        self.at = at

    @property
    def left(self) -> int:
        """Bytes from here to the end."""
        return self.size - self.at

    def numbers(self, form: struct.Struct) -> tuple[Any, ...]:
        """The numbers of one ``struct`` format."""
        at = self.at
        self.at = at + form.size
        try:
            return form.unpack_from(self.raw, at)
        except struct.error:
            raise _ends_early() from None

    def u32(self) -> int:
        """An unsigned 32-bit number."""
        return int(self.numbers(U32)[0])

    def u64(self) -> int:
        """An unsigned 64-bit number."""
        at = self.at
        self.at = at + 8
        try:
            return U64.unpack_from(self.raw, at)[0]  # type: ignore[no-any-return]
        except struct.error:
            raise _ends_early() from None

    def byte(self) -> int:
        """One byte."""
        at = self.at
        self.at = at + 1
        try:
            return self.raw[at]
        except IndexError:
            raise _ends_early() from None

    def take(self, count: int) -> bytes:
        """A copy of the next ``count`` bytes."""
        start, self.at = self.at, self.at + count
        if self.at > len(self.raw):
            raise _ends_early()
        return bytes(self.raw[start : self.at])

    def name(self) -> str:
        """A name, ended by a zero byte."""
        window = bytes(self.raw[self.at : self.at + MAX_NAME])
        length = window.find(0)
        if length < 0:
            raise _ends_early()
        self.at += length + 1
        return window[:length].decode()


def _ends_early() -> BlobCorrupt:
    return BlobCorrupt("ends too early")
