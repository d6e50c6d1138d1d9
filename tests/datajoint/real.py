"""The rows of the real release that notebooks have printed, as ``../shared/data/real_rows.json`` has them.

A row holds what was printed and the key it needs; what no notebook shows (arrays, positions) is for
whoever inserts the rows to fill up. Parents that nobody printed are rows of their key alone.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.datajoint.rows import Row, Rows

_SCAN = ("session", "scan_idx")


def rows(shared: Path) -> Rows:
    """All printed rows, parents before children."""
    real = json.loads((shared / "real_rows.json").read_text())
    scans = _table(real["scan"])
    known = {(scan["session"], scan["scan_idx"]) for scan in scans}
    return {
        "Scan": scans,
        "ScanInclude": [dict(zip(_SCAN, key, strict=True)) for key in real["scan_include"]["rows"] if (*key,) in known],
        "Field": _in_4_7(_table(real["field_4_7"])),
        **_units(real),
        **_stack(real),
        **_stimuli(real),
    }


def _table(printed: dict[str, Any]) -> list[Row]:
    return [dict(zip(printed["columns"], row, strict=True)) for row in printed["rows"]]


def _in_4_7(rows: Iterable[Row]) -> list[Row]:
    return [{"session": 4, "scan_idx": 7, **row} for row in rows]


def _units(real: dict[str, Any]) -> Rows:
    """Units of 4_7: those printed, and those whose oracle score or place in the stack was."""
    counts = real["mask_counts_per_field"]["4_7"]
    units = {unit["unit_id"]: unit for unit in _table(real["scan_unit_4_7"])}
    scores = [dict(zip(("unit_id", "trials", "pearson"), row, strict=True)) for row in real["oracle"]["rows_4_7"]]
    placed = _table(real["stack_unit_4_7_field4"])
    for row in (*scores, *placed):
        units.setdefault(row["unit_id"], {"unit_id": row["unit_id"], **_mask_of(row["unit_id"], counts)})
    masks = {(unit["field"], unit["mask_id"]) for unit in units.values()}
    kinds = {(4, number): kind for number, kind in enumerate(real["mask_classification_4_7_field4_first12"], 1)}
    masks_of_all = [{"field": field, "mask_id": mask} for field, mask in sorted(masks | kinds.keys())]
    areas = [{"unit_id": number, "brain_area": "LM"} for number in range(1, 13)]
    return {
        "Segmentation": _in_4_7(masks_of_all),
        "Fluorescence": _in_4_7(masks_of_all),
        "MaskClassification": _in_4_7({"field": f, "mask_id": m, "mask_type": kind} for (f, m), kind in kinds.items()),
        "ScanUnit": _in_4_7(units.values()),
        "AreaMembership": _in_4_7(areas),
        "Oracle": _in_4_7(scores),
    }


def _mask_of(unit_id: int, counts: list[int]) -> Row:
    """Units of 4_7 are numbered mask after mask, field after field."""
    for field, count in enumerate(counts, 1):
        if unit_id <= count:
            return {"field": field, "mask_id": unit_id}
        unit_id -= count
    raise AssertionError(f"no mask for unit {unit_id}")


def _stack(real: dict[str, Any]) -> Rows:
    stack = real["stack"]["row"]
    key = {name: stack[name] for name in ("stack_session", "stack_idx")}
    registered = {k: v for k, v in real["registration_4_7_field4"].items() if k != "source"}
    in_field_4 = {**key, "field": 4}
    return {
        "Stack": [stack],
        "Registration": _in_4_7([{**in_field_4, **registered}]),
        "Coregistration": _table(real["coregistration"]),
        "StackUnit": _in_4_7({**in_field_4, **row} for row in _table(real["stack_unit_4_7_field4"])),
    }


def _stimuli(real: dict[str, Any]) -> Rows:
    trials = _in_4_7(_table(real["trial_4_7"])) + [
        {"session": 5, "scan_idx": 7, **row} for row in _table(real["trial_5_7"])
    ]
    for trial in trials:
        trial.setdefault("condition_hash", trial.pop("condition_hash_prefix", None))
    scans = {tuple(trial[name] for name in _SCAN) for trial in trials}
    return {
        "Stimulus": [dict(zip(_SCAN, scan, strict=True)) for scan in sorted(scans)],
        "Trial": trials,
        "Monet2": [{k: v for k, v in real["monet2_row"].items() if k != "source"}],
    }
