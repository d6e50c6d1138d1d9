"""Headers, told from a blob's first 512 bytes."""

import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gql_nda.codec import PEEK, Header, pack, peek, unpack_array
from gql_nda.errors import BlobCorrupt

from . import strategies
from .forge import DJ0, F8, MYM, NONE, array, envelope, listed, real, records, sized, text, u32, u64, zipped
from .strategies import thorough
from .vectors import VECTORS


def raw_of(blob: bytes) -> bytes:
    return zlib.decompress(blob[14:]) if blob.startswith(b"ZL123\0") else blob


def check(blob: bytes) -> Header:
    """The header of a blob, from every prefix that it must be the same for."""
    header = peek(blob[:PEEK], len(blob))
    for length in {*range(PEEK, min(len(blob), PEEK + 40)), len(blob)}:
        assert peek(blob[:length], len(blob)) == header
    values = unpack_array(blob)
    assert (header.shape, header.dtype, header.nbytes) == (values.shape, values.dtype.name, values.nbytes)
    assert header.compressed == blob.startswith(b"ZL123\0")
    assert header.raw_size == len(raw_of(blob))
    return header


@thorough
@given(strategies.fixed_arrays, st.booleans())
def test_the_header_is_the_arrays(values: NDArray[Any], compress: bool) -> None:
    blob = pack(values, compress=False)
    header = check(zipped(blob) if compress else blob)
    assert header.kind == "array"
    assert header.streamable
    assert raw_of(blob)[header.offset :] == values.tobytes("F")


@thorough
@given(st.lists(st.floats() | st.integers(-(2**70), 2**70) | st.booleans() | st.floats(width=32).map(np.float32)))
def test_the_header_of_a_list(numbers: list[Any]) -> None:
    header = check(pack(numbers))
    assert (header.kind, header.shape, header.dtype) == ("list", (len(numbers),), "float64")
    assert not header.streamable
    assert raw_of(pack(numbers))[header.offset :] == sized(*(pack(number)[4:] for number in numbers))


@pytest.mark.parametrize("values", [np.ones((2, 3), "c8"), np.ones(500, "c16")])
def test_complex_arrays_do_not_lie_in_one_piece(values: NDArray[Any]) -> None:
    assert not check(pack(values)).streamable


def test_complex_numbers_of_integers() -> None:
    header = check(VECTORS["complex of int8"][0])
    assert (header.dtype, header.nbytes) == ("complex128", 32)
    assert not header.streamable


@pytest.mark.parametrize("level", [0, 1, 9])
@pytest.mark.parametrize("ndim", [1, 4, 8, 11])
def test_however_it_is_compressed(ndim: int, level: int) -> None:
    noise = np.random.default_rng(ndim).integers(0, 256, [2] * (ndim - 1) + [900], "u1")
    raw = pack(noise, compress=False)
    for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY, zlib.Z_FIXED):
        deflate = zlib.compressobj(level, strategy=strategy)
        header = check(envelope(deflate.compress(raw) + deflate.flush(), len(raw)))
        assert header.shape == noise.shape


def test_the_longest_header_fits_uncompressed() -> None:
    assert check(pack(np.zeros((1,) * 32, "u1"), compress=False)).shape == (1,) * 32


def test_no_more_than_the_first_512_bytes_are_looked_at() -> None:
    """So the answer doesn't depend on how many of them are at hand: here empty blocks come first."""
    deflate = zlib.compress(pack(np.zeros(3), compress=False), 0)
    blob = envelope(deflate[:2] + b"\0\0\0\xff\xff" * 100 + deflate[2:], 53)
    assert unpack_array(blob).tolist() == [0, 0, 0]
    for prefix in (blob[:PEEK], blob):
        with pytest.raises(BlobCorrupt, match="begin like"):
            peek(prefix, len(blob))


def test_a_long_blob_needs_no_more_than_its_beginning() -> None:
    raw = MYM + array((90, 160, 10_000), 9)
    header = peek(raw.ljust(PEEK, b"\0"), len(raw) + 90 * 160 * 10_000)
    assert header == Header("array", (90, 160, 10_000), "uint8", 144_000_000, False, len(raw) + 144_000_000, len(raw))


