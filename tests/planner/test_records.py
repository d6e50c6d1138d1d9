"""Plain records are told as graphql-core tells them, field by field."""

import json
from typing import Any

import pytest

from gql_nda.planner import records
from gql_nda.stores.sql import SqlStore
from tests.planner.agreement import Agreement
from tests.planner.documents import Case

POINTS = "points: [{x: 1000, y: 500, z: 300}, {x: 1e300, y: 0, z: 0}]"


@pytest.mark.parametrize(
    ("selected", "quickly"),
    [
        ("x y z extrapolated", True),
        ("extrapolated x a: x x", True),
        ("...P ... on TransformedPoint { y } } } fragment P on TransformedPoint { z: x ... { y", True),
        ("x @skip(if: $yes) y @include(if: $yes) z @skip(if: false)", True),
        ("x @skip(if: $yes)", True),
        ("__typename x", False),
    ],
)
async def test_records_are_told_as_graphql_core_tells_them(
    selected: str, quickly: bool, sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str | None] = []
    told = records.told

    def noted(*given: Any) -> str | None:
        texts.append(told(*given))
        return texts[-1]

    monkeypatch.setattr(records, "told", noted)
    variables = "($yes: Boolean = true) " if "$yes" in selected else ""
    text = f"query {variables}{{ transformPoints({POINTS}) {{ {selected} }} }}"
    answer = await Agreement(sqlite_store).compare(Case(text, {}))
    found = json.loads(answer.data)["transformPoints"]
    assert len(found) == 2
    assert [text and json.loads(text) for text in texts] == [found if quickly else None]


async def test_no_records_are_an_empty_list(sqlite_store: SqlStore) -> None:
    answer = await Agreement(sqlite_store).compare(Case("{ transformPoints(points: []) { x } }", {}))
    assert json.loads(answer.data) == {"transformPoints": []}
