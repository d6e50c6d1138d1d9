"""The store over MySQL, MariaDB or SQLite."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import URL, Column, Connection, Executable, Inspector, event, func, inspect, select, text
from sqlalchemy.engine import CursorResult, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util import greenlet_spawn

from gql_nda.errors import BadUserInput
from gql_nda.frames import own
from gql_nda.query import Key, Query, Ref, Relation, Row
from gql_nda.stores import Head, content
from gql_nda.stores.canceller import Canceller
from gql_nda.stores.columns import Columns
from gql_nda.stores.derived import Derived, concerned
from gql_nda.stores.dialects import DIALECTS, Deadlines
from gql_nda.stores.failures import code, public
from gql_nda.stores.positions import Positions
from gql_nda.stores.statements import LARGEST_LIST, Prepared, Statements, padded
from gql_nda.stores.watchdog import Watchdog
from gql_nda.tables import Float32, key_names, metadata, single

Record = tuple[Any, ...]


class SqlStore:
    """Rows, counts and blobs by SQL; see ``gql_nda.stores.Store``.

    ``url`` is SQLAlchemy's, its driver filled in. Every session is read-only.
    """

    def __init__(self, url: str, *, pool: int = 10, deadlines: Deadlines | None = None) -> None:
        address = parse_address(url)
        kind = address.get_backend_name()
        if kind not in DIALECTS:
            raise BadUserInput(f"database: {kind!r} is not one of {', '.join(DIALECTS)}", argument="database")
        self.dialect = DIALECTS[kind]
        self.deadlines = deadlines or Deadlines()
        self.name = Path(address.database or kind).stem  # of an SQLite file, no more than its name
        self._address = self.dialect.prepare(address)
        # connections to a file are taken because the processor is: waiting for one is no sign that it is away
        self._patience = self.deadlines.pool if self.dialect.watched else self.deadlines.statement
        self.engine, self._spare = self._engine(pool), self._engine(1)
        self._statements = Statements(self.dialect, self.engine)
        self._watchdog = Watchdog(self._ping)
        self._canceller = Canceller(self._engine(1))
        self._canceller.watch(self.engine)
        self._positions = Positions(self)
        self._derived = Derived(self._positions, self._columns)

    def _engine(self, pool: int) -> AsyncEngine:
        engine = create_async_engine(
            self._address,
            connect_args=self.dialect.connect_args(self.deadlines),
            isolation_level="AUTOCOMMIT",  # reads only: no BEGIN and no ROLLBACK, so half the round trips
            skip_autocommit_rollback=True,
            pool_size=pool,
            max_overflow=0,
            pool_timeout=self._patience,
            pool_reset_on_return=None,
        )
        event.listen(engine.sync_engine, "connect", self._set_up)
        return engine

    def _set_up(self, connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for statement in self.dialect.session(self.deadlines):
            cursor.execute(statement)
        cursor.close()
        for name, function in self.dialect.functions.items():
            connection.create_function(name, 1, function, deterministic=True)

    # --- life -------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to watch the database."""
        if self.dialect.watched:
            await self._watchdog.start()

    async def close(self) -> None:
        """Give back every connection."""
        await self._positions.close()
        await self._watchdog.close()
        await self._canceller.close()
        await self.engine.dispose()
        await self._spare.dispose()

    @property
    def ready(self) -> bool:
        """Whether the database answered when it was last asked."""
        return self._watchdog.answers

    @property
    def answers(self) -> None:
        """A database has no rows at hand."""

    async def _ping(self) -> None:
        async with self._spare.connect() as connection:
            try:
                await connection.execute(select(1))
            except BaseException:
                await connection.invalidate()
                raise

    # --- reads ------------------------------------------------------------------------------------

    async def rows(self, query: Query, refs: Sequence[Ref] = ()) -> dict[Key, list[Row]]:
        """The rows of each key, in the query's order."""
        if concerned(query, refs):
            return await self._derived.rows(query, refs)
        held = own(query, refs)
        records = self._exact(held, await self._asked(query, held))
        groups = query.grouped([ref.label for ref in held], records)
        if _sorted(query):
            return groups
        return {key: query.sort(rows)[: query.limit] for key, rows in groups.items()}

    def _exact(self, refs: Sequence[Ref], records: list[Record]) -> Iterable[Record]:
        """Records with FLOAT as float32 holds it, as frames have it, whatever the database does."""
        floats = {at for at, ref in enumerate(refs) if isinstance(ref.column.type, Float32)}
        if self.dialect.single is None or not floats:
            return records
        return (
            tuple([single(v) if i in floats and isinstance(v, float) else v for i, v in enumerate(record)])
            for record in records
        )

    async def columns(self, query: Query, refs: Sequence[Ref]) -> pl.DataFrame:
        """The rows of all keys, as a frame."""
        return await (self._derived.columns if concerned(query, refs) else self._columns)(query, refs)

    async def _columns(self, query: Query, refs: Iterable[Ref]) -> pl.DataFrame:
        return await Columns(self._asked).of(query, refs)

    async def _asked(self, query: Query, refs: Sequence[Ref]) -> list[Record]:
        """At least the rows of each key up to the limit, in the query's order if it has one key and a limit."""
        keys = _askable(query.keys)
        if _single(query):
            return await self._fetch(self._statements.one(query, refs))
        if query.limit is None or len(keys) <= 1:
            return await self._whole(query, keys, refs)
        if query.relation.indexed:
            return await self._pages(query, keys, refs)
        # without an index every page would read the whole table: it is read once, and cut into pages here
        return await self._whole(replace(query, limit=None), keys, refs)

    async def counts(self, query: Query) -> dict[Key, int]:
        """Number of rows of each key."""
        if concerned(query):
            return await self._derived.counts(query)
        plain = replace(query, after=None, limit=None, order=())
        if not plain.relation.indexed:  # text keys would be grouped by the database's own collation
            return {key: len(rows) for key, rows in (await self.rows(plain)).items()}
        records = await self._chunked(_askable(plain.keys), lambda ks: self._statements.counts(replace(plain, keys=ks)))
        return {tuple(key): count for *key, count in records if count}

    async def largest(self, relation: Relation) -> int:
        """Number of rows of the relation's largest group."""
        return (await self._fetch(self._statements.largest(relation)))[0][0] or 0

    async def fingerprint(self) -> str:
        """Names the rows, which are all read."""
        return await content.fingerprint(self)

    async def heads(self, column: Column[Any], keys: Sequence[Key]) -> dict[Key, Head]:
        """The beginning of each blob."""
        records = await self._chunked(_askable(keys), lambda ks: self._statements.heads(column, ks))
        return {tuple(key): Head(bytes(head or b""), size) for *key, head, size in records}  # SQLite: '' has no part

    async def blobs(self, column: Column[Any], keys: Sequence[Key]) -> dict[Key, bytes]:
        """Whole blobs."""
        records = await self._chunked(_askable(keys), lambda ks: self._statements.blobs(column, ks))
        return {tuple(key): bytes(blob) for *key, blob in records}

    async def chunks(self, column: Column[Any], key: Key, size: int) -> AsyncIterator[bytes]:
        """One blob in successive pieces."""
        start, piece = 0, b""
        while start == 0 or len(piece) == size:
            records = await self._fetch(self._statements.chunk(column, key, start, size))
            piece = next((bytes(record[-1] or b"") for record in records), b"")  # SQLite: '' has no part
            start += size
            if piece:
                yield piece

    async def _whole(self, query: Query, keys: Sequence[Key], refs: Sequence[Ref]) -> list[Record]:
        return await self._chunked(keys, lambda ks: self._statements.rows(replace(query, keys=ks), refs))

    async def _pages(self, query: Query, keys: Sequence[Key], refs: Sequence[Ref]) -> list[Record]:
        def union(piece: Sequence[Key]) -> Executable:
            last = len(set(piece))  # what follows only pads: it asks for no rows
            limits = [query.limit or 0 if i < last else 0 for i in range(len(piece))]
            return self._statements.pages(query, piece, limits, refs)

        return await self._chunked(keys, union, self._statements.unions(query))

    async def _chunked(
        self, keys: Sequence[Key], statement: Callable[[tuple[Key, ...]], Executable], largest: int = LARGEST_LIST
    ) -> list[Record]:
        """One statement after another: many at once would take every connection of the pool."""
        found: list[Record] = []
        for piece in padded(list(dict.fromkeys(keys)), largest):
            found += await self._fetch(statement(tuple(piece)))
        return found

    # --- execution --------------------------------------------------------------------------------

    async def _fetch(self, statement: Executable | Prepared) -> list[Record]:
        return await self._watchdog.run(self._patiently(statement))

    async def _patiently(self, statement: Executable | Prepared) -> list[Record]:
        """The statement's rows; after a lost connection once more, for reads may be repeated."""
        try:
            return await self._execute(statement)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise public(error, self.dialect) from error
        except (PoolTimeout, TimeoutError) as error:
            raise public(error, self.dialect) from error
        try:
            return await self._execute(statement)
        except (SQLAlchemyError, TimeoutError) as error:
            raise public(error, self.dialect) from error

    async def _execute(self, statement: Executable | Prepared) -> list[Record]:
        def run() -> list[Record]:
            with self.engine.sync_engine.connect() as connection:
                _expect_waited_for()
                cursor = _sent(connection, statement).cursor
                assert cursor is not None
                return list(cursor.fetchall())  # the driver's own records: SQLAlchemy's rows take twice as long

        # in one go: AsyncConnection enters a greenlet three times a statement, and makes a task to close
        async with asyncio.timeout(self._patience + self.deadlines.read):
            return await greenlet_spawn(run)

    # --- about the database -----------------------------------------------------------------------

    async def describe(self) -> dict[str, dict[str, Any]]:
        """What the database holds of the 29 tables, and their columns."""

        def look(connection: Any) -> dict[str, dict[str, Any]]:
            inspector = inspect(connection)
            names = metadata.tables.keys() & set(inspector.get_table_names())
            described = {name: _columns(inspector, name) for name in names}
            return {name: columns for name, columns in described.items() if columns}

        asked = self._ask(lambda connection: connection.run_sync(look), len(metadata.tables))
        described: dict[str, dict[str, Any]] = await asked
        return described

    async def probe(self) -> dict[str, str]:
        """Version of the server and, where it tells, the rights of the user."""

        async def look(connection: AsyncConnection) -> dict[str, str]:
            if not self.dialect.watched:
                return {"version": f"SQLite {await connection.scalar(select(func.sqlite_version()))}", "grants": ""}
            version = str(await connection.scalar(select(func.version())))
            return {"version": version, "grants": await _grants(connection)}

        answer: dict[str, str] = await self._ask(look)
        return answer

    async def _ask(self, look: Callable[[AsyncConnection], Any], steps: int = 1) -> Any:
        """What the database says of itself, in so many steps at most that each take a statement's time."""
        try:
            async with asyncio.timeout(self._patience + steps * self.deadlines.read):
                async with self.engine.connect() as connection:
                    return await look(connection)
        except (SQLAlchemyError, TimeoutError) as error:
            raise public(error, self.dialect) from error


