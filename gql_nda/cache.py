"""Derived values that are dear, kept as long as there is room."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import numpy as np

from gql_nda.apart import Gate

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

LEAST = 200
"""Bytes that a value is taken to need at least, with its key."""


class Cache:
    """Values by key, of at most so many bytes together; the least recently used are dropped.

    What is kept is derived from data that doesn't change while a server runs. Who computes what needs much memory
    goes through ``large``.
    """

    def __init__(self, most: int = 64 << 20) -> None:
        self._most, self._held = most, 0
        self._known: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._turns: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()
        self.large = Gate(2)

    @property
    def held(self) -> int:
        """Bytes of all values together."""
        return self._held

    async def one(self, key: Hashable, compute: Callable[[], Awaitable[V]]) -> V:
        """The value of a key, computed unless it is known; an error is nobody's but the caller's.

        Who asks while another computes it waits, and computes it only if the other had no luck, or left.
        """
        turn = self._turns.setdefault(key, asyncio.Lock())
        async with turn:
            if key in self._known:
                return self._get(key)  # type: ignore[no-any-return]
            value = await compute()
            self._keep(key, value)
            return value

    async def each(
        self, name: Hashable, keys: Sequence[K], compute: Callable[[list[K]], Awaitable[Sequence[V]]]
    ) -> list[V]:
        """The values of several keys: those that aren't known are computed in one call. Errors aren't kept."""
        known = {key: self._get((name, key)) for key in keys if (name, key) in self._known}
        missing = [key for key in dict.fromkeys(keys) if key not in known]
        for key, value in zip(missing, await compute(missing) if missing else [], strict=True):
            known[key] = value
            self._keep((name, key), value)
        return [known[key] for key in keys]

    def _get(self, key: Hashable) -> Any:
        self._known.move_to_end(key)
        return self._known[key][0]

    def _keep(self, key: Hashable, value: Any) -> None:
        size = size_of(value)
        if isinstance(value, BaseException) or size > self._most:
            return
        self._held += size - self._known.pop(key, (None, 0))[1]
        self._known[key] = value, size
        while self._held > self._most:
            self._held -= self._known.popitem(last=False)[1][1]


def size_of(value: Any) -> int:
    """About how many bytes a value takes: its arrays and numbers, however they are held together."""
    if isinstance(value, np.ndarray):
        return LEAST + value.nbytes
    if isinstance(value, str | bytes):
        return LEAST + len(value)
    if isinstance(value, list | tuple):
        simple = all(isinstance(item, float | int | None) for item in value)
        return LEAST + (32 * len(value) if simple else sum(map(size_of, value)))
    if is_dataclass(value):
        return LEAST + sum(size_of(getattr(value, field.name)) for field in fields(value))
    return LEAST
