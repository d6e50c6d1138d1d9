"""Blobs hold the arrays that tables.py promises, and values in their published ranges."""

import math
from typing import Any

import numpy as np
import pytest

from gql_nda.codec import peek
from gql_nda.tables import TABLES

from .nda import Nda, Scan

ARRAYS = [(t, c) for t in TABLES.values() for c in t.columns if "array" in c.info]
LISTS = {("raw_manual_pupil", "pupil_x"), ("raw_manual_pupil", "pupil_y")}


@pytest.mark.parametrize(("table", "column"), ARRAYS, ids=lambda x: x.name)
def test_dtype_and_dimensions(nda: Nda, table: Any, column: Any) -> None:
    expected = column.info["array"]
    for blob in nda.column(f'SELECT {column.name} FROM "{table.name}"'):
        header = peek(blob, len(blob))
        assert header.kind == ("list" if (table.name, column.name) in LISTS else "array")
        assert header.dtype == expected.dtype
        assert len(header.shape) == len(expected.dims)
        assert all(header.shape)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        *(("scan_times", "frame_times"), ("motion_correction", "x_shifts"), ("motion_correction", "y_shifts")),
        *(("mean_intensity", "intensities"), ("stimulus", "movie"), ("activity", "trace"), ("fluorescence", "trace")),
        *(("manual_pupil", "pupil_x"), ("manual_pupil", "pupil_min_r"), ("treadmill", "treadmill_velocity")),
    ],
)
def test_what_runs_over_a_scan_has_one_value_a_frame(nda: Nda, table: str, column: str) -> None:
    for blob, nframes in nda.rows(f"SELECT {column}, nframes FROM {table} JOIN scan USING (session, scan_idx)"):
        assert peek(blob, len(blob)).shape[-1] == nframes


def shapes(nda: Nda, column: str, table: str) -> set[tuple[int, ...]]:
    return {peek(blob, len(blob)).shape for blob in nda.column(f"SELECT {column} FROM {table}")}


def test_shapes_of_pictures(nda: Nda) -> None:
    assert shapes(nda, "average", "summary_images") == {(440, 248)}
    assert shapes(nda, "correlation", "summary_images") == {(440, 248)}
    assert shapes(nda, "reg_field", "registration") == {(440, 248)}
    assert shapes(nda, "clip", "clip") == {(300, 9, 16)}
    assert shapes(nda, "movie", "monet2") == {(9, 16, 1, 900)}
    assert shapes(nda, "movie", "trippy") == {(9, 16, 900)}
    assert shapes(nda, "packed_phase_movie", "trippy") == {(18, 91)}
    assert shapes(nda, "directions", "monet2") == shapes(nda, "onsets", "monet2") == {(1, 16)}
    assert shapes(nda, "stim_times", "trial") == {(1, 300), (1, 900)}


def test_traces_are_finite_and_activity_is_sparse_and_never_negative(nda: Nda) -> None:
    for trace in nda.blobs("SELECT trace FROM activity"):
        assert trace.min() == 0
        assert 0.02 < np.mean(trace > 0) < 0.6
        assert np.isfinite(trace).all()
    for trace in nda.blobs("SELECT trace FROM fluorescence"):
        assert trace.min() > 0
        assert np.isfinite(trace).all()


@pytest.mark.parametrize("scan", [(4, 7), (5, 3), (9, 6)])
def test_what_the_eye_camera_saw(nda: Nda, scan: Scan) -> None:
    query = "SELECT {} FROM raw_manual_pupil WHERE session = ? AND scan_idx = ?"
    (x,) = nda.blobs(query.format("pupil_x"), scan)
    (y,) = nda.blobs(query.format("pupil_y"), scan)
    assert {type(v) for v in x} == {float, np.float64} or {np.shape(v) for v in x} == {()}
    assert all(math.isnan(v) for v in x if type(v) is float)
    radii = [nda.of_scan("raw_manual_pupil", name, scan) for name in ("pupil_min_r", "pupil_maj_r")]
    lost = np.isnan(np.array(x, float))
    for values, low, high in ((x, 1064, 1359), (y, 575, 815), (radii[1], 28, 97)):
        seen = np.array(values, float)[~lost]
        assert low <= seen.min() < seen.max() <= high
        assert seen.size + lost.sum() == len(x)
    assert np.all(radii[0][~lost] <= radii[1][~lost])
    assert np.isnan(radii[0][lost]).all()


def test_behaviour_has_clocks_of_its_own(nda: Nda) -> None:
    leading = []
    for table, column, low, high in (
        ("raw_manual_pupil", "pupil_times", 19, 21),
        ("raw_treadmill", "treadmill_timestamps", 60, 100),
    ):
        for times in nda.blobs(f"SELECT {column} FROM {table}"):
            known = times[~np.isnan(times)]
            assert np.isnan(times[: len(times) - len(known)]).all()
            assert known[0] < 0
            assert np.all(np.diff(known) > 0)
            assert low <= 1 / np.median(np.diff(known)) <= high
            leading.append(len(known) < len(times))
    assert len(set(leading)) == 2


def test_every_pupil_trace_starts_without_a_pupil(nda: Nda) -> None:
    for radius, fps in zip(
        nda.blobs("SELECT pupil_maj_r FROM manual_pupil ORDER BY session, scan_idx"),
        nda.column("SELECT fps FROM scan ORDER BY session, scan_idx"),
        strict=True,
    ):
        first = int(np.argmin(np.isnan(radius)))
        assert 7 <= first <= (9 if fps < 7 else 12)
        assert not np.isnan(radius[first:]).all()
