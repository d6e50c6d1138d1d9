"""aiodataloader's hazards are mended.

A hazard's test runs on the plain ``DataLoader`` too, where it must fail: so it is known to see it.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import pytest
from aiodataloader import DataLoader

from gql_nda.dataloader import Loader

PATIENCE = 1.0
"""Seconds after which something is taken to hang."""


class Source:
    """A batch function that tells what was asked of it, and answers when it is let to."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.ended: list[str] = []
        self.go = asyncio.Event()

    async def __call__(self, keys: list[int]) -> list[Any]:
        self.asked.append(list(keys))
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.ended.append("cancelled")
            raise
        self.ended.append("answered")
        return [ValueError(key) if key < 0 else 10 * key for key in keys]


async def patiently(work: "Coroutine[Any, Any, Any] | asyncio.Future[Any]") -> Any:
    return await asyncio.wait_for(work, PATIENCE)


async def begun(source: Source, batches: int = 1) -> None:
    """Wait until the batch function was called."""
    for _ in range(100):
        if len(source.asked) >= batches:
            return
        await asyncio.sleep(0)
    raise AssertionError("no batch was begun")


def plain(batch: Any) -> Any:
    """What the hazards are those of."""

    async def function(keys: list[Any]) -> Any:  # aiodataloader takes coroutine functions alone
        return await batch(keys)

    return DataLoader(function)


def mended(batch: Any) -> Any:
    return Loader(batch)


hazard = pytest.mark.parametrize(
    "make", [mended, pytest.param(plain, marks=pytest.mark.xfail(raises=(AssertionError, TimeoutError), strict=True))]
)


# --- the hazards ----------------------------------------------------------------------------------


@hazard
@pytest.mark.parametrize("ticks", range(8))
async def test_a_cancelled_load_does_not_poison_its_key(make: Any, ticks: int) -> None:
    source = Source()
    loader = make(source)
    first = loader.load(1)
    await begun(source)
    first.cancel()
    for _ in range(ticks):
        await asyncio.sleep(0)
    source.go.set()
    second = loader.load(1)
    (value,) = await patiently(asyncio.gather(second, return_exceptions=True))
    assert value == 10


@hazard
async def test_one_of_two_waiters_leaves_without_the_other(make: Any) -> None:
    source = Source()
    loader = make(source)
    first, second = loader.load(1), loader.load(1)
    await begun(source)
    first.cancel()
    await asyncio.sleep(0)
    source.go.set()
    (value,) = await patiently(asyncio.gather(second, return_exceptions=True))
    assert value == 10
    assert source.asked == [[1]]


@hazard
async def test_a_batch_dies_with_its_last_waiter(make: Any) -> None:
    source = Source()
    loader = make(source)
    waiters = [loader.load(key) for key in (1, 2, 1)]
    await begun(source)
    for waiter in waiters[:-1]:
        waiter.cancel()
        await asyncio.sleep(0)
        assert source.ended == []
    waiters[-1].cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    ended = list(source.ended)
    source.go.set()
    await asyncio.gather(*waiters, return_exceptions=True)
    assert ended == ["cancelled"]


@hazard
async def test_a_batch_that_nobody_waits_for_is_not_begun(make: Any) -> None:
    source = Source()
    loader = make(source)
    loader.load(1).cancel()
    for _ in range(10):
        await asyncio.sleep(0)
    source.go.set()
    assert source.asked == []


@hazard
async def test_a_batch_that_is_cancelled_does_not_hang_its_callers(make: Any) -> None:
    async def batch(keys: Sequence[int]) -> list[int]:
        raise asyncio.CancelledError

    loader = make(batch)
    ends = await patiently(asyncio.gather(*(loader.load(key) for key in (1, 2)), return_exceptions=True))
    assert [type(end) for end in ends] == [RuntimeError] * 2


async def test_an_error_stays_with_its_own_key() -> None:
    source = Source()
    source.go.set()
    loader = Loader(source)
    good, bad, other = await loader.load_each([1, -2, 3])
    assert (good, other) == (10, 30)
    assert isinstance(bad, ValueError)
    assert source.asked == [[1, -2, 3]]
