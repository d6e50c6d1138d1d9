"""What clients gave as ``where`` and ``orderBy``: predicates and orders, within the limits."""

import dataclasses
from collections.abc import Iterator
from math import isfinite
from typing import Any

from sqlalchemy import Table
from strawberry import UNSET

from gql_nda.errors import BadUserInput, LimitExceeded
from gql_nda.limits import Limits
from gql_nda.query import And, Compare, Not, Or, Order, Predicate, Ref, Relation
from gql_nda.types.arguments import plain
from gql_nda.types.enums import OrderDirection
from gql_nda.types.filters import MEANINGS, ORDERS, Meaning, filter_name, order_name


def checked(
    table: Table, limits: Limits, where: Any = UNSET, order_by: Any = UNSET, first: Any = UNSET, after: Any = UNSET
) -> dict[str, Any]:
    """The arguments of a connection, as ``resolvers.connections.plan`` takes them."""
    reader = _Reader(limits)
    return {
        "where": reader.predicate(filter_name(table), where, ()) if where else None,
        "order": tuple(_order(table, order) for order in order_by or ()),
        "first": None if first is UNSET else first,
        "after": None if after is UNSET else after,
    }


def _order(table: Table, order: Any) -> Order:
    return Order(ORDERS[order_name(table)][plain(order.field)], order.direction is OrderDirection.DESC)


class _Reader:
    """Reads one ``where``, counting its filters and comparisons."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._counted = limits, 0
        self._joined: set[tuple[Relation, ...]] = set()

    def predicate(self, name: str, where: Any, path: tuple[Relation, ...]) -> Predicate:
        """The predicate of a filter input, whose columns are reached over ``path``."""
        self._count()
        return And(tuple(self._part(name, field, value, path) for field, value in _given(where, "where")))

    def _part(self, name: str, field: str, value: Any, path: tuple[Relation, ...]) -> Predicate:
        match field:
            case "and":
                return And(tuple(self.predicate(name, item, path) for item in value))
            case "or":
                return Or(tuple(self.predicate(name, item, path) for item in value))
            case "not":
                return Not(self.predicate(name, value, path))
        meaning = MEANINGS[name][field]
        if meaning.relation is not None:
            return self.predicate(meaning.input_name, value, (*path, meaning.relation))
        return And(tuple(self._compare(field, meaning, op, operand, path) for op, operand in _given(value, field)))

    def _compare(self, field: str, meaning: Meaning, op: str, operand: Any, path: tuple[Relation, ...]) -> Predicate:
        assert meaning.ref is not None
        ref = Ref(meaning.ref.column, (*path, *meaning.ref.path))
        self._count()
        self._join(ref.path)
        if meaning.presence:
            return Compare(ref, "isNull", operand is not (op == "eq"))
        value = self._listed(field, operand) if isinstance(operand, list) else _operand(operand)
        return Compare(ref, op, value)  # type: ignore[arg-type]

    def _listed(self, field: str, operand: list[Any]) -> tuple[Any, ...]:
        most = self._limits.list_values
        if len(operand) > most:
            message = f"list_values: where.{field} lists {len(operand)} values, at most {most}"
            raise LimitExceeded(message, limit="list_values", maximum=most)
        return tuple(map(_operand, operand))

    def _count(self) -> None:
        self._counted += 1
        most = self._limits.comparisons
        if self._counted > most:
            raise LimitExceeded(f"comparisons: more than {most} in where", limit="comparisons", maximum=most)

    def _join(self, path: tuple[Relation, ...]) -> None:
        self._joined.update(path[:length] for length in range(1, len(path) + 1))
        most = self._limits.joins
        if len(self._joined) > most:
            raise LimitExceeded(f"joins: where reaches over more than {most} relations", limit="joins", maximum=most)


def _given(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    """The fields that the client set, by GraphQL name; null is no operand."""
    for field in dataclasses.fields(value):
        operand = getattr(value, field.name)
        if operand is UNSET:
            continue
        name = field.name.rstrip("_")
        if operand is None:
            raise BadUserInput(f"{where}.{name}: null is no operand; use isNull", argument=name)
        yield name, operand


def _operand(given: Any) -> Any:
    """An operand as the column holds it."""
    operand = plain(given)
    if isinstance(operand, float) and not isfinite(operand):
        raise BadUserInput(f"where: {operand} is no number to compare with", argument="where")
    if isinstance(operand, str) and not _encodable(operand):
        raise BadUserInput(f"where: {ascii(operand)[:80]} is no valid text", argument="where")
    return operand


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
