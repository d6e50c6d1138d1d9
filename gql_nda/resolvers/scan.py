"""What follows from a scan's rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gql_nda import tables as t
from gql_nda.arrays.numbers import Numeric, shortest
from gql_nda.context import Context
from gql_nda.loaders import Reduction
from gql_nda.query import Query, Row, down


async def depths(scans: Sequence[Row], context: Context) -> list[list[float]]:
    """The distinct depths of each scan's fields, ascending, in um."""
    relation = down(t.scan, t.field)
    query = Query(t.field, relation.on, tuple(scan.key for scan in scans))
    found = await context.loaders.ask(context.store.rows, query)
    return [sorted({shortest(field["field_z"]) for field in found.get(scan.key, [])}) for scan in scans]


async def mean_rate(times: Sequence[Row], context: Context) -> list[float | BaseException | None]:
    """The mean of 1 / diff(frame_times) of each scan, in Hz; None where fewer than two times are finite."""
    loader = context.loaders.reduced(t.scan_times.c.frame_times)
    decode = Numeric(context.limits.decoded_bytes)
    return await loader.load_each([Reduction(row.key, decode, _mean_rate) for row in times])


def _mean_rate(times: NDArray[Any]) -> float | None:
    gaps = np.diff(times)
    rates = 1 / gaps[np.isfinite(gaps) & (gaps > 0)]
    return float(rates.mean()) if rates.size else None
