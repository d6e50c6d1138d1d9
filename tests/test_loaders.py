"""Loaders: one level of a query is one statement, and ends with its request."""

import asyncio
import re
import threading
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from aiodataloader import DataLoader
from sqlalchemy import create_engine, event

from gql_nda import demo
from gql_nda import tables as t
from gql_nda.codec import pack, unpack
from gql_nda.errors import BlobCorrupt
from gql_nda.loaders import STATEMENTS_AT_ONCE, Loaders, Reduction
from gql_nda.query import Key, Query, Ref, up
from gql_nda.stores.snapshot import SnapshotStore
from gql_nda.stores.sql import SqlStore
from gql_nda.tables import metadata
from tests.support.client import Client, Statements, serving
from tests.support.little import little_store
from tests.support.mariadb import ADMIN, MariaDb
from tests.test_dataloader import PATIENCE, Source, begun, patiently

UNIT = up(t.scan_unit, t.scan_unit)


# --- leaving ---------------------------------------------------------------------------------------


async def test_batches_die_with_their_request(mariadb_store: SqlStore) -> None:
    loaders, source = Loaders(mariadb_store), Source()
    waiter = asyncio.ensure_future(loaders._get("slow", source).load(1))
    await begun(source)
    loaders.close()
    with pytest.raises(RuntimeError):
        await patiently(waiter)
    assert source.ended == ["cancelled"]


async def test_so_does_what_reads_their_arrays(demo_path: Path) -> None:
    """A thread can't be cancelled: it looks whether anyone waits before it takes up another array."""
    read: list[int] = []

    async def request() -> None:
        store = SqlStore(f"sqlite:///{demo_path}")
        loaders, begun, go = Loaders(store), threading.Event(), threading.Event()

        def decode(blob: bytes) -> int:
            read.append(len(blob))
            begun.set()
            assert go.wait(PATIENCE)
            return len(blob)

        reductions = [Reduction((4, 7, number), decode, abs) for number in range(1, 20)]
        waiting = asyncio.ensure_future(loaders.reduced(t.activity.c.trace).load_each(reductions))
        assert await asyncio.to_thread(begun.wait, PATIENCE)
        loaders.close()
        go.set()
        assert {type(end) for end in await waiting} == {RuntimeError}
        await store.close()

    await asyncio.to_thread(asyncio.run, request())  # which ends when its threads have
    assert len(read) == 1


async def test_nothing_is_asked_for_a_request_that_has_ended(sqlite_store: SqlStore) -> None:
    """Also by tasks that nobody has cancelled: graphql-core forgets some where another has failed."""
    loaders, source = Loaders(sqlite_store), Source()
    waiting = [asyncio.ensure_future(loaders.ask(source, [number])) for number in range(STATEMENTS_AT_ONCE + 1)]
    await begun(source, STATEMENTS_AT_ONCE)
    loaders.close()
    late = asyncio.ensure_future(loaders.ask(source, [-1]))
    for task in [*waiting, late]:
        with pytest.raises(asyncio.CancelledError):
            await patiently(task)
    assert source.ended == ["cancelled"] * STATEMENTS_AT_ONCE
    assert len(source.asked) == STATEMENTS_AT_ONCE


# --- rows at hand ---------------------------------------------------------------------------------


