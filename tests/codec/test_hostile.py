"""Hostile bytes: BlobCorrupt and nothing else, soon, in little memory."""

import random
import tracemalloc
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_nda.codec import ArrayStream, codes, pack, peek, unpack, unpack_array
from gql_nda.errors import BlobCorrupt

from .forge import (
    DJ0,
    F8,
    MYM,
    NONE,
    array,
    bomb,
    cell,
    collection,
    envelope,
    listed,
    mapped,
    moment,
    names,
    real,
    records,
    sized,
    struct_array,
    text,
    u32,
    u64,
    zipped,
)
from .strategies import thorough
from .vectors import VECTORS

MIB = 1 << 20


def survives(blob: bytes) -> bool:
    """Whether a blob is read; every way of reading it must raise nothing but BlobCorrupt."""
    told = []
    for way in WAYS:
        try:
            way(blob)
        except BlobCorrupt as error:
            told.append(error)
    assert all(type(error) is BlobCorrupt and 0 < len(error.message) < 200 for error in told)
    return len(told) < len(WAYS)


def _peek(blob: bytes) -> None:
    peek(blob, len(blob), limit=MIB)


def _stream(blob: bytes) -> None:
    for _ in ArrayStream(peek(blob, len(blob), limit=MIB)).drain([blob]):
        pass


WAYS: tuple[Callable[[bytes], object], ...] = (unpack, unpack_array, _stream, _peek)


@pytest.mark.parametrize("name", VECTORS)
def test_truncated_anywhere(name: str) -> None:
    blob, _ = VECTORS[name]
    for whole in (blob, zipped(blob)):
        for length in range(len(whole)):
            with pytest.raises(BlobCorrupt):
                unpack(whole[:length])
            with pytest.raises(BlobCorrupt):
                unpack_array(whole[:length])


@pytest.mark.parametrize("name", VECTORS)
def test_a_byte_too_many(name: str) -> None:
    blob, _ = VECTORS[name]
    for whole in (blob + b"\0", zipped(blob) + b"\0", zipped(blob + b"\0"), envelope(zipped(blob)[14:], len(blob) + 1)):
        with pytest.raises(BlobCorrupt):
            unpack(whole)


def test_a_stream_that_ends_before_the_stated_length() -> None:
    raw = MYM + array((1000,), 9)
    blob = zipped(raw + bytes(500), len(raw) + 1000)
    for read in (unpack, unpack_array, _stream):
        with pytest.raises(BlobCorrupt, match="ends 500 bytes before"):
            read(blob)


def test_ten_thousand_flips() -> None:
    chance = random.Random(0)
    raws = [blob for blob, _ in VECTORS.values()] + [pack({"a": [1.5, [2, "x"]], "b": np.arange(9)})]
    blobs = raws + [zipped(raw) for raw in raws]
    read = 0
    for _ in range(10_000):
        blob = bytearray(chance.choice(blobs))
        for _ in range(chance.randint(1, 3)):
            blob[chance.randrange(len(blob))] ^= 1 << chance.randrange(8)
        read += survives(bytes(blob))
    assert 300 < read < 9000


@thorough
@given(st.sampled_from([MYM, DJ0]), st.sampled_from(sorted(codes.NAMES)), st.binary(max_size=60))
def test_any_bytes_behind_a_code(protocol: bytes, code: int, body: bytes) -> None:
    survives(protocol + bytes([code]) + body)


@thorough
@given(st.sampled_from(sorted(VECTORS)), st.data())
def test_any_bytes_in_the_place_of_others(name: str, data: st.DataObject) -> None:
    blob, _ = VECTORS[name]
    start = data.draw(st.integers(4, len(blob)))
    stop = data.draw(st.integers(start, len(blob)))
    survives(blob[:start] + data.draw(st.binary(max_size=20) | st.integers(0, 2**64 - 1).map(u64)) + blob[stop:])


# --- nesting ----------------------------------------------------------------------------------
NESTS: dict[str, Callable[[bytes], bytes]] = {
    "list": listed,
    "tuple": lambda inner: collection(b"\1", inner),
    "dict value": lambda inner: mapped((NONE, inner)),
    "object array": lambda inner: array((1,), codes.OBJECT, sized(inner)),
    "cell": lambda inner: cell((1,), inner),
    "struct": lambda inner: struct_array((1,), (b"a",), inner),
    "records": lambda inner: records((b"a",), inner),
}


def _nested(kind: str, depth: int, innermost: bytes) -> bytes:
    blob = innermost
    for _ in range(depth):
        blob = NESTS[kind](blob)
    return DJ0 + blob