BAD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "begin like"),
    "another magic": (b"mym\0" + array((0,), F8), "begin like"),
    "no object": (MYM, "begin like"),
    "cut in its shape": ((MYM + array((1,), F8))[:15], "early"),
    "33 dimensions": (MYM + array((1,) * 33, F8, bytes(8)), "33 dimensions"),
    "2^64 - 1 dimensions": (MYM + b"A" + u64(2**64 - 1), "dimensions"),
    "a negative dimension": (MYM + array((2**64 - 5,), F8), "absurd"),
    "dimensions that overflow to 0": (MYM + array((2**32, 2**32), F8), "absurd"),
    "absurd beside a zero": (MYM + array((0, 2**62), F8), "absurd"),
    "more than it holds": (MYM + array((2,), F8, bytes(15)), "promises"),
    "less than it holds": (MYM + array((2,), F8, bytes(17)), "1 bytes after"),
    "an unknown type": (MYM + array((1,), 99, bytes(8)), "unknown type"),
    "the type of cells": (MYM + array((1,), 1, bytes(8)), "unknown type"),
    "a time unit too far": (MYM + array((1,), 65549, bytes(8)), "unknown type"),
    "complex times": (MYM + array((1,), 65536, bytes(16), 1), "unknown type"),
    "complex text": (MYM + array((1,), 4, bytes(4), 1), "unknown type"),
    "twice complex": (MYM + array((1,), F8, bytes(16), 2), "unknown type"),
    "complex without imaginary parts": (MYM + array((1,), F8, bytes(8), 1), "promises"),
    "an unknown code": (MYM + b"\x99", "unknown code 0x99"),
    "sparse": (MYM + b"P" + u64(1, 1), "a sparse array"),
    "a dict": (DJ0 + b"\4" + u64(0), "a dict, not an array"),
    "a cell": (MYM + b"C" + u64(0), "a cell array, not"),
    "records": (DJ0 + records((b"a",), array((1,), F8, bytes(8))), "a record array, not"),
    "text": (DJ0 + text(b"x"), "a string, not"),
    "characters": (MYM + array((1,), 4, b"a\0"), "text or objects"),
    "objects": (DJ0 + array((1,), 5, sized(NONE)), "text or objects"),
    "a list of None": (DJ0 + listed(NONE), "begins with None"),
    "a list of nothing known": (DJ0 + listed(b"\x99"), "unknown code 0x99"),
    "a list of vectors": (DJ0 + listed(array((1,), F8, bytes(8))), "begins with an array"),
    "a list longer than its bytes": (DJ0 + b"\2" + u64(3) + sized(real(0)), "list of 3 numbers"),
    "an absurd list": (DJ0 + b"\2" + u64(2**64 - 1) + sized(real(0)), "numbers, more"),
    "no zlib": (envelope(b"no zlib at all", 100), "broken"),
    "cut in its envelope": (b"ZL123\0" + bytes(7), "early"),
    "an empty stream": (envelope(b"", 0), "begin like"),
    "zlib beyond its ratio": (zipped(MYM + array((125_000,), F8), 35 + 1_000_000), "zlib can hold"),
    "zlib of less than the array": (zipped(MYM + array((1,), F8, bytes(8)), 36), "promises|more than"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_array(name: str) -> None:
    blob, words = BAD[name]
    with pytest.raises(BlobCorrupt, match=words):
        peek(blob, len(blob))
    with pytest.raises(BlobCorrupt, match=words):
        unpack_array(blob)


def test_the_limit_is_of_decoded_bytes() -> None:
    blob = pack(np.zeros(1000))
    assert peek(blob, len(blob), limit=8029).nbytes == 8000
    with pytest.raises(BlobCorrupt, match="limit 8028"):
        peek(blob, len(blob), limit=8028)
    eightfold = MYM + array((500,), 8, bytes(1000), 1)
    assert peek(eightfold, len(eightfold), limit=8000).nbytes == 8000
    with pytest.raises(BlobCorrupt, match="limit of 7999"):
        peek(eightfold, len(eightfold), limit=7999)


def test_a_gibibyte_by_default() -> None:
    over = MYM + array((2**27,), F8)
    with pytest.raises(BlobCorrupt, match="limit"):
        peek(over, len(over) + 2**30)
    assert peek(over, len(over) + 2**30, limit=2**31).nbytes == 2**30


def test_the_list_limits() -> None:
    head = DJ0 + b"\2" + u64(2**20) + sized(real(0))
    assert peek(head, len(head) + 17 * 2**20).shape == (2**20,)
    with pytest.raises(BlobCorrupt, match="than is decoded"):
        peek(DJ0 + b"\2" + u64(2**20 + 1) + sized(real(0)), len(head) + 17 * 2**20)
    with pytest.raises(BlobCorrupt, match="limit"):
        peek(head, len(head) + 17 * 2**20, limit=17 * 2**20)


def test_a_prefix_that_is_too_short_is_told() -> None:
    blob = pack(np.zeros((3, 3)))
    with pytest.raises(BlobCorrupt, match="early"):
        peek(blob[:20], len(blob))


def test_fields_of_32_bits_are_read_unsigned() -> None:
    blob = MYM + b"A" + u64(0) + u32(2**32 - 1, 0)
    with pytest.raises(BlobCorrupt, match="type 4294967295"):
        peek(blob, len(blob))
