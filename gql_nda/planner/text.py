"""Many rows as JSON: one Polars expression for a level, a text for each row.

A null text is a row that can't be said exactly: a NULL behind non-null, NaN, a number that Int can't hold, a
text that no enum knows. It makes every text null that holds it, up to its row, which graphql-core then completes.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np
import orjson
import polars as pl
from graphql import GraphQLEnumType, GraphQLScalarType
from numpy.typing import NDArray
from sqlalchemy import Column, Integer

from gql_nda.frames import dtype
from gql_nda.planner.nodes import Beside, Choice, Constant, Fields, GlobalId, Level, Node, Presence, Scalar, Slot

NULL = pl.lit("null")
_INT32 = 2**31


@lru_cache(512)
def level(selected: Level) -> pl.Expr:
    """The JSON of a level's rows."""
    return objects(selected.fields)


def legible(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows, whose float32 numbers will be written as any JSON of ours has them.

    Polars writes those of some sizes in another way than doubles: there the double of the same decimal takes its place.
    """
    names = [column.name for column in rows if column.dtype == pl.Float32 and _odd(column.to_numpy())]
    return rows.with_columns(pl.col(names).cast(pl.String).cast(pl.Float64)) if names else rows


def _odd(numbers: NDArray[np.float32]) -> bool:
    """Whether some numbers are of these sizes."""
    sizes = np.abs(numbers)
    return bool(((sizes < 1e-5) & (sizes >= 1e-6) | (sizes >= 1e13) & (sizes < 1e16)).any())


def objects(fields: Fields) -> pl.Expr:
    """Objects of these fields."""
    return joined(["{", *_separated(fields), "}"])


def _separated(fields: Fields) -> Iterator[str | pl.Expr]:
    for i, (key, node) in enumerate(fields):
        yield f"{',' if i else ''}{quoted(key)}:"
        yield quoted(node.text) if isinstance(node, Constant) else expression(node)


def joined(pieces: Iterable[str | pl.Expr]) -> pl.Expr:
    """Texts one behind the other; neighbouring constants are one."""
    merged: list[pl.Expr] = []
    constant = ""
    for piece in [*pieces, ""]:
        if isinstance(piece, str):
            constant += piece
        else:
            merged += [pl.lit(constant), piece]
            constant = ""
    return pl.concat_str([*merged, pl.lit(constant)])


def expression(node: Node) -> pl.Expr:
    """The JSON of one node."""
    match node:
        case Constant(text):
            return pl.lit(quoted(text))
        case Slot(label):
            return pl.col(label)
        case Presence(ref):
            return pl.when(pl.col(ref.label).is_not_null()).then(pl.lit("true")).otherwise(pl.lit("false"))
        case Beside(present, fields):
            return pl.when(pl.col(present.label).is_null()).then(NULL).otherwise(objects(fields))
        case Choice():
            return _choice(node)
        case GlobalId():
            return _global_id(node)
        case Scalar():
            return _scalar(node)


def _choice(node: Choice) -> pl.Expr:
    chosen = NULL
    for value, beside in node.options:
        chosen = pl.when(pl.col(node.ref.label) == value).then(expression(beside)).otherwise(chosen)
    return chosen


def _scalar(node: Scalar) -> pl.Expr:
    column = pl.col(node.ref.label) if node.factor is None else pl.col(node.ref.label) * node.factor
    text = _leaf(column, node.ref.column, node.type)
    return pl.when(column.is_null()).then(NULL).otherwise(text) if node.nullable else text


def _leaf(column: pl.Expr, source: Column[object], kind: GraphQLScalarType | GraphQLEnumType) -> pl.Expr:
    if isinstance(kind, GraphQLEnumType):
        names = {held.value: quoted(name) for name, held in kind.values.items()}
        return column.replace_strict(names, default=None, return_dtype=pl.String)
    if isinstance(source.type, Integer):
        whole = column.cast(pl.String)
        return whole if dtype(source) is not pl.Int64 else pl.when(column.is_between(-_INT32, _INT32 - 1)).then(whole)
    if dtype(source) is pl.String:
        return _text(column)
    if dtype(source) is pl.Boolean:
        return column.cast(pl.String)
    return pl.when(column.is_finite()).then(column.cast(pl.String))


def _text(column: pl.Expr) -> pl.Expr:
    """Quoted, and escaped but for control characters: such a text is left to graphql-core."""
    escaped = column.str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
    return pl.when(~column.str.contains(r"[\x00-\x1f]")).then(joined(['"', escaped, '"']))


def _global_id(node: GlobalId) -> pl.Expr:
    """As ``gql_nda.keys.encode_id`` has it."""
    parts = [_safe(pl.col(ref.label), ref.column) for ref in node.key]
    plain = pl.concat_str([pl.lit(f"{node.type_name}:"), pl.concat_str(parts, separator=".")])
    return joined(['"', _url_safe(plain.str.encode("base64")), '"'])


def _safe(column: pl.Expr, source: Column[object]) -> pl.Expr:
    return column.cast(pl.String) if isinstance(source.type, Integer) else _url_safe(column, padded=True)


def _url_safe(base64: pl.Expr, *, padded: bool = False) -> pl.Expr:
    replaced = base64.str.replace_all("+", "-", literal=True).str.replace_all("/", "_", literal=True)
    return replaced if padded else replaced.str.strip_chars_end("=")


def quoted(text: str) -> str:
    """A text as JSON."""
    return orjson.dumps(text).decode()
