"""The stimulus: structure, clocks, and the movie of the scan."""

import re
from bisect import bisect_right
from collections import Counter
from itertools import groupby, pairwise
from statistics import median
from typing import Any

import numpy as np
import pytest

from tests.science import reference

from .nda import Nda, Scan

ORACLE = {
    *("KXdTNAGMo1gCWz2Ge8zr", "5zQTb77qI+ig8rigx1XU", "GjCMo2GkJp6y5vricadg"),
    *("ecUQJtcERZJGdqza1k7h", "7UETOWO5Z8aWuHDBJ2GG", "Oup5uAZxF2G7zEJkT+ui"),
}


@pytest.fixture(scope="module")
def trials(nda: Nda) -> dict[Scan, list[dict[str, Any]]]:
    """Trials of each scan, in order, without the flips."""
    columns = "session, scan_idx, trial_idx, type, start_idx, end_idx, start_frame_time, end_frame_time, condition_hash"
    rows = nda.dicts(f"SELECT {columns} FROM trial ORDER BY session, scan_idx, trial_idx")
    return {scan: list(group) for scan, group in groupby(rows, lambda r: (r["session"], r["scan_idx"]))}


def test_every_scan_shows_what_it_should(trials: Any) -> None:
    for shown in trials.values():
        assert [t["trial_idx"] for t in shown] == list(range(464))
        assert Counter(t["type"] for t in shown) == {"stimulus.Clip": 384, "stimulus.Monet2": 40, "stimulus.Trippy": 40}
        repeats = Counter((t["type"], t["condition_hash"]) for t in shown)
        kinds = Counter((kind, n) for (kind, _), n in repeats.items())
        clips = {("stimulus.Clip", 10): 6, ("stimulus.Clip", 2): 90, ("stimulus.Clip", 1): 144}
        assert kinds == {**clips, ("stimulus.Monet2", 2): 20, ("stimulus.Trippy", 2): 20}
        assert {h for (_, h), n in repeats.items() if n == 10} == ORACLE


def test_oracle_clips_come_in_blocks_of_one_order(trials: Any) -> None:
    orders = set()
    for shown in trials.values():
        hashes = [t["condition_hash"] for t in shown]
        starts = [i for i in range(464) if hashes[i] in ORACLE and (i == 0 or hashes[i - 1] not in ORACLE)]
        assert starts[0] == 32
        assert len(starts) == 10
        blocks = {tuple(hashes[i : i + 6]) for i in starts}
        assert len(blocks) == 1
        orders |= blocks
    assert all(set(order) == ORACLE for order in orders)
    assert len(orders) > 10


def test_clips_of_each_class(nda: Nda, trials: Any) -> None:
    classes = dict(nda.rows("SELECT condition_hash, short_movie_name FROM clip"))
    for shown in trials.values():
        clips = [classes[t["condition_hash"]] for t in shown if t["type"] == "stimulus.Clip"]
        assert Counter(clips) == {"Cinematic": 128, "sports1m": 128, "Rendered": 128}
    assert Counter(classes[h] for h in ORACLE) == {"Cinematic": 2, "sports1m": 2, "Rendered": 2}


def test_every_condition_is_known_in_its_table(nda: Nda, trials: Any) -> None:
    known = {f"stimulus.{t.title()}": set(nda.column(f"SELECT condition_hash FROM {t}")) for t in TYPES}
    for shown in trials.values():
        assert all(t["condition_hash"] in known[t["type"]] for t in shown)
    hashes = [h for of_type in known.values() for h in of_type]
    assert all(re.fullmatch("[A-Za-z0-9+/]{20}", h) for h in hashes)
    assert len(set(hashes)) == len(hashes)


TYPES = ("clip", "monet2", "trippy")


