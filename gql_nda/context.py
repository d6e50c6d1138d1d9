"""What the resolvers of one request share."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

from gql_nda.cache import Cache
from gql_nda.dataset import Dataset
from gql_nda.errors import ArrayTooLarge, LimitExceeded, PublicError
from gql_nda.limits import Limits
from gql_nda.loaders import Loaders
from gql_nda.stores import Store

T = TypeVar("T")


@dataclass
class Planning:
    """How an operation was executed.

    ``planned`` answers came from a plan; ``delegated`` counts fields of plans that graphql-core executed, by name;
    ``fallbacks`` counts rows and answers that a plan couldn't say, by cause: the first field that couldn't be said.
    """

    planned: int = 0
    delegated: Counter[str] = field(default_factory=Counter)
    fallbacks: Counter[str] = field(default_factory=Counter)


@dataclass
class Context:
    """One request: its loaders, its limits, and the address that array hrefs start with; the cache is all requests'.

    With ``fragments``, planned answers stand in the result's data as JSON (``orjson.Fragment``).
    """

    store: Store
    dataset: Dataset
    limits: Limits = field(default_factory=Limits)
    base_url: str = ""
    fragments: bool = False
    cache: Cache = field(default_factory=Cache)
    planning: Planning = field(default_factory=Planning)
    loaders: Loaders = field(init=False)
    _values: int = 0
    _groups: int = 0
    _points: int = 0
    _operation: asyncio.Task[Any] | None = None
    _refusal: PublicError | None = None

    def __post_init__(self) -> None:
        self.loaders = Loaders(self.store)

    async def unless_refused(self, operation: Awaitable[T]) -> T:
        """What an operation answers, awaited by this task; raises the error by which ``refuse`` has ended it."""
        self._operation = task = asyncio.current_task()
        assert task is not None
        before = task.cancelling()
        try:
            return await operation
        except asyncio.CancelledError:
            if self._refusal is None or task.uncancel() > before:  # it is for another reason, too
                raise
            raise self._refusal from None
        finally:
            self._operation = None

    async def refuse(self, error: PublicError) -> NoReturn:
        """End the whole operation by one error: thousands of rows that are refused alike would have one each."""
        if self._operation is None:
            raise error
        await asyncio.sleep(0)  # what has been made beside it begins: ended before, it would be warned of
        if self._operation is not None and self._refusal is None:
            self._refusal = error
            self._operation.cancel()
        await asyncio.get_running_loop().create_future()  # nothing but the end of the operation ends this
        raise AssertionError

    async def claim_values(self, count: int) -> None:
        """Count values as ``spend_values`` does; what is too many refuses the operation."""
        try:
            self.spend_values(count)
        except ArrayTooLarge as error:
            await self.refuse(error)

    def spend_values(self, count: int) -> None:
        """Count values of arrays and histograms towards what one operation may return."""
        self._values += count
        most = self.limits.operation_values
        if self._values > most:
            message = f"operation_values: more than {most} values in one operation; ask for fewer (arrays have an href)"
            raise ArrayTooLarge(message, limit="operation_values", maximum=most)

    def spend_groups(self, count: int) -> None:
        """Count groups towards what one operation may return."""
        self._groups += count
        most = self.limits.groups
        if self._groups > most:
            message = f"groups: more than {most} groups in one operation; group by less, or filter"
            raise LimitExceeded(message, limit="groups", maximum=most)

    def spend_points(self, count: int, instead: str) -> None:
        """Count points towards what one operation may take through transforms; ``instead`` says how to need fewer."""
        self._points += count
        most = self.limits.points
        if self._points > most:
            message = f"points: more than {most} points through transforms in one operation; {instead}"
            raise LimitExceeded(message, limit="points", maximum=most)
