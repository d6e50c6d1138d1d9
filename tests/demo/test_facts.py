"""The demo against the published rows of nda."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from gql_nda.demo import rows
from gql_nda.demo.facts import ALL_MASKS, FIELDS, RECORDINGS, apportion, mask_counts
from tests.conftest import UNITS
from tests.science.golden import golden

from .nda import Nda

SCANS = [
    *((4, 7), (4, 9), (4, 10), (5, 3), (5, 6), (5, 7), (6, 2), (6, 4), (6, 6), (6, 7), (7, 3), (7, 4), (7, 5)),
    *((8, 5), (8, 7), (8, 9), (9, 3), (9, 4), (9, 6)),
]


@pytest.fixture(scope="module")
def real() -> Any:
    return golden("real_rows.json")


def rounded(value: object) -> object:
    """A number as MySQL prints a FLOAT: six significant digits."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def listed(rows: list[Any]) -> list[list[object]]:
    return [[rounded(v) for v in row] for row in rows]


# --- without the published rows --------------------------------------------------------------------


def test_the_19_scans(nda: Nda) -> None:
    assert nda.scans() == SCANS
    assert nda.column('SELECT count(*) FROM "#scan_include"') == [14]
    assert nda.rows("SELECT session FROM scan WHERE nframes = 50000 AND nfields = 6") == [(9,)] * 3
    assert nda.rows("SELECT ndepths, count(*) FROM scan_times GROUP BY 1 ORDER BY 1") == [(3, 3), (4, 16)]


def test_every_table_has_the_rows_it_should(nda: Nda) -> None:
    counts = {t: nda.column(f'SELECT count(*) FROM "{t}"')[0] for t in nda.column(TABLE_NAMES)}
    somas = nda.column("SELECT count(*) FROM mask_classification WHERE mask_type = 'soma'")[0]
    assert counts == {
        **dict.fromkeys(PER_SCAN, 19),
        **dict.fromkeys(PER_FIELD, 146),
        **dict.fromkeys(PER_UNIT, UNITS),
        "#scan_include": 14,
        "stack": 1,
        "coregistration": 8,
        "trial": 19 * 464,
        "oracle": somas,
        "clip": 336,
        "monet2": 20,
        "trippy": 20,
    }


TABLE_NAMES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
PER_SCAN = ["scan", "scan_times", "stimulus", "raw_manual_pupil", "manual_pupil", "raw_treadmill", "treadmill"]
PER_FIELD = ["field", "raster_correction", "motion_correction", "mean_intensity", "summary_images", "registration"]
PER_UNIT = ["segmentation", "fluorescence", "mask_classification", "scan_unit", "unit_hash", "activity"]
PER_UNIT += ["area_membership", "stack_unit"]


@pytest.mark.parametrize("units", [FIELDS, 160, 600, 10_000, ALL_MASKS, ALL_MASKS + 29])
def test_units_are_spread_over_all_fields(units: int) -> None:
    counts = mask_counts(units)
    assert len(counts) == FIELDS
    assert min(counts.values()) >= 1
    assert sum(counts.values()) == units


def test_the_whole_database_has_its_published_size() -> None:
    counts = mask_counts(ALL_MASKS)
    assert counts == {(*r.key, f): n for r in RECORDINGS for f, n in zip(r.fields, r.masks, strict=True)}
    assert sum(n for (*scan, _), n in counts.items() if scan == [4, 7]) == 8395
    assert sum(n for (*scan, _), n in counts.items() if scan == [7, 4]) == 11_201


def test_parts_of_a_whole_add_up_and_keep_their_shares() -> None:
    assert apportion(10, (1, 1, 1)) == (4, 3, 3)
    assert apportion(7, (4, 2, 1)) == (4, 2, 1)
    assert apportion(0, (3, 5)) == (0, 0)


@pytest.fixture(scope="module")
def many() -> dict[str, list[Any]]:
    """The narrow columns of a demo of 20,000 units."""
    wanted = ("scan_unit", "area_membership", "mask_classification", "oracle")
    found: dict[str, list[Any]] = {name: [] for name in wanted}
    for table, batch in rows(20_000, traces=False):
        if table.name in wanted:
            found[table.name] += batch
    return found


def test_shares_of_areas_and_artifacts(many: dict[str, list[Any]]) -> None:
    areas = Counter(row["brain_area"] for row in many["area_membership"])
    assert {area: round(n / 20_000, 1) for area, n in areas.items()} == {"V1": 0.7, "LM": 0.1, "RL": 0.1, "AL": 0.1}
    artifacts = sum(row["mask_type"] == "artifact" for row in many["mask_classification"])
    assert artifacts / 20_000 == pytest.approx(0.11, abs=0.01)


def test_drawn_scores_and_delays_lie_in_their_published_ranges(many: dict[str, list[Any]]) -> None:
    scores = np.array([row["pearson"] for row in many["oracle"]])
    assert -0.14 < scores.min() < -0.03
    assert 0.6 < scores.max() < 0.84
    assert 0.1 < np.median(scores) < 0.3
    assert 0.4 < np.percentile(scores, 99) < 0.65
    delays = [row["ms_delay"] for row in many["scan_unit"]]
    assert (min(delays), max(delays)) == (0, 154)


