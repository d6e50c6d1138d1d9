"""A few rows as JSON: each value as graphql-core would complete it, without its walk."""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import orjson

from gql_nda.keys import encode_id
from gql_nda.planner.nodes import Beside, Choice, Constant, Fields, GlobalId, Level, Node, Presence, Scalar, Slot
from gql_nda.query import Row
from gql_nda.types.specs import value_of


class Anomalous(Exception):
    """A value that its type can't hold."""


class Unsaid(Exception):
    """A part that had no JSON."""


Tell = Callable[[Row], Any]
"""The value of a node in a row; raises when it can't be told."""


@lru_cache(512)
def level(selected: Level) -> Tell:
    """The object of a level's rows."""
    return objects(selected.fields)


def objects(fields: Fields) -> Tell:
    """Objects of these fields."""
    told = [(key, value(node)) for key, node in fields]
    return lambda row: {key: tell(row) for key, tell in told}


def value(node: Node) -> Tell:
    """The values of one node."""
    match node:
        case Scalar():
            return _scalar(node)
        case Constant(text):
            return lambda _: text
        case Slot(label):
            return partial(_slot, label)
        case Presence(ref):
            return lambda row: row[ref.label] is not None
        case Beside(present, fields):
            there = objects(fields)
            return lambda row: None if row[present.label] is None else there(row)
        case Choice(ref, options):
            chosen = {option: value(beside) for option, beside in options}
            return lambda row: chosen.get(row[ref.label], _nothing)(row)
        case GlobalId(type_name, table, key):
            return lambda row: encode_id(type_name, table, tuple([row[ref.label] for ref in key]))


def _nothing(_row: Row) -> None:
    return None


def _slot(label: str, row: Row) -> orjson.Fragment:
    if row[label] is None:
        raise Unsaid(label)
    return orjson.Fragment(row[label])


def _scalar(node: Scalar) -> Tell:
    column, label, factor = node.ref.column, node.ref.label, node.factor
    complete, nullable = node.type.coerce_output_value, node.nullable

    def told(row: Row) -> Any:
        held = value_of(column, row, label)
        if held is None and nullable:
            return None
        completed = None if held is None else complete(held if factor is None else held * factor)
        if completed is None:
            raise Anomalous(label)
        return completed

    return told
