"""An array that is asked for several things at once, and computed for the first of them."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any

from numpy.typing import NDArray

from gql_nda.context import Context

Compute = Callable[[], Awaitable[NDArray[Any]]]


def once(key: Hashable, context: Context, compute: Compute) -> Compute:
    """Computes an array unless the cache has it; who asks meanwhile, for its mean beside its least value, waits."""
    turn = asyncio.Lock()

    async def computed() -> NDArray[Any]:
        async with turn:
            return await context.cache.one(key, compute)

    return computed
