"""What every store promises: one suite for all of them. Generated queries ask for more of the same."""

from typing import Any

import numpy as np
import pytest
from sqlalchemy import Column, Table

from gql_nda import tables as t
from gql_nda.check import check
from gql_nda.dataset import Dataset
from gql_nda.query import Compare, Key, Operator, Order, Query, Ref, Relation, Row, down, up
from gql_nda.stores import Store
from gql_nda.stores.sql import SqlStore
from gql_nda.tables import TABLES, is_blob, key_names
from tests.stores.dataset import Rows
from tests.stores.reference import REFERENCE

SNAPSHOTS = True
"""Snapshots promise the same."""

UNIT = key_names(t.scan_unit)
UNITS: list[Key] = [tuple(row[n] for n in UNIT) for row in REFERENCE.all(t.scan_unit)]
PEARSON = Ref(t.oracle.c.pearson, (up(t.scan_unit, t.oracle),))
AREA = Ref(t.area_membership.c.brain_area, (up(t.scan_unit, t.area_membership),))
FIELDS = down(t.field, t.scan_unit)

BLOBS = [column for table in TABLES.values() for column in table.c if is_blob(column)]


def key_of(table: Table, row: dict[str, Any]) -> Key:
    return tuple(row[name] for name in key_names(table))


async def page(store: Store, query: Query) -> list[Row]:
    """The rows of a whole table."""
    return (await store.rows(query)).get((), [])


# --- rows -----------------------------------------------------------------------------------------


async def test_rows_by_key_are_those_keys_alone(store: Store) -> None:
    absent, twice = (4, 7, -1), UNITS[0]
    found = await store.rows(Query(t.scan_unit, UNIT, (twice, absent, UNITS[5], twice)))
    assert set(found) == {twice, UNITS[5]}
    assert [[row.key for row in rows] for rows in found.values()] == [[key] for key in found]
    assert all(row.table is t.scan_unit for rows in found.values() for row in rows)


async def test_no_keys_are_no_rows(store: Store) -> None:
    assert await store.rows(Query(t.scan_unit, UNIT, ())) == {}
    assert await store.counts(Query(t.scan_unit, UNIT, ())) == {}
    assert await store.blobs(t.activity.c.trace, []) == {}
    assert await store.heads(t.activity.c.trace, []) == {}


@pytest.mark.parametrize("name", TABLES)
async def test_a_whole_table_comes_by_primary_key(store: Store, inserted: Rows, name: str) -> None:
    rows = await page(store, Query(TABLES[name]))
    assert [row.key for row in rows] == sorted(key_of(TABLES[name], row) for row in inserted[name])


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_a_limit_is_each_parents_own(store: Store, limit: int) -> None:
    keys = tuple(key_of(t.field, field) for field in REFERENCE.all(t.field))
    found = await store.rows(Query(t.scan_unit, FIELDS.on, keys, limit=limit))
    for key in keys:
        of_field = sorted(
            row["unit_id"] for row in REFERENCE.all(t.scan_unit) if key == tuple(row[n] for n in FIELDS.on)
        )
        assert [row["unit_id"] for row in found.get(key, [])] == of_field[:limit]


# --- order ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("descending", [False, True])
async def test_null_comes_last_either_way(store: Store, descending: bool) -> None:
    for limit in (None, 1000):
        rows = await page(store, Query(t.scan_unit, order=(Order(PEARSON, descending),), limit=limit))
        scores = [row["oracle.pearson"] for row in rows]
        known = [score for score in scores if score is not None]
        assert known == sorted(known, reverse=descending)
        assert scores[len(known) :] == [None] * (len(scores) - len(known)) != []


@pytest.mark.parametrize("descending", [False, True])
async def test_the_primary_key_breaks_ties_upwards(store: Store, descending: bool) -> None:
    rows = await page(store, Query(t.scan_unit, order=(Order(Ref(t.scan_unit.c.um_x), descending),), limit=1000))
    ties = {x: [row.key for row in rows if row["um_x"] == x] for x in {row["um_x"] for row in rows}}
    assert max(map(len, ties.values())) > 1
    assert all(keys == sorted(keys) for keys in ties.values())


