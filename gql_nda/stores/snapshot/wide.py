"""Wide frames: the rows of a table together with those that stand beside them."""

from collections.abc import Iterator, Mapping
from functools import cache

import polars as pl
from sqlalchemy import Table

from gql_nda.frames import dtype
from gql_nda.query import Ref, Relation, up
from gql_nda.tables import HELD, key_names, narrow, stack


@cache
def ancestors(table: Table) -> frozenset[Table]:
    """The tables that a table's rows depend on, over all foreign keys."""
    parents = {link.referred_table for link in table.foreign_key_constraints}
    return frozenset(parents.union(*map(ancestors, parents)))


@cache
def beside(here: Table) -> tuple[Relation, ...]:
    """The satellites of a table: at most one row beside each of its own, in the first stack where there are more.

    They depend on the table, or on what it was made of: the mask of a unit, which has a key of its own.
    """
    return tuple(up(here, there) for there in HELD.values() if there is not here and _stands(here, there))


def _stands(here: Table, there: Table) -> bool:
    if not set(key_names(there)) <= {*here.columns.keys(), *key_names(stack)}:
        return False
    on, key = set(up(here, there).on), set(key_names(here))
    if here in ancestors(there):
        return on >= key
    made_of = [set(link.column_keys) for link in here.foreign_key_constraints]
    return on in made_of and not on <= key


def mark(step: Relation) -> Ref:
    """The column that is null exactly where no row stands there: the first of its key."""
    return Ref(next(iter(step.table.primary_key)), (step,))


def held(table: Table) -> tuple[Ref, ...]:
    """The columns of a wide frame: the table's own, and of each satellite its mark and what isn't here already."""
    return (*map(Ref, narrow(table)), *(ref for step in beside(table) for ref in _added(step)))


def _added(step: Relation) -> Iterator[Ref]:
    yield mark(step)
    for column in narrow(step.table):
        if column.name not in step.on and column is not mark(step).column:
            yield Ref(column, (step,))


def widened(table: Table, frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The wide frame of a table; ``frames`` are those of all tables' own columns, sorted by primary key."""
    wide = frames[table.name]
    for step in beside(table):
        refs = list(_added(step))
        there = frames[step.table.name].unique(step.on, keep="first", maintain_order=True)
        columns = [pl.col(ref.column.name).alias(ref.label) for ref in refs]
        wide = wide.join(there.select(*step.on, *columns), list(step.on), "left", maintain_order="left")
    return wide.select([pl.col(ref.label).cast(dtype(ref.column)) for ref in held(table)])
