"""What follows from a unit's rows."""

from collections.abc import Sequence
from hashlib import sha256

from gql_nda import tables as t
from gql_nda.context import Context
from gql_nda.query import Row, str_key, up

_HASHES = up(t.scan_unit, t.unit_hash)


async def hashes(units: Sequence[Row], context: Context) -> list[str]:
    """The hash of each unit: unit_hash's, or computed where that table lacks it."""
    stored = await _stored(units, context, "hash")
    return [found or computed_hash(*unit.key) for unit, found in zip(units, stored, strict=True)]


async def str_keys(units: Sequence[Row], context: Context) -> list[str]:
    """The name of each unit: unit_hash's, or computed where that table lacks it."""
    stored = await _stored(units, context, "str_key")
    return [found or str_key(*unit.key) for unit, found in zip(units, stored, strict=True)]


async def _stored(units: Sequence[Row], context: Context, name: str) -> list[str | None]:
    rows = await context.loaders.row(_HASHES).load_many([unit.key for unit in units])
    return [row[name] if row else None for row in rows]


def computed_hash(session: int, scan_idx: int, unit_id: int) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of the key as Python's json writes it."""
    text = f'{{"session": {session}, "scan_idx": {scan_idx}, "unit_id": {unit_id}}}'
    return sha256(text.encode()).hexdigest()[:12]
