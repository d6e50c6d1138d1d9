"""Clients that leave: nothing more is done for them."""

import asyncio
from types import TracebackType

from starlette.types import Message, Receive

GRACE = 0.01
"""Seconds of work after which it is looked for the client: most answers are out by then, and cost no task."""


class Attended:
    """Runs a block while the client is there: once it has left, the block is cancelled and ends without an error.

    ``receive`` is the server's, and the request's body has been read from it or isn't wanted.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._stay = asyncio.timeout(None)  # a deadline without a date: leaving dates it
        self._watcher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        await self._stay.__aenter__()
        self._timer = asyncio.get_running_loop().call_later(GRACE, self._begin)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None  # its end holds its frame, and that holds us
        try:
            await self._stay.__aexit__(kind, error, trace)
        except TimeoutError:
            return True
        return False

    def _begin(self) -> None:
        self._watcher = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        try:
            while (await self._receive())["type"] != "http.disconnect":
                pass
        except Exception:  # noqa: S110  a connection that breaks has been left, too
            pass
        self._stay.reschedule(asyncio.get_running_loop().time())


async def silence() -> Message:
    """Hears nothing of the client: for what would listen for its leaving once more."""
    await asyncio.Event().wait()
    raise AssertionError