@pytest.mark.parametrize("kind", NESTS)
def test_nested_a_thousand_deep(kind: str) -> None:
    for raw in (_nested(kind, 1000, array((1,), F8, bytes(8))), _nested(kind, 32, array((1,), F8, bytes(8)))):
        for blob in (raw, zipped(raw)):
            with pytest.raises(BlobCorrupt, match="deep"):
                unpack(blob)
    unpack(_nested(kind, 31, array((1,), F8, bytes(8))))


@pytest.mark.parametrize("nest", [lambda inner: collection(b"\3", inner), lambda inner: mapped((inner, NONE))])
def test_sets_and_keys_nested_a_thousand_deep(nest: Callable[[bytes], bytes]) -> None:
    blob = NONE
    for _ in range(1000):
        blob = nest(blob)
    with pytest.raises(BlobCorrupt, match="deep"):
        unpack(DJ0 + blob)


# --- values that aren't -------------------------------------------------------------------------
INVALID: dict[str, tuple[bytes, str]] = {
    "string of no UTF-8": (text(b"\xff"), "a string that is invalid"),
    "string of surrogates": (text(b"\xed\xa0\x80"), "a string that is invalid"),
    "decimal": (b"d" + sized(b"1.2.3"), "a decimal that is invalid"),
    "decimal of no UTF-8": (b"d" + sized(b"\xff"), "a decimal that is invalid"),
    "month": (moment(20211301, -1), "a date or time that is invalid"),
    "negative date": (moment(-2, -1), "a date or time that is invalid"),
    "negative date beside a time": (moment(-2, 0), "a date or time that is invalid"),
    "negative time beside a date": (moment(20210203, -2), "a date or time that is invalid"),
    "hour": (moment(-1, 250000000000), "a date or time that is invalid"),
    "time far off": (moment(20210203, 2**62), "a date or time that is invalid"),
    "neither date nor time": (moment(-1, -1), "a date or time that is invalid"),
    "list in a set": (collection(b"\3", listed()), "a set that is invalid"),
    "array in a set": (collection(b"\3", array((1,), F8, bytes(8))), "a set that is invalid"),
    "signalling NaN in a set": (collection(b"\3", b"d" + sized(b"sNaN")), "a set that is invalid"),
    "dict as a key": (mapped((mapped(), NONE)), "a dict that is invalid"),
    "field named twice": (struct_array((0,), (b"a", b"a")), "a struct that is invalid"),
    "field of no UTF-8": (struct_array((0,), (b"\xff",)), "a struct that is invalid"),
    "column named twice": (records((b"a", b"a"), *[array((0,), F8)] * 2), "a record array that is invalid"),
    "columns of unlike shapes": (records((b"a", b"b"), array((0,), F8), array((1,), F8, bytes(8))), "differ in shape"),
    "column that is no array": (records((b"a",), NONE), "no array"),
    "name without end": (b"F" + u32(1) + b"a" * 2000, "early"),
    "4,097 fields": (b"F" + u32(4097) + b"a\0" * 4097, "4097 fields"),
    "2^32 fields": (b"S" + u64(0) + u32(2**32 - 1), "fields"),
    "sparse": (b"P" + u64(1), "a sparse array, which can't be decoded"),
    "unknown code": (b"\x07", "unknown code 0x07"),
    "member too long": (b"\2" + u64(1) + u64(2) + NONE, "length"),
    "member too short": (b"\2" + u64(1) + u64(0) + NONE, "length"),
    "member of 2^64 - 1 bytes": (b"\2" + u64(1) + u64(2**64 - 1) + NONE, "length"),
    "2^64 - 1 members": (b"\2" + u64(2**64 - 1) + sized(NONE), "early"),
    "2^64 - 1 pairs": (b"\4" + u64(2**64 - 1) + sized(NONE, NONE), "early"),
    "string of 2^64 - 1 bytes": (b"\5" + u64(2**64 - 1) + b"x", "early"),
    "int cut short": (b"\x0a\xff\xff\1", "early"),
    "cells of an absurd shape": (b"C" + u64(2, 2**40, 2**40), "absurd"),
    "cells of an absurd shape of 32 dimensions": (b"C" + u64(32) + u64(2**64 - 1) * 32, "absurd"),
    "cells of many dimensions": (b"C" + u64(33) + u64(1) * 33 + sized(NONE), "33 dimensions"),
    "cells that are missing": (cell((2,), NONE), "early"),
    "a billion cells that are missing": (b"C" + u64(1, 10**9) + sized(NONE), "early"),
    "struct of an absurd shape": (b"S" + u64(1, 2**63) + names(b"a"), "absurd"),
    "objects of an absurd shape": (array((2**63,), codes.OBJECT), "absurd"),
    "objects beside a zero": (array((0, 2**63), codes.OBJECT), "absurd"),
    "a billion letters": (array((10**9,), codes.CHAR, b"a\0"), "early"),
}


