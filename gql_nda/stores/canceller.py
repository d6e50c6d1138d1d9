"""Stops the statements that nobody waits for any more.

A database doesn't notice that its client has left: it would finish the statement, or run into its deadline.
Only what was dropped is stopped: SQLAlchemy never puts a connection back that was left in mid-statement, so a
statement that has just ended has no successor on it that could be hit in its place. The number of a
connection is its server's own, and one address may lead to several: the order names the server, too.
"""

import asyncio
import sqlite3
from contextlib import suppress
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util.concurrency import in_greenlet

_SERVER = "CONCAT(@@hostname, ':', @@port)"
_WHICH = f"SELECT {_SERVER}"
_KILL = f"KILL QUERY IF({_SERVER} = :server, :number, 0)"

PATIENCE = 2.0
"""Seconds that stopping may take, its wait for those before it included; the statement's own deadline comes later."""


class Canceller:
    """Stops the given-up statements of the engines it watches, by a connection of an engine of its own."""

    def __init__(self, spare: AsyncEngine) -> None:
        self._spare = spare
        self._tasks: set[asyncio.Task[None]] = set()

    def watch(self, engine: AsyncEngine) -> None:
        """Stop what is given up on this engine's connections."""
        if engine.dialect.name == "sqlite":
            engine.dialect.do_terminate = _end  # type: ignore[assignment, method-assign]
        else:
            event.listen(engine.sync_engine, "connect", _introduce)
            event.listen(engine.sync_engine, "invalidate", self._dropped)

    async def close(self) -> None:
        """Leave what isn't stopped yet to its deadline."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._spare.dispose()

    def _dropped(self, connection: Any, record: Any, error: BaseException | None) -> None:
        if isinstance(error, asyncio.CancelledError):  # whatever else is wrong, the server knows of it
            which = {"number": connection.driver_connection.thread_id(), "server": record.info["server"]}
            task = asyncio.create_task(self._stop(which))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _stop(self, which: dict[str, Any]) -> None:
        with suppress(SQLAlchemyError, TimeoutError):  # it has ended by itself, or the database is away
            async with asyncio.timeout(PATIENCE), self._spare.connect() as connection:
                await connection.execute(text(_KILL), which)


def _introduce(connection: Any, record: Any) -> None:
    """Remember which server a connection leads to."""
    cursor = connection.cursor()
    cursor.execute(_WHICH)
    record.info["server"] = cursor.fetchone()[0]
    cursor.close()


def _end(connection: Any) -> None:
    """Close a connection to SQLite, which runs in this process and would finish the statement first.

    SQLAlchemy's way, disturbed by a second cancellation, leaves a task that waits for a thread which has ended.
    """
    if in_greenlet():
        connection.run_async(_closed)
    else:  # the collector's
        connection.terminate()


async def _closed(driver: Any) -> None:
    """Close the driver's connection, whoever cancels. A statement about to begin isn't hit by the first word."""
    closing = asyncio.ensure_future(driver.close())
    while not closing.done():
        with suppress(ValueError, sqlite3.ProgrammingError):  # it is closed
            await driver.interrupt()
        with suppress(asyncio.CancelledError):
            await asyncio.wait([closing], timeout=0.01)
    closing.result()
