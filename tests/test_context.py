"""Operations that are refused as a whole: one error, whatever is under way and however many rows it concerns."""

import asyncio

import pytest

from gql_nda.context import Context
from gql_nda.dataset import Dataset
from gql_nda.errors import ArrayTooLarge, LimitExceeded, PublicError
from gql_nda.limits import Limits
from gql_nda.schema import public
from gql_nda.stores.sql import SqlStore
from tests.planner.agreement import schemas
from tests.support.client import Statements, serving

ORACLE = "KXdTNAGMo1gCWz2Ge8zr"
ERROR = LimitExceeded("enough")

PAGES = [
    f'units(first: 10000) {{ nodes {{ strKey psth(conditionHash: "{ORACLE}") {{ mean }} }} }}',
    "units(first: 10000) { edges { node { responses(type: CLIP) { times } oracle { pearson } } } }",
    "scans { nodes { units { nodes { trialMeans { mean } fluorescence { shape } } } } }",
    "units(first: 100) { nodes { directionTuning { gOSI } } }",
    "units(first: 100) { nodes { mask { footprint { rows } } oracleRaster { times } } }",
    "scan(session: 4, scanIdx: 7) { units { nodes { mask { contour { lines { rows } } } } } }",
    "scan(session: 4, scanIdx: 7) { epochs(running: {gt: 1}) { nframes } conditions { repeats } }",
    "scan(session: 4, scanIdx: 7) { stimulus { trials { nodes { areaResponses(units: 2) { mean } } } } }",
    "unitsNear(point: {x: 700, y: 700, z: 300}, frame: STACK, radius: 5000) { unit { directionTuning { OSI } } }",
]


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_that_is_too_much_is_one_error(page: str, sqlite_store: SqlStore) -> None:
    answers = []
    for schema in schemas()[:2]:  # planned, and by graphql-core
        context = Context(sqlite_store, Dataset(sqlite_store), Limits(operation_values=1))
        text = f"{{ {page} beside: scan(session: 4, scanIdx: 7) {{ fps }} }}"
        answers += [await schema.execute(text, context_value=context)]
        again = Context(sqlite_store, Dataset(sqlite_store), Limits(operation_values=1))
        answers += [await schema.answer(text, None, None, again)]
    for answer in answers:
        (error,) = public(answer.errors or ())
        assert answer.data is None
        assert "path" not in error
        assert error["extensions"] == {"code": "ARRAY_TOO_LARGE", "limit": "operation_values", "maximum": 1}


async def test_no_trace_is_read_for_it(sqlite_store: SqlStore) -> None:
    statements = Statements(sqlite_store)
    async with serving(sqlite_store, limits={"operation_values": 1000}) as client:
        await client.error(f"{{ {PAGES[0]} }}")
        assert not [statement for statement in statements if "activity" in statement]
        assert await client.data(f"{{ {PAGES[0].replace('10000', '1')} }}")


async def test_over_http_nothing_was_executed(sqlite_store: SqlStore) -> None:
    async with serving(sqlite_store, limits={"operation_values": 1}) as client:
        accept = {"accept": "application/graphql-response+json"}
        response = await client.http.post("/graphql", json={"query": f"{{ {PAGES[0]} }}"}, headers=accept)
    assert response.status_code == 400
    assert list(response.json()) == ["errors"]


# --- how -------------------------------------------------------------------------------------------


@pytest.fixture
def context(sqlite_store: SqlStore) -> Context:
    return Context(sqlite_store, Dataset(sqlite_store))


async def test_what_is_under_way_is_ended(context: Context) -> None:
    ended = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def operation() -> None:
        await asyncio.gather(endless(), endless(), refused(context, ERROR))

    with pytest.raises(LimitExceeded, match="enough"):
        await context.unless_refused(operation())
    assert ended == [True, True]
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


async def test_the_first_of_several_refusals_is_told(context: Context) -> None:
    refusals = [refused(context, LimitExceeded(f"number {i}")) for i in range(3)]

    async def operation() -> None:
        await asyncio.gather(*refusals)

    with pytest.raises(LimitExceeded, match="number 0"):
        await context.unless_refused(operation())


async def test_who_is_cancelled_besides_stays_cancelled(context: Context) -> None:
    async def operation() -> None:
        task.cancel()  # a client that leaves, say
        context.refuse(ERROR)

    task = asyncio.create_task(context.unless_refused(operation()))
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_deadline_is_a_deadline(context: Context) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await context.unless_refused(asyncio.sleep(60))


async def test_without_an_operation_the_error_is_the_callers(context: Context) -> None:
    with pytest.raises(LimitExceeded):
        context.refuse(ERROR)
    await asyncio.sleep(0)  # and this task goes on


async def test_values_count_up_to_the_limit(context: Context) -> None:
    async def operation() -> None:
        context.spend_values(context.limits.operation_values)
        counted.append(True)
        context.spend_values(1)

    counted: list[bool] = []
    with pytest.raises(ArrayTooLarge):
        await context.unless_refused(operation())
    assert counted


async def refused(context: Context, error: PublicError) -> None:
    """What meets a limit beside others."""
    context.refuse(error)
