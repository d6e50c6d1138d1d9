"""A database with two stacks: a unit is still one unit, and stands where the first stack has it."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.altered import altered_store
from tests.support.client import Client, serving


@pytest.fixture(scope="module")
async def two_stacks(demo_path: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    def add(connection: sqlite3.Connection) -> None:
        for table in ("stack", "registration", "stack_unit"):
            names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            moved = {"stack_session": "3", "stack_x": "stack_x + 1000", "score": "score - 1"}
            chosen = ", ".join(moved.get(name, name) for name in names)
            connection.execute(f"INSERT INTO {table} SELECT {chosen} FROM {table}")

    async with altered_store(demo_path, tmp_path_factory.mktemp("stacks"), add) as store, serving(store) as client:
        yield client


async def test_no_row_comes_twice(two_stacks: Client, sqlite_client: Client) -> None:
    document = """{ units(where: {stackX: {isNull: false}}, orderBy: [{field: STACK_X}], first: 10000) {
      totalCount nodes { strKey stackUnit { stackSession stackX } } }
      scan(session: 4, scanIdx: 7) { fields(orderBy: [{field: SCORE}]) { totalCount nodes { fieldIdx } } } }"""
    one, two = await sqlite_client.data(document), await two_stacks.data(document)
    assert two["units"]["totalCount"] == one["units"]["totalCount"] == len(two["units"]["nodes"])
    assert [u["strKey"] for u in two["units"]["nodes"]] == [u["strKey"] for u in one["units"]["nodes"]]
    assert two["scan"] == one["scan"]


async def test_what_is_shown_is_what_is_filtered(two_stacks: Client) -> None:
    data = await two_stacks.data("""{ units(where: {stackX: {gt: 1000}}, first: 10000) {
      totalCount nodes { stackUnit { stackSession stackX } } } }""")
    shown = [unit["stackUnit"] for unit in data["units"]["nodes"]]
    assert shown
    assert all(place["stackSession"] == 3 and place["stackX"] > 1000 for place in shown)
