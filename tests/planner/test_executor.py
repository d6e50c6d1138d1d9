"""Plans are remembered, within bounds; answers are given as who asks for them wants them."""

import gc
from functools import partial
from typing import Any

import orjson
import pytest
from graphql import GraphQLError

from gql_nda.context import Context
from gql_nda.dataset import Dataset
from gql_nda.limits import Limits
from gql_nda.planner.executor import Plans
from gql_nda.schema import Schema, build_schema, public
from gql_nda.stores import Store
from gql_nda.stores.snapshot import SnapshotStore
from gql_nda.stores.sql import SqlStore

LEAVING = """query ($out: Boolean = false, $in: Boolean = true) {
  scans(first: 2) { nodes { fps @skip(if: $out) ...N fields(first: 1) { totalCount @include(if: $in) } } } }
fragment N on Scan { nframes @include(if: $in) }"""


NOBODY = "{ scan(session: 1, scanIdx: 1) { fps } }"


async def answered(schema: Schema, store: Store, text: str, *, fragments: bool = False, **given: Any) -> Any:
    """The data of an answer that was planned whole."""
    context = Context(store, Dataset(store), fragments=fragments)
    result = await schema.answer(text, given, None, context)
    assert not result.errors
    assert (context.planning.planned > 0, context.planning.fallbacks) == (True, {})
    return result.data


# --- what is remembered ----------------------------------------------------------------------------


def made(plans: Plans, *keys: int) -> list[int]:
    """Which of the keys something is made for."""
    new: list[int] = []

    def make(key: int) -> int:
        new.append(key)
        return -key

    for key in keys:
        assert plans.get((key,), None, partial(make, key)) == -key
    return new


def test_a_plan_is_made_once() -> None:
    assert made(Plans(), 1, 2, 1, 2) == [1, 2]


def test_the_one_used_longest_ago_is_made_again() -> None:
    plans = Plans(2)
    assert made(plans, 1, 2, 1, 3) == [1, 2, 3]  # forgets 2
    assert made(plans, 1, 3, 2) == [2]


@pytest.mark.parametrize("most", [0, 1, 7])
def test_no_more_is_remembered_than_told(most: int) -> None:
    plans = Plans(most)
    assert made(plans, *range(20)) == [*range(20)]
    assert len(plans._known) == most
    assert made(plans, 19) == ([] if most else [19])


def test_what_can_not_be_made_is_not_remembered() -> None:
    plans = Plans()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            plans.get((1,), None, lambda: 1 / 0)
    assert made(plans, 1) == [1]


@pytest.mark.parametrize("cached", [0, 256])
async def test_all_is_planned_whatever_is_remembered(cached: int, sqlite_store: Store) -> None:
    schema = build_schema(cached_documents=cached)
    first, second = [await answered(schema, sqlite_store, LEAVING) for _ in range(2)]
    assert first == second
    assert first["scans"]["nodes"][0].keys() == {"fps", "nframes", "fields"}


async def test_what_variables_leave_out_is_not_in_the_plan(sqlite_store: Store) -> None:
    """One document, known by now, asked with each value of its conditions, and by its defaults again."""
    schema = build_schema()
    given = [{}, {"out": True}, {"in": False}, {"out": True, "in": False}, {}]
    answers = [await answered(schema, sqlite_store, LEAVING, **each) for each in given]
    shown = [(set(node), set(node["fields"])) for node in (answer["scans"]["nodes"][1] for answer in answers)]
    whole = ({"fps", "nframes", "fields"}, {"totalCount"})
    assert shown == [
        whole,
        ({"nframes", "fields"}, {"totalCount"}),
        ({"fps", "fields"}, set()),
        ({"fields"}, set()),
        whole,
    ]


# --- how it is given -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["{ it: scans(first: 2) { nodes { fps } } }", "{ it: scan(session: 4, scanIdx: 7) { fps } }"]
)
async def test_json_stands_in_the_data_only_for_who_asks_for_it(text: str, sqlite_store: Store) -> None:
    schema = build_schema()
    plain = await answered(schema, sqlite_store, text)
    given = await answered(schema, sqlite_store, text, fragments=True)
    assert isinstance(given["it"], orjson.Fragment)
    assert isinstance(plain["it"], dict)
    assert orjson.dumps(given) == orjson.dumps(plain)


async def test_no_row_is_null_for_everyone(sqlite_store: Store) -> None:
    for fragments in (False, True):
        data = await answered(build_schema(), sqlite_store, NOBODY, fragments=fragments)
        assert data == {"scan": None}


@pytest.mark.parametrize("planned", [True, False])
async def test_one_question_under_two_names_is_asked_and_counted_once(planned: bool, sqlite_store: SqlStore) -> None:
    psth = 'psth(conditionHash: "KXdTNAGMo1gCWz2Ge8zr") { mean }'
    context = Context(sqlite_store, Dataset(sqlite_store), Limits(operation_values=300))  # two of them are 378 numbers
    text = f'{{ unit(strKey: "04_07_000002") {{ a: {psth} b: {psth} }} }}'
    answer = await build_schema(planned=planned).execute(text, context_value=context)
    assert not answer.errors
    assert answer.data
    assert answer.data["unit"]["a"] == answer.data["unit"]["b"]
    assert answer.data["unit"]["a"]["mean"]


async def test_many_errors_leave_nothing_for_the_collector(sqlite_store: SqlStore) -> None:
    text = '{ units(first: 160) { nodes { emPosition(type: "none") { x } } } }'
    schema = build_schema()

    async def asked() -> None:
        context = Context(sqlite_store, Dataset(sqlite_store))
        answer = await schema.answer(text, None, None, context)
        context.loaders.close()
        assert len(public(answer.errors or [])) == 160

    def errors() -> int:
        return sum(isinstance(each, GraphQLError) for each in gc.get_objects())

    await asked()
    gc.collect()
    gc.disable()
    try:
        before = errors()  # what other tests have left, which pytest and the cached documents keep
        await asked()
        left = errors() - before
    finally:
        gc.enable()
    assert left < 10


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ('{ unit(strKey: "04_07_000001") { umX oracle { pearson } } }', 0),
        ("{ dataset { name } scans { edges { cursor node { fields { nodes { fieldIdx } } } } } }", 0),
        ("{ units(first: 100) { totalCount nodes { unitId } groups(by: [BRAIN_AREA]) { count } } }", 0),
        # SQLAlchemy's lists of keys hold themselves
        ("{ units(first: 100) { nodes { scan { fps } fluorescence { values(stop: 100) } } } }", 500),
        ("{ units(first: 100) { nodes { directionTuning { gOSI } } } }", 500),
    ],
)
async def test_an_answer_is_freed_with_its_last_reference(text: str, most: int, snapshot_store: SnapshotStore) -> None:
    schema, dataset = build_schema(), Dataset(snapshot_store)

    async def asked() -> None:
        context = Context(snapshot_store, dataset)
        answer = await schema.answer(text, None, None, context)
        context.loaders.close()
        assert answer.data
        assert not answer.errors

    async def left() -> int:
        gc.collect()
        gc.disable()
        try:
            await asked()
            return gc.collect()
        finally:
            gc.enable()

    await asked()  # makes what is kept
    assert min([await left() for _ in range(5)]) <= most  # other tests' stores have tasks on this loop, too
