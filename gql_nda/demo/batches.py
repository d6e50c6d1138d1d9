"""Batches of rows on their way to a database: columns turned into rows, arrays into blobs."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from sqlalchemy import Column, Table

from gql_nda.codec import pack
from gql_nda.tables import TABLES, is_blob

Row: TypeAlias = dict[str, object]
Batch: TypeAlias = tuple[Table, list[Row]]
Lazy: TypeAlias = Callable[[], object]
"""A blob's content, worked out only if the blob is wanted."""

_LEVEL = 1
_AHEAD = 2
_THREADS = 2


def records(**columns: Any) -> list[Row]:
    """Rows of columns: arrays and lists of one length, single values repeated for every row."""
    lists = {name: c.tolist() if isinstance(c, np.ndarray) else c for name, c in columns.items()}
    (count,) = {len(c) for c in lists.values() if isinstance(c, list)}
    full = [c if isinstance(c, list) else [c] * count for c in lists.values()]
    return [dict(zip(lists, values, strict=True)) for values in zip(*full, strict=True)]


def packed(batches: Iterable[Batch], traces: bool) -> Iterator[Batch]:
    """The batches with every blob packed, a few batches ahead of the reader, in threads.

    Without ``traces`` every array is empty and no lazy value is worked out.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        ahead: deque[tuple[Table, list[dict[str, Any]]]] = deque()
        for table, rows in batches:
            blobs = [c for c in table.columns if is_blob(c)]
            ahead.append((table, [_submitted(pool, row, blobs, traces) for row in rows] if blobs else rows))
            if len(ahead) > _AHEAD:
                yield _collected(*ahead.popleft())
        while ahead:
            yield _collected(*ahead.popleft())


def _submitted(pool: ThreadPoolExecutor, row: Row, blobs: list[Column[Any]], traces: bool) -> Row:
    """A row whose blobs are being packed."""
    promised = {c.name: _blob(pool, c, row.get(c.name), traces) for c in blobs}
    return {**row, **promised}


def _blob(pool: ThreadPoolExecutor, column: Column[Any], value: object, traces: bool) -> bytes | Future[bytes]:
    """One blob, or the promise of it."""
    if "array" in column.info and not traces:
        return empty(column.table.name.lstrip("#"), column.name)
    return pool.submit(pack, value() if callable(value) else value, level=_LEVEL)


def _collected(table: Table, rows: list[Row]) -> Batch:
    """A batch whose blobs are packed."""
    return table, [{k: v.result() if isinstance(v, Future) else v for k, v in row.items()} for row in rows]


@cache
def empty(table: str, column: str) -> bytes:
    """The blob of an array that has the column's dtype and dimensions, and no elements."""
    array = TABLES[table].columns[column].info["array"]
    return pack(np.zeros((0,) * len(array.dims), array.dtype))
