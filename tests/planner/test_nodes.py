"""Many rows and a few give the same JSON, node by node; what neither can say is missing in both."""

from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest
from graphql import GraphQLEnumType, GraphQLFloat, GraphQLInt, GraphQLScalarType, GraphQLString
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Table

from gql_nda import tables as t
from gql_nda.frames import dtype
from gql_nda.keys import encode_id
from gql_nda.planner import text, values
from gql_nda.planner.nodes import Beside, Choice, Constant, Fields, GlobalId, Presence, Scalar
from gql_nda.query import Ref, Row, up
from gql_nda.resolvers.stimulus import CONDITIONS
from gql_nda.schema import build_schema

SCHEMA = build_schema()._schema
ORACLE = (up(t.scan_unit, t.oracle),)
STACK_UNIT = (up(t.scan_unit, t.stack_unit),)


def enum(name: str) -> GraphQLEnumType:
    kind = SCHEMA.get_type(name)
    assert isinstance(kind, GraphQLEnumType)
    return kind


def many(fields: Fields, records: list[dict[str, Any]], refs: list[Ref]) -> list[Any]:
    """The objects as a frame's expression writes them; None where there is none."""
    columns = [pl.Series(ref.label, [record[ref.label] for record in records], dtype(ref.column)) for ref in refs]
    return text.legible(pl.DataFrame(columns)).select(text.objects(fields)).to_series().to_list()


def few(fields: Fields, records: list[dict[str, Any]], table: Table) -> list[Any]:
    """The objects one by one; None where there is none."""

    def said(record: dict[str, Any]) -> Any:
        try:
            return orjson.dumps(values.objects(fields)(Row(table, record))).decode()
        except Exception:
            return None

    return [said(record) for record in records]


def alike(fields: Fields, records: list[dict[str, Any]], refs: list[Ref], table: Table) -> list[Any]:
    """The objects of both, which must be equal: keys, their order, values and what is missing."""
    found, expected = many(fields, records, refs), few(fields, records, table)
    assert found == expected  # to the byte
    return [None if item is None else orjson.loads(item) for item in found]


FLOAT32 = st.one_of(
    st.none(),
    st.floats(width=32),
    st.sampled_from([0.1, -0.0, 1e-45, 3.4e38, float("nan"), float("inf"), 16777216.0]),
    st.sampled_from([1e-6, -7.630131e-6, 1e-5, 1e13, 3e15, 1e16]),  # a frame would write them in its own way
).map(lambda value: None if value is None else float(np.float32(value)))
TEXTS = st.one_of(
    st.none(), st.text(max_size=8), st.sampled_from(["V1", "soma", 'a"b\\c', "\n", "ü\x7f\u2028", "RL ", "v1", ""])
)


@given(st.lists(FLOAT32, max_size=6), st.booleans())
def test_floats(held: list[float | None], nullable: bool) -> None:
    ref = Ref(t.oracle.c.pearson)
    fields: Fields = (("x", Scalar(ref, GraphQLFloat, nullable)),)
    found = alike(fields, [{ref.label: value} for value in held], [ref], t.oracle)
    for value, item in zip(held, found, strict=True):
        said = (value is not None and np.isfinite(value)) or (value is None and nullable)
        assert (item is not None) == said
        if item is not None and value is not None:
            assert np.float32(item["x"]) == np.float32(value)


@given(st.lists(st.none() | st.floats(), max_size=6), st.booleans())
def test_doubles(held: list[float | None], nullable: bool) -> None:
    ref = Ref(t.trial.c.start_frame_time)
    alike((("x", Scalar(ref, GraphQLFloat, nullable)),), [{ref.label: value} for value in held], [ref], t.trial)


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3), max_size=6), st.booleans())
def test_whole_numbers(held: list[int | None], nullable: bool) -> None:
    ref = Ref(t.trial.c.start_idx)
    found = alike((("x", Scalar(ref, GraphQLInt, nullable)),), [{ref.label: v} for v in held], [ref], t.trial)
    for value, item in zip(held, found, strict=True):
        assert (item is None) == (not nullable if value is None else not -(2**31) <= value < 2**31)


