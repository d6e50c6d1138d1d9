"""Documents that are made from the code are what the code would make now."""

from pathlib import Path

import pytest

from gql_nda.settings import described
from gql_nda.tables import TABLES
from tools.docs import DOCUMENTS, write

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_drift(name: str) -> None:
    assert (ROOT / name).read_text() == DOCUMENTS[name](), f"{name} has drifted: run make docs"


def test_written_where_they_are_looked_for(tmp_path: Path) -> None:
    write(DOCUMENTS, tmp_path)
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")} == set(DOCUMENTS)


@pytest.mark.parametrize(("name", "description"), [(name, text) for name, _, _, text in described()])
def test_every_setting_is_described(name: str, description: str) -> None:
    assert description.endswith("."), name
    assert f"| `--{name.replace('_', '-')}` |" in (ROOT / "docs/settings.md").read_text()


def test_every_column_is_described() -> None:
    text = (ROOT / "docs/tables.md").read_text()
    for table in TABLES.values():
        assert f"## {table.name}\n" in text
        assert all(column.comment and column.comment in text for column in table.columns), table.name
