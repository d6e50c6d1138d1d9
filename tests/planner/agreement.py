"""Planned execution and graphql-core alone, asked the same: their answers must be equal.

``data`` must be equal to the byte, and no object may have a key twice. Errors are sorted by their path
and must be equal in message, path, places and extensions; the reference id of a masked one, random, is left out.

One thing graphql-core leaves to timing. Where an error nulls a position above its own path, the first error to get
there is told, with those below that were met before; all others below are dropped. So of the errors below a position
that they nulled both answers must have one at least, and each must be one that graphql-core finds when errors aren't
propagated: then it tells all of them, at their own places.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, NamedTuple

import orjson
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gql_nda.context import Context, Planning
from gql_nda.dataset import Dataset
from gql_nda.keys import decode64
from gql_nda.limits import Limits
from gql_nda.schema import Schema, build_schema, public
from gql_nda.stores import Store
from tests.planner.documents import Case

Errors = list[dict[str, Any]]
Position = tuple[str | int, ...]


class Answer(NamedTuple):
    """A whole response: data as it was printed, errors by path, and how it came about."""

    data: bytes
    errors: Errors
    planning: Planning


class _Unpropagated(StrawberryGraphQLCoreExecutionContext):
    """graphql-core that leaves errors where they are: nothing is null for what is below it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.error_propagation = False


@dataclass
class Tally:
    """Which path ran, over many documents."""

    documents: int = 0
    whole: int = 0
    planned: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    delegated: Counter[str] = field(default_factory=Counter)
    fallbacks: Counter[str] = field(default_factory=Counter)

    def add(self, answer: Answer) -> None:
        """Count one planned answer."""
        self.documents += 1
        self.whole += not answer.planning.fallbacks
        self.planned += answer.planning.planned
        self.errors.update(error["extensions"]["code"] for error in answer.errors)
        self.delegated += answer.planning.delegated
        self.fallbacks += answer.planning.fallbacks

    @property
    def share(self) -> float:
        """Documents that were planned whole, of all."""
        return self.whole / max(self.documents, 1)


class Disagreement(AssertionError):
    """Both executors answer a document differently."""

    def __init__(self, case: Case, difference: str) -> None:
        super().__init__(f"{difference}\n{case!r}")
        self.case, self.difference = case, difference


@cache
def schemas() -> tuple[Schema, Schema, Schema]:
    """The planning one, the plain one, and one that doesn't propagate errors: a document is parsed once for all."""
    planned, plain, unpropagated = build_schema(), build_schema(planned=False), build_schema(planned=False)
    unpropagated.execution_context_class = _Unpropagated
    for schema in (plain, unpropagated):
        schema.extensions = planned.extensions
    return planned, plain, unpropagated


class Agreement:
    """Both executors over one store."""

    def __init__(self, store: Store, limits: Limits | None = None) -> None:
        self.store, self.dataset, self.limits = store, Dataset(store), limits or Limits()
        self.planned, self.plain, self._unpropagated = schemas()
        self.tally = Tally()

    async def check(self, case: Case) -> None:
        """Raises Disagreement; whatever a document answers, its cursors and other variables are asked for, too."""
        for variant in self.variants(case, await self.compare(case)):
            await self.compare(variant)

    async def compare(self, case: Case) -> Answer:
        """The plain answer, which the planned one equals."""
        expected, found = await answer(self.plain, case, self), await answer(self.planned, case, self, fragments=True)
        assert expected.planning == Planning()
        difference = unlike(found, expected) or await self._invented(case, found) or _unplanned(case, found)
        if difference is not None:
            raise Disagreement(case, difference)
        self.tally.add(found)
        return expected

    async def _invented(self, case: Case, found: Answer) -> str | None:
        """A raced error that graphql-core doesn't find."""
        if not (errors := raced(found)):
            return None
        possible = (await answer(self._unpropagated, case, self)).errors
        return next((f"an error that isn't: {error}" for error in errors if error not in possible), None)

    @staticmethod
    def variants(case: Case, answer: Answer) -> Iterator[Case]:
        """The same document, its plans known by now: behind a cursor, and with its conditions turned around."""
        cursors = list(_cursors(orjson.loads(answer.data)))
        if cursors and case.afters:
            given = {name: cursors[(case.pick + i) % len(cursors)] for i, name in enumerate(case.afters)}
            yield replace(case, variables={**case.variables, **given}, afters=())
        flipped = {name: not value for name, value in case.variables.items() if isinstance(value, bool)}
        if flipped or not (cursors and case.afters):
            yield replace(case, variables={**case.variables, **flipped}, afters=())


