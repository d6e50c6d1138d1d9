"""Answers from a snapshot: those of the plain-Python reference, to the byte, without a statement."""

from collections.abc import Iterator
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, event

from gql_nda import tables as t
from gql_nda.frames import held, own, schema
from gql_nda.query import Compare, Key, Order, Query, Ref, Relation, by_key, down, up
from gql_nda.stores.snapshot import SnapshotStore
from gql_nda.stores.snapshot import answers as engine
from gql_nda.stores.snapshot.answers import Answers
from gql_nda.stores.snapshot.index import Index
from gql_nda.stores.snapshot.wide import beside
from gql_nda.stores.sql import SqlStore
from gql_nda.tables import TABLES
from tests.stores.reference import REFERENCE, dumped
from tests.stores.strategies import queries, refs, thorough


@pytest.fixture(autouse=True)
def _no_statements(snapshot_store: SnapshotStore) -> Iterator[None]:
    """Nothing here asks the database."""
    live = snapshot_store.live
    assert isinstance(live, SqlStore)

    def refuse(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        raise AssertionError(statement)

    event.listen(live.engine.sync_engine, "before_cursor_execute", refuse)
    yield
    event.remove(live.engine.sync_engine, "before_cursor_execute", refuse)


@pytest.fixture(scope="session")
def answers(snapshot_store: SnapshotStore) -> Answers:
    assert snapshot_store.answers is not None
    return snapshot_store.answers


# --- generated queries ----------------------------------------------------------------------------


@thorough
@given(query=queries())
async def test_rows_and_counts_are_the_references(query: Query, snapshot_store: SnapshotStore) -> None:
    assert dumped(await snapshot_store.rows(query)) == dumped(REFERENCE.rows(query))
    assert dumped(await snapshot_store.counts(query)) == dumped(REFERENCE.counts(query))


@settings(thorough, max_examples=500)
@given(query=queries(), data=st.data())
async def test_so_are_those_behind_a_cursor(query: Query, data: st.DataObject, snapshot_store: SnapshotStore) -> None:
    pages = REFERENCE.rows(replace(query, limit=None))
    positions = [tuple(row[o.ref.label] for o in query.ordering) for rows in pages.values() for row in rows]
    if positions:
        position = data.draw(st.sampled_from(positions))
        if data.draw(st.booleans()):  # of a row that has changed since, or has gone
            position = tuple(
                value + data.draw(st.sampled_from([-1, 0, 1])) if isinstance(value, int) else value
                for value in position
            )
        query = replace(query, after=position)
        assert dumped(await snapshot_store.rows(query)) == dumped(REFERENCE.rows(query))


@settings(thorough, max_examples=500)
@given(query=queries(), data=st.data())
async def test_columns_and_what_stands_beside_rows_are_the_references(
    query: Query, data: st.DataObject, snapshot_store: SnapshotStore
) -> None:
    asked = data.draw(st.lists(refs(query.table), max_size=4))
    expected = REFERENCE.beside(query, asked)
    frame = await snapshot_store.columns(query, asked)
    assert frame.schema == schema(held(query, asked))
    assert list(map(list, frame.rows())) == [[row[ref.label] for ref in held(query, asked)] for row in expected]
    found = await snapshot_store.rows(query, asked)
    rows = [row for key in dict.fromkeys(query.keys) for row in found.get(key, [])]
    assert [[row[ref.label] for ref in asked] for row in rows] == [[row[r.label] for r in asked] for row in expected]
    assert all(row.table is query.table for row in rows)


@settings(thorough, max_examples=200)
@given(query=queries())
async def test_a_thread_answers_alike(query: Query, snapshot_store: SnapshotStore) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "LARGE", -1)
        assert dumped(await snapshot_store.rows(query)) == dumped(REFERENCE.rows(query))


# --- rows by key ----------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES.values(), ids=str)
def test_one_row_at_once(answers: Answers, table: Table) -> None:
    relation = by_key(table)
    beside_it = [Ref(column, (step,)) for step in beside(table) for column in step.table.c if not column.nullable]
    beside_it = [ref for ref in beside_it if ref.column.name in schema_of(ref.path[-1].table)]
    for row in REFERENCE.all(table):
        expected = {**row, **{ref.label: REFERENCE.value(ref, row) for ref in beside_it}}
        found = answers.row(relation, tuple(row[n] for n in relation.on), own(Query(table), beside_it))
        assert found == expected
        assert [type(value) for value in found.values()] == [type(value) for value in expected.values()]


