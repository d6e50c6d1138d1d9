"""aiodataloader, mended."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Sequence
from typing import Any, TypeVar

from aiodataloader import DataLoader

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Batch = Callable[[list[K]], Coroutine[Any, Any, Sequence[V | Exception]]]


class Loader(DataLoader[K, V]):
    """aiodataloader without its hazards.

    * A cancelled waiter cancels its own waiting only: everyone gets a future of their own.
    * A batch dies with its last waiter, or with its request (``Loaders.close``).
    * A batch that ends in CancelledError, or in nothing, still answers those who wait.
    * All keys of a level go to one batch; the store cuts it into statements, one after another.
    """

    def __init__(self, batch: Batch[K, V]) -> None:
        super().__init__()
        self._batch = batch
        self._running: set[asyncio.Task[Any]] = set()
        self._waiting: dict[K, int] = {}

    def load(self, key: K) -> asyncio.Future[V]:
        """The value of one key: a future of the caller's own, over the one that all callers share."""
        cached = self._cache.get(key)
        if cached is not None and cached.cancelled():
            self.clear(key)
        shared = super().load(key)
        if shared.done():
            return shared
        mine: asyncio.Future[V] = self.loop.create_future()
        self._waiting[key] = self._waiting.get(key, 0) + 1
        shared.add_done_callback(lambda future: _hand_over(future, mine))
        mine.add_done_callback(lambda _: self._left(key))
        return mine

    async def load_each(self, keys: Sequence[K]) -> list[V | BaseException]:
        """The values of several keys; an error stays with its own key."""
        return await asyncio.gather(*map(self.load, keys), return_exceptions=True)

    def close(self) -> None:
        """End the batches under way: nobody waits for them any more."""
        for task in self._running:
            once_cancelled(task)

    def _left(self, key: K) -> None:
        self._waiting[key] -= 1
        if not self._waiting[key]:
            del self._waiting[key]
        if not self._waiting:
            for unfinished in [key for key, shared in self._cache.items() if not shared.done()]:
                del self._cache[unfinished]  # who asks again gets a new batch, not the end of this one
            self.close()

    async def batch_load_fn(self, keys: list[K]) -> list[V | Exception]:  # type: ignore[override]  # exceptions, too
        """The values of the keys, or exceptions in their place."""
        task = asyncio.current_task()
        assert task is not None
        if not self._waiting:
            raise RuntimeError("nobody waits for this batch any more")
        self._running.add(task)
        try:
            return list(await self._batch(keys))
        except asyncio.CancelledError:
            # aiodataloader hands on what is an Exception, and would leave the others waiting for ever.
            task.uncancel()
            raise RuntimeError("a batch was cancelled") from None
        finally:
            self._running.discard(task)


def once_cancelled(task: "asyncio.Task[Any]") -> None:
    """Cancel a task, unless it has been: a second time would disturb it while it gives back what it holds."""
    if not task.cancelling():
        task.cancel()


def _hand_over(shared: asyncio.Future[V], mine: asyncio.Future[V]) -> None:
    if shared.cancelled():
        mine.cancel()
    elif error := shared.exception():  # asking marks it as seen, also when the waiter has left
        if not mine.done():
            mine.set_exception(error)
            mine.exception()  # seen here, too: who asked may have been cancelled before it began to wait
    elif not mine.done():
        mine.set_result(shared.result())
