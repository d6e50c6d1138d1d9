"""Streaming: any range, from chunks of any length, in bounded memory."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gql_nda.codec import ArrayStream, Header, frames, pack, peek, unpack_array
from gql_nda.codec.envelope import STEP
from gql_nda.errors import BlobCorrupt

from . import strategies
from .forge import F8, MYM, array, bomb, envelope, zipped
from .strategies import thorough

MOVIE = np.random.default_rng(0).integers(0, 40, (9, 16, 300), "u1")


def header_of(blob: bytes) -> Header:
    return peek(blob[:512], len(blob))


def chunked(blob: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The blob in chunks of these lengths, over and over."""
    at = 0
    while at < len(blob):
        for size in sizes:
            yield blob[at : at + size]
            at += size


sizes = st.lists(st.integers(0, 3000), min_size=1, max_size=5).map(lambda drawn: [*drawn, 1]) | st.just([1])


@thorough
@given(st.data())
def test_any_range_in_any_chunks(data: st.DataObject) -> None:
    values = data.draw(strategies.fixed_arrays | st.just(MOVIE))
    raw = pack(values, compress=False)
    blob = zipped(raw) if data.draw(st.booleans()) else raw
    header = header_of(blob)
    start = data.draw(st.integers(0, header.nbytes))
    stop = data.draw(st.integers(start, header.nbytes))
    stream = ArrayStream(header, start, stop)
    pieces = list(stream.drain(chunked(blob, data.draw(sizes))))
    assert stream.done
    assert b"".join(pieces) == values.tobytes("F")[start:stop]
    assert all(0 < len(piece) <= STEP for piece in pieces)


@thorough
@given(st.data())
def test_any_frames(data: st.DataObject) -> None:
    values = data.draw(strategies.fixed_arrays.filter(lambda drawn: drawn.ndim > 0) | st.just(MOVIE))
    blob = pack(values)
    start = data.draw(st.integers(0, values.shape[-1]))
    stop = data.draw(st.integers(start, values.shape[-1]))
    got = list(frames(header_of(blob), chunked(blob, data.draw(sizes)), start, stop))
    assert len(got) == stop - start
    for i, frame in enumerate(got, start):
        expected = values[..., i]
        assert (frame.shape, frame.dtype, frame.tobytes()) == (expected.shape, expected.dtype, expected.tobytes())


def test_all_frames_by_default() -> None:
    blob = pack(MOVIE)
    assert np.array_equal(np.stack(list(frames(header_of(blob), [blob])), axis=-1), MOVIE)


def test_frames_of_a_monet_movie_are_three_dimensional() -> None:
    blob = pack(MOVIE.reshape(9, 16, 1, 300))
    (frame,) = frames(header_of(blob), [blob], 7, 8)
    assert np.array_equal(frame, MOVIE[:, :, 7:8])


@pytest.mark.parametrize("compress", [True, False])
def test_no_more_is_taken_than_needed(compress: bool) -> None:
    blob = pack(MOVIE, compress=compress)
    taken: list[bytes] = []

    def source() -> Iterator[bytes]:
        for chunk in chunked(blob, [100]):
            taken.append(chunk)
            yield chunk

    for frame in frames(header_of(blob), source(), 0, 3):
        assert frame.shape == (9, 16)
    assert len(taken) <= (5 if not compress else 10) < len(blob) // 100
    taken.clear()
    assert list(frames(header_of(blob), source(), 5, 5)) == []
    assert taken == []


def test_an_async_reader_drives_it() -> None:
    blob = pack(MOVIE)

    async def read(stream: ArrayStream) -> AsyncIterator[bytes]:
        for chunk in chunked(blob, [1000]):
            await asyncio.sleep(0)
            for piece in stream.feed(chunk):
                yield piece
            if stream.done:
                break
        stream.close()

    async def collect() -> bytes:
        return b"".join([piece async for piece in read(ArrayStream(header_of(blob), 100, 5000))])

    assert asyncio.run(collect()) == MOVIE.tobytes("F")[100:5000]


def test_what_follows_the_range_is_ignored() -> None:
    blob = pack(MOVIE)
    stream = ArrayStream(header_of(blob), 0, 10)
    assert b"".join(stream.feed(blob)) == MOVIE.tobytes("F")[:10]
    assert list(stream.feed(b"whatever")) == []
    stream.close()


