"""Synced behaviour is the raw one, filtered and interpolated."""

from typing import Any

import numpy as np
import pytest

from tests.science import reference

from .nda import Nda, Scan

PAIRS = [
    ("raw_treadmill", "treadmill", "treadmill_timestamps", "treadmill_velocity"),
    *(("raw_manual_pupil", "manual_pupil", "pupil_times", f"pupil_{name}") for name in ("min_r", "maj_r", "x", "y")),
]


@pytest.mark.parametrize("scan", [(4, 7), (5, 3), (9, 6)])
@pytest.mark.parametrize(("raw", "synced", "clock", "column"), PAIRS)
def test_synced_values_are_those_of_the_plain_formula(
    nda: Nda, scan: Scan, raw: str, synced: str, clock: str, column: str
) -> None:
    (values,) = nda.blobs(f"SELECT {column} FROM {raw} WHERE session = ? AND scan_idx = ?", scan)
    source = nda.of_scan(raw, clock, scan)
    frames = nda.of_scan("scan_times", "frame_times", scan)
    found = nda.of_scan(synced, column, scan)
    series = [float(v) for v in values]
    weights = reference.taps(rate(source), rate(frames))
    for i in [0, 5, 12, *range(100, len(frames), len(frames) // 40), len(frames) - 1]:
        expected = at(frames[i], series, source, weights)
        assert found[i] == pytest.approx(expected, abs=1e-8, nan_ok=True)


def rate(times: Any) -> float:
    """Median rate of a clock."""
    steps = np.sort(np.diff(times[~np.isnan(times)]))
    return float(2 / (steps[(len(steps) - 1) // 2] + steps[len(steps) // 2]))


def at(time: float, series: list[float], source: Any, weights: list[float]) -> float:
    """The filtered series at one time."""
    unknown = int(np.isnan(source).sum())
    before = int(np.searchsorted(source[unknown:], time, side="right")) - 1 + unknown
    around = [before, before + 1]
    smooth = [reference.filtered(series, weights, i) for i in around]
    return reference.interpolate(time, source[around].tolist(), smooth)


def test_the_mouse_runs_and_rests(nda: Nda) -> None:
    for speed in nda.blobs("SELECT treadmill_velocity FROM treadmill"):
        assert not np.isnan(speed).any()
        assert np.mean(np.abs(speed) < 0.5) > 0.3
        assert 10 < speed.max() < 80


def test_the_pupil_widens_when_the_mouse_runs(nda: Nda) -> None:
    speed = nda.of_scan("treadmill", "treadmill_velocity", (6, 4))
    radius = nda.of_scan("manual_pupil", "pupil_maj_r", (6, 4))
    seen = ~np.isnan(radius)
    assert np.corrcoef(speed[seen], radius[seen])[0, 1] > 0.3
