"""Positions of units in the electron-microscopy volume: the columns of ``em_position``, computed from a store's rows.

Each unit is taken from its place in the stack, as it is shown to clients, by the stack's best transform. All units
of the release take seconds: what needs them all has them computed once, as long as the store is open.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import polars as pl

from gql_nda.coregistration import TO_EM, Coregistered, choose
from gql_nda.errors import BlobCorrupt
from gql_nda.frames import schema
from gql_nda.query import Key, Query, Ref, up
from gql_nda.stores import Store
from gql_nda.stores.transforms import STACK, Stacked, ready, stacks
from gql_nda.tables import em_position, key_names, narrow, scan_unit, stack_unit

T = TypeVar("T")

PLACE = up(scan_unit, em_position)
"""From a unit to its position."""

INPUTS = [Ref(stack_unit.c[name], (up(scan_unit, stack_unit),)) for name in (*STACK, "stack_x", "stack_y", "stack_z")]
"""What the position is computed of: the unit's stack, and its place there (um)."""

AT_ONCE = 10_000
"""Units that are moved between two words of progress."""

Transforms = Mapping[Key, Coregistered | str]
"""The transform of each stack, or why there is none."""


class Positions:
    """The positions of a store's units; transforms are read once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: asyncio.Task[Transforms] | None = None
        self._every: asyncio.Task[pl.DataFrame] | None = None

    async def close(self) -> None:
        """End what is under way."""
        tasks = [task for task in (self._known, self._every) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def of(self, places: pl.DataFrame, inputs: Sequence[str]) -> pl.DataFrame:
        """The columns of ``em_position``, less the key, for rows that have ``INPUTS`` under these labels."""
        renamed = places.select(pl.col(label).alias(ref.column.name) for label, ref in zip(inputs, INPUTS, strict=True))
        transforms = await self._transforms()
        return await asyncio.to_thread(placed, renamed, transforms)

    async def every(self) -> pl.DataFrame:
        """The rows of all units, as a table has them, by primary key."""
        if self._every is None or _failed(self._every):
            self._every = _begun(self.computed())
        return await asyncio.shield(self._every)

    async def computed(self, progress: Callable[[float], None] = lambda _: None) -> pl.DataFrame:
        """The rows of all units; tells which part of them is done."""
        keys = [Ref(scan_unit.c[name]) for name in key_names(scan_unit)]
        units = await self._store.columns(Query(scan_unit), [*keys, *INPUTS])
        found = [units.select(ref.label for ref in keys).clear().with_columns(await self._of(units.clear()))]
        for part in units.iter_slices(AT_ONCE):
            found.append(part.select(ref.label for ref in keys).hstack(await self._of(part)))
            progress(sum(map(len, found)) / units.height)
        return pl.concat(found, rechunk=True)

    async def _of(self, units: pl.DataFrame) -> pl.DataFrame:
        return await self.of(units, [ref.label for ref in INPUTS])

    async def _transforms(self) -> Transforms:
        if self._known is None or _failed(self._known):
            self._known = _begun(self._read())
        return await asyncio.shield(self._known)

    async def _read(self) -> Transforms:
        """The transform of each stack that leads to EM."""
        found = {of.stack.key: await self._best(of) for of in await stacks(self._store)}
        return {stack: move for stack, move in found.items() if move is not None}

    async def _best(self, of: Stacked) -> Coregistered | str | None:
        """A stack's best transform that leads to EM, or why it can't be read; None where there is none."""
        row = choose(row for row in of.solved if row["direction"] == TO_EM)
        try:
            return None if row is None else await ready(self._store, of.stack, row)
        except BlobCorrupt as error:
            return reason(error)


def _begun(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Work that belongs to no request: it goes on when the first to ask for it has left."""
    task = asyncio.create_task(work)
    task.add_done_callback(_failed)  # seen, although nobody may wait for it
    return task


def _failed(task: asyncio.Task[T]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def reason(error: BlobCorrupt) -> str:
    """Why there are no positions by a transform that can't be read; the error says where it lies."""
    return error.message[:200]


# --- computing -------------------------------------------------------------------------------------

_COLUMNS = [Ref(column) for column in narrow(em_position) if not column.primary_key]
_ROW = "#"


def placed(places: pl.DataFrame, transforms: Transforms) -> pl.DataFrame:
    """The columns of ``em_position`` for places in stacks; a null place is that of a unit that has none."""
    stacks = places.with_row_index(_ROW).partition_by(STACK, as_dict=True)
    parts = [_moved(part, _transform(stack, transforms)) for stack, part in stacks.items()]
    return pl.concat([_moved(places.clear().with_row_index(_ROW), ""), *parts]).sort(_ROW).drop(_ROW)


def _transform(stack: Key, transforms: Transforms) -> Coregistered | str:
    if None in stack:
        return "the unit has no place in a stack"
    return transforms.get(stack, "the stack has no transform to the electron-microscopy volume")


def _moved(places: pl.DataFrame, found: Coregistered | str) -> pl.DataFrame:
    """Places of one stack, moved: the row of each, and the columns."""
    if isinstance(found, str):
        return _told(places, pl.lit(None), reason=pl.lit(found))
    # float32 in its shortest decimal, as clients are shown it: what they move themselves goes where ours went
    stack = places.select(pl.col("stack_x", "stack_y", "stack_z").cast(pl.String).cast(pl.Float64))
    points, extrapolated = found(stack.to_numpy())
    x, y, z = (pl.Series(axis, nan_to_null=True) for axis in points.T)
    known = pl.lit(x.is_not_null() & y.is_not_null() & z.is_not_null())
    return _told(
        places,
        pl.lit(found.transform_id),
        *(pl.lit(axis) for axis in (x, y, z)),
        pl.when(known).then(pl.lit(None if extrapolated is None else pl.Series(extrapolated))),
        reason=pl.when(~known).then(pl.lit("the transform tells no position so far away")),
    )


def _told(places: pl.DataFrame, *columns: pl.Expr, reason: pl.Expr) -> pl.DataFrame:
    """The columns of ``em_position``, null where none is given."""
    given = [*columns, *[pl.lit(None)] * (len(_COLUMNS) - len(columns) - 1), reason]
    types = schema(_COLUMNS)
    named = (e.cast(kind).alias(name) for e, (name, kind) in zip(given, types.items(), strict=True))
    return places.with_columns(named).select(_ROW, *types)