def returned(answer: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine returns that waits for nothing."""
    with pytest.raises(StopIteration) as ended:
        answer.send(None)
    return ended.value.value


async def test_a_row_at_hand_is_not_waited_for(snapshot_store: SnapshotStore, sqlite_store: SqlStore) -> None:
    refs = (Ref(t.oracle.c.pearson, (up(t.scan_unit, t.oracle),)), Ref(t.scan.c.fps, (up(t.scan_unit, t.scan),)))
    rows = (await sqlite_store.rows(Query(t.scan_unit)))[()]
    at_hand, asked = Loaders(snapshot_store), Loaders(sqlite_store)
    for key in [*(row.key for row in rows[:20]), (4, 7, 0)]:
        fetched = await asked.beside(UNIT, refs, key)
        row = returned(at_hand.beside(UNIT, refs, key))
        assert row == (fetched and {ref.label: fetched[ref.label] for ref in refs})
    assert (row, len(rows)) == (None, 160)


# --- many keys ------------------------------------------------------------------------------------


class AtOnce:
    """Counts the statements of a store, and how many were under way together."""

    def __init__(self, store: SqlStore) -> None:
        self.total = self.most = self._now = 0
        event.listen(store.engine.sync_engine, "before_cursor_execute", self._begin)
        event.listen(store.engine.sync_engine, "after_cursor_execute", self._end)

    def _begin(self, *_: Any) -> None:
        self.total += 1
        self._now += 1
        self.most = max(self.most, self._now)

    def _end(self, *_: Any) -> None:
        self._now -= 1


KEYS: list[Key] = [(4, 7, number) for number in range(10_000)]


@pytest.mark.parametrize(
    "make",
    [
        lambda store: Loaders(store).row(UNIT),
        pytest.param(
            lambda store: DataLoader(_units(store), max_batch_size=1024), marks=pytest.mark.xfail(raises=AssertionError)
        ),
    ],
    ids=["mended", "plain"],
)
async def test_ten_thousand_keys_are_few_statements_one_after_another(store: SqlStore, make: Any) -> None:
    at_once, loader = AtOnce(store), make(store)
    rows = await loader.load_many(KEYS)
    expected = {row.key for row in (await store.rows(Query(t.scan_unit)))[()]} & set(KEYS)
    assert {row.key for row in rows if row} == expected != set()
    assert (at_once.total, at_once.most) == (ceil(10_000 / 1024) + 1, 1)


def _units(store: SqlStore) -> Any:
    async def batch(keys: list[Key]) -> list[Any]:
        found = await store.rows(Query(t.scan_unit, UNIT.on, tuple(keys)))
        return [found.get(key, [None])[0] for key in keys]

    return batch


async def test_a_request_has_eight_statements_under_way_at_most(store: SqlStore) -> None:
    at_once, loaders = AtOnce(store), Loaders(store)
    relations = [up(t.scan_unit, table) for table in (t.oracle, t.activity, t.unit_hash, t.area_membership)]
    others = [up(t.field, table) for table in (t.scan, t.raster_correction, t.summary_images, t.mean_intensity)]
    more = [up(t.scan, table) for table in (t.scan_times, t.stimulus, t.treadmill, t.manual_pupil, t.raw_treadmill)]
    keys = {3: (4, 7, 1), 2: (4, 7)}
    waiting = [loaders.row(r).load(keys[len(r.on)]) for r in (*relations, *others, *more) if len(r.on) in keys]
    await asyncio.gather(*waiting)
    assert at_once.total == len(waiting) > 8
    assert at_once.most <= 8


# --- errors ---------------------------------------------------------------------------------------


async def test_an_array_that_is_damaged_leaves_the_others(tmp_path: Any) -> None:
    blobs = {1: pack([1.5]), 2: b"mYm\0A\xff", 4: pack([2.5])}
    rows = [{"session": 1, "scan_idx": 1, "unit_id": number, "trace": blob} for number, blob in blobs.items()]
    async with little_store(tmp_path, {t.activity: rows}) as store:
        loader = Loaders(store).reduced(t.activity.c.trace)
        found = await loader.load_each([Reduction((1, 1, number), unpack, sum) for number in (1, 2, 3, 4)])
    assert [found[0], found[2], found[3]] == [1.5, None, 2.5]
    assert isinstance(found[1], BlobCorrupt)
    assert found[1].details["key"] == {"session": 1, "scan_idx": 1, "unit_id": 2}


# --- statements of real queries -------------------------------------------------------------------

UNITS = 1_200


@pytest.fixture(scope="module")
async def crowd_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A demo of more than a thousand units, without traces."""
    path = tmp_path_factory.mktemp("crowd") / "crowd.sqlite"
    demo.build(path, UNITS, traces=False)
    return f"sqlite:///{path}"


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
async def crowd(request: pytest.FixtureRequest, crowd_url: str, mariadb: MariaDb) -> AsyncIterator[SqlStore]:
    """The same in each store."""
    if request.param == "mariadb":
        name = mariadb.create("crowd")
        engine = create_engine(mariadb.url(name, user=ADMIN, driver="mysql+pymysql"))
        metadata.create_all(engine)
        with engine.begin() as connection:
            demo.write(demo.rows(UNITS, traces=False), connection)
        engine.dispose()
    store = SqlStore(crowd_url if request.param == "sqlite" else mariadb.url("crowd"))
    await store.start()
    yield store
    await store.close()


@pytest.fixture(scope="module")
async def crowd_client(crowd: SqlStore) -> AsyncIterator[Client]:
    async with serving(crowd) as client:
        yield client


async def asked(client: Client, store: SqlStore, query: str, **variables: Any) -> tuple[dict[str, Any], Counter[str]]:
    """The answer, and the statements it took by their table: of a server that knows its largest groups."""
    await client.data(query, **variables)
    statements = Statements(store)
    data = await client.data(query, **variables)
    return data, Counter(_table(statement) for statement in statements)


def _table(statement: str) -> str:
    """The table that a statement, or the first page of a union, reads first."""
    (table, *_) = re.findall(r"FROM ([a-z_]\w+)", statement)
    return str(table)


FIVE_DEEP = """{ scans { nodes {
  fields(first: 20) { nodes {
    units(first: 20, orderBy: [{field: PEARSON, direction: DESC}]) { totalCount nodes {
      oracle { pearson unit { brainArea } }
      stackUnit { stackX registration { stack { motorX } } }
      mask { maskType field { fieldZ } }
    } } } } } } }"""


async def test_five_levels_are_a_statement_a_relation_and_level(crowd_client: Client, crowd: SqlStore) -> None:
    data, statements = await asked(crowd_client, crowd, FIVE_DEEP)
    fields = [field for scan in data["scans"]["nodes"] for field in scan["fields"]["nodes"]]
    units = [unit for field in fields for unit in field["units"]["nodes"]]
    assert len(data["scans"]["nodes"]) == 19
    assert len(fields) == 146
    assert len(units) == sum(field["units"]["totalCount"] for field in fields) == UNITS
    assert statements == {
        "scan": 1,
        "field": 2,  # of the scans, a page each; of the masks, by ranges of their key
        "scan_unit": ceil(146 / 128) + 2,  # pages of the fields, their counts, of the scores
        "oracle": 1,
        "area_membership": 1,
        "stack_unit": 1,
        "registration": 1,
        "stack": 1,
        "segmentation": 1,
        "mask_classification": 1,
    }


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("unitId umX", {}),
        ("scan { fps }", {"scan": 1}),
        ("oracle { pearson }", {"oracle": 1}),
        ("a: oracle { pearson } b: oracle { trials }", {"oracle": 1}),
        ("brainArea maskType", {"area_membership": 1, "mask_classification": 1}),
        ("hash strKey", {"unit_hash": 1}),
        ("activity { trace { shape dtype } }", {"activity": 2}),  # the rows, the heads
        ("fluorescence { shape nbytes href }", {"fluorescence": 1}),
        ("fluorescence { values mean }", {"fluorescence": 2}),  # the heads, the blobs
        ("field { masks(first: 2) { nodes { maskId } } }", {"field": 1, "segmentation": 1}),
        ("field { masks(first: 2) { totalCount } }", {"field": 1, "segmentation": 1}),
        (
            "field { registration { stack { coregistrations { nodes { version } } } } }",
            {"field": 1, "registration": 1, "stack": 1, "coregistration": 1},
        ),
        (
            "scan { units(first: 1) { nodes { scan { fields(first: 1) { nodes { fieldZ } } } } } }",
            {"scan": 2, "scan_unit": 1, "field": 1},  # a level's own, though it is the same scan
        ),
    ],
)
async def test_a_thousand_units_take_a_statement_a_relation(
    crowd_client: Client, crowd: SqlStore, fields: str, expected: dict[str, int]
) -> None:
    data, statements = await asked(crowd_client, crowd, f"{{ units(first: 1000) {{ nodes {{ {fields} }} }} }}")
    assert len(data["units"]["nodes"]) == 1000
    assert statements - Counter({"scan_unit": 1}) == Counter(expected)


async def test_one_page_serves_all_that_a_connection_shows(crowd_client: Client, crowd: SqlStore) -> None:
    query = "{ units(first: 10) { totalCount pageInfo { hasNextPage endCursor } edges { cursor node { unitId } }"
    data, statements = await asked(crowd_client, crowd, query + " nodes { unitId } } }")
    assert data["units"]["pageInfo"]["endCursor"] == data["units"]["edges"][-1]["cursor"]
    assert statements == {"scan_unit": 2}  # the page and the count
