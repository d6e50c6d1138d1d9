"""Columns that no database holds: every store filters, sorts, counts and shows them as the plain-Python reference."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from gql_nda import tables as t
from gql_nda.codec import pack
from gql_nda.coregistration import read
from gql_nda.frames import held, schema
from gql_nda.query import And, Compare, Not, Or, Order, Predicate, Query, Ref, Relation
from gql_nda.stores.derived import Derived
from gql_nda.stores.positions import INPUTS, PLACE, Positions, placed
from gql_nda.stores.snapshot import SnapshotStore
from gql_nda.stores.sql import SqlStore
from gql_nda.tables import em_position, key_names, narrow
from tests.science.fitting import solution
from tests.stores.reference import REFERENCE, dumped
from tests.stores.strategies import compared, comparisons, keys, refs
from tests.support.altered import altered_store

UNIT_OF_MASK = Relation(t.scan_unit, key_names(t.segmentation))
PATHS = {
    t.scan_unit: (PLACE,),
    t.segmentation: (UNIT_OF_MASK, PLACE),
    t.activity: (Relation(t.scan_unit, PLACE.on), PLACE),
}
"""How positions are reached."""


@st.composite
def queries(draw: st.DrawFn) -> Query:
    """Filters and orders by computed columns, and by others."""
    table = draw(st.sampled_from(list(PATHS)))
    computed = st.sampled_from(narrow(em_position)).map(lambda column: Ref(column, PATHS[table]))
    parts = st.lists(computed.flatmap(compared) | comparisons(table), max_size=3).map(tuple)
    where: st.SearchStrategy[Predicate] = st.one_of(
        computed.flatmap(compared), parts.map(And), parts.map(Or), computed.flatmap(compared).map(Not)
    )
    order = st.lists(st.builds(Order, computed | refs(table), st.booleans()), max_size=2).map(tuple)
    on = draw(st.sampled_from([(), ("session", "scan_idx"), key_names(table)]))
    limit = st.none() | st.integers(1, 8)
    return Query(table, on, draw(keys(table, on)), draw(st.none() | where), draw(order), limit=draw(limit))


@settings(max_examples=150)
@given(query=queries(), data=st.data())
async def test_every_store_answers_as_the_reference(
    query: Query,
    data: st.DataObject,
    sqlite_store: SqlStore,
    mariadb_store: SqlStore,
    snapshot_store: SnapshotStore,
) -> None:
    asked = [
        Ref(data.draw(st.sampled_from(narrow(em_position))), PATHS[query.table]),
        *data.draw(st.lists(refs(query.table), max_size=2)),
    ]
    positions = [
        tuple(row[o.ref.label] for o in query.ordering)
        for rows in REFERENCE.rows(replace(query, limit=None)).values()
        for row in rows
    ]
    behind = data.draw(st.none() | st.sampled_from(positions)) if positions else None
    query = replace(query, after=behind)
    rows, counts = dumped(REFERENCE.rows(query)), dumped(REFERENCE.counts(query))
    columns = [[row[ref.label] for ref in held(query, asked)] for row in REFERENCE.beside(query, asked)]
    for store in (sqlite_store, mariadb_store, snapshot_store):
        assert dumped(await store.rows(query)) == rows
        assert dumped(await store.counts(query)) == counts
        frame = await store.columns(query, asked)
        assert frame.schema == schema(held(query, asked))
        assert list(map(list, frame.rows())) == columns


async def test_a_position_is_a_row_of_its_own(sqlite_store: SqlStore, snapshot_store: SnapshotStore) -> None:
    found = REFERENCE.all(em_position)
    query = Query(em_position, PLACE.on, (*(tuple(row[n] for n in PLACE.on) for row in found), (-1, -1, -1)))
    for store in (sqlite_store, snapshot_store):
        assert dumped(await store.rows(query)) == dumped(REFERENCE.rows(query))


def test_units_without_a_position_say_why() -> None:
    reasons = {row["em_reason"] for row in REFERENCE.all(em_position)}
    assert len(reasons) == 3  # in no stack, in one without a transform; and none
    assert all((row["em_x"] is None) is (row["em_reason"] is not None) for row in REFERENCE.all(em_position))


def test_a_position_beyond_all_numbers_is_none() -> None:
    huge = {"name": "PolynomialModel", "order": 1, "parameters": [[0, 0, 0], [1e308] * 3, [0] * 3, [0] * 3]}
    move = read({"transform_id": 5, "version": "phase3", "direction": "2PEM"}, 1322.0, pack(solution(huge)))
    places = pl.DataFrame([(9, 19, x, 0.0, 0.0) for x in (1.0, 3e38)], _PLACES, orient="row")
    near, far = placed(places, {(9, 19): move}).rows(named=True)
    assert near["em_x"] == 1e305
    assert near["em_reason"] is near["em_extrapolated"] is None
    assert far["em_x"] is far["em_y"] is None
    assert far["em_reason"] == "the transform tells no position so far away"


_PLACES = schema(Ref(ref.column) for ref in INPUTS)


async def test_a_transform_that_makes_no_sense_is_a_reason(sqlite_path: Path, tmp_path: Path) -> None:
    solved = pack({"name": "TransformList", "transforms": 3})
    rows = await _altered(sqlite_path, tmp_path, "transform_solution = ?", solved)
    assert {row["em_x"] for row in rows} == {None}
    assert any("transform_id=5: holds no transform" in row["em_reason"] for row in rows)


async def test_a_transform_of_an_unknown_version_is_none(sqlite_path: Path, tmp_path: Path) -> None:
    rows = await _altered(sqlite_path, tmp_path, "version = ?", "phase9")
    assert {row["em_transform_id"] for row in rows} == {6, None}


async def _altered(original: Path, folder: Path, change: str, value: Any) -> list[Any]:
    """All positions by a changed transform 5."""
    statement = f"UPDATE coregistration SET {change} WHERE transform_id = 5 AND stack_idx = 19"
    keys = tuple(tuple(row[name] for name in PLACE.on) for row in REFERENCE.all(em_position))
    async with altered_store(original, folder, lambda connection: connection.execute(statement, (value,))) as store:
        rows = await store.rows(Query(em_position, PLACE.on, keys))
    return [row for found in rows.values() for row in found]


async def test_what_can_be_is_filtered_by_the_database(sqlite_store: SqlStore) -> None:
    """One scan's units of 19: the others aren't read."""
    session = Compare(Ref(t.scan_unit.c.session), "eq", 4)
    far = Compare(Ref(em_position.c.em_x, (PLACE,)), "gt", 0.0)
    asked: list[Query] = []

    async def ask(query: Query, refs: object) -> object:
        asked.append(query)
        return await sqlite_store._columns(query, refs)  # type: ignore[arg-type]

    derived = Derived(Positions(sqlite_store), ask)  # type: ignore[arg-type]
    await derived.columns(Query(t.scan_unit, where=And((session, far))), [])
    assert asked == [Query(t.scan_unit, where=And((session,)))]
