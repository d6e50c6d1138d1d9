"""Which transform is meant, and what it does to points."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_nda.codec import pack
from gql_nda.coregistration import TO_EM, TO_STACK, applicable, choose, read
from gql_nda.errors import BadUserInput, BlobCorrupt

Row = dict[str, Any]


def row(transform_id: int, version: str = "phase3", direction: str = TO_EM, kind: str = "spline") -> Row:
    return {"transform_id": transform_id, "version": version, "direction": direction, "transform_type": kind}


rows = st.lists(
    st.builds(
        row,
        st.integers(1, 9),
        st.sampled_from(["phase2", "phase3", "phase4", ""]),
        st.sampled_from([TO_EM, TO_STACK, "up"]),
        st.sampled_from(["spline", "linear", "cubic"]),
    ),
    max_size=8,
    unique_by=lambda one: one["transform_id"],
)
asked = st.fixed_dictionaries(
    {},
    optional={
        "direction": st.sampled_from([TO_EM, TO_STACK]),
        "transform_id": st.integers(1, 9),
        "version": st.sampled_from(["phase2", "phase3", "phase4"]),
        "kind": st.sampled_from(["spline", "linear", "cubic"]),
    },
)


def fits(one: Row, asked: Row) -> bool:
    return all(one[{"kind": "transform_type"}.get(name, name)] == value for name, value in asked.items())


@given(rows, asked)
def test_the_best_of_those_that_fit_is_meant(rows: list[Row], asked: Row) -> None:
    known = [one for one in rows if applicable(one)]
    fitting = [one for one in known if fits(one, asked)]
    if known and not fitting:
        with pytest.raises(BadUserInput, match=r"^no transform of .*; there are "):
            choose(rows, **asked)
        return
    found = choose(rows, **asked)
    assert (found is None) == (not known)
    if found is not None:
        assert found in fitting
        assert all(found["version"] >= other["version"] for other in fitting)
        latest = [other for other in fitting if other["version"] == found["version"]]
        splines = [other for other in latest if other["transform_type"] == "spline"]
        if splines:
            assert found == min(splines, key=lambda one: one["transform_id"])
        else:
            assert found == min(latest, key=lambda one: one["transform_id"])


@pytest.mark.parametrize(
    ("one", "known"),
    [
        (row(1), True),
        (row(1, "phase2", TO_STACK, "cubic"), True),
        (row(1, "phase4"), False),
        (row(1, "PHASE3"), False),
        (row(1, direction="TPEM"), False),
    ],
)
def test_what_can_be_applied(one: Row, known: bool) -> None:
    assert applicable(one) == known


def test_who_asks_for_what_is_not_there_is_told_what_is() -> None:
    there = [row(5), row(6, direction=TO_STACK), row(7, "phase4"), row(3, "phase2", kind="linear")]
    with pytest.raises(BadUserInput) as error:
        choose(there, TO_EM, transform_id=7, version="x" * 1000)
    assert error.value.message == (
        f"no transform of transformId 7, version {'x' * 40}, direction TWO_P_TO_EM; "
        "there are 5 phase3 TWO_P_TO_EM spline; 6 phase3 EM_TO_TWO_P spline; 3 phase2 TWO_P_TO_EM linear"
    )
    assert error.value.details == {"argument": "transformId"}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"version": "phase9"}, "version"),
        ({"kind": "cubic"}, "type"),
        ({"transform_id": 99}, "transformId"),
        ({}, None),
    ],
)
def test_an_argument_that_was_given_is_named(given: Row, named: str | None) -> None:
    with pytest.raises(BadUserInput) as error:
        choose([row(6, direction=TO_STACK)], TO_EM, **given)
    assert error.value.details == {"argument": named or "direction"}


IDENTITY = {"name": "PolynomialModel", "order": 1, "parameters": [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]}
SOLUTION = pack({"name": "TransformList", "transforms": [IDENTITY]})


@pytest.mark.parametrize(
    ("one", "point", "expected"),
    [
        (row(5), [1000, 22, 3000], [1, 1.3, 3]),
        (row(6, direction=TO_STACK), [1, 1.3, 3], [1000, 22, 3000]),
        (row(1, "phase2"), [4e6, 4e6, 4e6], [1000 - 3072, 1000 - 2560, 100 + 7924]),
    ],
)
def test_a_transform_that_is_read_moves_points(one: Row, point: list[float], expected: list[float]) -> None:
    read_ = read(one, 1322.0, SOLUTION)
    assert read_.transform_id == one["transform_id"]
    assert read_([point]).points.tolist() == [pytest.approx(expected)]


@pytest.mark.parametrize(
    ("one", "solution"),
    [
        (row(1), pack({"name": "Nothing"})),
        (row(1), pack([1.0])),
        (row(1), b"no blob"),
        (row(1, "phase4"), SOLUTION),
        (row(1, direction=""), SOLUTION),
    ],
)
def test_what_is_no_transform_is_corrupt(one: Row, solution: bytes) -> None:
    with pytest.raises(BlobCorrupt):
        read(one, 1322.0, solution)
