"""Reading: what DataJoint reads, and better where it fails."""

import datetime
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_nda.codec import Cell, Struct, unpack, unpack_array
from gql_nda.errors import BlobCorrupt

from . import strategies, upstream
from .forge import zipped
from .same import same
from .strategies import thorough
from .vectors import DIFFERENT, VECTORS

BLOBS = Path(__file__).parents[2].parent / "shared" / "data" / "blobs"


@pytest.mark.parametrize("name", VECTORS)
def test_vectors(name: str) -> None:
    blob, value = VECTORS[name]
    assert same(unpack(blob), value)
    assert same(unpack(zipped(blob)), value)


@pytest.mark.parametrize("name", [name for name in VECTORS if name not in DIFFERENT])
def test_vectors_are_datajoints(name: str) -> None:
    blob, value = VECTORS[name]
    assert same(upstream.unpack(blob), value)


@thorough
@given(strategies.values, st.booleans())
def test_the_same_values_as_datajoint(value: Any, compress: bool) -> None:
    blob = upstream.pack(value, compress=compress)
    assert same(unpack(blob), upstream.unpack(blob))


def test_matlab_classes() -> None:
    cell, struct = unpack(VECTORS["cell"][0]), unpack(VECTORS["struct"][0])
    assert isinstance(cell, Cell)
    assert isinstance(struct, Struct)
    assert struct.a.tolist() == [1.5, 2.5]


def test_members_of_a_cell_keep_their_types() -> None:
    """DataJoint has NumPy guess: it makes strings of this cell."""
    blob = upstream.pack(np.array([1, "x"], object).view(upstream.MatCell))
    assert same(upstream.unpack(blob).tolist(), ["1", "x"])
    assert same(unpack(blob), np.array([1, "x"], object))


def test_an_infinite_imaginary_part_leaves_the_real_one() -> None:
    """DataJoint multiplies by 1j, which makes NaN of it."""
    value = np.array([complex(1, np.inf)])
    assert same(unpack(upstream.pack(value)), value)


def test_arrays_are_views_of_the_blob() -> None:
    blob = upstream.pack(np.arange(6.0).reshape(2, 3))
    array = unpack_array(blob)
    assert not array.flags.writeable
    assert array.flags.f_contiguous
    assert np.shares_memory(array, np.frombuffer(blob, np.uint8))


def test_arrays_of_a_compressed_blob_are_read_only() -> None:
    array = unpack_array(upstream.pack(np.zeros((300, 300))))
    assert not array.flags.writeable
    assert array.flags.f_contiguous


def test_unpack_array_of_a_scalar_has_no_dimensions() -> None:
    array = unpack_array(upstream.pack(np.float32(1.5)))
    assert same(array, np.array(1.5, "f4"))


NO_ARRAYS: list[tuple[object, str]] = [
    ({}, "a dict"),
    (None, "None"),
    ("x", "a string"),
    (1.5, "a float"),
    ((1, 2), "a tuple"),
    (datetime.date(2021, 2, 3), "a date or time"),
    (np.array(["a"]), "an array of text or objects"),
    (np.array([b"a"]), "an array of text or objects"),
    (["x"], "a list that begins with a string"),
    ([[1]], "a list that begins with a list"),
    ([np.zeros(1)], "a list that begins with an array"),
    ([1, np.zeros(1)], "a list of other things"),
    ([1, "x"], "a list of other things"),
    ([1, 1j], "a list of other things"),
    ([1, np.complex64(1)], "a list of other things"),
    ([1, np.datetime64(1, "s")], "a list of other things"),
]


@pytest.mark.parametrize(("value", "words"), NO_ARRAYS, ids=repr)
def test_unpack_array_of_no_array(value: object, words: str) -> None:
    with pytest.raises(BlobCorrupt, match=f"holds {words}"):
        unpack_array(upstream.pack(value))


@pytest.fixture
def fixtures() -> list[dict[str, Any]]:
    if not BLOBS.exists():
        pytest.skip("../shared/data is absent")
    index: list[dict[str, Any]] = json.loads((BLOBS / "index.json").read_text())
    return index


def _read(fixture: dict[str, Any]) -> bytes:
    path: Path = BLOBS / fixture["file"]
    blob = path.read_bytes()
    assert hashlib.sha256(blob).hexdigest() == fixture["sha256"]
    return blob


def test_fixtures_read_as_datajoint_reads_them(fixtures: list[dict[str, Any]]) -> None:
    assert len(fixtures) == 16
    for fixture in fixtures:
        blob = _read(fixture)
        assert same(unpack(blob), upstream.unpack(blob)), fixture["name"]


def _facts(array: Any) -> dict[str, Any]:
    """Every fact that the index may state of an array."""
    flat = array.ravel()
    nulled = [None if value != value else value for value in flat.tolist()]
    facts = {"shape": list(array.shape), "dtype": array.dtype.name, "values": nulled, "rows": array.tolist()}
    facts |= {"first3": nulled[:3], "first5": nulled[:5], "last": nulled[-1]}
    facts |= {"frame0_sum": array[..., 0].sum(), "sum": array.sum(dtype="f8" if array.dtype.kind == "f" else "i8")}
    facts |= {"v_3_5_7": array[3, 5, 7]} if array.ndim == 3 else {}
    facts |= {"v_1_2_0_3": array[1, 2, 0, 3]} if array.ndim == 4 else {}
    return facts


def test_fixtures_hold_what_the_index_says(fixtures: list[dict[str, Any]]) -> None:
    arrays = [fixture for fixture in fixtures if isinstance(fixture["expect"], dict) and "shape" in fixture["expect"]]
    assert len(arrays) == 11
    for fixture in arrays:
        facts = _facts(unpack_array(_read(fixture)))
        for fact, value in fixture["expect"].items():
            expected = pytest.approx(value, rel=1e-12) if isinstance(value, float) else value
            assert facts[fact] == expected, (fixture["name"], fact)


def test_fixtures_of_python_objects(fixtures: list[dict[str, Any]]) -> None:
    blobs = {fixture["name"]: (_read(fixture), fixture["expect"]) for fixture in fixtures}
    blob, expected = blobs["scalar_0d_f64"]
    assert unpack(blob) == expected
    blob, expected = blobs["dict_small"]
    assert unpack(blob) == expected
    blob, expected = blobs["pupil_x_dj0_list"]
    numbers = [np.nan if number is None else number for number in expected["list"]]
    assert np.array_equal(unpack_array(blob), numbers, equal_nan=True)
    for name, (blob, expected) in blobs.items():
        if "transform" in name:
            solution = BLOBS.parent / "em_coregistration" / expected["same_as_json"]
            assert unpack(blob) == json.loads(solution.read_text()), name
