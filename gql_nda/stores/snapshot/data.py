"""The data of a snapshot: the wide frames of all tables, and any column that can be reached from their rows."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from sqlalchemy import Table

from gql_nda.query import Key, Ref, Relation, Row
from gql_nda.stores.snapshot.index import Index, Rows, codes
from gql_nda.stores.snapshot.wide import beside, mark
from gql_nda.tables import HELD, key_names

Cell = Callable[[int], Any]
"""A column's value in a row."""


class Data:
    """Columns, row by row or many at once; nothing is copied that is in the frames already.

    ``arrow`` holds each table's wide frame by the table's name, sorted by primary key, in one batch.
    What is derived (indexes, links between tables, ranks of texts) is kept once it was needed: the tables
    have few relations. Raises ValueError where keys can't be indexed.
    """

    def __init__(self, arrow: Mapping[str, pa.Table]) -> None:
        self._arrow = arrow
        self._frames: dict[str, pl.DataFrame] = {name: _polars(table) for name, table in arrow.items()}
        for table in HELD.values():
            codes([self._frames[table.name][name] for name in key_names(table)])
        self._indexes: dict[Relation, Index] = {}
        self._links: dict[tuple[str, Relation], pl.Series] = {}
        self._ranks: dict[tuple[str, str], tuple[Ref, pl.Series]] = {}
        self._cells: dict[tuple[str, str], tuple[Ref, Cell]] = {}
        self._cells_of = lru_cache(256)(self._made_cells)

    def height(self, table: Table) -> int:
        """Number of rows of a table."""
        return self._frames[table.name].height

    def index(self, relation: Relation) -> Index:
        """The rows of a relation by its columns."""
        if relation not in self._indexes:
            frame = self._frames[relation.table.name]
            self._indexes[relation] = Index([frame[name] for name in relation.on])
        return self._indexes[relation]

    # --- columns ----------------------------------------------------------------------------------

    def column(self, table: Table, ref: Ref, rows: Rows) -> pl.Series:
        """A column of some rows, under its label."""
        return self._column(table, ref, rows).alias(ref.label)

    def sortable(self, table: Table, ref: Ref, rows: Rows) -> pl.Series:
        """Numbers that sort as the column does: its own, or the ranks of its texts."""
        if not ref.textual:
            return self._column(table, ref, rows)
        name = (table.name, ref.label)
        if name not in self._ranks or self._ranks[name][0] != ref:
            texts = self._column(table, ref, slice(0, self.height(table)))
            self._ranks[name] = ref, _ranks(texts)
        return taken(self._ranks[name][1], rows)

    def _column(self, table: Table, ref: Ref, rows: Rows) -> pl.Series:
        frame = self._frames[table.name]
        if not ref.path or (ref.path[0] in beside(table) and ref.label in frame.columns):
            return taken(frame[ref.label], rows)
        step, rest = ref.path[0], ref.path[1:]
        if not rest and step in beside(table):  # as in the row itself, where there is another beside it
            there = taken(frame[ref.column.name], rows)
            return _where(self._column(table, mark(step), rows).is_not_null(), there)
        return self._column(step.table, Ref(ref.column, rest), taken(self._link(table, step), rows))

    def _link(self, table: Table, step: Relation) -> pl.Series:
        """For each row of a table the row that a step leads to."""
        if (table.name, step) not in self._links:
            here = self._frames[table.name]
            self._links[table.name, step] = self.index(step).firsts([here[name] for name in step.on])
        return self._links[table.name, step]

    # --- rows -------------------------------------------------------------------------------------

    def row(self, relation: Relation, key: Key, refs: Sequence[Ref]) -> Row | None:
        """Some columns of the first row of a key, and of what stands beside it."""
        at = self.index(relation).find(key)
        if at is None:
            return None
        return Row(relation.table, {label: cell(at) for label, cell in self._cells_of(relation.table, tuple(refs))})

    def _made_cells(self, table: Table, refs: tuple[Ref, ...]) -> list[tuple[str, Cell]]:
        return [(ref.label, self._cell(table, ref)) for ref in refs]

    def _cell(self, table: Table, ref: Ref) -> Cell:
        name = (table.name, ref.label)
        held = self._cells.get(name)
        if held is None or (held[0] is not ref and held[0] != ref):
            held = self._cells[name] = ref, self._made_cell(table, ref)
        return held[1]

    def _made_cell(self, table: Table, ref: Ref) -> Cell:
        arrow = self._arrow[table.name]
        if not ref.path or (ref.path[0] in beside(table) and ref.label in arrow.column_names):
            return _cell(arrow.column(ref.label).chunk(0))
        step, rest = ref.path[0], ref.path[1:]
        if not rest and step in beside(table):
            there, here = self._cell(table, mark(step)), self._cell(table, Ref(table.c[ref.column.name]))
            return lambda at: None if there(at) is None else here(at)
        link, farther = self._link(table, step), self._cell(step.table, Ref(ref.column, rest))
        return lambda at: None if (other := link[at]) is None else farther(other)


def _polars(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame


def taken(column: pl.Series, rows: Rows) -> pl.Series:
    """Some rows of a column; null where a row is null."""
    return column[rows] if isinstance(rows, slice) else column.gather(rows)


def _where(mask: pl.Series, column: pl.Series) -> pl.Series:
    return pl.select(pl.when(mask).then(column)).to_series()


def _ranks(texts: pl.Series) -> pl.Series:
    """Each text's place among the distinct ones, by code point."""
    return texts.rank("dense")


def _cell(values: pa.Array) -> Cell:
    """The values of a column, one by one: of numbers from memory, ten times as fast as by Arrow's own objects."""
    validity, content = values.buffers()[:2]
    if not pa.types.is_primitive(values.type) or pa.types.is_boolean(values.type):  # which are bits
        return lambda at: values[at].as_py()
    item = np.frombuffer(content, values.type.to_pandas_dtype())[values.offset :].item
    if not values.null_count:
        return item
    bits, offset = memoryview(validity), values.offset
    return lambda at: item(at) if bits[at + offset >> 3] >> (at + offset & 7) & 1 else None
