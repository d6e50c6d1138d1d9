"""What follows from a unit's rows."""

from collections.abc import Sequence

from gql_nda import tables as t
from gql_nda.context import Context
from gql_nda.keys import str_key, unit_hash
from gql_nda.query import Row, up

_HASHES = up(t.scan_unit, t.unit_hash)


async def hashes(units: Sequence[Row], context: Context) -> list[str]:
    """The hash of each unit: unit_hash's, or computed where that table lacks it."""
    stored = await _stored(units, context, "hash")
    return [found or unit_hash(*unit.key) for unit, found in zip(units, stored, strict=True)]


async def str_keys(units: Sequence[Row], context: Context) -> list[str]:
    """The name of each unit: unit_hash's, or computed where that table lacks it."""
    stored = await _stored(units, context, "str_key")
    return [found or str_key(*unit.key) for unit, found in zip(units, stored, strict=True)]


async def _stored(units: Sequence[Row], context: Context, name: str) -> list[str | None]:
    rows = await context.loaders.row(_HASHES).load_many([unit.key for unit in units])
    return [row[name] if row else None for row in rows]
