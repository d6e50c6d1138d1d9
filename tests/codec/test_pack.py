"""Writing: DataJoint's bytes, and what DataJoint reads."""

import datetime
import zlib
from collections import OrderedDict, UserDict, deque
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gql_nda.codec import Cell, Struct, encode, pack, unpack

from . import strategies, upstream
from .same import same
from .strategies import thorough
from .vectors import READ_ONLY, VECTORS


@thorough
@given(strategies.values, st.booleans())
def test_the_same_bytes_as_datajoint(value: Any, compress: bool) -> None:
    assert pack(value, compress=compress) == upstream.pack(value, compress=compress)


@thorough
@given(strategies.values)
def test_datajoint_reads_it(value: Any) -> None:
    blob = pack(value)
    assert same(upstream.unpack(blob), unpack(blob))


@thorough
@given(strategies.fixed_arrays | strategies.complex_arrays)
def test_arrays_come_back_to_the_bit(array: NDArray[Any]) -> None:
    back = unpack(pack(array))
    assert same(np.asarray(back), array)
    assert isinstance(back, np.generic if array.ndim == 0 else np.ndarray)


SCALARS = st.sampled_from(["f8", ">f8", "f4", "i8"]).flatmap(lambda name: st.floats(-99, 99).map(np.dtype(name).type))
BOXES = SCALARS.map(np.array) | st.floats().map(np.array) | st.floats().map(lambda number: np.array([number]))


@thorough
@given(st.lists(st.floats() | st.floats().map(np.float64) | BOXES) | st.lists(st.floats() | st.floats().map(np.array)))
def test_lists_of_numbers(numbers: list[Any]) -> None:
    assert pack(numbers) == upstream.pack(numbers)


@pytest.mark.parametrize("number", [1.5, np.float64(1.5), np.array(1.5)])
def test_lists_of_floats_are_written_in_one_stroke(monkeypatch: pytest.MonkeyPatch, number: object) -> None:
    written: list[object] = []

    def value(writer: encode.Writer, value: object) -> bytes:
        written.append(value)
        return slow(writer, value)

    slow = encode.Writer.value
    monkeypatch.setattr(encode.Writer, "value", value)
    assert unpack(pack([number] * 1000)) == [1.5] * 1000
    assert len(written) == 2


@pytest.mark.parametrize("name", [name for name in VECTORS if name not in READ_ONLY])
def test_vectors(name: str) -> None:
    blob, value = VECTORS[name]
    assert pack(value) == blob


@pytest.mark.parametrize("name", ["cell", "cell of arrays", "struct"])
def test_matlab_classes_are_written_like_datajoints(name: str) -> None:
    _, value = VECTORS[name]
    assert isinstance(value, Cell | Struct)
    twin = value.view(upstream.MatCell if isinstance(value, Cell) else upstream.MatStruct)
    assert pack(value) == upstream.pack(twin)


RELATIVES: dict[str, object] = {
    "range": range(3),
    "bytearray": bytearray(b"ab"),
    "frozenset": frozenset({1}),
    "OrderedDict": OrderedDict(a=1),
    "UserDict": UserDict(a=1),
    "str_": np.str_("a"),
    "bytes_": np.bytes_(b"a"),
    "memoryview": memoryview(b"ab"),
    "masked": np.ma.array([1, 2]),
    "letter": np.array(b"a"),
    "text array": np.array(["a", "bc"]),
    "recarray": np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
    "deque": deque([1]),
    "no pairs": {},
    "no members": (),
    "empty set": set(),
}


@pytest.mark.parametrize("name", RELATIVES)
def test_relatives_of_the_types(name: str) -> None:
    assert pack(RELATIVES[name]) == upstream.pack(RELATIVES[name])


def test_characters_are_column_major() -> None:
    """DataJoint writes them row-major, and then reads them back transposed."""
    matrix = np.array([[b"a", b"b", b"c"], [b"d", b"e", b"f"]])
    letters = matrix.astype("U1")
    assert same(unpack(pack(matrix)), letters)
    assert same(upstream.unpack(pack(matrix)), letters)
    assert not same(upstream.unpack(upstream.pack(matrix)), letters)


@pytest.mark.parametrize("length", [986, 987, 988])
def test_compressed_beyond_a_thousand_bytes(length: int) -> None:
    value = bytes(length)  # behind the 4 bytes of the protocol, the code and the 8 of the length
    assert pack(value) == upstream.pack(value)
    assert pack(value).startswith(b"ZL123\0") == (length + 13 > 1000)


def test_what_zlib_makes_longer_stays_raw() -> None:
    noise = np.random.default_rng(0).integers(0, 256, 5000, "u1")
    assert pack(noise) == upstream.pack(noise)
    assert pack(noise).startswith(b"mYm\0")


def test_the_level_of_compression() -> None:
    array = np.sin(np.arange(10_000) / 500).astype("f4").round(3)
    for level in (0, 1, 9):
        blob = pack(array, level=level)
        assert same(upstream.unpack(blob), array)
        if level:
            raw = pack(array, compress=False)
            assert blob[14:] == zlib.compress(raw, level)
    assert len(pack(array, level=9)) < len(pack(array, level=1)) < len(pack(array, level=0))


HOMELESS: dict[str, object] = {
    "object": object(),
    "class": list,
    "float16": np.zeros(2, "f2"),
    "big-endian": np.zeros(2, ">f8"),
    "time span": np.zeros(2, "m8[s]"),
    "NaT of no unit": np.datetime64("NaT"),
    "tens of seconds": np.zeros(2, "M8[10s]"),
    "long byte strings": np.array([b"ab"]),
    "long double": np.longdouble(1),
    "several values a field": np.zeros(1, [("a", "f8", (2,))]),
    "float16 in a record": np.zeros(1, [("a", "f2")]),
    "huge int": 1 << 8 * 0xFFFF,
    "time zone": datetime.datetime(2021, 2, 3, tzinfo=datetime.UTC),
    "in a list": [object()],
}


@pytest.mark.parametrize("name", HOMELESS)
def test_what_has_no_place_in_a_blob(name: str) -> None:
    with pytest.raises(TypeError, match="has no place in a blob"):
        pack(HOMELESS[name])


def test_whatever_is_packed_can_be_unpacked() -> None:
    for innermost in (None, 1.5, "x"):
        nested: object = innermost
        for _ in range(31):
            nested = [nested]
        assert unpack(pack(nested)) == nested
        with pytest.raises(ValueError, match="nests"):
            pack([nested])
