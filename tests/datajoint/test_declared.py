"""What DataJoint declares in a server is what ``gql_nda.tables`` says, and what the release has."""

import csv
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from gql_nda.tables import TABLES, metadata
from tests.datajoint.definitions import DEFINED
from tests.datajoint.nda import Nda
from tests.support.mariadb import MariaDb


@pytest.fixture(scope="module")
def created(mariadb: MariaDb) -> str:
    """A database that ``gql_nda.tables`` created."""
    name = mariadb.create("created")
    engine = create_engine(mariadb.url(name, user="root", driver="mysql+pymysql"))
    metadata.create_all(engine)
    engine.dispose()
    return name


def columns(mariadb: MariaDb, database: str) -> dict[str, list[tuple[Any, ...]]]:
    """Name, type, nullability and default of every column, in order, by table."""
    found = mariadb.execute(
        "SELECT table_name, column_name, column_type, is_nullable, column_default FROM information_schema.columns "
        f"WHERE table_schema = '{database}' AND table_name <> '~log' ORDER BY table_name, ordinal_position"
    )
    tables: dict[str, list[tuple[Any, ...]]] = {}
    for table, *column in found:
        tables.setdefault(table, []).append(tuple(column))
    return tables


def keys(mariadb: MariaDb, database: str) -> set[tuple[str, ...]]:
    """Every primary and foreign key: the table, its columns in order, and the columns they refer to."""
    found = mariadb.execute(
        "SELECT table_name, constraint_name, column_name, referenced_table_name, referenced_column_name "
        f"FROM information_schema.key_column_usage WHERE table_schema = '{database}' AND table_name <> '~log' "
        "ORDER BY table_name, constraint_name, ordinal_position"
    )
    constraints: dict[tuple[str, str], list[str]] = {}
    for table, constraint, column, parent, referred in found:
        of_table = constraints.setdefault((table, constraint), [table])
        of_table.append(f"{column} -> {parent}.{referred}" if parent else column)
    return {tuple(constraint) for constraint in constraints.values()}


def test_datajoint_declares_29_tables(awkward: Nda, mariadb: MariaDb) -> None:
    assert len(DEFINED) == 29
    assert set(columns(mariadb, awkward.name)) == {table.name for table in TABLES.values()}


def test_columns_are_those_of_our_tables(awkward: Nda, created: str, mariadb: MariaDb) -> None:
    declared = columns(mariadb, awkward.name)
    assert columns(mariadb, created) == declared
    assert {name: [c.name for c in table.columns] for name, table in metadata.tables.items()} == {
        name: [column[0] for column in declared[name]] for name in metadata.tables
    }


def test_keys_are_those_of_our_tables(awkward: Nda, created: str, mariadb: MariaDb) -> None:
    declared = keys(mariadb, awkward.name)
    assert len(declared) > 29  # more than the primary keys
    assert keys(mariadb, created) == declared


def test_columns_are_those_of_the_release(shared: Path, awkward: Nda, mariadb: MariaDb) -> None:
    with (shared / "nda_v8_columns.tsv").open() as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    released: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        column = (row["column"], row["type"], row["nullable"], row["default"] or None)
        released.setdefault(row["table"], []).append(column)
    declared = {
        name: [
            (column, kind, nullable, None if default == "NULL" else default) for column, kind, nullable, default in of
        ]
        for name, of in columns(mariadb, awkward.name).items()
    }
    assert declared == released


def test_primary_keys_are_those_of_the_release(shared: Path, awkward: Nda) -> None:
    with (shared / "nda_v8_columns.tsv").open() as lines:
        released: dict[str, list[str]] = {}
        for row in csv.DictReader(lines, delimiter="\t"):
            released.setdefault(row["table"], []).extend([row["column"]] if row["primary_key"] == "yes" else [])
    assert {table.table_name: table.primary_key for table in awkward.tables.values()} == released
