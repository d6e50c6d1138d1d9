"""Work on rows, where it holds nobody up."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 1_000
"""Rows that are worked on without leaving the event loop: a few ms at most; a thread costs a tenth of one."""


async def apart(rows: int, work: Callable[..., T], *arguments: Any) -> T:
    """The result of work on so many rows: in a thread where others would have to wait for it."""
    return await asyncio.to_thread(work, *arguments) if rows > AT_ONCE else work(*arguments)


PORTION = 256
"""Items that one round of the event loop has time for, beside those of others."""


class Turnstile:
    """Lets one pass in each round of the event loop: what several do at a time, each for a moment, adds up."""

    def __init__(self) -> None:
        self._one = asyncio.Lock()

    async def turn(self) -> None:
        """Wait for the next round that nobody else has."""
        async with self._one:
            await asyncio.sleep(0)

    async def through(self, items: Collection[T]) -> AsyncIterator[T]:
        """The items: of many, a portion in a round."""
        for i, item in enumerate(items):
            if len(items) > PORTION and i % PORTION == 0:
                await self.turn()
            yield item


class Gate:
    """Lets so many pieces of work in at a time, each with its preparation: work that holds much memory."""

    def __init__(self, places: int) -> None:
        self._places = asyncio.Semaphore(places)

    async def run(self, prepare: Callable[[], Awaitable[T]], work: Callable[[T], R]) -> R:
        """The result of work, in a thread, on what was prepared.

        Its place is free when the thread ends: a thread can't be stopped, even where nobody waits for it any more.
        """
        await self._places.acquire()
        try:
            running = asyncio.get_running_loop().run_in_executor(None, work, await prepare())
        except BaseException:
            self._places.release()
            raise
        running.add_done_callback(self._ended)
        return await asyncio.shield(running)

    def _ended(self, running: "asyncio.Future[Any]") -> None:
        self._places.release()
        if not running.cancelled():
            running.exception()  # seen, also where nobody waits
