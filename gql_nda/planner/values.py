"""A few rows as JSON: each value as graphql-core would complete it, without its walk."""

from typing import Any

import orjson

from gql_nda.keys import encode_id
from gql_nda.planner.nodes import Beside, Choice, Constant, Fields, GlobalId, Node, Presence, Scalar, Slot
from gql_nda.query import Row
from gql_nda.types.specs import value_of


class Anomalous(Exception):
    """A value that its type can't hold."""


class Unsaid(Exception):
    """A part that had no JSON."""


def objects(fields: Fields, row: Row) -> dict[str, Any]:
    """An object of these fields; raises when a value is anomalous."""
    return {key: value(node, row) for key, node in fields}


def value(node: Node, row: Row) -> Any:
    """The value of one node."""
    match node:
        case Scalar():
            return _scalar(node, row)
        case Constant(text):
            return text
        case Slot(label):
            if row[label] is None:
                raise Unsaid(label)
            return orjson.Fragment(row[label])
        case Presence(ref):
            return row[ref.label] is not None
        case Beside(present, fields):
            return None if row[present.label] is None else objects(fields, row)
        case Choice(ref, options):
            beside = dict(options).get(row[ref.label])
            return None if beside is None else value(beside, row)
        case GlobalId(type_name, table, key):
            return encode_id(type_name, table, tuple(row[ref.label] for ref in key))


def _scalar(node: Scalar, row: Row) -> Any:
    held = value_of(node.ref.column, row, node.ref.label)
    if held is None:
        if node.nullable:
            return None
        raise Anomalous(node.ref.label)
    completed = node.type.coerce_output_value(held if node.factor is None else held * node.factor)
    if completed is None:
        raise Anomalous(node.ref.label)
    return completed
