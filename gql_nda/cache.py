"""Derived values that are dear, kept as long as there is room."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np

from gql_nda.apart import Gate

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Cache:
    """Values by key, of at most so many bytes together; the least recently used are dropped.

    What is kept is derived from data that doesn't change while a server runs. What is asked for while it is being
    computed isn't computed twice. Who computes what needs much memory goes through ``large``, who reads traces
    or masks through ``traces``, who reads arrays that are computed through ``arrays``, before ``large``: few of all
    requests at a time.
    """

    def __init__(self, most: int = 64 << 20) -> None:
        self._most, self._held = most, 0
        self._known: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._running: dict[Hashable, asyncio.Future[None]] = {}
        self.large, self.traces, self.arrays = Gate(2), Gate(4), Gate(2)

    @property
    def held(self) -> int:
        """Bytes of all values together."""
        return self._held

    async def one(self, key: Hashable, compute: Callable[[], Awaitable[V]]) -> V:
        """The value of a key, computed unless it is known; an error is nobody's but the caller's."""

        async def alone(_: list[None]) -> Sequence[V]:
            return [await compute()]

        return (await self.each(key, [None], alone))[0]

    async def each(
        self, name: Hashable, keys: Sequence[K], compute: Callable[[list[K]], Awaitable[Sequence[V]]]
    ) -> list[V]:
        """The values of several keys: those that aren't known are computed in one call. Errors aren't kept.

        What another computes is waited for, and computed only if that one had no luck, or left.
        """
        while others := {self._running[name, key] for key in keys if (name, key) in self._running}:
            await asyncio.wait(others)
        known = {key: self._get((name, key)) for key in keys if (name, key) in self._known}
        missing = [key for key in dict.fromkeys(keys) if key not in known]
        for key, value in zip(missing, await self._computed(name, missing, compute), strict=True):
            known[key] = value
            self._keep((name, key), value)
        return [known[key] for key in keys]

    async def _computed(
        self, name: Hashable, keys: list[K], compute: Callable[[list[K]], Awaitable[Sequence[V]]]
    ) -> Sequence[V]:
        """The values, under way as long as it takes."""
        if not keys:
            return []
        ended = asyncio.get_running_loop().create_future()
        self._running |= {(name, key): ended for key in keys}
        try:
            return await compute(keys)
        finally:
            for key in keys:
                del self._running[name, key]
            ended.set_result(None)

    def _get(self, key: Hashable) -> Any:
        self._known.move_to_end(key)
        return self._known[key][0]

    def _keep(self, key: Hashable, value: Any) -> None:
        size = size_of(key) + size_of(value)
        if isinstance(value, BaseException) or size > self._most:
            return
        self._held += size - self._known.pop(key, (None, 0))[1]
        self._known[key] = value, size
        while self._held > self._most:
            self._held -= self._known.popitem(last=False)[1][1]


LEAST = 100
"""Bytes that an object is taken to need besides what it holds."""

NUMBER = 32
"""Bytes of a number, with its place in a list."""


def size_of(value: Any) -> int:
    """About how many bytes a value takes, and keeps from being freed: its arrays and numbers, however they are held."""
    match value:
        case None | int() | float():
            return NUMBER
        case np.ndarray():
            whole = value.base if isinstance(value.base, np.ndarray) else value
            return LEAST + int(whole.nbytes)
        case str() | bytes():
            return LEAST + len(value)
        case [None | int() | float(), *_] if type(value) is list:  # of numbers, which aren't looked at one by one
            return LEAST + NUMBER * len(value)
        case list() | tuple() | set() | frozenset():
            return LEAST + _sum(value)
        case dict():
            return LEAST + _sum(value) + _sum(value.values())
    return LEAST + _sum(_held(value))


def _sum(values: Iterable[Any]) -> int:
    return sum(map(size_of, values))


def _held(value: Any) -> Iterable[Any]:
    """What an object of ours holds; a tree of SciPy's holds its points, and about as much again."""
    if is_dataclass(value):
        return [getattr(value, field.name) for field in fields(value)]
    data = getattr(value, "data", None)
    return [data, data] if isinstance(data, np.ndarray) else list(getattr(value, "__dict__", {}).values())
