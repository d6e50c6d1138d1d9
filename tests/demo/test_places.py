"""Masks, pixels, registrations and positions follow from each other."""

import hashlib
import json
from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from tests.science import reference

from .nda import Nda

EVERYTHING = """
SELECT * FROM scan_unit
JOIN field USING (session, scan_idx, field)
JOIN registration USING (session, scan_idx, field)
JOIN stack_unit USING (stack_session, stack_idx, session, scan_idx, field, unit_id)
JOIN area_membership USING (session, scan_idx, unit_id)
JOIN scan USING (session, scan_idx)
JOIN scan_times USING (session, scan_idx)
JOIN segmentation USING (session, scan_idx, field, mask_id)
"""


@pytest.fixture(scope="module")
def units(nda: Nda) -> list[dict[str, Any]]:
    """One wide row a unit, the stack's row within."""
    (volume,) = nda.dicts("SELECT * FROM stack")
    found = nda.dicts(EVERYTHING)
    assert len(found) == nda.column("SELECT count(*) FROM scan_unit")[0]
    return [{**row, "volume": volume} for row in found]


def test_positions_follow_from_pixels_and_registration(units: list[dict[str, Any]]) -> None:
    for unit in units:
        motor = reference.motor((unit["px_x"], unit["px_y"]), unit, unit)
        assert [unit[f"motor_{axis}"] for axis in "xyz"] == pytest.approx(motor, abs=1e-4)
        stack = reference.stack(motor, unit["volume"])
        assert [unit[f"stack_{axis}"] for axis in "xyz"] == pytest.approx(stack, abs=0.0101)


def test_units_lie_in_the_stack(units: list[dict[str, Any]]) -> None:
    for unit in units:
        for axis, side in (("x", "width"), ("y", "height"), ("z", "depth")):
            assert 0 < unit[f"stack_{axis}"] < unit["volume"][f"um_{side}"]


def test_centroids_follow_from_masks(nda: Nda, units: list[dict[str, Any]]) -> None:
    query = "SELECT {} FROM segmentation WHERE session = ? AND scan_idx = ? AND field = ? AND mask_id = ?"
    for unit in units:
        key = [unit[name] for name in ("session", "scan_idx", "field", "mask_id")]
        pixels = nda.array(query.format("pixels"), key).tolist()
        weights = nda.array(query.format("weights"), key).tolist()
        assert 8 < len(pixels) < 100
        assert pixels == sorted(set(pixels))
        assert min(weights) > 0
        rows = [(p - 1) % unit["px_height"] for p in pixels]
        columns = [(p - 1) // unit["px_height"] for p in pixels]
        assert max(columns) < unit["px_width"]
        centre = [sum(w * c for w, c in zip(weights, side, strict=True)) / sum(weights) for side in (columns, rows)]
        assert [unit["px_x"], unit["px_y"]] == [round(c) for c in centre]
        assert [unit["um_x"], unit["um_y"]] == reference.unregistered(centre, unit)
        assert unit["um_z"] == unit["field_z"]


def test_delays_follow_from_depth_field_and_line(units: list[dict[str, Any]]) -> None:
    for unit in units:
        slot = 1000 / unit["fps"] / unit["ndepths"]
        lines = unit["px_y"] + unit["px_height"] * ((unit["field"] - 1) % 2)
        assert unit["ms_delay"] == pytest.approx((unit["field"] - 1) // 2 * slot + 35 / 880 * lines, abs=0.6)
        assert 0 <= unit["ms_delay"] <= 154


def test_units_are_masks_numbered_over_the_fields(nda: Nda) -> None:
    query = "SELECT session, scan_idx, unit_id, field, mask_id FROM scan_unit ORDER BY 1, 2, 3"
    by_scan: dict[tuple[int, int], list[tuple[int, int, int]]] = defaultdict(list)
    for session, scan_idx, *unit in nda.rows(query):
        by_scan[session, scan_idx].append(tuple(unit))
    for units in by_scan.values():
        assert [unit_id for unit_id, *_ in units] == list(range(1, len(units) + 1))
        assert [place for _, *place in units] == sorted(place for _, *place in units)
    assert nda.rows("SELECT 1 FROM segmentation EXCEPT SELECT 1 FROM scan_unit") == []


def test_names_of_units(nda: Nda) -> None:
    for session, scan_idx, unit_id, hash_, str_key in nda.rows("SELECT * FROM unit_hash"):
        key = json.dumps({"session": session, "scan_idx": scan_idx, "unit_id": unit_id})
        assert hash_ == hashlib.sha256(key.encode()).hexdigest()[:12]
        assert str_key == "_".join([str(session).zfill(2), str(scan_idx).zfill(2), str(unit_id).zfill(6)])
    assert nda.column("SELECT hash FROM unit_hash WHERE str_key = '04_07_000001'") == ["c7daab17d264"]


def test_areas_lie_where_they_should(units: list[dict[str, Any]]) -> None:
    middle = {a: np.mean([[u["motor_x"], u["motor_y"]] for u in units if u["brain_area"] == a], axis=0) for a in AREAS}
    assert all(middle[area][1] < middle["V1"][1] - 200 for area in ("LM", "AL", "RL"))
    assert middle["LM"][0] < middle["AL"][0] < middle["RL"][0]


AREAS = ("V1", "LM", "AL", "RL")


def test_only_cell_bodies_have_scores(nda: Nda) -> None:
    joined = "scan_unit JOIN mask_classification USING (session, scan_idx, field, mask_id)"
    somas = nda.rows(f"SELECT session, scan_idx, unit_id FROM {joined} WHERE mask_type = 'soma' ORDER BY 1, 2, 3")
    assert nda.rows("SELECT session, scan_idx, unit_id FROM oracle ORDER BY 1, 2, 3") == somas
    assert nda.rows("SELECT DISTINCT trials FROM oracle") == [(60,)]


# --- pictures --------------------------------------------------------------------------------------


def test_scores_of_registrations_are_correlations(nda: Nda) -> None:
    query = "SELECT {}, score FROM registration JOIN summary_images USING (session, scan_idx, field)"
    fields = zip(nda.blobs(query.format("reg_field")), nda.blobs(query.format("average")), strict=True)
    scores = nda.column(query.format("score"))
    for (found, average), score in zip(fields, scores, strict=True):
        assert np.corrcoef(found.ravel(), average.ravel())[0, 1] == pytest.approx(score, abs=0.03)
        assert 0 < score < 1


def test_masks_are_bright(nda: Nda) -> None:
    query = "SELECT {} FROM segmentation JOIN summary_images USING (session, scan_idx, field)"
    pictures = zip(nda.blobs(query.format("pixels")), nda.blobs(query.format("correlation")), strict=True)
    brighter = [image.ravel(order="F")[pixels - 1].mean() > np.median(image) + 0.05 for pixels, image in pictures]
    assert np.mean(brighter) > 0.95
    for image in nda.blobs("SELECT correlation FROM summary_images LIMIT 10"):
        assert 0 <= image.min() < image.max() <= 1


def test_deviations_are_those_of_the_shifts(nda: Nda) -> None:
    for axis in "xy":
        shifts = nda.blobs(f"SELECT {axis}_shifts FROM motion_correction")
        found = nda.column(f"SELECT {axis}_std FROM motion_correction")
        assert found == pytest.approx([s.std() for s in shifts], rel=1e-6)
