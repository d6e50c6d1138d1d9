"""A filtered, sorted page of all units and their number, as MariaDB gives them: two statements, no GraphQL."""

from collections.abc import Mapping
from typing import Any

import orjson

from benchmarks.peers.joined import pool

FROM = """FROM scan_unit u JOIN oracle o USING (session, scan_idx, unit_id)
JOIN area_membership a USING (session, scan_idx, unit_id)
WHERE o.pearson >= %s AND a.brain_area IN (%s, %s)"""
PAGE = f"""SELECT session, scan_idx, unit_id, u.um_z, a.brain_area, o.pearson + 0e0 AS score {FROM}
ORDER BY score DESC, session, scan_idx, unit_id LIMIT %s OFFSET %s"""


async def answer(variables: Mapping[str, Any]) -> bytes:
    """The page that begins behind ``skip`` rows, and the number of all."""
    where = (variables["pearson"], *variables["areas"])
    async with (await pool()).acquire() as connection, connection.cursor() as cursor:
        await cursor.execute(PAGE, (*where, variables["first"], variables["skip"]))
        nodes = [_node(*row) for row in await cursor.fetchall()]
        await cursor.execute(f"SELECT COUNT(*) {FROM}", where)
        ((total,),) = await cursor.fetchall()
    return orjson.dumps({"data": {"units": {"totalCount": total, "nodes": nodes}}})


def _node(session: int, scan_idx: int, unit: int, um_z: int, area: str, pearson: float) -> dict[str, Any]:
    key = {"session": session, "scanIdx": scan_idx, "unitId": unit}
    return {**key, "umZ": um_z, "brainArea": area, "oracle": {"pearson": pearson}}
