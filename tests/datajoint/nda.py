"""An nda that the real DataJoint declared, filled and fetches: what the server is compared with."""

import warnings
from dataclasses import dataclass, field
from types import new_class
from typing import Any

import numpy as np

from tests.datajoint.definitions import DEFINED, Lookup
from tests.datajoint.rows import Row, Rows
from tests.datajoint.upstream import dj

_FILLERS = {"float": 0.5, "double": 0.5, "decimal": "0.500", "char": "", "varchar": "", "blob": np.zeros(2)}


@dataclass
class Nda:
    """A database, DataJoint's classes on it by name, and the rows they were given."""

    name: str
    tables: dict[str, Any]
    inserted: Rows = field(default_factory=lambda: {name: [] for name in DEFINED})

    def insert(self, rows: Rows) -> None:
        """Insert rows, those columns that they leave out filled up."""
        for name in self.tables:  # parents first, whatever the order of the rows
            full = [self._filled(name, row) for row in rows.get(name, [])]
            self.tables[name].insert(full)
            self.inserted[name] += full

    def fetch(self, name: str) -> list[Row]:
        """All rows by primary key, as DataJoint fetches them."""
        fetched: list[Row] = self.tables[name].fetch(as_dict=True, order_by="KEY")
        return fetched

    def heading(self, name: str) -> dict[str, Any]:
        """DataJoint's attributes of a table."""
        attributes: dict[str, Any] = self.tables[name].heading.attributes
        return attributes

    def key_names(self, name: str) -> list[str]:
        """The primary key, as DataJoint read it back from the server."""
        names: list[str] = self.tables[name].primary_key
        return names

    def _filled(self, name: str, row: Row) -> Row:
        return {n: row[n] if n in row else _filler(a) for n, a in self.heading(name).items()}


def _filler(attribute: Any) -> Any:
    if attribute.nullable or attribute.default is not None:
        return None  # the column's default
    return next((value for word, value in _FILLERS.items() if word in attribute.type), 1)


def declare(connection: Any, name: str) -> Nda:
    """The 29 tables in a database of that name, declared by DataJoint."""
    tables: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the parser that DataJoint uses
        schema = dj.Schema(name, connection=connection, create_schema=True)
        for class_name, definition in DEFINED.items():
            tier = dj.Lookup if issubclass(definition, Lookup) else dj.Manual
            bound = new_class(class_name, (definition, tier))
            tables[class_name] = schema(bound, context=tables)
    return Nda(name, tables)
