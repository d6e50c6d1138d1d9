"""Documents that are made from the code: ``python -m tools.docs`` writes all, or those that are named.

A test compares them with what this writes.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.dialects import mysql

from gql_nda.schema import build_schema
from gql_nda.settings import described
from gql_nda.tables import TABLES, Array
from tools.npm import ROOT

BAR = r"\|"
"""A bar within a table's cell."""


def schema() -> str:
    """The schema in GraphQL's own language."""
    return build_schema().as_str() + "\n"


def settings() -> str:
    """Every setting."""
    rows = [(f"`{flag}`", f"`{variable}`", _default(default), text) for flag, variable, default, text in _settings()]
    return _page(
        "Settings",
        "A setting is a flag of `gql-nda serve`, or a variable of the environment; the flag wins.",
        _table(("flag", "variable", "default", "what it does"), rows),
    )


def _settings() -> Iterator[tuple[str, str, Any, str]]:
    for name, variable, default, text in described():
        yield f"--{name.replace('_', '-')}", variable, default, text


def _default(value: Any) -> str:
    if value is None:
        return ""
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`"


def tables() -> str:
    """Every table of nda."""
    return _page(
        "Tables",
        "The 29 tables of nda in the order in which rows can be inserted, with MySQL's types. In GraphQL a column is a "
        "field of the same name in camelCase (`field` is `fieldIdx`); an array column is an `NdArray`. Descriptions "
        "end with the unit.",
        *(part for table in TABLES.values() for part in _described(table)),
    )


def _described(table: Table) -> Iterator[str]:
    yield f"## {table.name}"
    yield table.comment or ""
    head = ("column", "type", "key", "what it is")
    yield _table(head, [(f"`{c.name}`", _type(c), _key(c), c.comment or "") for c in table.columns])


def _type(column: Column[Any]) -> str:
    """MySQL's type, and what an array column holds."""
    name = str(column.type.compile(dialect=mysql.dialect())).lower()
    array: Array | None = column.info.get("array")
    held = f": {array.dtype}[{', '.join(array.dims)}]" if array else ""
    return f"{name}{held}{' or NULL' if column.nullable else ''}"


def _key(column: Column[Any]) -> str:
    """Whether a column is of the primary key, and the tables whose key it is of."""
    own = ["primary"] if column.primary_key else []
    parents = sorted({f"of {key.column.table.name}" for key in column.foreign_keys})
    return ", ".join([*own, *parents])


def _page(title: str, *parts: str) -> str:
    made = "<!-- Made by `make docs`: change the code, not this file. -->"
    return "\n\n".join((made, f"# {title}", *parts)) + "\n"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(map(_line, (head, ("---",) * len(head), *rows)))


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"


DOCUMENTS: dict[str, Callable[[], str]] = {
    "schema.graphql": schema,
    "docs/settings.md": settings,
    "docs/tables.md": tables,
}
"""What is made from the code, by its path."""


def write(names: Iterable[str], root: Path = ROOT) -> None:
    """Write some of the documents."""
    for name in names:
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(DOCUMENTS[name]())
        print(name)


if __name__ == "__main__":
    write(sys.argv[1:] or DOCUMENTS)
