"""What a store couldn't tell within a request isn't asked again: it fails at once, by the same error.

A plan asks several tables together, graphql-core one after another. When a plan fails because the database is late or
away, graphql-core tells where: it has to meet the error at the table that failed, and not to wait for it once more.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Column

from gql_nda.errors import StoreUnavailable, Timeout
from gql_nda.query import Query, Ref, refs_of

V = TypeVar("V")

PATIENCE = 2.0
"""Seconds that a question may take at least of which only a part is known to have failed."""

Names = frozenset[str]
"""Tables, and columns of blobs."""


@dataclass
class _Outage:
    """An error, the names one of which it is about, and the seconds that a question for them may take.

    ``waiting`` are such questions under way, each with what ends it.
    """

    error: Exception
    suspects: Names
    patience: float | None
    waiting: list[tuple[Names, asyncio.Timeout]] = field(default_factory=list)

    def clear(self, names: Names) -> None:
        """Whatever has answered isn't what had failed; what it leaves needn't be waited for."""
        self.suspects -= names
        for asked, waiting in self.waiting:
            if self.suspects <= asked and not waiting.expired():
                waiting.reschedule(0)


class Outages:
    """The errors that one request's questions have met."""

    def __init__(self) -> None:
        self._known: list[_Outage] = []

    async def ask(self, question: Callable[..., Awaitable[V]], *arguments: Any) -> V:
        """The store's answer; raises what it has raised before, if all that was asked then is asked again."""
        names, begun = frozenset(_names(arguments)), asyncio.get_running_loop().time()
        for outage in self._known:
            if outage.suspects <= names:
                raise outage.error
        try:
            answer = await self._patiently(names, question(*arguments))
        except (StoreUnavailable, Timeout) as error:
            took = asyncio.get_running_loop().time() - begun
            patience = max(took / 2, PATIENCE) if isinstance(error, Timeout) else None
            self._known.append(_Outage(error, _read(error, names), patience))
            raise
        self._answered(names)
        return answer

    async def _patiently(self, names: Names, answer: Awaitable[V]) -> V:
        """An answer; one that may fail again is waited for half as long as it took, or until all else has answered."""
        doubts = [outage for outage in self._known if outage.suspects & names]
        patience = [outage.patience for outage in doubts if outage.patience is not None]
        try:
            async with asyncio.timeout(min(patience, default=None)) as waiting:
                for outage in doubts:
                    outage.waiting.append((names, waiting))
                return await answer
        except TimeoutError:
            raise next((outage for outage in doubts if outage.suspects <= names), doubts[0]).error from None
        finally:
            for outage in doubts:
                outage.waiting.remove((names, waiting))

    def _answered(self, names: Names) -> None:
        for outage in self._known:
            outage.clear(names)
        self._known = [outage for outage in self._known if outage.suspects]


def _names(arguments: Iterable[Any]) -> Iterator[str]:
    """What a question reads, by the arguments that a store's methods take."""
    for argument in arguments:
        match argument:
            case Query():
                yield argument.table.name
                yield from _of((*refs_of(argument.where), *(order.ref for order in argument.order)))
            case Column():
                yield f"{argument.table.name}.{argument.name}"
            case [Ref(), *_]:
                yield from _of(argument)


def _of(refs: Iterable[Ref]) -> Iterator[str]:
    return (relation.table.name for ref in refs for relation in ref.path)


def _read(error: Exception, names: Names) -> Names:
    """Which of the names the statement has that failed: of several, a store may read one by one."""
    statement = getattr(error.__cause__, "statement", None) or ""
    return frozenset(name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", statement)) or names
