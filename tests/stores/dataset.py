"""A small dataset made to be asked about: many ties, many NULLs of missing rows, texts that SQL trips over.

Unlike the demo it means nothing: values are drawn from small pools, so that comparisons hit, orders
tie, and every satellite is missing somewhere.
"""

from collections.abc import Iterator
from random import Random
from typing import Any, TypeAlias

import numpy as np
from sqlalchemy import CHAR, Boolean, Column, Double, Integer, Numeric, String, Table

from gql_nda import tables as t
from gql_nda.tables import TABLES, Float32, is_blob, key_names
from tests.stores.positions import TRANSFORMS

Row: TypeAlias = dict[str, Any]
Rows: TypeAlias = dict[str, list[Row]]
"""Rows by the name of their table."""

_THIRD = float(np.float32(0.3))
_ABOVE, _BELOW = (float(np.nextafter(np.float32(0.3), np.float32(way))) for way in (1, 0))

FLOATS = [0.1, 0.2, 0.3, _ABOVE, _BELOW, -0.3, 0.0, 1.0, 16777216.0, 1e-45, -3.4028234663852886e38, 8.617541313171387]
"""What FLOAT columns hold, before it is rounded to float32."""
DOUBLES = [0.1, 0.3, _THIRD, 202.05525159835815, -1 / 3, 5e-324, 1e300, 0.0]
DECIMALS = [0.3, -1.25, 2.5, 4.0, 0.0]
INTEGERS = [0, 1, 2, 3, 5, 40]
HASHES = [
    *("KXdTNAGMo1gCWz2Ge8zr", "kxdtnagmo1gcwz2ge8zr", "KXDTNAGMO1GCWZ2GE8ZR", "5zQTb77qI+ig8rigx1XU"),
    *("5ZQTb77qI+ig8rigx1XU", "////////////////////", "++++++++++++++++++++", "aaaa", "AAAA", "Aaaa", "B"),
]
"""Condition hashes; some differ by case alone."""
TEXTS = [
    *("", "a", "A", "b", "ab", "aB", "AB", "100%", "100x", "a_b", "axb", "a\\b", "quo'te", 'dou"ble', "`;--"),
    *("é", "É", "e", "ß", "ss", "€", "ÿ", " a", "V1", "LM", "soma", "stimulus.Clip", "2PEM", "phase3"),
]
"""Texts that collations, wildcards and quoting confuse; all of them fit latin1."""


def rows(seed: int = 1) -> Rows:
    """Rows of all 29 tables. The first stack has transforms, the second has none to EM."""
    made = _Maker(Random(seed)).rows()
    for row in made["coregistration"]:
        told = TRANSFORMS.get(row["transform_id"]) if row["stack_idx"] == 19 else None
        row |= told or {"direction": "EM2P"}
    return made


class _Maker:
    """Makes keys table by table; what isn't a key is drawn."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def rows(self) -> Rows:
        keys = dict(self._keys())
        return {name: [self._row(table, key) for key in keys[name]] for name, table in TABLES.items()}

    def _keys(self) -> Iterator[tuple[str, list[Row]]]:
        scans = [{"session": s, "scan_idx": i} for s, i in ((4, 7), (4, 9), (5, 3), (9, 6), (-1, 0))]
        fields = [{**scan, "field": f} for scan in scans[:4] for f in range(1, 5)]
        masks = [{**field, "mask_id": m} for field in fields for m in range(1, self._random.randint(2, 7))]
        units = list(self._numbered(masks))
        stacks = [{"stack_session": 9, "stack_idx": idx} for idx in (19, 20)]
        registrations = self._some([{**stack, **field} for stack in stacks for field in fields])
        yield from {"scan": scans, "field": fields, "segmentation": masks, "scan_unit": units}.items()
        yield from {"stack": stacks, "registration": registrations}.items()
        yield "stack_unit", self._some(list(_placed(registrations, units)))
        yield "coregistration", [{**stack, "transform_id": i} for stack in stacks for i in range(1, 9)]
        yield "fluorescence", masks
        for name in ("raster_correction", "motion_correction", "mean_intensity", "summary_images"):
            yield name, self._some(fields)
        for name in ("scan_include", "scan_times", "raw_manual_pupil", "raw_treadmill"):
            yield name, scans[: self._random.randint(2, 4)]
        yield from {"manual_pupil": scans[:2], "treadmill": scans[:1], "stimulus": scans[:4]}.items()
        for name in ("unit_hash", "activity", "area_membership", "oracle"):
            yield name, self._some([{n: unit[n] for n in key_names(t.scan_unit)} for unit in units])
        yield "mask_classification", self._some(masks)
        yield "trial", [{**scan, "trial_idx": i} for scan in scans[:4] for i in range(30)]
        yield from {"clip": _hashes(0, 5), "monet2": _hashes(5, 8), "trippy": _hashes(7, 11)}.items()

    def _numbered(self, masks: list[Row]) -> Iterator[Row]:
        """Units of most masks, numbered within their scan in no order."""
        numbers = self._random.sample(range(1, 10 * len(masks)), len(masks))
        for mask, number in zip(masks, numbers, strict=True):
            if self._random.random() < 0.9:
                yield {**mask, "unit_id": number}

    def _some(self, keys: list[Row]) -> list[Row]:
        return [key for key in keys if self._random.random() < 0.7]

    def _row(self, table: Table, key: Row) -> Row:
        return {c.name: key[c.name] if c.name in key else self._value(c) for c in table.columns}

    def _value(self, column: Column[Any]) -> Any:
        if is_blob(column):
            return None if column.nullable and self._random.random() < 0.5 else self._bytes()
        value = self._random.choice(pool(column))
        negative = isinstance(value, float) and value and self._random.random() < 0.1  # SQLite has no -0.0
        return -value if negative else value

    def _bytes(self) -> bytes:
        """Blobs around the length of a head."""
        return self._random.randbytes(self._random.choice((0, 1, 100, 511, 512, 513, 2000)))


def pool(column: Column[Any]) -> list[Any]:
    """What a column's values are drawn from."""
    kind = column.type
    if column.name == "condition_hash":
        return HASHES
    if isinstance(kind, Float32):
        return FLOATS
    if isinstance(kind, Boolean):
        return [True, False]
    if isinstance(kind, Double):
        return DOUBLES
    if isinstance(kind, Integer):
        return INTEGERS
    if isinstance(kind, Numeric):
        return DECIMALS
    assert isinstance(kind, String | CHAR)
    return [text for text in TEXTS if len(text) <= (kind.length or 0)]


def _placed(registrations: list[Row], units: list[Row]) -> Iterator[Row]:
    for registration in registrations:
        for unit in units:
            if all(unit[n] == registration[n] for n in ("session", "scan_idx", "field")):
                yield {**registration, "unit_id": unit["unit_id"]}


def _hashes(start: int, stop: int) -> list[Row]:
    """Conditions; a key, so no two may differ by case alone."""
    distinct = {name.lower(): name for name in HASHES[start:stop]}
    return [{"condition_hash": name} for name in distinct.values()]
