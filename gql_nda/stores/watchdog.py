"""Asks a database every second whether it still answers, and ends the waiting when it doesn't.

A frozen server enforces no deadline of its own; a statement sent to it would wait for its whole read
deadline. The watchdog notices within seconds, and everyone who waits learns it at once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
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
        self._waiting: set[asyncio.Timeout] = set()
        self.answers = True

    async def start(self) -> None:
        """Ask once, then go on asking in the background."""
        await self._ask()
        self._task = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Stop asking, and end all work: a connection that is at work can't be given back."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._release()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                while self._waiting:  # noqa: ASYNC110 - once in a store's life, where an event would cost each statement
                    await asyncio.sleep(0.01)

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of the work, or StoreUnavailable as soon as the database is known to be gone.

        Who waits has a deadline without a date; the watchdog dates it when the database is gone. So asyncio
        itself tells this end from a cancellation, and no task has to be made.
        """
        if not self.answers:
            work.close()
            raise StoreUnavailable(AWAY)
        deadline = asyncio.timeout(None)
        try:
            async with deadline:
                self._waiting.add(deadline)
                return await work
        except TimeoutError:
            if not deadline.expired():
                raise
            raise StoreUnavailable(AWAY) from None
        finally:
            self._waiting.discard(deadline)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._every if self.answers else self._every / 5)
            await self._ask()

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self._ping()
        except Exception as error:  # whatever went wrong, the database did not answer
            if self.answers:
                log.warning("the database does not answer: %s", getattr(error, "orig", None) or type(error).__name__)
            self.answers = False
            self._release()
        else:
            if not self.answers:
                log.warning("the database answers again")
            self.answers = True

    def _release(self) -> None:
        """End all waiting."""
        now = asyncio.get_running_loop().time()
        for deadline in self._waiting:
            if not deadline.expired():
                deadline.reschedule(now)
