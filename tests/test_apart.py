"""Work on many rows is done in a thread, where it holds no other request up; on a few it isn't worth one."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from gql_nda import apart
from gql_nda.context import Context
from gql_nda.dataset import Dataset
from gql_nda.planner import connections
from gql_nda.planner.batches import Many
from gql_nda.resolvers import aggregates
from gql_nda.schema import build_schema
from gql_nda.science import distributions
from gql_nda.stores import Store, columns


async def test_so_many_rows_are_many() -> None:
    here = threading.get_ident()
    assert await apart.apart(apart.AT_ONCE, threading.get_ident) == here
    assert await apart.apart(apart.AT_ONCE + 1, threading.get_ident) != here


async def test_an_error_comes_back() -> None:
    for rows in (0, apart.AT_ONCE + 1):
        with pytest.raises(ValueError, match="two"):
            await apart.apart(rows, int, "two")


def seen(function: Callable[..., Any], threads: set[int]) -> Callable[..., Any]:
    """The function, which tells what threads it runs in."""

    def run(*arguments: Any, **named: Any) -> Any:
        threads.add(threading.get_ident())
        return function(*arguments, **named)

    return run


WORK = [
    (Many, "render", "nodes { umX }"),
    (connections, "_cursors", "edges { cursor }"),
    (columns, "frame", "nodes { umX }"),
    (aggregates, "_grouped", "groups(by: [BRAIN_AREA]) { count }"),
    (aggregates, "_statistics", "statistics(of: PEARSON) { mean }"),
    (aggregates, "_histogram", "histogram(of: PEARSON) { counts }"),
    (distributions, "percentiles", "statistics(of: PEARSON) { percentiles(at: [50]) }"),
]


@pytest.mark.parametrize("most", [10, 1_000])
@pytest.mark.parametrize(("where", "name", "asked"), WORK, ids=[name for _, name, _ in WORK])
async def test_what_takes_long_is_done_in_a_thread(
    where: Any, name: str, asked: str, most: int, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page has 100 rows, and all are 160: many, if there may be no more than ten at once."""
    threads: set[int] = set()
    monkeypatch.setattr(where, name, seen(getattr(where, name), threads))
    monkeypatch.setattr(apart, "AT_ONCE", most)
    context = Context(sqlite_store, Dataset(sqlite_store))
    result = await build_schema().answer(f"{{ units {{ {asked} }} }}", None, None, context)
    assert not result.errors
    assert threads
    assert (threading.get_ident() in threads) == (most > 160)


# --- what needs much memory -------------------------------------------------------------------------


class Work:
    """Pieces of work that wait to be told to end, and how many are at it."""

    def __init__(self) -> None:
        self.go, self.begun, self.at_it, self.most = threading.Event(), asyncio.Event(), 0, 0

    async def prepare(self) -> str:
        self.at_it += 1
        self.most = max(self.most, self.at_it)
        self.begun.set()
        await asyncio.sleep(0)
        return "prepared"

    def work(self, prepared: str) -> str:
        assert self.go.wait(20)
        self.at_it -= 1
        return prepared


async def test_no_more_pass_a_gate_than_it_has_places() -> None:
    gate, work = apart.Gate(2), Work()
    tasks = [asyncio.create_task(gate.run(work.prepare, work.work)) for _ in range(5)]
    await work.begun.wait()
    for _ in range(20):
        await asyncio.sleep(0)
    assert work.at_it == 2
    work.go.set()
    assert await asyncio.gather(*tasks) == ["prepared"] * 5
    assert work.most <= 3  # a thread has left the work before its place is free


async def test_who_leaves_gives_his_place_when_his_thread_ends() -> None:
    gate, first, second = apart.Gate(1), Work(), Work()
    left = asyncio.create_task(gate.run(first.prepare, first.work))
    await first.begun.wait()
    for _ in range(5):
        await asyncio.sleep(0)
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    following = asyncio.create_task(gate.run(second.prepare, second.work))
    for _ in range(20):
        await asyncio.sleep(0)
    assert second.at_it == 0
    first.go.set()
    second.go.set()
    assert await following == "prepared"


async def test_what_fails_gives_its_place() -> None:
    gate, work = apart.Gate(1), Work()
    work.go.set()

    async def fail() -> str:
        raise ValueError("prepared badly")

    with pytest.raises(ValueError, match="prepared badly"):
        await gate.run(fail, work.work)
    with pytest.raises(ValueError, match="invalid literal"):
        await gate.run(work.prepare, int)
    assert await gate.run(work.prepare, work.work) == "prepared"


@pytest.mark.parametrize(("count", "expected"), [(5, ["other", 0, 1, "other", 2, 3, "other", 4]), (2, [0, 1]), (0, [])])
async def test_others_go_between_portions(count: int, expected: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "PORTION", 2)
    seen: list[Any] = []

    async def other() -> None:
        while True:
            seen.append("other")
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    async for item in apart.Turnstile().through(range(count)):
        seen.append(item)  # noqa: PERF401
    task.cancel()
    assert seen == expected


async def test_a_turnstile_lets_one_pass_a_round() -> None:
    turnstile, rounds, passed = apart.Turnstile(), 0, list[int]()

    async def clock() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await asyncio.sleep(0)

    async def one() -> None:
        await turnstile.turn()
        passed.append(rounds)

    ticking = asyncio.create_task(clock())
    await asyncio.gather(*(one() for _ in range(9)))
    ticking.cancel()
    assert len(set(passed)) == 9
