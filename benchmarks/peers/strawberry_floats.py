"""Strawberry with a trace as ``[Float!]!``: graphql-core looks at every number."""

from typing import Any

import strawberry

from benchmarks.peers.joined import pool
from benchmarks.peers.strawberry_shared import App
from gql_nda.codec import unpack

SELECT = "SELECT trace FROM activity WHERE session = %s AND scan_idx = %s AND unit_id = %s"


@strawberry.type
class Query:
    """The root."""

    @strawberry.field
    async def trace(self, session: int, scan_idx: int, unit_id: int) -> list[float]:
        """A unit's trace."""
        async with (await pool()).acquire() as connection, connection.cursor() as cursor:
            await cursor.execute(SELECT, (session, scan_idx, unit_id))
            ((blob,),) = await cursor.fetchall()
        trace: Any = unpack(blob)
        numbers: list[float] = trace.tolist()
        return numbers


app = App(strawberry.Schema(Query))
