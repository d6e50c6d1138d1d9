"""Parts of a level: what equal parents share, what it counts for, and where its errors stand."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from gql_nda import apart
from gql_nda.context import Context
from gql_nda.dataset import Dataset
from gql_nda.errors import PublicError, StoreUnavailable, Timeout
from gql_nda.limits import Limits
from gql_nda.planner.batches import Texts
from gql_nda.planner.compile import name_of
from gql_nda.planner.nodes import Selection
from gql_nda.planner.reference import Reference
from gql_nda.schema import build_schema, public
from gql_nda.stores.sql import SqlStore
from tests.planner.agreement import Agreement, schemas
from tests.planner.agreement import answer as answered
from tests.planner.anomalies import FailingStore
from tests.planner.documents import Case
from tests.support.altered import altered_store
from tests.support.client import serving

VALUES = "fluorescence { values(stop: 10) }"
SHARED = f"{{ units(first: 30) {{ nodes {{ scan {{ units(first: 2) {{ nodes {{ {VALUES} }} }} }} }} }} }}"
NESTED = f"""{{ scan(session: 4, scanIdx: 7) {{ trials(first: 5) {{ nodes {{ scan {{ trials(first: 5) {{ nodes {{
  scan {{ units(first: 2) {{ nodes {{ {VALUES} }} }} }} }} }} }} }} }} }} }}"""
GROUPED = "{ units(first: 30) { nodes { scan { fields { groups(by: [FIELD_IDX]) { count } } } } } }"
WRONG = f"{{ units(first: 30) {{ nodes {{ {VALUES} scan {{ fields(first: -1) {{ totalCount }} }} }} }} }}"
BELOW = """{ units(first: 30) { nodes { scan { units(first: 2) { nodes { fluorescence { values(stop: 10)
  wrong: values(step: 0) } } } } } } }"""


async def told(agreement: Agreement, text: str) -> int:
    """Values and groups that an operation answers, as both executors count them."""
    counts = set()
    for schema in schemas()[:2]:
        context = Context(agreement.store, agreement.dataset)
        await schema.execute(text, context_value=context)
        counts.add(context._values.total + context._groups.total)
    (count,) = counts
    return count


@pytest.mark.parametrize(
    ("text", "count"),
    [(SHARED, 600), (NESTED, 500), (WRONG, 300), (BELOW, 600)],
    ids=["shared", "nested", "wrong", "below"],
)
async def test_what_is_shared_counts_as_often_as_it_is_told(text: str, count: int, sqlite_store: SqlStore) -> None:
    assert await told(Agreement(sqlite_store), text) == count
    enough = Agreement(sqlite_store, Limits(operation_values=count))
    assert all("limit" not in error["extensions"] for error in (await enough.compare(Case(text, {}))).errors)
    found = await Agreement(sqlite_store, Limits(operation_values=count - 1)).compare(Case(text, {}))
    assert [error["extensions"].get("limit") for error in found.errors] == ["operation_values"]


async def test_groups_of_equal_parents_count_for_each(sqlite_store: SqlStore) -> None:
    count = await told(Agreement(sqlite_store), GROUPED)
    await Agreement(sqlite_store, Limits(groups=count)).compare(Case(GROUPED, {}))
    found = await Agreement(sqlite_store, Limits(groups=count - 1)).compare(Case(GROUPED, {}))
    assert [error["extensions"]["limit"] for error in found.errors] == ["groups"]


async def test_a_row_that_is_executed_again_costs_nothing_more(demo_path: Path, tmp_path: Path) -> None:
    def alter(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE oracle SET pearson = ?", [float("inf")])

    histogram = "histogram(of: UM_X, bins: 5) { counts }"
    text = f"{{ units(first: 30) {{ nodes {{ oracle {{ pearson }} {VALUES} scan {{ units {{ {histogram} }} }} }} }} }}"
    async with altered_store(demo_path, tmp_path, alter) as store:
        agreement = Agreement(store, Limits(operation_values=30 * 15))
        await agreement.compare(Case(text, {}))
    assert agreement.tally.fallbacks.total() >= 10
    assert "ARRAY_TOO_LARGE" not in agreement.tally.errors


@pytest.fixture
def again(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What graphql-core executes for a plan: types of completed rows, and of those whose field is executed."""
    noted: list[str] = []
    completed, executed = Reference.completed, Reference.executed

    async def completing(self: Reference, kind: Any, *rest: Any) -> str | None:
        noted.append(kind.name)
        return await completed(self, kind, *rest)

    async def executing(self: Reference, selected: Selection, sources: Sequence[Any], where: Any) -> Texts:
        noted.extend(f"{selected.parent.name}.{name_of(selected)}" for _ in sources)
        return await executed(self, selected, sources, where)

    monkeypatch.setattr(Reference, "completed", completing)
    monkeypatch.setattr(Reference, "executed", executing)
    return noted