async def test_text_sorts_by_code_point(store: Store) -> None:
    for limit in (None, 1000):
        rows = await page(store, Query(t.scan_unit, order=(Order(AREA),), limit=limit))
        areas = [row["area_membership.brain_area"] for row in rows if row["area_membership.brain_area"] is not None]
        assert areas == sorted(areas)
        assert areas != sorted(areas, key=str.casefold)  # as the server's collation would have them


async def test_an_order_names_what_it_reached(store: Store) -> None:
    (row,) = await page(store, Query(t.scan_unit, order=(Order(PEARSON),), limit=1))
    assert set(row) == {*(c.name for c in t.scan_unit.c), "oracle.pearson"}
    assert {type(name) for name in row} == {str}


async def test_the_second_order_by_one_column_is_idle(store: Store) -> None:
    once = await page(store, Query(t.scan_unit, order=(Order(PEARSON),)))
    twice = await page(store, Query(t.scan_unit, order=(Order(PEARSON), Order(PEARSON, descending=True))))
    assert twice == once


# --- where ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "matching"),
    [
        ("100%", ["100%"]),
        ("a_b", ["a_b"]),
        ("a\\", ["a\\b"]),
        ("a", ["a", "ab", "aB", "a_b", "axb", "a\\b"]),
        ("É", ["É"]),
    ],
)
async def test_a_prefix_has_no_wildcards(store: Store, text: str, matching: list[str]) -> None:
    column = Ref(t.coregistration.c.version)
    everything = {row["version"] for row in await page(store, Query(t.coregistration))}
    clips = {row["movie_name"] for row in await page(store, Query(t.clip))}
    found = await page(store, Query(t.coregistration, where=Compare(column, "startsWith", text)))
    assert {row["version"] for row in found} == everything & set(matching)
    found = await page(store, Query(t.clip, where=Compare(Ref(t.clip.c.movie_name), "startsWith", text)))
    assert {row["movie_name"] for row in found} == clips & set(matching)


@pytest.mark.parametrize("op", ["ne", "notIn", "lt", "gte", "in"])
async def test_a_missing_row_matches_no_comparison(store: Store, op: Any) -> None:
    value = (0.1, 0.2, 0.3, 1.0) if op in ("notIn", "in") else 0.1
    rows = await page(store, Query(t.scan_unit, where=Compare(PEARSON, op, value), order=(Order(PEARSON),)))
    assert None not in [row["oracle.pearson"] for row in rows] != []
    absent = await page(store, Query(t.scan_unit, where=Compare(PEARSON, "isNull", True), order=(Order(PEARSON),)))
    assert {row["oracle.pearson"] for row in absent} == {None}


@pytest.mark.parametrize("operand", [0.3, float(np.float32(0.3)), 0.30000001])
async def test_an_operand_is_rounded_as_its_column(store: Store, operand: float) -> None:
    """0.3 is no float32: unrounded it would match nothing, and ``lte`` would lose the rows that show 0.3."""
    third = float(np.float32(0.3))
    matching: list[Operator] = ["eq", "lte", "gte"]
    others: list[Operator] = ["lt", "gt", "ne"]
    for op in matching + others:
        rows = await page(store, Query(t.scan_unit, where=Compare(PEARSON, op, operand), order=(Order(PEARSON),)))
        assert (third in [row["oracle.pearson"] for row in rows]) == (op in matching)


# --- behind a cursor ------------------------------------------------------------------------------


@pytest.mark.parametrize("descending", [False, True])
async def test_rows_behind_a_row_are_the_rest(store: Store, descending: bool) -> None:
    query = Query(t.scan_unit, order=(Order(PEARSON, descending), Order(AREA)))
    rows = await page(store, query)
    for index in range(0, len(rows), 7):
        after = tuple(rows[index][o.ref.label] for o in query.ordering)
        behind = Query(t.scan_unit, order=query.order, after=after, limit=5)
        assert await page(store, behind) == rows[index + 1 : index + 6]


# --- counts ---------------------------------------------------------------------------------------