@given(st.lists(TEXTS, max_size=6), st.booleans())
def test_texts(held: list[str | None], nullable: bool) -> None:
    ref = Ref(t.clip.c.movie_name)
    fields: Fields = (("x", Scalar(ref, GraphQLString, nullable)),)
    records = [{ref.label: value} for value in held]
    for value, one, other in zip(held, many(fields, records, [ref]), few(fields, records, t.clip), strict=True):
        control = value is not None and any(character < " " for character in value)
        assert one == (None if control else other)  # a control character is left to graphql-core
        assert other == (None if value is None and not nullable else orjson.dumps({"x": value}).decode())


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("BrainArea", t.area_membership.c.brain_area),
        ("MaskType", t.mask_classification.c.mask_type),
        ("TrialType", t.trial.c.type),
    ],
)
@pytest.mark.parametrize("nullable", [True, False])
def test_enums(name: str, column: Any, nullable: bool) -> None:
    kind, ref = enum(name), Ref(column)
    known = [value.value for value in kind.values.values()]
    held = [*known, None, "V2", "", known[0].lower() + " "]
    fields: Fields = (("x", Scalar(ref, kind, nullable)),)
    found = alike(fields, [{ref.label: value} for value in held], [ref], column.table)
    assert found == [*({"x": key} for key in kind.values), {"x": None} if nullable else None, None, None, None]


def scalar(ref: Ref, kind: GraphQLScalarType = GraphQLFloat) -> Scalar:
    return Scalar(ref, kind, nullable=False)


def test_a_row_beside_is_null_where_there_is_none_and_missing_where_it_is_broken() -> None:
    present, pearson = Ref(t.oracle.c.session, ORACLE), Ref(t.oracle.c.pearson, ORACLE)
    fields: Fields = (("a", Beside(present, (("p", scalar(pearson)),))), ("has", Presence(present)))
    held: list[tuple[int | None, float | None]] = [(4, 0.5), (None, None), (4, None)]
    records = [{present.label: there, pearson.label: value} for there, value in held]
    found = alike(fields, records, [present, pearson], t.scan_unit)
    assert found == [{"a": {"p": 0.5}, "has": True}, {"a": None, "has": False}, None]


def test_a_broken_value_of_an_absent_row_breaks_nothing() -> None:
    present, inner = Ref(t.stack_unit.c.session, STACK_UNIT), Ref(t.stack_unit.c.stack_x, STACK_UNIT)
    fields: Fields = (("a", Beside(present, (("x", scalar(inner)), ("t", Constant("StackUnit"))))),)
    records: list[dict[str, Any]] = [{present.label: there, inner.label: float("nan")} for there in (None, 9)]
    assert alike(fields, records, [present, inner], t.scan_unit) == [{"a": None}, None]


def test_a_union_is_the_row_that_its_column_names() -> None:
    kind = Ref(t.trial.c.type)
    options, refs = [], [kind]
    for value, relation in CONDITIONS.items():
        present = Ref(relation.table.c.condition_hash, (relation,))
        refs.append(present)
        options.append((value, Beside(present, (("__typename", Constant(relation.table.name)),))))
    labels = [ref.label for ref in refs]
    rows = [
        ("stimulus.Clip", "h", None, None),
        ("stimulus.Monet2", "h", "h", None),
        ("stimulus.Trippy", None, None, None),
        ("stimulus.Other", "h", "h", "h"),
    ]
    found = alike(
        (("c", Choice(kind, tuple(options))),), [dict(zip(labels, r, strict=True)) for r in rows], refs, t.trial
    )
    assert found == [{"c": {"__typename": "clip"}}, {"c": {"__typename": "monet2"}}, {"c": None}, {"c": None}]


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99999)), min_size=1, max_size=5))
def test_ids_of_numbers(keys: list[tuple[int, int, int]]) -> None:
    refs = [Ref(column) for column in t.scan_unit.primary_key]
    fields: Fields = (("id", GlobalId("Unit", t.scan_unit, tuple(refs))),)
    records = [dict(zip([ref.label for ref in refs], key, strict=True)) for key in keys]
    found = alike(fields, records, refs, t.scan_unit)
    assert found == [{"id": encode_id("Unit", t.scan_unit, key)} for key in keys]


def test_ids_of_hashes() -> None:
    ref = Ref(t.clip.c.condition_hash)
    hashes = ["KXdTNAGMo1gCWz2Ge8zr", "Oup5uAZxF2G7zEJkT+ui", "a/b+c/d+", "=="]
    fields: Fields = (("id", GlobalId("Clip", t.clip, (ref,))),)
    found = alike(fields, [{ref.label: value} for value in hashes], [ref], t.clip)
    assert found == [{"id": encode_id("Clip", t.clip, (value,))} for value in hashes]


def test_keys_are_escaped_and_keep_their_order() -> None:
    ref = Ref(t.scan.c.session)
    fields: Fields = (("b", scalar(ref, GraphQLInt)), ("a", Constant('q"')), ("c", scalar(ref, GraphQLInt)))
    assert [*orjson.loads(many(fields, [{"session": 4}], [ref])[0])] == ["b", "a", "c"]
