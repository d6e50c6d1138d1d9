"""Every example runs on both stores, answers something, and costs the SQL statements it should."""

from typing import Any

import pytest

from gql_nda.stores.sql import SqlStore
from tests.support.client import Client, Statements, serving
from tests.support.examples import EXAMPLES, FOLDER, Example

STATEMENTS = {
    "01-scans": 2,
    "02-keys-of-a-type": 0,
    "03-scans-by-key": 2,
    "04-some-columns": 1,
    "05-all-keys": 3,
    "06-included-scans": 3,
    "07-fields": 4,
    "08-shallow-fields": 3,
    "09-frame-times": 4,
    "10-depths": 2,
    "12-trials-by-type": 3,
    "13-trials-with-conditions": 9,
    "16-directions": 6,
    "17-behavior": 12,
    "20-masks": 8,
    "21-contours": 8,
    "22-fluorescence": 3,
    "23-units": 7,
    "24-oracle-histogram": 3,
    "25-above-a-percentile": 4,
    "26-oracle-raster": 2,
    "27-areas": 9,
    "28-traces-of-a-unit": 6,
    "29-stack": 4,
    "31-registered-grid": 2,
    "32-transforms": 3,
    "33-transform-points": 2,
    "34-neuroglancer": 3,
    "35-stack-coordinates": 4,
    "41-responses-by-area": 6,
    "42-repeated-conditions": 3,
    "43-responses": 3,
    "44-direction-tuning": 2,
    "45-activity-correlation": 3,
    "46-units-near": 2,
    "47-running-epochs": 21,
    "48-best-of-a-list": 3,
    "49-dense-masks": 10,
    "50-unit-by-name": 1,
}
"""Statements of each example: one a relation and level, or one for a few rows; one a count, one an array's column."""

LATER = {11, 14, 15, 18, 19, 30, 36, 37, 38, 39, 40}
"""The wants that nothing answers yet, by their numbers: of arrays, and of joins with the connectome."""


def test_every_want_has_its_example() -> None:
    assert {int(name.split("-")[0]) for name in EXAMPLES} == set(range(1, 51)) - LATER
    assert EXAMPLES.keys() == STATEMENTS.keys()


def test_every_file_of_variables_has_a_document() -> None:
    assert {path.name.split(".")[0] for path in FOLDER.iterdir()} == set(EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_a_comment_says_what_it_answers(example: Example) -> None:
    first = example.text.splitlines()[0]
    assert first.startswith("# ")
    assert len(first) > 20


@pytest.mark.parametrize("name", EXAMPLES)
async def test_it_answers(name: str, client: Client, statements: Statements) -> None:
    example = EXAMPLES[name]
    await client.data(example.text, **example.variables)  # what is counted once a server has been counted
    statements.clear()
    data = await client.data(example.text, **example.variables)
    assert len(statements) == STATEMENTS[name], "\n".join(statements)
    assert not list(_empty(data)), data


def _empty(value: Any, path: str = "") -> Any:
    """Lists without items and relations without rows: an example should show what it is about."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _empty(below, f"{path}.{name}")
    elif isinstance(value, list):
        if not value:
            yield path
        for item in value[:3]:
            yield from _empty(item, f"{path}[]")


@pytest.mark.parametrize("name", EXAMPLES)
async def test_both_stores_answer_alike(name: str, sqlite_store: SqlStore, mariadb_store: SqlStore) -> None:
    example = EXAMPLES[name]
    answers = []
    for store in (sqlite_store, mariadb_store):
        async with serving(store) as client:
            response = await client.http.post("/graphql", json={"query": example.text, "variables": example.variables})
            answers.append(response.content)
    assert answers[0] == answers[1]
