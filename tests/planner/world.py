"""What a database holds, as a client would name it: keys that find something, and values to compare with."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Table

from gql_nda import keys
from gql_nda import tables as t
from gql_nda.query import Key
from gql_nda.tables import TABLES, key_names, narrow
from gql_nda.types.entity import ENTITIES, type_name

MOST = 60
"""Keys and values that are remembered of a table or a name."""


class World:
    """Keys by entity, values by the GraphQL name of their column, ids."""

    def __init__(self, path: Path) -> None:
        self.keys: dict[str, list[dict[str, Any]]] = {}
        self.values: dict[str, list[Any]] = {}
        self.ids: list[str] = []
        with closing(sqlite3.connect(path)) as connection:
            for table in TABLES.values():
                self._learn(table, list(_rows(connection, table)))
        self.values = {name: _spread(list(dict.fromkeys(held))) for name, held in sorted(self.values.items())}

    def _learn(self, table: Table, rows: list[dict[str, Any]]) -> None:
        for column in narrow(table):
            held = [row[column.name] for row in rows if row[column.name] is not None]
            self.values.setdefault(graphql_name(column), []).extend(held)
        if table.name in ENTITIES:
            entity, found = type_name(ENTITIES[table.name]), [_key(table, row) for row in _spread(rows)]
            names = [graphql_name(column) for column in table.primary_key]
            self.keys[entity] = [dict(zip(names, key, strict=True)) for key in found]
            self.ids += [keys.encode_id(entity, table, key) for key in found[:8]]
        if "condition_hash" in key_names(table):
            self.values.setdefault("hash", []).extend(row["condition_hash"] for row in rows)
        if table is t.scan_unit:
            self.values.setdefault("strKey", []).extend(keys.str_key(*_key(table, row)) for row in _spread(rows))


def graphql_name(column: Column[Any]) -> str:
    """``fieldZ`` of ``field_z``; the number of a field is ``fieldIdx``."""
    head, *rest = ("field_idx" if column.name == "field" else column.name).split("_")
    return head + "".join(map(str.capitalize, rest))


def _rows(connection: sqlite3.Connection, table: Table) -> Iterator[dict[str, Any]]:
    names = [column.name for column in narrow(table)]
    chosen = ", ".join(f'"{name}"' for name in names)
    for row in connection.execute(f'SELECT {chosen} FROM "{table.name}" ORDER BY {", ".join(key_names(table))}'):
        yield dict(zip(names, row, strict=True))


def _key(table: Table, row: dict[str, Any]) -> Key:
    return tuple(row[name] for name in key_names(table))


def _spread(items: list[Any]) -> list[Any]:
    """At most ``MOST`` items from everywhere in a list."""
    return items[:: len(items) // MOST + 1]