def schema_of(table: Table) -> set[str]:
    return set(REFERENCE.all(table)[0])


def test_the_first_of_several_rows_is_that_of_the_smallest_key(answers: Answers) -> None:
    relation = down(t.field, t.scan_unit)
    for field in REFERENCE.all(t.field):
        key = tuple(field[n] for n in relation.on)
        of_field = [row for row in REFERENCE.all(t.scan_unit) if key == tuple(row[n] for n in relation.on)]
        row = answers.row(relation, key, own(Query(t.scan_unit), ()))
        assert row == min(of_field, key=lambda row: row["unit_id"], default=None)


@pytest.mark.parametrize("key", [(4, 7, -1), (4, 7, 10**6), (-(2**15), 0, 0), (2**70, 7, 1), (4, -(2**70), 1)])
async def test_keys_that_no_row_has(snapshot_store: SnapshotStore, answers: Answers, key: tuple[int, ...]) -> None:
    units = by_key(t.scan_unit)
    assert answers.row(units, key, ()) is None
    assert await snapshot_store.rows(Query(t.scan_unit, units.on, (key,), limit=3)) == {}
    assert await snapshot_store.counts(Query(t.scan_unit, units.on, (key,))) == {}


@pytest.mark.parametrize("key", ["", "nowhere", "é", "kXDTNAGMo1gCWz2Ge8zr", "\0"])
async def test_texts_that_no_row_has(snapshot_store: SnapshotStore, answers: Answers, key: str) -> None:
    for table in (t.clip, t.trial):
        assert answers.row(Relation(table, ("condition_hash",)), (key,), ()) is None
        assert await snapshot_store.rows(Query(table, ("condition_hash",), ((key,), ("B",)), limit=0)) == {}


# --- what stands beside a row ---------------------------------------------------------------------


def test_what_is_joined_before_it_is_asked_for() -> None:
    joined = {table.name: {step.table.name for step in beside(table)} for table in TABLES.values()}
    behavior = {"stimulus", "raw_manual_pupil", "manual_pupil", "raw_treadmill", "treadmill"}
    of_fields = {"raster_correction", "motion_correction", "mean_intensity", "summary_images", "registration"}
    masks = {"segmentation", "fluorescence", "mask_classification"}
    assert {name: there for name, there in joined.items() if there} == {
        "scan": {"#scan_include", "scan_times", *behavior},
        "field": of_fields,
        "segmentation": {"fluorescence", "mask_classification"},
        "scan_unit": {*masks, "unit_hash", "activity", "area_membership", "oracle", "stack_unit", "em_position"},
        "raw_manual_pupil": {"manual_pupil"},
        "raw_treadmill": {"treadmill"},
    }


async def test_the_same_column_over_two_relations(snapshot_store: SnapshotStore) -> None:
    """Labels don't tell them apart."""
    first, whole = Relation(t.field, ("session", "scan_idx")), up(t.scan_unit, t.field)
    for step in (first, whole, first):
        ref = Ref(t.field.c.field, (step,))
        query = Query(t.scan_unit, order=(Order(ref, descending=True),), where=Compare(ref, "gte", 1))
        assert dumped(await snapshot_store.rows(query)) == dumped(REFERENCE.rows(query))


async def test_whole_numbers_meet_any_operand(snapshot_store: SnapshotStore) -> None:
    for value in (2**15, -(2**31), 2**31 - 1, 2**40):
        for op in ("eq", "lt", "gte", "ne"):
            query = Query(t.scan_unit, where=Compare(Ref(t.scan_unit.c.um_x), op, value))
            assert dumped(await snapshot_store.rows(query)) == dumped(REFERENCE.rows(query))


# --- indices --------------------------------------------------------------------------------------


@pytest.mark.parametrize("absent", [(99,), (0,)])
def test_a_key_that_no_row_has_finds_none_without_a_key(absent: Key) -> None:
    index = Index([pl.Series("key", [None, 1, 2, None])])
    assert index.find(absent) is None
    for keys in ([absent], [absent, (2,)]):
        starts, stops = index.spans(keys)
        assert (stops - starts).tolist() == [0, 1][: len(keys)]
    assert index.firsts([pl.Series("key", [absent[0], 2])]).to_list() == [None, 2]