async def answer(schema: Schema, case: Case, within: Agreement, *, fragments: bool = False) -> Answer:
    """The response of one executor to a request of its own."""
    context = Context(within.store, within.dataset, within.limits, base_url="http://test", fragments=fragments)
    result: Any = await schema.execute(
        case.text, dict(case.variables), context_value=context, operation_name=case.operation
    )
    context.loaders.close()
    errors = [_without_reference(error) for error in public(result.errors or ())]
    return Answer(orjson.dumps(result.data), sorted(errors, key=_order), context.planning)


def _without_reference(error: dict[str, Any]) -> dict[str, Any]:
    if "reference" in error["extensions"]:
        error["extensions"] = {**error["extensions"], "reference": ""}
    return error


def _order(error: dict[str, Any]) -> tuple[str, str]:
    return str(error.get("path")), error["message"]


# --- comparison ------------------------------------------------------------------------------------


def unlike(found: Answer, expected: Answer) -> str | None:
    """How two answers differ, but for what their raced errors say; None if they don't."""
    if keys := twice(found.data):
        return f"data, a key twice: {', '.join(keys)}"
    if found.data != expected.data:
        return f"data: {_first_unlike(json.loads(found.data), json.loads(expected.data))}"
    for one, other, said in ((found, expected, "too many"), (expected, found, "missing")):
        wanting = [error for error in settled(one) if settled(one).count(error) > settled(other).count(error)]
        if wanting:
            return f"errors, {said}: {wanting[0]}"
    positions = [{nulled(e, json.loads(each.data)) for e in raced(each)} for each in (found, expected)]
    return None if positions[0] == positions[1] else f"errors below nulls: {positions[0]}, not {positions[1]}"


def twice(data: bytes) -> list[str]:
    """The keys that an object of a JSON text has twice."""
    found: list[str] = []

    def noted(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found.extend(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        return dict(pairs)

    json.loads(data, object_pairs_hook=noted)
    return found


def settled(answer: Answer) -> Errors:
    """Errors that timing has no part in."""
    data = orjson.loads(answer.data)
    return [error for error in answer.errors if nulled(error, data) is None]


def raced(answer: Answer) -> Errors:
    """Errors below a position that errors have nulled."""
    data = orjson.loads(answer.data)
    return [error for error in answer.errors if nulled(error, data) is not None]


def nulled(error: dict[str, Any], data: Any) -> Position | None:
    """The position above an error's own path that is null, if one is."""
    path: Sequence[str | int] = error.get("path") or ()
    for depth, key in enumerate(path):
        if data is None:
            return tuple(path[:depth])
        data = data[key]
    return None


def _first_unlike(found: Any, expected: Any, path: Position = ()) -> str:
    """Where two values differ first, and how."""
    if isinstance(found, dict) and isinstance(expected, dict):
        if list(found) != list(expected):
            return f"{path} has the keys {list(found)}, not {list(expected)}"
        pairs: list[tuple[Any, Any, Any]] = [(key, found[key], expected[key]) for key in found]
    elif isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        pairs = [(i, *pair) for i, pair in enumerate(zip(found, expected, strict=True))]
    else:
        return f"{path} is {str(found)[:300]}, not {str(expected)[:300]}"
    return next(
        (_first_unlike(a, b, (*path, key)) for key, a, b in pairs if orjson.dumps(a) != orjson.dumps(b)), "equal"
    )


# --- what an answer tells --------------------------------------------------------------------------


def _cursors(data: Any) -> Iterator[str]:
    """All cursors of an answer, whatever their keys."""
    if isinstance(data, dict | list):
        for child in data.values() if isinstance(data, dict) else data:
            yield from _cursors(child)
    elif isinstance(data, str) and data.startswith("WyJ"):  # a list whose first item is a text
        try:
            orjson.loads(decode64(data))
        except ValueError:
            return
        yield data


VALUES = ("activityCorrelation", "dataset", "neuroglancer")
"""Fields of the root that are objects, and neither rows nor connections: there is nothing to plan."""


def _unplanned(case: Case, found: Answer) -> str | None:
    """That nothing was planned of an answer with a row or a connection at its root: all but ``VALUES`` are such."""
    known = {alias or name for alias, name in re.findall(rf"(?:(\w+): ?)?\b({'|'.join(VALUES)})\b", case.text)}
    data = orjson.loads(found.data) or {}
    plannable = any(isinstance(value, dict) and key not in known for key, value in data.items())
    accounted = found.planning.planned or found.planning.fallbacks
    return "nothing was planned, and no cause was named" if plannable and not accounted else None
