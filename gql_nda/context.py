"""What the resolvers of one request share."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

from graphql.pyutils import Path

from gql_nda.cache import Cache
from gql_nda.dataset import Dataset
from gql_nda.errors import ArrayTooLarge, LimitExceeded, PublicError
from gql_nda.limits import Limits
from gql_nda.loaders import Loaders
from gql_nda.spending import Spent
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
    _values: Spent = field(default_factory=Spent)
    _groups: Spent = field(default_factory=Spent)
    _points: Spent = field(default_factory=Spent)
    _lists: float = 0
    _held: int = 0
    _told: int = 0
    _operation: asyncio.Task[Any] | None = None
    _refusal: PublicError | None = None
    _ended: bool = False

    def __post_init__(self) -> None:
        self.loaders = Loaders(self.store)

    # --- too much -------------------------------------------------------------------------------------

    async def unless_refused(self, operation: Awaitable[T]) -> T:
        """What an operation answers, awaited by this task; raises the error by which ``refuse`` has ended it."""
        self._operation = task = asyncio.current_task()
        assert task is not None
        before = task.cancelling()
        try:
            answered = await operation
        except (Exception, asyncio.CancelledError):
            if self._refusal is None:
                raise
        finally:
            self._operation = None
            if self._ended:
                task.uncancel()
        if self._refusal is not None:
            if task.cancelling() > before:
                raise asyncio.CancelledError  # for another reason, too
            raise self._refusal
        return answered

    def refuse(self, error: PublicError) -> NoReturn:
        """End the whole operation by one error: whichever field is one too many is a matter of their order."""
        if self._refusal is None:
            self._refusal = error
            # what has been made beside it begins before: ended unbegun, it would be warned of
            asyncio.get_running_loop().call_soon(self._end)
        raise self._refusal

    def _end(self) -> None:
        if self._operation is not None:
            self._ended = self._operation.cancel()

    # --- what is counted ------------------------------------------------------------------------------

    def spend_values(self, count: int, at: Path | None = None) -> None:
        """Count values of arrays and histograms towards what one operation may return; ``at`` tells of which field."""
        self._values.add(count, at)
        self._check()

    def spend_groups(self, count: int, at: Path) -> None:
        """Count a field's groups towards what one operation may return."""
        self._groups.add(count, at)
        self._check()

    def spend_points(self, count: int, instead: str) -> None:
        """Count points towards what one operation may take through transforms; ``instead`` says how to need fewer."""
        self._points.add(count)
        most = self.limits.points
        if self._points.total > most:
            message = f"points: more than {most} points through transforms in one operation; {instead}"
            self.refuse(LimitExceeded(message, limit="points", maximum=most))

    def spent(self, path: Path) -> bool:
        """Whether anything was counted at a path, or below."""
        return bool(self._values.below(path) or self._groups.below(path))

    def spend_again(self, told: Path, at: Path) -> None:
        """Count at another path what was counted below one: it is told there as well, and not executed again."""
        self._values.repeat(told, at)
        self._groups.repeat(told, at)
        self._check()

    def _check(self) -> None:
        values, groups = self.limits.operation_values, self.limits.groups
        if self._values.total > values:
            message = f"operation_values: more than {values} values in one operation; ask for fewer (arrays: href)"
            self.refuse(ArrayTooLarge(message, limit="operation_values", maximum=values))
        if self._groups.total > groups:
            message = f"groups: more than {groups} groups in one operation; group by less, or filter"
            self.refuse(LimitExceeded(message, limit="groups", maximum=groups))

    # --- bytes ----------------------------------------------------------------------------------------

    def hold(self, size: int) -> None:
        """Count JSON that is about to be made, less what it takes the place of: what is under way at a time."""
        self._held += size
        self._fits(self._held)

    def tell(self, size: int) -> None:
        """Count JSON of the answer."""
        self._told += size
        self._fits(self._told)

    def tell_lists(self, size: int) -> None:
        """Count bytes of lists that graphql-core completes: half of them, for a row may be executed again."""
        self._lists += size / 2
        self._fits(self._lists)

    def _fits(self, size: float) -> None:
        most = self.limits.answer_bytes
        if size > most:
            message = f"answer_bytes: the answer has more than {most} bytes; ask for less at a time"
            self.refuse(LimitExceeded(message, limit="answer_bytes", maximum=most))
