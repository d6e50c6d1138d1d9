"""Databases that hold what the tables forbid, and stores that fail."""

import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Column, Integer, Table, event
from sqlalchemy.exc import DBAPIError

from gql_nda import tables as t
from gql_nda.query import Ref
from gql_nda.stores.sql import SqlStore
from gql_nda.tables import TABLES, is_blob, narrow
from gql_nda.types.enums import ENUMS

WHOLE = [None, 2**31, -(2**31) - 1, 2**63 - 1, "text", 1.5]
REAL = [None, float("inf"), float("-inf"), "text", 1e300, -0.0]
TEXT = [None, "", "XX", 'quo"te\\', "new\nline\t\0\x1f\x7f", "\u2028\U0001f600", "V1 ", 17]
"""What a column must not hold, or rarely does, by its type: SQLite takes any value in any column."""

CELLS = 0.004
"""Share of a column's cells that are changed; one at least."""
FEW = 10
"""Rows of a table of which not every column is changed."""
ROWS = 0.04
"""Share of rows that are deleted, from tables that others refer to."""
BLOBS = 0.08
"""Share of blobs that are changed."""


def altered(demo: Path, path: Path, seed: object) -> Path:
    """A copy of a database, altered by chance."""
    shutil.copy(demo, path)
    random = Random(f"{seed}")
    with closing(sqlite3.connect(path)) as connection:
        _forget_not_null(connection)
    with closing(sqlite3.connect(path)) as connection:
        connection.create_function("spoiled", 1, lambda blob: spoiled(random, blob))
        connection.create_function("chance", 0, random.random)
        for table in TABLES.values():
            _alter(connection, table, random)
        _second_stack(connection)
        connection.commit()
    return path


def _forget_not_null(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '') WHERE type = 'table'")
    connection.commit()


def _alter(connection: sqlite3.Connection, table: Table, random: Random) -> None:
    name = f'"{table.name}"'
    if table is not t.stack:
        connection.execute(f"DELETE FROM {name} WHERE chance() < {ROWS}")
    for column in narrow(table):
        if not column.primary_key:
            _alter_cells(connection, name, column, random)
    for column in filter(is_blob, table.columns):
        cell = f'"{column.name}"'
        connection.execute(f"UPDATE {name} SET {cell} = spoiled({cell}) WHERE chance() < {BLOBS}")


def _alter_cells(connection: sqlite3.Connection, table: str, column: Column[Any], random: Random) -> None:
    found = [rowid for (rowid,) in connection.execute(f"SELECT rowid FROM {table}")]
    if len(found) < FEW and random.random() < 0.7:
        return  # or hardly anything would be left of these tables
    for rowid in random.sample(found, min(len(found), 1 + int(len(found) * CELLS))):
        value = random.choice(wrong(column))
        connection.execute(f'UPDATE {table} SET "{column.name}" = ? WHERE rowid = ?', (value, rowid))


def wrong(column: Column[Any]) -> list[Any]:
    """What a column must not hold."""
    if isinstance(column.type, Integer):
        return WHOLE
    return TEXT if column in ENUMS or Ref(column).textual else REAL


def spoiled(random: Random, blob: bytes | None) -> bytes | None:
    """A blob with another beginning, with a flipped bit, cut off, or none at all."""
    if not blob:
        return blob
    at = random.randrange(len(blob))
    flipped = blob[:at] + bytes([blob[at] ^ (1 << random.randrange(8))]) + blob[at + 1 :]
    return random.choice([b"wrong" + blob, flipped, blob[:at], b"", None])


def _second_stack(connection: sqlite3.Connection) -> None:
    """All that is in the stack stands in another, too, elsewhere."""
    moved = {"stack_session": "3", "stack_x": "stack_x + 1000", "score": "score - 1"}
    for table in ("stack", "registration", "stack_unit"):
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        chosen = ", ".join(moved.get(name, name) for name in names)
        connection.execute(f"INSERT INTO {table} SELECT {chosen} FROM {table}")


class FailingStore(SqlStore):
    """A store whose statements raise if they read some table: a late one is known, as of a database's own error.

    ``failed`` are those that have raised.
    """

    def __init__(self, url: str, table: str, error: Callable[[], Exception]) -> None:
        super().__init__(url)
        self._read = re.compile(rf'\b(FROM|JOIN) "?{re.escape(table)}\b')
        self._error = error
        self.failed: list[str] = []
        event.listen(self.engine.sync_engine, "before_cursor_execute", self._fail)

    def _fail(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if self._read.search(statement):
            self.failed.append(statement)
            raise self._error() from DBAPIError(statement, None, Exception())
