"""The cache of derived values: bounded by what it really holds, and nothing computed twice at a time."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from gql_nda import tables as t
from gql_nda.cache import Cache, size_of
from gql_nda.query import Row
from gql_nda.science.neighbours import Neighbours


class Squares:
    """Squares of numbers, and a note of each call."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self, numbers: list[int]) -> Sequence[Any]:
        self.calls.append(numbers)
        await self.go.wait()
        return [ValueError(number) if number < 0 else number**2 for number in numbers]


async def test_only_what_is_not_known_is_computed() -> None:
    cache, squares = Cache(), Squares()
    assert await cache.each("squares", [1, 2, 2], squares) == [1, 4, 4]
    assert await cache.each("squares", [3, 2, 1], squares) == [9, 4, 1]
    assert await cache.each("others", [3], squares) == [9]
    assert squares.calls == [[1, 2], [3], [3]]


async def test_errors_are_not_kept() -> None:
    cache, squares = Cache(), Squares()
    for _ in range(2):
        assert [type(each) for each in await cache.each("squares", [-1, 5], squares)] == [ValueError, int]
    assert squares.calls == [[-1, 5], [-1]]

    async def fails() -> int:
        raise RuntimeError

    for _ in range(2):
        with pytest.raises(RuntimeError):
            await cache.one("one", fails)


async def test_the_least_recently_used_is_dropped_and_what_is_too_large_not_kept() -> None:
    cache, squares = Cache(3 * size_of("squares") + 1000), Squares()
    most = 0
    for number in range(20):
        await cache.each("squares", [number], squares)
        most = max(most, cache.held)
    assert 0 < most <= 3 * size_of("squares") + 1000
    await cache.each("squares", [19], squares)
    await cache.each("squares", [0], squares)
    assert squares.calls[20:] == [[0]]

    async def large() -> Any:
        return np.zeros(10_000)

    held = cache.held
    await cache.one("large", large)
    assert cache.held == held


async def test_what_is_asked_for_meanwhile_is_computed_once() -> None:
    cache, squares = Cache(), Squares()
    squares.go.clear()
    first = asyncio.create_task(cache.each("squares", [1, 2], squares))
    others = [asyncio.create_task(cache.each("squares", keys, squares)) for keys in ([2], [2, 3], [4])]
    await asyncio.sleep(0.01)
    assert squares.calls == [[1, 2], [4]]
    squares.go.set()
    assert [await first, *[await other for other in others]] == [[1, 4], [4], [4, 9], [16]]
    assert squares.calls == [[1, 2], [4], [3]]


@pytest.mark.parametrize("ends", ["cancelled", "failed"])
async def test_who_waited_in_vain_computes_it(ends: str) -> None:
    cache, go = Cache(), asyncio.Event()

    async def ended() -> int:
        await go.wait()
        raise ValueError

    async def two() -> int:
        return 2

    first = asyncio.create_task(cache.one("two", ended))
    await asyncio.sleep(0)
    second = asyncio.create_task(cache.one("two", two))
    await asyncio.sleep(0.01)
    assert not second.done()
    first.cancel() if ends == "cancelled" else go.set()
    assert await second == 2
    with pytest.raises((asyncio.CancelledError, ValueError)):
        await first


async def test_who_waits_may_leave() -> None:
    cache, squares = Cache(), Squares()
    squares.go.clear()
    first = asyncio.create_task(cache.each("squares", [1], squares))
    await asyncio.sleep(0)
    second = asyncio.create_task(cache.each("squares", [1], squares))
    await asyncio.sleep(0.01)
    second.cancel()
    squares.go.set()
    assert await first == [1]


@dataclass
class Held:
    values: Any


def test_a_size_is_what_is_kept_from_being_freed() -> None:
    matrix = np.zeros((200, 700))
    assert size_of(matrix[3]) >= matrix.nbytes  # a view holds all of it
    assert size_of(Held([matrix.copy()])) >= matrix.nbytes
    assert size_of([0.5] * 1000) >= 8 * 1000
    assert size_of([[0.5] * 1000] * 3) >= 3 * size_of([0.5] * 1000)
    assert size_of({"a": "x" * 5000}) >= 5000
    assert size_of(Row(t.scan, {str(i): i for i in range(100)})) >= 100 * size_of(1)
    assert size_of(Neighbours(np.zeros((1000, 3)))) >= 2 * 1000 * 3 * 8
    assert size_of(("responses", tuple(range(1000)))) >= 1000 * size_of(1)
    assert size_of(None) > 0


async def test_keys_count_too() -> None:
    cache = Cache()

    async def nothing(keys: list[Any]) -> list[None]:
        return [None for _ in keys]

    await cache.each(("responses", tuple(range(1000))), [1], nothing)
    assert cache.held >= 1000 * size_of(1)