async def test_a_wrong_argument_is_told_at_each_parent(sqlite_store: SqlStore, again: list[str]) -> None:
    """And no row is executed again for it."""
    text = "{ units { nodes { unitId scan { fields(first: -1) { totalCount } } } } }"
    agreement = Agreement(sqlite_store)
    assert len((await agreement.compare(Case(text, {}))).errors) == 100
    assert (agreement.tally.planned, again) == (1, [])


async def test_errors_beside_don_t_make_equal_parents_execute(sqlite_store: SqlStore, again: list[str]) -> None:
    """Other units' errors, and those of another field of the same: each connection would be executed alone."""
    beside = "activity { trace { values(step: 0) } }"
    below = f"nodes {{ unitId umX wrong: {beside} }}"
    text = f"""{{ units(first: 50) {{ nodes {{ {beside} scan {{ units(first: 2) {{ nodes {{ {VALUES} }} }} }} }} }}
      scans(first: 1) {{ nodes {{ units(first: 40) {{ {below} }} }} }} }}"""
    agreement = Agreement(sqlite_store)
    assert len((await agreement.compare(Case(text, {}))).errors) == 50 + 22
    assert agreement.tally.planned == 2
    assert not {"Unit", "Scan", "Scan.units"} & set(again)


# --- bytes -----------------------------------------------------------------------------------------

LARGE = [
    SHARED,
    NESTED,
    "{ units(first: 100) { nodes { unitId umX umY umZ strKey } } }",
    "{ units(first: 100) { edges { node { id scan { units(first: 9) { nodes { strKey } } } } } } }",
    '{ condition(hash: "") { __typename } scans { nodes { units { nodes { id activity { trace { href } } } } } } }',
    f"{{ unit(session: 4, scanIdx: 7, unitId: 1) {{ {VALUES} }} }}",
    "{ units(first: 40) { nodes { scan { conditions { repeats } } } } }",
]


@pytest.mark.parametrize("text", LARGE)
async def test_an_answer_has_at_most_so_many_bytes(text: str, sqlite_store: SqlStore) -> None:
    async with serving(sqlite_store) as client:
        whole = (await client.http.post("/graphql", json={"query": text})).content
    async with serving(sqlite_store, limits={"answer_bytes": len(whole)}) as client:
        await client.data(text)
    async with serving(sqlite_store, limits={"answer_bytes": len(whole) // 2}) as client:
        error = await client.error(text)
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "limit": "answer_bytes", "maximum": len(whole) // 2}


async def test_bytes_are_refused_before_they_are_put_together(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list of 100 scans, each with the same texts: those are made once, and never together."""
    made: list[int] = []
    hold = Context.hold

    def noted(self: Context, size: int) -> None:
        made.append(size)
        hold(self, size)

    monkeypatch.setattr(Context, "hold", noted)
    text = "{ units(first: 100) { nodes { scan { units(first: 100) { nodes { strKey id } } } } } }"
    context = Context(sqlite_store, Dataset(sqlite_store), Limits(answer_bytes=20_000))
    result = await build_schema().answer(text, None, None, context)
    assert [error["extensions"]["limit"] for error in public(result.errors or [])] == ["answer_bytes"]
    assert made[-1] > 20_000  # the copies, counted before any of them is there
    assert sum(made[:-1]) < 20_000


# --- stores that fail ------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [StoreUnavailable, Timeout])
@pytest.mark.parametrize(
    "text",
    [
        "{ units(first: 100) { nodes { unitId oracle { pearson } stackUnit { stackX } } } }",
        "{ unit(session: 4, scanIdx: 7, unitId: 3) { umX oracle { pearson } } }",
        "{ units(first: 3) { nodes { unitId oracle { pearson } } } }",
        "{ units(first: 40) { nodes { scan { units(first: 2) { nodes { oracle { pearson } } } } } } }",
        "{ scans { nodes { session units(first: 2, where: {pearson: {gt: 0}}) { totalCount nodes { unitId } } } } }",
    ],
)
async def test_a_statement_that_failed_is_not_sent_again(text: str, error: type[PublicError], demo_path: Path) -> None:
    store = FailingStore(f"sqlite:///{demo_path}", "oracle", lambda: error("away"))
    try:
        agreement = Agreement(store)
        await answered(agreement.planned, Case(text, {}), agreement)
        assert len(store.failed) == 1
        assert {each["extensions"]["code"] for each in (await agreement.compare(Case(text, {}))).errors} == {error.code}
    finally:
        await store.close()


async def test_parts_of_many_rows_take_turns(sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "PORTION", 7)
    aliases = " ".join(
        f'a{i}: psth(conditionHash: "{hash_}") {{ n reason }}' for i, hash_ in enumerate(("k", "l", "k"))
    )
    text = f"{{ units(first: 40) {{ nodes {{ unitId {aliases} directionTuning {{ gOSI }} emPosition {{ x }} }} }} }}"
    found = await Agreement(sqlite_store).compare(Case(text, {}))
    assert not found.errors
    assert len(orjson.loads(found.data)["units"]["nodes"]) == 40