@pytest.mark.parametrize("name", INVALID)
def test_what_is_invalid(name: str) -> None:
    body, words = INVALID[name]
    for blob in (MYM + body, DJ0 + listed(body), zipped(DJ0 + body)):
        with pytest.raises(BlobCorrupt, match=words) as raised:
            unpack(blob)
        assert len(raised.value.message) < 200


def test_the_limit_of_a_fields_name() -> None:
    records_of = [DJ0 + records((b"a" * length,), array((1,), 9, b"\1")) for length in (1023, 1024)]
    assert isinstance(unpack(records_of[0]), np.recarray)
    with pytest.raises(BlobCorrupt, match="early"):
        unpack(records_of[1])


def test_the_cause_is_kept() -> None:
    with pytest.raises(BlobCorrupt) as raised:
        unpack(DJ0 + text(b"\xff"))
    assert isinstance(raised.value.__cause__, UnicodeDecodeError)


# --- bombs ------------------------------------------------------------------------------------
ZEROS = 1 << 31
HUGE = array((2**31,), 9)

BOMBS: dict[str, tuple[bytes, int]] = {
    "that tells its size": (b"", ZEROS),
    "that tells the limit": (b"", 1 << 30),
    "that tells a little": (MYM + array((1000,), 9), 35 - 6 + 1000),
    "after a small array": (MYM + array((1000,), 9), 1 << 30),
    "after a list": (DJ0 + b"\2" + u64(2) + sized(real(0)), 1 << 30),
    "after a list of many": (DJ0 + b"\2" + u64(MIB) + sized(real(0)), 1 << 30),
    "in as many objects as there may be": (DJ0 + b"\2" + u64(2) + sized(real(0)), codes.OBJECTS_LIMIT),
    "in a string": (DJ0 + b"\5" + u64((1 << 30) - 13), 1 << 30),
    "in a dict": (DJ0 + b"\4" + u64(1) + u64(1) + NONE + u64(1 << 29) + HUGE, 1 << 30),
    "in letters": (MYM + array((1 << 29,), codes.CHAR), 1 << 30),
    "in complex numbers of int8": (MYM + array((1 << 28,), 8, complex_flag=1), 29 + (1 << 29)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name: str) -> None:
    start, stated = BOMBS[name]
    blob = envelope(bomb(start, ZEROS), stated)
    assert len(blob) < 2.2e6
    for read in (unpack, unpack_array):
        tracemalloc.start()
        with pytest.raises(BlobCorrupt):
            read(blob)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 64 * MIB


def test_bombs_inflate() -> None:
    """The bombs above are real (but for their checksum): this one of 128 MiB, so those of 2 GiB."""
    blob, inflated = bomb(MYM, 1 << 27)[2:], 0
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    while piece := inflater.decompress(blob, 1 << 24):
        inflated, blob = inflated + len(piece), inflater.unconsumed_tail
    assert inflated == len(MYM) + (1 << 27)


# --- limits -----------------------------------------------------------------------------------
def _many(member: bytes, count: int) -> bytes:
    return DJ0 + b"\2" + u64(count) + sized(member) * count


def test_the_limit_of_objects() -> None:
    most = codes.MAX_WORK - 1  # the list itself is one
    assert len(unpack(_many(NONE, most))) == most  # type: ignore[arg-type]
    with pytest.raises(BlobCorrupt, match="more objects"):
        unpack(_many(NONE, most + 1))


HEAVY = {"array": array((), F8, bytes(8)), "cell": cell((0,)), "struct": struct_array((0,), ()), "records": records(())}


@pytest.mark.parametrize("name", HEAVY)
def test_arrays_count_for_more(name: str) -> None:
    member = HEAVY[name]
    count = codes.MAX_WORK // codes.WORK[member[0]] + 1
    with pytest.raises(BlobCorrupt, match="more objects"):
        unpack(_many(member, count))


def test_the_limit_of_bytes_of_objects() -> None:
    most = codes.OBJECTS_LIMIT - 13
    assert len(unpack(zipped(DJ0 + b"\6" + u64(most) + bytes(most)))) == most  # type: ignore[arg-type]
    with pytest.raises(BlobCorrupt, match="bytes of objects"):
        unpack(zipped(DJ0 + b"\6" + u64(most + 1) + bytes(most + 1)))


def test_the_limit_of_the_caller() -> None:
    blob = pack(np.zeros(1000))
    assert unpack_array(blob, limit=8029).shape == (1000,)
    for read in (unpack, unpack_array):
        with pytest.raises(BlobCorrupt, match="limit"):
            read(blob, limit=8028)
    inside = pack([np.ones(3, "c8")])
    assert len(unpack(inside, limit=len(inside))) == 1  # type: ignore[arg-type]
