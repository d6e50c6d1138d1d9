"""Asks a database every second whether it still answers, and ends the waiting when it doesn't.

A frozen server enforces no deadline of its own; a statement sent to it would wait for its whole read
deadline. The watchdog notices within seconds, and everyone who waits learns it at once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from gql_nda.errors import StoreUnavailable

T = TypeVar("T")
log = logging.getLogger(__name__)

AWAY = "the database does not answer"


class Watchdog:
    """Runs work against a database only while the database answers a ping."""

    def __init__(self, ping: Callable[[], Awaitable[None]], *, every: float = 1.0, patience: float = 2.0) -> None:
        self._ping, self._every, self._patience = ping, every, patience
        self._task: asyncio.Task[None] | None = None
        self._gone: asyncio.Event | None = None
        self.answers = True

    async def start(self) -> None:
        """Ask once, then go on asking in the background."""
        self._gone = asyncio.Event()
        await self._ask()
        self._task = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Stop asking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of the work, or StoreUnavailable as soon as the database is known to be gone."""
        if self._gone is None:
            return await work
        if not self.answers:
            work.close()
            raise StoreUnavailable(AWAY)
        return await self._race(work, self._gone)

    async def _race(self, work: Coroutine[Any, Any, T], gone: asyncio.Event) -> T:
        task, alarm = asyncio.create_task(work), asyncio.create_task(gone.wait())
        try:
            await asyncio.wait((task, alarm), return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise StoreUnavailable(AWAY)
            return task.result()
        finally:
            alarm.cancel()
            task.cancel()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._every if self.answers else self._every / 5)
            await self._ask()

    async def _ask(self) -> None:
        assert self._gone is not None
        try:
            async with asyncio.timeout(self._patience):
                await self._ping()
        except Exception as error:  # whatever went wrong, the database did not answer
            if self.answers:
                log.warning("the database does not answer: %s", getattr(error, "orig", None) or type(error).__name__)
            self.answers = False
            self._gone.set()
        else:
            if not self.answers:
                log.warning("the database answers again")
            self.answers = True
            self._gone.clear()
