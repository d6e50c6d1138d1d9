"""Whether something keeps the event loop from everyone else."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import thread_time


@asynccontextmanager
async def beating(most: float = 1.0) -> AsyncIterator[None]:
    """Fails when one step of the block takes the loop's thread for more than so many seconds.

    They are counted in the thread's own processor time: a busy machine is no fault of the server's. Nor is what other
    tests have left in this process: the collector passes over it, as it does over what a server has loaded.
    """
    longest = 0.0

    async def beat() -> None:
        nonlocal longest
        while True:
            before = thread_time()
            await asyncio.sleep(0.005)
            longest = max(longest, thread_time() - before)

    gc.freeze()
    heart = asyncio.create_task(beat())
    await asyncio.sleep(0)
    try:
        yield
        await asyncio.sleep(0.01)  # the beat that came late has been counted
    finally:
        heart.cancel()
        gc.unfreeze()
    assert longest <= most, f"the loop was kept for {longest:.2f} s"
