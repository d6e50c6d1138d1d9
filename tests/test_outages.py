"""What a store couldn't tell isn't asked again, and what it can is."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from gql_nda import outages
from gql_nda import tables as t
from gql_nda.errors import StoreUnavailable, Timeout
from gql_nda.outages import Outages
from gql_nda.query import Compare, Query, Ref, up

UNITS, ORACLE, STACK = Query(t.scan_unit), Query(t.oracle), Query(t.stack_unit)
PEARSON = Ref(t.oracle.c.pearson, (up(t.scan_unit, t.oracle),))
STACK_X = Ref(t.stack_unit.c.stack_x, (up(t.scan_unit, t.stack_unit),))


class Asked:
    """A store that raises for some tables, and notes what it is asked."""

    def __init__(self, *bad: str, error: type[Exception] = Timeout, told: bool = True) -> None:
        self.bad, self.error, self.told = bad, error, told
        self.asked: list[tuple[Any, ...]] = []

    async def __call__(self, query: Any, refs: Any = ()) -> str:
        self.asked.append((query, *refs))
        names = [query.table.name, *(ref.path[0].table.name for ref in refs)]
        for name in set(names) & set(self.bad):
            statement = f"SELECT pearson FROM `{name}` WHERE 1" if self.told else ""
            raise self.error("away") from DBAPIError(statement, None, Exception())
        return query.table.name  # type: ignore[no-any-return]


async def failing(outages: Outages, store: Any, *arguments: Any) -> Exception:
    with pytest.raises((Timeout, StoreUnavailable, RuntimeError)) as raised:
        await outages.ask(store, *arguments)
    return raised.value


@pytest.mark.parametrize("error", [Timeout, StoreUnavailable])
async def test_the_table_that_failed_fails_at_once_by_the_same_error(error: type[Exception]) -> None:
    store, found = Asked("oracle", error=error), Outages()
    first = await failing(found, store, UNITS, (PEARSON, STACK_X))
    assert await failing(found, store, ORACLE, ()) is first
    assert await failing(found, store, Query(t.scan_unit, where=Compare(PEARSON, "gt", 0.0)), ()) is first
    assert len(store.asked) == 1
    assert [await found.ask(store, UNITS), await found.ask(store, STACK)] == ["scan_unit", "stack_unit"]


async def test_what_answers_by_itself_is_cleared() -> None:
    store, found = Asked("oracle", told=False), Outages()
    first = await failing(found, store, UNITS, (PEARSON,))
    assert await failing(found, store, UNITS, (PEARSON,)) is first
    assert await found.ask(store, UNITS) == "scan_unit"
    assert await failing(found, store, ORACLE) is first
    assert len(store.asked) == 2


async def test_of_several_that_may_be_late_each_is_asked_and_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "PATIENCE", 0.01)
    store, found = Asked("oracle", told=False), Outages()
    first = await failing(found, store, UNITS, (PEARSON, STACK_X))
    assert await found.ask(store, STACK) == "stack_unit"

    async def never(*_: Any) -> None:
        await asyncio.Event().wait()

    assert await failing(found, never, ORACLE) is first


async def test_who_waits_for_what_failed_waits_no_longer_than_for_the_others() -> None:
    store, found = Asked("oracle", told=False), Outages()
    first = await failing(found, store, UNITS, (PEARSON, STACK_X))

    async def never(*_: Any) -> None:
        await asyncio.Event().wait()

    async with asyncio.timeout(outages.PATIENCE / 2):
        waiting = asyncio.create_task(failing(found, never, ORACLE))
        await asyncio.sleep(0)
        assert [await found.ask(store, UNITS), await found.ask(store, STACK)] == ["scan_unit", "stack_unit"]
        assert await waiting is first


async def test_blobs_are_asked_apart_from_their_table() -> None:
    store, found = Asked("oracle"), Outages()

    async def late(_column: Any, _keys: Any) -> None:
        raise Timeout("late")

    first = await failing(found, late, t.activity.c.trace, [(4, 7, 1)])
    assert await failing(found, store, t.activity.c.trace, [(4, 7, 2)]) is first
    assert await found.ask(store, Query(t.activity)) == "activity"


async def test_what_is_unforeseen_is_asked_again() -> None:
    store, found = Asked("oracle", error=RuntimeError), Outages()
    await failing(found, store, ORACLE)
    await failing(found, store, ORACLE)
    assert len(store.asked) == 2
