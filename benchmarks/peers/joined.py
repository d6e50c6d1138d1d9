"""One scan's units and their satellites by one JOIN over asyncmy: what floor and plain peers begin with.

Runs in the Python of either environment: imports nothing of ours.
"""

import os
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, urlsplit

import asyncmy

SELECT = """
SELECT u.unit_id, u.um_x, u.um_y, u.um_z, u.px_x, u.px_y, u.ms_delay,
       s.stack_x, s.stack_y, s.stack_z, o.pearson, o.trials, a.brain_area
FROM scan_unit u
LEFT JOIN stack_unit s ON s.session = u.session AND s.scan_idx = u.scan_idx AND s.unit_id = u.unit_id
LEFT JOIN oracle o ON o.session = u.session AND o.scan_idx = u.scan_idx AND o.unit_id = u.unit_id
LEFT JOIN area_membership a ON a.session = u.session AND a.scan_idx = u.scan_idx AND a.unit_id = u.unit_id
WHERE u.session = %s AND u.scan_idx = %s AND u.unit_id > %s
ORDER BY u.unit_id LIMIT %s
"""


async def fetch(session: int, scan_idx: int, after: int, first: int) -> list[tuple[Any, ...]]:
    """The rows of a page."""
    async with (await pool()).acquire() as connection, connection.cursor() as cursor:
        await cursor.execute(SELECT, (session, scan_idx, after, first))
        rows: list[tuple[Any, ...]] = await cursor.fetchall()
        return rows


_POOLS: dict[str, Any] = {}


async def pool() -> Any:
    """The process's pool of connections."""
    if "pool" not in _POOLS:
        _POOLS["pool"] = await asyncmy.create_pool(**address(), minsize=1, maxsize=5, autocommit=True)
    return _POOLS["pool"]


@lru_cache
def address() -> dict[str, Any]:
    """The database, as drivers take it."""
    url = urlsplit(os.environ["BENCH_DATABASE"])
    return {
        "host": url.hostname,
        "port": url.port,
        "user": url.username,
        "password": unquote(url.password or ""),
        "db": url.path[1:],
    }
