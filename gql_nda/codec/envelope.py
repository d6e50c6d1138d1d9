"""The outermost layer: raw bytes, or a zlib stream that is inflated in bounded steps."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gql_nda.codec.codes import DEFLATE_RATIO, DJ0, ENVELOPE, MYM, PROTOCOL, U64, ZLIB
from gql_nda.errors import BlobCorrupt

STEP = 1 << 18
"""Bytes inflated, or passed on, at once: 256 KiB."""


class Inflater:
    """A zlib stream, pushed in chunks of any length, that must inflate to exactly ``size`` bytes."""

    def __init__(self, size: int) -> None:
        self._zlib = zlib.decompressobj()
        self._size = size
        self._left = size

    @property
    def complete(self) -> bool:
        """Whether the stream has ended well, its checksum included."""
        return self._zlib.eof and not self._left

    def feed(self, chunk: bytes | memoryview) -> Iterator[bytes]:
        """The inflated bytes, ``STEP`` at most at once. Exhaust it before feeding the next chunk.

        Raises BlobCorrupt when they're no zlib stream, go on after its end, or inflate to too much.
        """
        # zlib copies what it hasn't consumed at every step: small bites keep a dense chunk linear
        for at in range(0, len(chunk), STEP):
            yield from self._inflate(chunk[at : at + STEP])

    def _inflate(self, data: bytes | memoryview) -> Iterator[bytes]:
        while data:
            try:
                piece = self._zlib.decompress(data, STEP)
            except zlib.error:
                raise BlobCorrupt("holds a broken zlib stream") from None
            self._left -= len(piece)
            if self._left < 0 or self._zlib.unused_data:
                raise BlobCorrupt(f"holds more than the {self._size} bytes it states")
            data = self._zlib.unconsumed_tail
            if piece:
                yield piece

    def close(self) -> None:
        """Raises BlobCorrupt unless the stream is complete."""
        if not self.complete:
            raise BlobCorrupt(f"ends {self._left} bytes before the {self._size} it states")


@dataclass(frozen=True, slots=True)
class Opening:
    """The beginning of a blob.

    ``raw`` are its first raw bytes (some of them), ``size`` is the length of all raw bytes.
    """

    raw: bytes | memoryview
    size: int
    compressed: bool

    @property
    def code(self) -> int:
        """The code of the object it holds."""
        return self.raw[PROTOCOL]


def open_blob(prefix: bytes, size: int, limit: int) -> Opening:
    """The opening of a blob of ``size`` bytes that begins with ``prefix``.

    Raises BlobCorrupt when it's no blob of DataJoint's, or states more raw bytes than ``limit`` or
    than a zlib stream of its length can hold.
    """
    compressed = prefix.startswith(ZLIB)
    raw_size = _stated(prefix, size) if compressed else size
    if raw_size > limit:
        raise BlobCorrupt(f"holds {raw_size} bytes, more than the limit {limit}")
    raw = next(Inflater(raw_size).feed(prefix[ENVELOPE:]), b"") if compressed else prefix
    if raw[:PROTOCOL] not in (MYM, DJ0) or len(raw) == PROTOCOL:
        raise BlobCorrupt("doesn't begin like a DataJoint blob")
    return Opening(raw, raw_size, compressed)


def _stated(prefix: bytes, size: int) -> int:
    try:
        stated: int = U64.unpack_from(prefix, len(ZLIB))[0]
    except struct.error:
        raise BlobCorrupt("ends too early") from None
    if stated > (size - ENVELOPE) * DEFLATE_RATIO:
        raise BlobCorrupt(f"states {stated} bytes, more than {size} bytes of zlib can hold")
    return stated


def unwrap(blob: bytes, opening: Opening) -> bytes | memoryview:
    """All raw bytes of a blob; read-only, and no copy when it isn't compressed.

    Raises BlobCorrupt when the stream is broken or its length isn't the stated one.
    """
    if not opening.compressed:
        return blob
    raw = np.empty(opening.size, np.uint8).data
    inflater, at = Inflater(opening.size), 0
    for piece in inflater.feed(memoryview(blob)[ENVELOPE:]):
        raw[at : at + len(piece)] = piece
        at += len(piece)
    inflater.close()
    return raw.toreadonly()
