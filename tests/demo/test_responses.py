"""Traces follow the stimulus, and scores the traces."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import rankdata

from gql_nda.codec import unpack
from gql_nda.demo.facts import RECORDINGS
from gql_nda.demo.unit import oracle_scores
from tests.science import reference

from .nda import Nda, Scan
from .test_trials import ORACLE

SCANS: list[Scan] = [(4, 7), (5, 6), (9, 4)]

UNITS = """
SELECT unit_id, ms_delay, mask_type, activity.trace, fluorescence.trace FROM scan_unit
JOIN mask_classification USING (session, scan_idx, field, mask_id)
JOIN fluorescence USING (session, scan_idx, field, mask_id)
JOIN activity USING (session, scan_idx, unit_id)
WHERE session = ? AND scan_idx = ? ORDER BY unit_id
"""


def samples(nda: Nda, scan: Scan, trace: Any, delay: int) -> list[list[list[float]]]:
    """Responses to the six oracle clips (clip, repeat, sample), number by number."""
    (fps,) = nda.column("SELECT fps FROM scan WHERE session = ? AND scan_idx = ?", scan)
    times = nda.of_scan("scan_times", "frame_times", scan)
    conditions = []
    query = (
        "SELECT start_frame_time, end_frame_time FROM trial WHERE session = ? AND scan_idx = ? AND condition_hash = ?"
    )
    for hash_ in sorted(ORACLE):
        repeats = [
            [near(trace, times, delay, t) for t in reference.spaced(start, end, round(fps * (end - start)))]
            for start, end in nda.rows(query, [*scan, hash_])
        ]
        shortest = min(map(len, repeats))
        conditions.append([r[:shortest] for r in repeats])
    return conditions


def near(trace: Any, times: Any, delay: int, time: float) -> float:
    """The trace at one time: the plain formula on the frames around it."""
    first = max(int(np.searchsorted(times, time)) - 3, 0)
    some = slice(first, first + 6)
    return reference.sample(trace[some].tolist(), times[some].tolist(), delay, [time])[0]


@pytest.mark.parametrize("scan", SCANS)
def test_scores_are_those_of_the_plain_formula(nda: Nda, scan: Scan) -> None:
    scores = dict(nda.rows("SELECT unit_id, pearson FROM oracle WHERE session = ? AND scan_idx = ?", scan))
    for unit_id, delay, kind, blob, _ in nda.rows(UNITS, scan)[:5]:
        (trace,) = nda.blobs("SELECT ?", [blob])
        expected = reference.oracle_score(samples(nda, scan, trace, delay))
        if kind == "soma":
            assert scores[unit_id] == pytest.approx(expected, abs=1e-6)
        else:
            assert abs(expected) < 0.2


def test_stored_scores_are_exactly_those_of_the_package(nda: Nda) -> None:
    scan = (7, 3)
    recording = next(r for r in RECORDINGS if r.key == scan)
    units = [row for row in nda.rows(UNITS, scan) if row[2] == "soma"]
    traces = np.array([unpack(blob) for *_, blob, _ in units])
    found = oracle_scores(recording, traces, np.array([delay for _, delay, *_ in units]))
    query = "SELECT pearson FROM oracle WHERE session = ? AND scan_idx = ? ORDER BY unit_id"
    assert nda.column(query, scan) == found.astype(np.float32).tolist()


def test_scores_spread_as_they_should(nda: Nda) -> None:
    scores = nda.column("SELECT pearson FROM oracle")
    assert -0.14 < min(scores) < 0.05
    assert 0.3 < max(scores) < 0.85
    assert 0.08 < np.median(scores) < 0.3


def test_fluorescence_follows_activity(nda: Nda) -> None:
    kept = np.exp(-1 / (0.7 * 6.3))
    for *_, active, glow in nda.rows(UNITS, (4, 7)):
        spikes, bright = nda.blobs("SELECT ? UNION ALL SELECT ?", [active, glow])
        calcium, level = [], 0.0
        for spike in spikes[:5000].tolist():
            level = kept * level + spike
            calcium.append(level)
        assert np.corrcoef(calcium, bright[:5000])[0, 1] > 0.6


def test_cells_prefer_directions(nda: Nda) -> None:
    """Mean responses to the 16 directions differ by more than chance: in even and odd trials alike."""
    agreement = {"soma": [], "artifact": []}  # type: dict[str, list[float]]
    for scan in nda.scans()[:8]:
        segments = directions(nda, scan)
        times = nda.of_scan("scan_times", "frame_times", scan)
        for _, delay, kind, blob, _ in nda.rows(UNITS, scan):
            (trace,) = nda.blobs("SELECT ?", [blob])
            halves = [tuning(trace, times + delay / 1000, segments[half::2]) for half in (0, 1)]
            agreement[kind].append(np.corrcoef(rankdata(halves[0]), rankdata(halves[1]))[0, 1])
    assert np.median(agreement["soma"]) > 0.5
    assert abs(np.median(agreement["artifact"])) < 0.4


def directions(nda: Nda, scan: Scan) -> list[list[tuple[float, float]]]:
    """Direction and onset (s) of every segment of every Monet2 trial."""
    query = """SELECT start_frame_time, directions, onsets FROM trial JOIN monet2 USING (condition_hash)
    WHERE session = ? AND scan_idx = ? ORDER BY trial_idx"""
    rows = [(start, *nda.blobs("SELECT ? UNION ALL SELECT ?", [d, o])) for start, d, o in nda.rows(query, scan)]
    return [[(float(a), start + float(b)) for a, b in zip(d[0], o[0], strict=True)] for start, d, o in rows]


def tuning(trace: Any, times: Any, trials: list[list[tuple[float, float]]]) -> list[float]:
    """Mean activity by direction."""
    found: dict[float, list[float]] = {}
    for segments in trials:
        for direction, onset in segments:
            first, last = np.searchsorted(times, [onset, onset + 15 / 16])
            found.setdefault(direction, []).append(float(trace[first:last].mean()))
    return [float(np.mean(found[d])) for d in sorted(found)]