def test_some_hashes_differ_only_by_case_but_never_within_a_table(nda: Nda) -> None:
    known = [nda.column(f"SELECT condition_hash FROM {table}") for table in TYPES]
    assert all(len({h.lower() for h in of_table}) == len(of_table) for of_table in known)
    everywhere = [h.lower() for of_table in known for h in of_table]
    assert len(everywhere) - len(set(everywhere)) == 3


# --- clocks ----------------------------------------------------------------------------------------


def test_durations_and_pauses(trials: Any) -> None:
    for scan, shown in trials.items():
        for trial in shown:
            expected = 9.9665 if trial["type"] == "stimulus.Clip" else 14.9831
            hung = 1 / 30 if scan == (8, 9) and trial["trial_idx"] == 0 else 0
            lasted = trial["end_frame_time"] - trial["start_frame_time"]
            assert lasted == pytest.approx(expected + hung, abs=2e-4)
        pauses = [after["start_frame_time"] - before["end_frame_time"] for before, after in pairwise(shown)]
        assert 0.083 < min(pauses) < 0.0834
        assert 0.0999 < max(pauses) < 0.1001


def test_flips_begin_and_end_the_trial(nda: Nda) -> None:
    for i, (kind, start, end) in enumerate(nda.rows(f"SELECT type, start_frame_time, end_frame_time {SOME}")):
        flips = nda.blobs(f"SELECT stim_times {SOME}")[i]
        assert (flips[0, 0], flips[0, -1]) == (start, end)
        rate = 30 if kind == "stimulus.Clip" else 60
        assert np.diff(flips[0]) == pytest.approx(1 / rate, abs=1e-4)


SOME = "FROM trial WHERE session = 6 AND scan_idx = 4 AND trial_idx % 40 = 6 ORDER BY trial_idx"


def test_the_one_hanging_trial(nda: Nda) -> None:
    flips = nda.array("SELECT stim_times FROM trial WHERE session = 8 AND scan_idx = 9 AND trial_idx = 0")
    steps = np.diff(flips[0])
    assert (steps > 0.06).sum() == 1


def test_frames_follow_from_times(nda: Nda, trials: Any) -> None:
    for scan, shown in trials.items():
        times = nda.of_scan("scan_times", "frame_times", scan).tolist()
        starts = [t["start_frame_time"] for t in shown]
        pause = median(b["start_frame_time"] - a["end_frame_time"] for a, b in pairwise(shown))
        edges = [round(position(t, times)) for t in (*starts, shown[-1]["end_frame_time"] + pause)]
        assert [t["start_idx"] for t in shown] == edges[:-1]
        assert [t["end_idx"] for t in shown] == [edge - 1 for edge in edges[1:]]
        for trial in shown:
            frames = trial["end_idx"] - trial["start_idx"] + 1
            lasted = reference.median_rate(times[:1000]) * (15.07 if "Clip" not in trial["type"] else 10.06)
            assert frames == pytest.approx(lasted, abs=1.5)


def position(time: float, times: list[float]) -> float:
    """Where a time lies between the frames, as a fraction of an index."""
    before = bisect_right(times, time) - 1
    return before + (time - times[before]) / (times[before + 1] - times[before])


def test_frame_times_begin_at_zero_and_drift_from_the_nominal_rate(nda: Nda) -> None:
    for scan in nda.scans():
        times = nda.of_scan("scan_times", "frame_times", scan)
        (fps,) = nda.column("SELECT fps FROM scan WHERE session = ? AND scan_idx = ?", scan)
        assert times[0] == 0
        assert np.all(np.diff(times) > 0)
        assert (1 / np.diff(times)).mean() / fps == pytest.approx(0.99961, abs=1e-4)


def test_all_of_the_stimulus_lies_within_the_scan(nda: Nda, trials: Any) -> None:
    for scan, shown in trials.items():
        last = nda.of_scan("scan_times", "frame_times", scan)[-1]
        assert 8 < shown[0]["start_frame_time"] < 250
        assert 5070 < shown[-1]["end_frame_time"] < last
        assert last == pytest.approx({(4, 9): 5575, (9, 3): 5804, (9, 4): 5804, (9, 6): 5804}.get(scan, 6351), abs=2)