@pytest.mark.parametrize("compress", [True, False])
def test_a_blob_that_ends_early(compress: bool) -> None:
    blob = pack(MOVIE, compress=compress)
    header = header_of(blob)
    for length in {*range(0, len(blob), 997), len(blob) - 1}:
        stream = ArrayStream(header)
        got = b"".join(stream.feed(blob[:length]))
        assert MOVIE.tobytes("F").startswith(got)
        assert not stream.done
        with pytest.raises(BlobCorrupt, match="ends"):
            stream.close()
    with pytest.raises(BlobCorrupt, match="ends"):
        list(frames(header, [blob[:-1]]))


def test_the_checksum_counts_when_the_whole_is_read() -> None:
    blob = pack(MOVIE)
    broken = blob[:-1] + bytes([blob[-1] ^ 1])
    with pytest.raises(BlobCorrupt, match="broken"):
        list(ArrayStream(header_of(blob)).drain([broken]))
    last = ArrayStream(header_of(blob), MOVIE.size - 1)
    with pytest.raises(BlobCorrupt, match="broken"):
        list(last.drain([broken]))
    first = ArrayStream(header_of(blob), 0, 100).drain(chunked(broken, [1000]))
    assert b"".join(first) == MOVIE.tobytes("F")[:100]


def test_bytes_after_the_stream() -> None:
    blob = pack(MOVIE)
    for late in ([blob + b"\0"], [blob[:-1], blob[-1:] + b"\0"]):
        with pytest.raises(BlobCorrupt, match="more than"):
            list(ArrayStream(header_of(blob)).drain(late))


def test_a_stream_that_inflates_to_more_than_it_states() -> None:
    raw = MYM + array((100,), F8, bytes(800))
    blob = envelope(zipped(raw + bytes(10_000))[14:], len(raw))
    with pytest.raises(BlobCorrupt, match="more than"):
        list(ArrayStream(header_of(zipped(raw))).drain([blob]))


def test_what_cannot_be_streamed() -> None:
    for value in ([1.5, 2.5], np.ones(3, "c8")):
        header = header_of(pack(value))
        with pytest.raises(BlobCorrupt, match="in one piece"):
            ArrayStream(header)


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (5, 4), (0, MOVIE.size + 1), (MOVIE.size + 1, None)])
def test_bytes_outside_the_array(start: int, stop: int | None) -> None:
    with pytest.raises(ValueError, match="bytes"):
        ArrayStream(header_of(pack(MOVIE)), start, stop)


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (5, 4), (0, 301), (301, None)])
def test_frames_outside_the_array(start: int, stop: int | None) -> None:
    with pytest.raises(ValueError, match="frames"):
        next(frames(header_of(pack(MOVIE)), [], start, stop))


def test_a_scalar_has_no_frames() -> None:
    with pytest.raises(ValueError, match="frames"):
        next(frames(header_of(pack(np.float64(1.5))), []))


def _peak(work: Iterator[Any]) -> int:
    """The most memory that the work takes, in bytes."""
    tracemalloc.start()
    for _ in work:
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("compress", [True, False])
def test_memory_stays_that_of_a_step(compress: bool) -> None:
    movie = np.zeros((90, 160, 2000), "u1")
    blob = pack(movie, compress=compress, level=1)
    header = header_of(blob)
    assert _peak(frames(header, chunked(blob, [1 << 16]))) < 8 * STEP
    assert _peak(ArrayStream(header).drain([blob])) < 8 * STEP


def test_a_bomb_in_one_chunk_goes_off_in_steps() -> None:
    raw = MYM + array((2**30 - 29,), 9)
    stream = bomb(raw, 2**30)
    assert len(stream) < 1_200_000
    wanted = ArrayStream(header_of(envelope(stream, 2**30)), 2**26, 2**26 + 5)
    assert _peak(wanted.drain([envelope(stream, 2**30)])) < 8 * STEP


def test_the_whole_equals_unpack() -> None:
    blob = pack(MOVIE)
    assert b"".join(ArrayStream(header_of(blob)).drain([blob])) == unpack_array(blob).tobytes("F")


@pytest.mark.parametrize("more", [0, 1])
def test_output_that_zlib_holds_back_at_the_end_of_a_step(more: int) -> None:
    values: NDArray[Any] = np.zeros(2 * STEP + more, "u1")
    blob = pack(values)
    for cut in {*range(14, len(blob), 29), *range(len(blob) - 30, len(blob))}:
        assert b"".join(ArrayStream(header_of(blob)).drain([blob[:cut], blob[cut:]])) == values.tobytes()
