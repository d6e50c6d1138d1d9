"""A demo in a file, read as plainly as possible."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gql_nda.codec import unpack

Scan = tuple[int, int]


class Nda:
    """The database: rows as tuples, blobs decoded."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = sqlite3.connect(path)

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """All rows of a query."""
        return self._connection.execute(query, values).fetchall()

    def column(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """The first column of a query."""
        return [row[0] for row in self.rows(query, values)]

    def dicts(self, query: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Rows by the names of their columns."""
        cursor = self._connection.execute(query, values)
        names = [d[0] for d in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def blobs(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """The first column of a query, decoded."""
        return [unpack(blob) for blob in self.column(query, values)]

    def array(self, query: str, values: Sequence[Any] = ()) -> NDArray[Any]:
        """The one array a query gives."""
        (array,) = self.blobs(query, values)
        assert isinstance(array, np.ndarray)
        return array

    def of_scan(self, table: str, column: str, scan: Scan) -> NDArray[Any]:
        """The one array that a scan has in a column."""
        return self.array(f'SELECT {column} FROM "{table}" WHERE session = ? AND scan_idx = ?', scan)

    def scans(self) -> list[Scan]:
        """Keys of all scans."""
        return self.rows("SELECT session, scan_idx FROM scan ORDER BY session, scan_idx")