# --- the movie -------------------------------------------------------------------------------------


def picture(nda: Nda, trial: dict[str, Any], index: int) -> Any:
    """One picture of a condition (y, x)."""
    table = trial["type"].removeprefix("stimulus.").lower()
    column, take = PICTURE[table]
    movie = nda.array(f"SELECT {column} FROM {table} WHERE condition_hash = ?", [trial["condition_hash"]])
    return take(movie, index)


PICTURE: dict[str, tuple[str, Any]] = {
    "clip": ("clip", lambda movie, i: movie[i]),
    "monet2": ("movie", lambda movie, i: movie[:, :, 0, i]),
    "trippy": ("movie", lambda movie, i: movie[:, :, i]),
}


@pytest.mark.parametrize("scan", [(4, 7), (8, 9), (9, 3)])
def test_the_movie_shows_each_trial_at_its_frames(nda: Nda, trials: Any, scan: Scan) -> None:
    movie = nda.of_scan("stimulus", "movie", scan)
    times = nda.of_scan("scan_times", "frame_times", scan).tolist()
    query = "SELECT stim_times FROM trial WHERE session = ? AND scan_idx = ? AND trial_idx = ?"
    for trial in [*trials[scan][:3], *trials[scan][5:460:20]]:
        (flips,) = nda.array(query, [*scan, trial["trial_idx"]])
        for frame in (trial["start_idx"], trial["start_idx"] + 30, trial["end_idx"]):
            shown = max(bisect_right(flips.tolist(), times[frame]) - 1, 0)
            np.testing.assert_array_equal(movie[:, :, frame], picture(nda, trial, shown))


def test_the_screen_is_grey_before_and_after(nda: Nda, trials: Any) -> None:
    movie = nda.of_scan("stimulus", "movie", (5, 7))
    shown = trials[5, 7]
    assert set(np.unique(movie[:, :, : shown[0]["start_idx"]])) == {128}
    assert set(np.unique(movie[:, :, shown[-1]["end_idx"] + 1 :])) == {128}
    assert len(np.unique(movie[:, :, shown[0]["start_idx"]])) > 2


def test_monet2_shows_every_direction_once(nda: Nda) -> None:
    orders = nda.blobs("SELECT directions FROM monet2")
    assert all(sorted(o[0]) == [22.5 * i for i in range(16)] for o in orders)
    assert len({tuple(o[0]) for o in orders}) == 20
    for onsets in nda.blobs("SELECT onsets FROM monet2"):
        assert onsets[0].tolist() == [15 / 16 * i for i in range(16)]


def test_monet2_moves_in_its_direction(nda: Nda) -> None:
    """0 degrees is leftwards, 90 downwards: the grating seen at one flip is that of the flip before, moved."""
    movies, orders = (nda.blobs(f"SELECT {name} FROM monet2") for name in ("movie", "directions"))
    seen: dict[float, list[Any]] = {}
    for movie, (order,) in zip(movies, orders, strict=True):
        for segment, direction in enumerate(order.tolist()):
            frame = round(segment * 56.25) + 10
            seen.setdefault(direction, []).append(movie[:, :, 0, frame : frame + 20].astype(float))
    assert all(drift(m)[0] < 0 for m in seen[0.0])
    assert all(drift(m)[0] > 0 for m in seen[180.0])
    assert all(drift(m)[1] > 0 for m in seen[90.0])
    assert all(drift(m)[1] < 0 for m in seen[270.0])


def drift(movie: Any) -> tuple[float, float]:
    """Which way a movie (y, x, frame) moves along x and y: from its gradients in space and time."""
    dy, dx, dt = np.gradient(movie)
    return -float((dx * dt).sum()), -float((dy * dt).sum())
