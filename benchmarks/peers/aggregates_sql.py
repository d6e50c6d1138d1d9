"""Histograms and group counts of all units, as MariaDB gives them: one statement, no GraphQL."""

from collections.abc import Mapping
from typing import Any

import orjson

from benchmarks.peers.joined import pool

HISTOGRAM = """SELECT LEAST(FLOOR(pearson * %s), %s) AS bin, COUNT(*) FROM oracle
WHERE pearson >= 0 AND pearson <= 1 GROUP BY bin"""
GROUPS = {
    "BRAIN_AREA": """SELECT a.brain_area AS v, COUNT(*) FROM scan_unit u
LEFT JOIN area_membership a USING (session, scan_idx, unit_id) GROUP BY v ORDER BY v IS NULL, v""",
    "SESSION": "SELECT session AS v, COUNT(*) FROM scan_unit GROUP BY v ORDER BY v",
    "UM_Z": "SELECT um_z AS v, COUNT(*) FROM scan_unit GROUP BY v ORDER BY v",
}
"""By the field that is grouped by."""


async def answer(variables: Mapping[str, Any]) -> bytes:
    """The histogram with so many ``bins`` from 0 to 1, or the groups ``by`` a field."""
    async with (await pool()).acquire() as connection, connection.cursor() as cursor:
        if "by" in variables:
            await cursor.execute(GROUPS[variables["by"][0]])
            return _data(groups=[{"count": count} for _, count in await cursor.fetchall()])
        bins = variables["bins"]
        await cursor.execute(HISTOGRAM, (bins, bins - 1))
        counts = {int(bin_): count for bin_, count in await cursor.fetchall()}
    return _data(histogram={"counts": [counts.get(i, 0) for i in range(bins)]})


def _data(**fields: Any) -> bytes:
    return orjson.dumps({"data": {"units": fields}})