def _expect_waited_for() -> None:
    """Ask nothing for a task that was cancelled.

    A pool's wait, and a driver's for a new connection, are those of asyncio.wait_for: on Python 3.11 it swallows a
    cancellation that comes together with what it waits for.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _sent(connection: Connection, statement: Executable | Prepared) -> CursorResult[Any]:
    if isinstance(statement, Prepared):
        return connection.exec_driver_sql(statement.text, statement.parameters)
    return connection.execute(statement)


async def _grants(connection: AsyncConnection) -> str:
    """The rights of the user; none are told by a server that runs without them, or behind some proxies."""
    try:
        return "\n".join((await connection.execute(text("SHOW GRANTS"))).scalars())
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        return ""


def parse_address(url: str) -> URL:
    """The address of a database; the error doesn't repeat it, for it may hold a password."""
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        message = "database: not an address such as mysql://user:password@host/database or sqlite:///file"
        raise BadUserInput(message, argument="database") from None


_TABLE_ACCESS_DENIED = 1142


def _columns(inspector: Inspector, name: str) -> dict[str, Any]:
    """The columns of a table by name; none where the user may not see them all."""
    try:
        return {column["name"]: column for column in inspector.get_columns(name)}
    except DBAPIError as error:
        if code(error) != _TABLE_ACCESS_DENIED:
            raise
        return {}


def _askable(keys: Sequence[Key]) -> tuple[Key, ...]:
    """The keys that can exist: text keys are ASCII, and another text may offend the column's charset."""
    return tuple(key for key in keys if all(not isinstance(v, str) or v.isascii() for v in key))


def _single(query: Query) -> bool:
    """Whether the query asks for the row of one primary key, of numbers."""
    if len(query.keys) != 1 or query.where is not None or query.limit is not None or query.after is not None:
        return False
    return query.on == key_names(query.table) and all(isinstance(value, int) for value in query.keys[0])


def _sorted(query: Query) -> bool:
    """Whether one statement of the database has sorted the rows."""
    return query.limit is not None and len(query.keys) <= 1
