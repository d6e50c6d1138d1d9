"""A scan as a test wants it: its clock, traces of a few units, trials; and the demo's, read with plain SQL."""

import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import ArrayLike, NDArray
from sqlalchemy import LargeBinary, String, Table

from gql_nda import tables as t
from gql_nda.codec import unpack_array
from gql_nda.stores.sql import SqlStore
from tests.planner.agreement import Agreement
from tests.planner.documents import Case
from tests.support.little import little_store

Row = dict[str, Any]
Floats = NDArray[np.float64]

PLACE = {"session": 1, "scan_idx": 2}
AT = "session: 1, scanIdx: 2"
"""The little scan's key, in a document."""


# --- a little one ----------------------------------------------------------------------------------


@dataclass
class Recorded:
    """A scan of units 1, 2, 3 ...: ``traces`` are arrays, bytes of blobs, or None where there is none.

    Trials are (type, first frame, last frame, start, end, hash); ``shown`` are the directions, onsets and
    duration of Monet2s by hash.
    """

    traces: Sequence[Any]
    trials: Sequence[tuple[str, int, int, float, float, str]] = ()
    frame_times: Any = None
    delays: Mapping[int, int] = field(default_factory=dict)
    areas: Mapping[int, str] = field(default_factory=dict)
    shown: Mapping[str, tuple[Any, Any, float]] = field(default_factory=dict)
    nframes: int = 1000

    def rows(self) -> dict[Table, list[Row]]:
        """The rows of its tables."""
        units = [{**PLACE, "unit_id": i, "ms_delay": self.delays.get(i, 0)} for i in range(1, len(self.traces) + 1)]
        traces = [{**PLACE, "unit_id": i, "trace": v} for i, v in enumerate(self.traces, 1) if v is not None]
        names = ("type", "start_idx", "end_idx", "start_frame_time", "end_frame_time", "condition_hash")
        trials = [{**PLACE, "trial_idx": i, **dict(zip(names, v, strict=True))} for i, v in enumerate(self.trials)]
        areas = [{**PLACE, "unit_id": unit, "brain_area": area} for unit, area in self.areas.items()]
        shown = [
            {"condition_hash": hash_, "directions": directions, "onsets": onsets, "duration": duration}
            for hash_, (directions, onsets, duration) in self.shown.items()
        ]
        clock = [] if self.frame_times is None else [{**PLACE, "frame_times": self.frame_times}]
        given: dict[Table, list[Row]] = {
            t.scan: [{**PLACE, "nframes": self.nframes, "fps": 1.0}],
            t.scan_times: clock,
            t.scan_unit: units,
            t.activity: traces,
            t.trial: trials,
            t.area_membership: areas,
            t.monet2: shown,
        }
        return {table: [{**_zeros(table), **row} for row in rows] for table, rows in given.items() if rows}


def _zeros(table: Table) -> Row:
    """Something in every column that must hold something."""
    return {c.name: _zero(c.type) for c in table.columns if not c.nullable}


def _zero(kind: Any) -> Any:
    if isinstance(kind, LargeBinary):
        return b""
    return "" if isinstance(kind, String) else 0


class Asked:
    """Asks a store with a plan and without: both answer alike."""

    def __init__(self, store: SqlStore) -> None:
        self._agreement = Agreement(store)

    async def answer(self, text: str, **variables: Any) -> dict[str, Any]:
        """The whole response."""
        found = await self._agreement.compare(Case(text, variables))
        return {"data": orjson.loads(found.data), "errors": found.errors}

    async def data(self, text: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer without errors."""
        body = await self.answer(text, **variables)
        assert not body["errors"], body["errors"]
        data: dict[str, Any] = body["data"]
        return data


@asynccontextmanager
async def recorded(folder: Path, scan: Recorded) -> AsyncIterator[Asked]:
    """Asks of one little scan."""
    async with little_store(folder, scan.rows()) as store:
        yield Asked(store)


def column(*values: float) -> ArrayLike:
    """A row of numbers as nda stores Monet2's: (1, n)."""
    return np.array([values], float)


# --- the demo's ------------------------------------------------------------------------------------


class Demo:
    """The demo's recordings, without anything of the server but its codec."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def rows(self, statement: str, *values: Any) -> list[Row]:
        """The rows of a statement."""
        with closing(sqlite3.connect(self._path)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(statement, values)]

    def array(self, statement: str, *values: Any) -> list[float]:
        """The numbers of the one blob of a statement, flattened."""
        ((blob,),) = (row.values() for row in self.rows(statement, *values))
        return unpack_array(blob).ravel().astype(float).tolist()

    def trials(self, session: int, scan_idx: int) -> list[Row]:
        """A scan's trials in order."""
        names = "trial_idx, type, start_idx, end_idx, start_frame_time, end_frame_time, condition_hash"
        statement = f"SELECT {names} FROM trial WHERE (session, scan_idx) = (?, ?) ORDER BY trial_idx"
        return self.rows(statement, session, scan_idx)

    def frame_times(self, session: int, scan_idx: int) -> list[float]:
        """When its frames were taken (s)."""
        return self.array("SELECT frame_times FROM scan_times WHERE (session, scan_idx) = (?, ?)", session, scan_idx)

    def trace(self, session: int, scan_idx: int, unit_id: int) -> list[float]:
        """A unit's activity."""
        key = (session, scan_idx, unit_id)
        return self.array("SELECT trace FROM activity WHERE (session, scan_idx, unit_id) = (?, ?, ?)", *key)

    def delay(self, session: int, scan_idx: int, unit_id: int) -> int:
        """A unit's delay (ms)."""
        statement = "SELECT ms_delay FROM scan_unit WHERE (session, scan_idx, unit_id) = (?, ?, ?)"
        (row,) = self.rows(statement, session, scan_idx, unit_id)
        found: int = row["ms_delay"]
        return found

    def shown(self, condition_hash: str) -> tuple[list[float], list[float], float]:
        """Directions, onsets and duration of a Monet2."""
        ((duration,),) = (
            row.values() for row in self.rows("SELECT duration FROM monet2 WHERE condition_hash = ?", condition_hash)
        )
        columns = (
            self.array(f"SELECT {name} FROM monet2 WHERE condition_hash = ?", condition_hash)
            for name in ("directions", "onsets")
        )
        return (*columns, float(duration))  # type: ignore[return-value]
