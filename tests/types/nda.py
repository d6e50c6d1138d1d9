"""The demo's units and trials, read with plain SQL: what answers are compared with."""

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

Record = dict[str, Any]

_UNITS = """
  SELECT u.*, a.brain_area, m.mask_type, o.pearson, o.trials, h.str_key, h.hash, s.stack_x, s.motor_z,
    f.field_z, f.px_width, r.raster_phase, c.x_std, n.fps, n.nframes, t.ndepths,
    i.session IS NOT NULL AS included, g.score
  FROM scan_unit u
  LEFT JOIN area_membership a USING (session, scan_idx, unit_id)
  LEFT JOIN mask_classification m USING (session, scan_idx, field, mask_id)
  LEFT JOIN oracle o USING (session, scan_idx, unit_id)
  LEFT JOIN unit_hash h USING (session, scan_idx, unit_id)
  LEFT JOIN stack_unit s USING (session, scan_idx, unit_id)
  LEFT JOIN field f ON (f.session, f.scan_idx, f.field) = (u.session, u.scan_idx, u.field)
  LEFT JOIN raster_correction r ON (r.session, r.scan_idx, r.field) = (u.session, u.scan_idx, u.field)
  LEFT JOIN motion_correction c ON (c.session, c.scan_idx, c.field) = (u.session, u.scan_idx, u.field)
  LEFT JOIN registration g ON (g.session, g.scan_idx, g.field) = (u.session, u.scan_idx, u.field)
  LEFT JOIN scan n ON (n.session, n.scan_idx) = (u.session, u.scan_idx)
  LEFT JOIN scan_times t ON (t.session, t.scan_idx) = (u.session, u.scan_idx)
  LEFT JOIN "#scan_include" i ON (i.session, i.scan_idx) = (u.session, u.scan_idx)
  ORDER BY u.session, u.scan_idx, u.unit_id
"""

_TRIALS = "SELECT session, scan_idx, trial_idx, type, condition_hash FROM trial ORDER BY 1, 2, 3"


@cache
def units(path: Path) -> list[Record]:
    """Every unit with what stands beside and above it, by primary key."""
    return _read(path, _UNITS)


@cache
def trials(path: Path) -> list[Record]:
    """Every trial, by primary key."""
    return _read(path, _TRIALS)


def _read(path: Path, statement: str) -> list[Record]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(statement)]


def name_of(unit: Record) -> str:
    """A unit's key as text."""
    return f"{unit['session']:02}_{unit['scan_idx']:02}_{unit['unit_id']:06}"