async def test_counts_are_of_all_pages(store: Store) -> None:
    keys = (*(key_of(t.field, field) for field in REFERENCE.all(t.field)), (4, 7, 99))
    after = next(iter(UNITS))[-1:]
    counted = await store.counts(Query(t.scan_unit, FIELDS.on, keys, order=(Order(PEARSON),), after=after, limit=1))
    assert counted == REFERENCE.counts(Query(t.scan_unit, FIELDS.on, keys))
    assert (4, 7, 99) not in counted


@pytest.mark.parametrize(
    "relation",
    [
        Relation(t.scan, ()),
        down(t.scan, t.scan_unit),
        FIELDS,
        down(t.stimulus, t.trial),
        Relation(t.trial, ("condition_hash",)),
        up(t.scan_unit, t.oracle),
    ],
    ids=repr,
)
async def test_the_largest_group(store: Store, relation: Relation) -> None:
    assert await store.largest(relation) == REFERENCE.largest(relation.table, relation.on) > 0


# --- blobs ----------------------------------------------------------------------------------------


def contents(inserted: Rows, column: Column[Any]) -> tuple[list[Key], dict[Key, bytes]]:
    """All keys of a column's table and one more, and what blobs there are."""
    table = TABLES[column.table.name.lstrip("#")]
    blobs = {key_of(table, row): row[column.name] for row in inserted[table.name]}
    absent = tuple("absent" if isinstance(value, str) else -77 for value in next(iter(blobs)))
    return [*blobs, absent], {key: blob for key, blob in blobs.items() if blob is not None}


@pytest.mark.parametrize("column", BLOBS, ids=str)
async def test_blobs_and_their_heads(store: Store, inserted: Rows, column: Column[Any]) -> None:
    keys, expected = contents(inserted, column)
    assert await store.blobs(column, keys) == expected
    heads = await store.heads(column, keys)
    assert {key: (head.prefix, head.size) for key, head in heads.items()} == {
        key: (blob[:512], len(blob)) for key, blob in expected.items()
    }


@pytest.mark.parametrize("size", [1, 7, 512, 513, 1 << 20])
async def test_pieces_of_a_blob(store: Store, inserted: Rows, size: int) -> None:
    column = t.coregistration.c.transform_solution
    keys, expected = contents(inserted, column)
    by_length = sorted(keys, key=lambda key: len(expected.get(key, b"")))
    for key in by_length[:4] if size == 1 else by_length:  # byte by byte only the short ones
        blob = expected.get(key, b"")
        pieces = [piece async for piece in store.chunks(column, key, size)]
        assert pieces == [blob[start : start + size] for start in range(0, len(blob), size)]


# --- about itself ---------------------------------------------------------------------------------


async def test_a_store_knows_its_tables(store: Store) -> None:
    described = await store.describe()
    assert {name: list(columns) for name, columns in described.items()} == {
        table.name: [c.name for c in table.c] for table in TABLES.values()
    }


async def test_a_dataset_has_one_name(sqlite_store: SqlStore, mariadb_store: SqlStore) -> None:
    assert await Dataset(sqlite_store).fingerprint() == await Dataset(mariadb_store).fingerprint()


async def test_a_check_finds_nothing_wrong(store: Store, inserted: Rows) -> None:
    findings = await check(store)
    assert [f for f in findings if f.severity == "error"] == []
    assert [f.message.split(":")[0] for f in findings if f.severity == "warning"] == ["stack"]  # there are two
    counts = {f"{TABLES[name].name}: {len(rows)} rows" for name, rows in inserted.items()}
    assert counts <= {f.message for f in findings if f.severity == "info"}


async def test_columns_of_keys_that_no_row_can_have(store: SqlStore) -> None:
    far, near = (4, 2**31 - 1, 22), UNITS[3]
    frame = await store.columns(Query(t.scan_unit, UNIT, (far, near)), [PEARSON])
    assert frame.select(UNIT).rows() == [near]
    assert (await store.columns(Query(t.scan_unit, UNIT, (far,)), [PEARSON])).height == 0
    assert (await store.columns(Query(t.scan_unit, UNIT, ()), [PEARSON])).height == 0
