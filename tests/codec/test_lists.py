"""Lists of numbers: the bulk way gives what the slow way gives."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_nda.codec import lists, unpack_array
from gql_nda.errors import BlobCorrupt

from . import upstream
from .forge import DJ0, F8, array, listed, real, sized, u64, zipped
from .strategies import REALS, thorough

INT64 = st.integers(-(2**62), 2**62)
NUMPY = st.sampled_from(REALS).flatmap(lambda name: st.integers(0, 127).map(lambda n: np.dtype(name).type(n)))
SHORT = st.floats() | st.booleans() | INT64 | NUMPY | st.floats(width=32).map(np.float32)


@pytest.fixture
def no_slow_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the slow way was taken")

    monkeypatch.setattr(lists, "_one_by_one", refuse)


def as_float64(numbers: list[Any]) -> np.ndarray[Any, Any]:
    return np.array([float(number) for number in numbers], np.float64)


@pytest.mark.usefixtures("no_slow_way")
def test_any_mixture_in_bulk() -> None:
    @thorough
    @given(st.lists(SHORT), st.booleans())
    def check(numbers: list[Any], compress: bool) -> None:
        values = unpack_array(upstream.pack(numbers, compress=compress))
        assert values.dtype == np.float64
        assert values.tobytes() == as_float64(numbers).tobytes()

    check()


@thorough
@given(st.lists(SHORT | st.integers(-(2**900), 2**900)))
def test_the_slow_way_gives_the_same(numbers: list[Any]) -> None:
    assert unpack_array(upstream.pack(numbers)).tobytes() == as_float64(numbers).tobytes()


@pytest.mark.usefixtures("no_slow_way")
@pytest.mark.parametrize("width", range(1, 9))
def test_integers_of_every_width(width: int) -> None:
    ends = [-(2 ** (8 * width - 1)), 2 ** (8 * width - 1) - 1, -1, 0, 1]
    members = [b"\x0a" + bytes([width, 0]) + end.to_bytes(width, "little", signed=True) for end in ends]
    assert unpack_array(DJ0 + listed(*members)).tolist() == [float(end) for end in ends]


@pytest.mark.usefixtures("no_slow_way")
def test_kinds_of_one_length_are_told_apart() -> None:
    """A float and an integer of 6 bytes take 9 bytes each; float64, int64 and uint64 scalars 25."""
    members = [
        real(1.5),
        b"\x0a\x06\0\2\0\0\0\0\0",
        array((), F8, real(2.5)[1:]),
        array((), 14, b"\xff" * 8),
        array((), 15, b"\xff" * 8),
    ]
    assert unpack_array(DJ0 + listed(*members)).tolist() == [1.5, 2.0, 2.5, -1.0, float(2**64 - 1)]


@pytest.mark.usefixtures("no_slow_way")
def test_a_pupil_trace_of_130_000_members() -> None:
    numbers: list[object] = [np.float64(1000 + i) for i in range(1000)]
    numbers[::3] = [float("nan")] * len(numbers[::3])
    numbers[1::7] = range(len(numbers[1::7]))
    numbers[2::14] = [True] * len(numbers[2::14])
    members = [upstream.pack(number)[4:] for number in numbers]
    raw = DJ0 + b"\2" + u64(130_000) + sized(*members) * 130
    expected = as_float64(numbers * 130)
    assert unpack_array(zipped(raw)).tobytes() == expected.tobytes()


def test_nan_keeps_its_bits() -> None:
    odd_nan = b"\x0d\1\0\0\0\0\0\xf8\xff"
    assert unpack_array(DJ0 + listed(odd_nan)).tobytes() == odd_nan[1:]


def test_an_integer_beyond_float64() -> None:
    with pytest.raises(BlobCorrupt, match="no float64 can hold"):
        unpack_array(upstream.pack([1, 10**400]))


BAD: dict[str, tuple[bytes, str]] = {
    "cut in a length": (b"\2" + u64(2) + sized(real(0)) + bytes(7), "early"),
    "cut in a member": (b"\2" + u64(2) + sized(real(0)) + u64(9) + bytes(8), "don't fill"),
    "a member too many": (b"\2" + u64(1) + sized(real(0), real(0)), "don't fill"),
    "an absurd length": (b"\2" + u64(2) + sized(real(0)) + u64(2**64 - 1) + real(0), "don't fill"),
    "an absurd length amid": (b"\2" + u64(3) + sized(real(0)) + u64(2**63) + real(0) + sized(real(0)), "early"),
    "an empty member": (listed(real(0), real(0), b""), "early|length"),
    "a float cut short": (listed(real(0), real(0)[:-1]), "length|early"),
    "a float with a tail": (listed(real(0), real(0) + b"\0"), "length"),
    "a string amid": (listed(real(0), b"\5" + u64(0)), "other things"),
    "an unknown code amid": (listed(real(0), b"\x99" + bytes(8)), "unknown code"),
    "a list amid": (listed(real(0), listed()), "other things"),
}


@pytest.mark.parametrize("name", BAD)
def test_broken_lists(name: str) -> None:
    body, words = BAD[name]
    with pytest.raises(BlobCorrupt, match=words):
        unpack_array(DJ0 + body)
