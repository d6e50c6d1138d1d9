"""The demo as an SQLite file, written at once or not at all; and into any database of SQLAlchemy's."""

import inspect
import os
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from zlib import crc32

from sqlalchemy import Connection, Engine, ForeignKeyConstraint, Table, create_engine, event, insert, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateTable

from gql_nda import tables
from gql_nda.demo import (
    batches,
    behavior,
    chance,
    conditions,
    dataset,
    facts,
    field,
    responses,
    scan,
    segmentation,
    stack,
    stimulus,
    textures,
    transforms,
    unit,
)
from gql_nda.science import coordinates, oracle, resampling

_DEMO = (batches, behavior, chance, conditions, dataset, facts, field, responses, scan, segmentation)
_MORE = (stack, stimulus, textures, transforms, unit, coordinates, oracle, resampling)
SOURCES = (*_DEMO, *_MORE)
"""The modules that decide what's written: a file that other versions of them made isn't current."""

PRAGMAS = ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -65536")
"""The file is thrown away unless it's finished, so nothing has to survive a crash."""

Progress = Callable[[str, float], None]
"""Told what comes next, and the share that is done."""


def build(path: Path, units: int = 600, traces: bool = True, progress: Progress | None = None) -> None:
    """Write the demo to an SQLite file; an old one stays in place until the new one is complete.

    ``units`` and ``traces`` are those of :func:`gql_nda.demo.rows`. Tables get an index for every
    foreign key that doesn't begin the primary key.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    draft.unlink(missing_ok=True)
    try:
        _fill(draft, dataset.rows(units, traces), version(units, traces), progress)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def current(path: Path, units: int = 600, traces: bool = True) -> bool:
    """Whether a file is the demo that :func:`build` would write with these arguments."""
    if not path.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            (found,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.DatabaseError:
        return False
    return bool(found == version(units, traces))


def version(units: int, traces: bool) -> int:
    """What a file holds, in one number for SQLite's ``user_version``: the generator, the tables, the size."""
    ddl = [str(CreateTable(t).compile(dialect=sqlite.dialect())) for t in tables.metadata.sorted_tables]
    code = [inspect.getsource(module) for module in SOURCES]
    return crc32("\n".join([f"{units} {traces}", *ddl, *code]).encode()) & 0x7FFFFFFF


def write(rows: Iterable[batches.Batch], connection: Connection, progress: Progress | None = None) -> None:
    """Insert batches through a connection of any database whose tables exist; the caller commits.

    With an asynchronous connection: ``await connection.run_sync(lambda c: write(rows(), c))``.
    """
    begun = 0
    for table, batch in rows:
        if progress and table is tables.scan:
            progress(f"scan {batch[0]['session']}_{batch[0]['scan_idx']}", begun / len(facts.RECORDINGS))
            begun += 1
        if batch:
            connection.execute(insert(table), batch)


def _fill(path: Path, rows: Iterable[batches.Batch], stamp: int, progress: Progress | None) -> None:
    """A whole database, from its tables to its statistics."""
    engine = _engine(path)
    with engine.begin() as connection:
        tables.metadata.create_all(connection)
        write(rows, connection, progress)
        for statement in (*_indexes(), f"PRAGMA user_version = {stamp}", "ANALYZE"):
            connection.execute(text(statement))
    engine.dispose()


def _engine(path: Path) -> Engine:
    """An engine that writes fast."""
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _indexes() -> list[str]:
    """DDL of one index for each foreign key that doesn't begin its table's primary key."""
    quote = sqlite.dialect().identifier_preparer.quote
    return [
        f"CREATE INDEX {quote(name)} ON {quote(table.name)} ({', '.join(map(quote, columns))})"
        for table in tables.metadata.sorted_tables
        for name, columns in _unindexed(table)
    ]


def _unindexed(table: Table) -> list[tuple[str, list[str]]]:
    """Name and columns of the foreign keys that no key serves."""
    key = list(tables.key_names(table))
    links = sorted((c for c in table.constraints if isinstance(c, ForeignKeyConstraint)), key=_parent)
    columns = [(f"{table.name}_{_parent(link)}", list(link.column_keys)) for link in links]
    return [(name, names) for name, names in columns if names != key[: len(names)]]


def _parent(link: ForeignKeyConstraint) -> str:
    return link.referred_table.name
