"""Planned execution and graphql-core alone answer thousands of random documents alike.

Every document is asked again behind a cursor of its own answer and with its conditions turned around. What differs
is raised as the smallest document that does; ``python -m tests.planner.soak`` goes on with other seeds.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gql_nda.errors import StoreUnavailable, Timeout
from gql_nda.limits import Limits
from gql_nda.stores import Store
from gql_nda.stores.sql import SqlStore
from gql_nda.tables import TABLES
from tests.planner.agreement import Agreement
from tests.planner.anomalies import FailingStore, altered
from tests.planner.documents import Case
from tests.planner.hunt import hunt
from tests.planner.world import World

CLEAN = {"sqlite": 400, "mariadb": 100, "snapshot": 100}
ALTERED = 100
FAILING = 8
SPENT = 60
"""Documents that are asked of each store."""

STORES = tuple(CLEAN)


@asynccontextmanager
async def closing(store: SqlStore) -> AsyncIterator[None]:
    """The store is closed at the end, whatever was found."""
    try:
        yield
    finally:
        await store.close()


# Where a NULL nulls what stands above it, graphql-core drops the coroutines beside it that it has not begun.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Masked errors are many here, and no matter for the log."""
    caplog.set_level("CRITICAL", "gql_nda.schema")


async def test_clean_data_is_planned_whole(store: Store, world: World, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.params["store"]
    agreement = Agreement(store)
    await hunt(agreement, world, (f"{name} {i}" for i in range(CLEAN[name])))
    tally = agreement.tally
    assert tally.documents > CLEAN[name] < tally.planned
    assert tally.share >= 0.9, tally
    assert tally.errors["INTERNAL_SERVER_ERROR"] == 0


@pytest.mark.parametrize("seed", range(3))
async def test_what_the_tables_forbid(seed: int, demo_path: Path, tmp_path: Path, world: World) -> None:
    store = SqlStore(f"sqlite:///{altered(demo_path, tmp_path / 'altered.sqlite', seed)}")
    agreement = Agreement(store)
    async with closing(store):
        await hunt(agreement, world, (f"altered {seed} {i}" for i in range(ALTERED)), ordered=False)
    tally = agreement.tally
    assert tally.fallbacks
    assert all(tally.fallbacks)
    assert {"INTERNAL_SERVER_ERROR", "BLOB_CORRUPT"} <= set(tally.errors)


@pytest.mark.parametrize("most", [0, 40, 400])
async def test_limits_that_are_spent(most: int, demo_path: Path, tmp_path: Path, world: World) -> None:
    """Of a database with what its tables forbid, so that rows are executed again."""
    store = SqlStore(f"sqlite:///{altered(demo_path, tmp_path / 'altered.sqlite', most)}")
    agreement = Agreement(store, Limits(operation_values=most, groups=most // 10))
    async with closing(store):
        await hunt(agreement, world, (f"spent {most} {i}" for i in range(SPENT)), ordered=False)
    assert {"ARRAY_TOO_LARGE", "LIMIT_EXCEEDED"} & set(agreement.tally.errors)


EQUAL = """{ units(first: 40) { nodes { scan { fps fields(first: 2) { totalCount nodes { fieldIdx %s } } %s
  units(first: 2) { nodes { unitId oracle { pearson } %s } } } stackUnit { stackX } %s } } }"""
"""Rows with equal parents: what is asked at each place may fail."""
PARTS = ("trace: fluorescence { values(stop: 3) }", "wrong: fluorescence { values(step: 0) }", "times { shape }", "")
FIELDS = ("masks(first: 2) { nodes { maskId } }", "masks(first: -1) { totalCount }", "groups: fieldIdx", "")
SCANS = ("units(first: 2) { nodes { unitId } }", "trials(first: -1) { totalCount }", "included", "")


@pytest.mark.parametrize("table", ["none", "oracle", "fluorescence", "field", "segmentation", "trial", "scan_times"])
async def test_equal_parents(table: str, demo_path: Path) -> None:
    for error, limits in ((ERRORS[0], Limits()), (ERRORS[1], Limits(operation_values=300)), (ERRORS[2], Limits())):
        store = FailingStore(f"sqlite:///{demo_path}", table, error)
        async with closing(store):
            for field, scan, unit, top in zip(FIELDS, SCANS, PARTS, (*PARTS[1:], PARTS[0]), strict=True):
                scan = scan.replace("units(", "more: units(")
                await Agreement(store, limits).compare(Case(EQUAL % (field, scan, unit, top), {}))


ERRORS: list[Callable[[], Exception]] = [
    lambda: StoreUnavailable("away"),
    lambda: Timeout("late"),
    lambda: RuntimeError("unforeseen"),
]


async def test_tables_that_can_not_be_read(demo_path: Path, world: World) -> None:
    codes: set[str] = set()
    for i, table in enumerate(TABLES.values()):
        store = FailingStore(f"sqlite:///{demo_path}", table.name, ERRORS[i % len(ERRORS)])
        agreement = Agreement(store)
        async with closing(store):
            await hunt(agreement, world, (f"failing {table.name} {i}" for i in range(FAILING)))
        codes |= set(agreement.tally.errors)
    assert {"STORE_UNAVAILABLE", "TIMEOUT", "INTERNAL_SERVER_ERROR"} <= codes
