"""What of nda a database holds, and what is missing or different."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Column, Table
from sqlalchemy.types import TypeEngine

from gql_nda.query import Query
from gql_nda.stores import Store
from gql_nda.tables import TABLES, stack


class Finding(NamedTuple):
    """One thing to know; an error keeps something from being served, a warning does not."""

    severity: str
    message: str


async def check(store: Store) -> list[Finding]:
    """Everything that is missing, different or worth a warning."""
    described, probed = await store.describe(), await store.probe()
    findings = [Finding("info", f"server: {probed['version']}")]
    findings += [finding for table in TABLES.values() for finding in _table(table, described.get(table.name))]
    findings += rights(probed["grants"])
    present = [t for t in TABLES.values() if t.name in described and not _missing(t, described[t.name])]
    for table in present:
        findings += await _rows(store, table)
    return findings


def _table(table: Table, columns: dict[str, Any] | None) -> Iterator[Finding]:
    if columns is None:
        yield Finding("error", f"{table.name}: the table is missing, or may not be read; its fields will fail")
        return
    for name in _missing(table, columns):
        yield Finding("error", f"{table.name}.{name}: the column is missing")
    for name in columns.keys() - {c.name for c in table.columns}:
        yield Finding("warning", f"{table.name}.{name}: a column that nda v8 lacks; it is not served")
    for column in table.columns:
        if column.name in columns:
            yield from _column(column, columns[column.name])


def _missing(table: Table, columns: dict[str, Any]) -> list[str]:
    return [c.name for c in table.columns if c.name not in columns]


def _column(column: Column[Any], found: dict[str, Any]) -> Iterator[Finding]:
    where = f"{column.table.name}.{column.name}"
    if _family(column.type) != _family(found["type"]):
        yield Finding("error", f"{where}: is of type {found['type']}, expected {column.type}")
    if found["nullable"] and not column.nullable:
        yield Finding("warning", f"{where}: may be NULL; a NULL would be an error where it is asked for")


def _family(kind: TypeEngine[Any]) -> str:
    """What a column holds, whatever the database calls it."""
    plain = getattr(kind, "impl", kind)
    try:
        python = plain.python_type
    except NotImplementedError:  # of types that SQLAlchemy doesn't know
        return str(kind)
    return "number" if python in (float, Decimal) else str(python.__name__)


_WRITING = ("ALL PRIVILEGES", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER")


def rights(grants: str) -> Iterator[Finding]:
    """Sessions are read-only, but a user that can't write at all is safer."""
    mine = [line for line in grants.splitlines() if " TO PUBLIC" not in line.upper().replace("`", "")]
    found = [right for right in _WRITING if any(right in line.upper() for line in mine)]
    if found:
        yield Finding("warning", f"the user may write ({', '.join(found)}); one with SELECT alone would do")


async def _rows(store: Store, table: Table) -> list[Finding]:
    count = (await store.counts(Query(table))).get((), 0)
    findings = [Finding("info", f"{table.name}: {count} rows")]
    if not count:
        findings.append(Finding("warning", f"{table.name}: empty"))
    if table is stack and count > 1:
        message = "stack: more than one stack; a unit's stackUnit and a field's registration are of the first"
        findings.append(Finding("warning", message))
    return findings
