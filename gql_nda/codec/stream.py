"""A range of an array's bytes, or some of its frames, without holding the whole.

Arrays lie column-major: each index of the last axis is a contiguous run of bytes, so the frames of a
(height, width, frames) movie follow each other, and the first of them need only a prefix of the blob.
"""

from collections.abc import Iterable, Iterator
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gql_nda.codec.codes import ENVELOPE
from gql_nda.codec.envelope import STEP, Inflater
from gql_nda.codec.header import Header
from gql_nda.errors import BlobCorrupt


class ArrayStream:
    """The bytes [start, stop) of an array's data: feed it the blob from its beginning, until ``done``.

    It does no I/O. Memory: the chunk it's fed, and ``STEP`` bytes. When the range reaches the array's
    end, it's done only after zlib's checksum has been read. Raises BlobCorrupt when the header (of
    ``peek``) is of an array that can't be streamed, and ValueError for a range outside it.
    """

    def __init__(self, header: Header, start: int = 0, stop: int | None = None) -> None:
        stop = header.nbytes if stop is None else stop
        if not header.streamable:
            raise BlobCorrupt(f"holds a {header.kind} of {header.dtype}, which doesn't lie in one piece")
        if not 0 <= start <= stop <= header.nbytes:
            raise ValueError(f"bytes {start} to {stop} of {header.nbytes}")
        self._at = 0
        self._start, self._stop = header.offset + start, header.offset + stop
        self._empty = start == stop
        self._inflater = Inflater(header.raw_size) if header.compressed else None
        self._envelope = ENVELOPE if header.compressed else 0
        self._to_the_end = stop == header.nbytes

    @property
    def done(self) -> bool:
        """Whether no more of the blob is needed."""
        if self._empty:
            return True
        checked = self._inflater is None or not self._to_the_end or self._inflater.complete
        return self._at >= self._stop and checked

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The wanted bytes in the blob's next chunk, in pieces of ``STEP`` bytes at most.

        Exhaust it before feeding the next chunk. Raises BlobCorrupt.
        """
        for piece in () if self.done else self._raw(chunk):
            start, stop = self._start - self._at, self._stop - self._at
            self._at += len(piece)
            wanted = piece[max(start, 0) : max(stop, 0)]
            if wanted:
                yield wanted
            if self.done:
                return

    def _raw(self, chunk: bytes) -> Iterator[bytes]:
        """The chunk's raw bytes, in pieces."""
        skipped = min(self._envelope, len(chunk))
        self._envelope -= skipped
        if self._inflater is not None:
            return self._inflater.feed(memoryview(chunk)[skipped:])
        return (chunk[at : at + STEP] for at in range(0, len(chunk), STEP))

    def close(self) -> None:
        """Tell that the blob has ended. Raises BlobCorrupt if some of the range is missing."""
        if not self.done:
            raise BlobCorrupt(f"ends {max(self._stop - self._at, 0)} bytes before the end of its array")

    def drain(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The whole range, from chunks of the blob; takes no more of them than are needed."""
        source = iter(chunks)
        while not self.done:
            chunk = next(source, None)
            if chunk is None:
                break
            yield from self.feed(chunk)
        self.close()


def frames(header: Header, chunks: Iterable[bytes], start: int = 0, stop: int | None = None) -> Iterator[NDArray[Any]]:
    """The frames [start, stop) along the last axis, from the blob's chunks: (H, W) each of (H, W, F).

    Memory: a chunk, a step, a frame. Raises BlobCorrupt, and ValueError for frames outside the array.
    """
    *shape, count = header.shape or (-1,)  # a scalar has no frames, not even none of them
    stop = count if stop is None else stop
    if not 0 <= start <= stop <= count:
        raise ValueError(f"frames {start} to {stop} of the shape {header.shape}")
    dtype = np.dtype(header.dtype)
    width = prod(shape) * dtype.itemsize
    pieces = ArrayStream(header, start * width, stop * width).drain(chunks)
    for frame in _cut(pieces, width) if width else [b""] * (stop - start):
        yield np.frombuffer(frame, dtype).reshape(shape, order="F")


def _cut(pieces: Iterable[bytes], width: int) -> Iterator[bytes]:
    """The same bytes in pieces of ``width``."""
    pending = bytearray()
    for piece in pieces:
        pending += piece
        whole = len(pending) - len(pending) % width
        for at in range(0, whole, width):
            yield bytes(pending[at : at + width])
        del pending[:whole]