# --- the published rows ----------------------------------------------------------------------------


def test_scans_and_those_included(nda: Nda, real: Any) -> None:
    known = listed(nda.rows("SELECT session, scan_idx, nframes, nfields, fps FROM scan"))
    assert all(row in known for row in real["scan"]["rows"])
    assert listed(nda.rows('SELECT * FROM "#scan_include" ORDER BY 1, 2')) == real["scan_include"]["rows"]


def test_fields(nda: Nda, real: Any) -> None:
    columns = ", ".join(real["field_4_7"]["columns"])
    query = f"SELECT {columns} FROM field WHERE session = 4 AND scan_idx = 7 ORDER BY field"
    assert listed(nda.rows(query)) == real["field_4_7"]["rows"]
    for scan in ("4_7", "4_10"):
        query = "SELECT field_z FROM field WHERE session = ? AND scan_idx = ? ORDER BY field"
        assert nda.column(query, scan.split("_")) == real["field_depths_um"][scan]


def test_the_stack_and_its_transforms(nda: Nda, real: Any) -> None:
    (row,) = nda.dicts("SELECT * FROM stack")
    assert {name: rounded(v) for name, v in row.items()} == real["stack"]["row"]
    columns = ", ".join(real["coregistration"]["columns"])
    assert listed(nda.rows(f"SELECT {columns} FROM coregistration ORDER BY 3")) == real["coregistration"]["rows"]


def test_the_published_registration(nda: Nda, real: Any) -> None:
    known = {n: v for n, v in real["registration_4_7_field4"].items() if n != "source"}
    query = f"SELECT {', '.join(known)} FROM registration WHERE session = 4 AND scan_idx = 7 AND field = 4"
    (row,) = nda.dicts(query)
    assert {name: rounded(v) for name, v in row.items()} == known


def test_frame_times(nda: Nda, real: Any) -> None:
    times = nda.of_scan("scan_times", "frame_times", (4, 7))
    assert len(times) == real["scan_times"]["4_7"]["len"]
    measured = (1 / np.diff(times)).mean()
    assert measured == pytest.approx(real["scan_times"]["4_7"]["mean_of_inverse_diff_hz"], rel=1e-4)


def test_the_first_trial_and_the_published_orders(nda: Nda, real: Any) -> None:
    for name in ("trial_4_7", "trial_5_7"):
        index, kind, start, end, start_time, end_time, _ = real[name]["rows"][0]
        query = "SELECT type, start_idx, end_idx, start_frame_time, end_frame_time FROM trial"
        scan = name.split("_")[1:]
        ((*found, first, last),) = nda.rows(
            f"{query} WHERE session = ? AND scan_idx = ? AND trial_idx = ?", [*scan, index]
        )
        assert found == [kind, start, end]
        assert (first, last) == pytest.approx((start_time, end_time), abs=1e-4)
    hashes = nda.column("SELECT condition_hash FROM trial WHERE session = 5 AND scan_idx = 7 ORDER BY trial_idx")
    for hash_, i in real["trial_5_7"]["oracle_conditions_n_10"]:
        assert hashes[i] == hash_


def test_the_published_blocks_and_counts_of_7_4(nda: Nda, real: Any) -> None:
    known = real["trial_counts"]
    trials = nda.rows("SELECT condition_hash, type FROM trial WHERE session = 7 AND scan_idx = 4 ORDER BY trial_idx")
    shown = Counter(trials)
    kinds = Counter(f"{kind.removeprefix('stimulus.')}_x{n}" for (_, kind), n in shown.items())
    assert kinds == known["7_4_conditions"]
    first = next(h for (h, _), n in shown.items() if n == 10 and h.startswith("G"))
    assert [i for i, (h, _) in enumerate(trials) if h == first] == known["7_4_oracle_block_first_trial_idx"]


def test_the_published_monet2(nda: Nda, real: Any) -> None:
    known = {n: float(v) if n != "temp_kernel" else v for n, v in real["monet2_row"].items() if n in MONET2}
    query = f"SELECT {', '.join(known)} FROM monet2 WHERE condition_hash = ?"
    (row,) = nda.dicts(query, [real["monet2_row"]["condition_hash"]])
    assert {name: rounded(v) for name, v in row.items()} == known
    eighth = nda.column("SELECT condition_hash FROM trial WHERE session = 4 AND scan_idx = 7 AND trial_idx = 8")
    assert eighth == [real["monet2_row"]["condition_hash"]]


MONET2 = {"fps", "duration", "rng_seed", "blue_green_saturation", "pattern_width", "pattern_aspect", "temp_kernel"}
MONET2 |= {"temp_bandwidth", "ori_coherence", "ori_fraction", "ori_mix", "n_dirs", "speed"}


def test_the_pupil_is_lost_as_often_as_published(nda: Nda, real: Any) -> None:
    for name, share in real["manual_pupil_nan_fraction_pupil_maj_r"].items():
        if name not in ("source", "note"):
            session, scan_idx = map(int, name.split("_"))
            found = nda.of_scan("manual_pupil", "pupil_maj_r", (session, scan_idx))
            assert np.isnan(found).mean() == pytest.approx(share, abs=0.01), name
