"""The units: numbered masks with a place, an area, a name, a trace and an oracle score."""

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from gql_nda import tables
from gql_nda.demo.batches import Batch, Row, records
from gql_nda.demo.chance import Floats, chance
from gql_nda.demo.conditions import ORACLE
from gql_nda.demo.facts import FIELD_CENTRES, FIELD_PX, FIELD_UM, STACK_KEY, TRUE_RATE, Recording
from gql_nda.demo.responses import Traces, Tuning, activity, fluorescence
from gql_nda.demo.scan import frame_times
from gql_nda.demo.segmentation import Masks, classification_rows, fluorescence_rows, segmentation_rows
from gql_nda.demo.stack import positions
from gql_nda.demo.stimulus import schedule
from gql_nda.keys import str_key, unit_hash
from gql_nda.science import coordinates, oracle
from gql_nda.science.resampling import sample

LINE_MS = 35 / 880
"""Time to scan one line of a field (ms): two fields of 440 lines at each depth."""

ORACLE_TRIALS = 60


@dataclass(frozen=True)
class Units:
    """Some units of one field: ``first`` is the number of the one whose mask is the field's first."""

    recording: Recording
    field: int
    first: int
    masks: Masks
    tuning: Tuning

    def part(self, part: slice) -> "Units":
        """Some of the units."""
        return Units(self.recording, self.field, self.first, self.masks[part], self.tuning[part])

    @cached_property
    def ids(self) -> NDArray[np.int64]:
        """Numbers of the units in their scan."""
        ids: NDArray[np.int64] = self.masks.ids + (self.first - 1)
        return ids

    @cached_property
    def px(self) -> NDArray[np.int64]:
        """Pixel of each centroid (unit, 2)."""
        px: NDArray[np.int64] = np.rint(self.masks.centroid).astype(int)
        return px

    @cached_property
    def delays(self) -> NDArray[np.int64]:
        """Time from the start of a frame to each centroid (ms): depth by depth, field by field, line by line."""
        depth, second = divmod(self.field - 1, 2)
        slot = 1000 / (self.recording.fps * TRUE_RATE) / self.recording.ndepths
        lines = second * FIELD_PX[1] + self.px[:, 1]
        delays: NDArray[np.int64] = np.rint(depth * slot + lines * LINE_MS).astype(int)
        return delays

    @cached_property
    def places(self) -> tuple[Floats, Floats]:
        """Motor and stack coordinates (um), (unit, 3) each."""
        return positions(self.recording, self.field, self.px)

    @cached_property
    def activity(self) -> Traces:
        """Activity (unit, frame)."""
        return activity(self.recording, self.ids, self.delays, self.tuning)

    @cached_property
    def fluorescence(self) -> Traces:
        """Fluorescence (unit, frame)."""
        return fluorescence(self.recording, self.ids, self.activity)

    @cached_property
    def scores(self) -> Floats:
        """Oracle score of each unit, from its activity."""
        return oracle_scores(self.recording, self.activity, self.delays)

    @cached_property
    def key(self) -> Row:
        """The units' primary key as columns."""
        return {**self.recording.columns, "unit_id": self.ids}


def oracle_scores(recording: Recording, traces: Traces, delays: NDArray[np.int64]) -> Floats:
    """Oracle score of traces (unit, frame) over the six oracle clips."""
    plan, times = schedule(recording), frame_times(recording)
    responses = []
    for hash_ in ORACLE:
        repeats = [f for c, f in zip(plan.conditions, plan.flips, strict=True) if c.hash == hash_]
        fps = float(np.float32(recording.fps))
        at = oracle.sample_times([f[0] for f in repeats], [f[-1] for f in repeats], fps)
        responses.append(sample(traces, times, delays, at))
    return oracle.oracle_score(responses)


def drawn_scores(units: Units) -> Floats:
    """Oracle scores without traces: the law that the scores of traces follow."""
    rng = chance("drawn", *units.recording.key, units.field)
    share = units.tuning.reliability * 0.54
    noise = rng.standard_normal(len(units.masks)) * 0.035
    scores: Floats = share / np.sqrt(share + (1 - share) / 9) + noise
    return scores


# --- areas -----------------------------------------------------------------------------------------


def areas(motor: Floats) -> NDArray[np.str_]:
    """Visual area at motor x, y (um): V1 below, and LM, AL and RL from left to right above it."""
    x, y = motor[:, 0], motor[:, 1]
    border = -470 + 0.12 * (x + 195) + 25 * np.sin(x / 120)
    return np.select([y > border, x < -250 + 0.1 * y, x < -20 + 0.1 * y], ["V1", "LM", "AL"], "RL")


# --- rows ------------------------------------------------------------------------------------------


def unit_batches(units: Units, traces: bool) -> list[Batch]:
    """The rows of some units in the tables of masks and units."""
    masks, scan = units.masks, units.recording.columns
    field: Row = {**scan, "field": units.field}
    glow: list[object] = [partial(_row, units, "fluorescence", i) for i in range(len(masks))]
    return [
        (tables.segmentation, segmentation_rows(field, masks)),
        (tables.fluorescence, fluorescence_rows(field, masks, glow)),
        (tables.mask_classification, classification_rows(field, masks)),
        (tables.scan_unit, unit_rows(units)),
        (tables.unit_hash, hash_rows(units)),
        (tables.activity, activity_rows(units)),
        (tables.area_membership, records(**units.key, brain_area=areas(units.places[0]))),
        (tables.oracle, oracle_rows(units, traces)),
        (tables.stack_unit, stack_rows(units)),
    ]


def _row(units: Units, name: str, i: int) -> Traces:
    """One unit's trace of a kind."""
    trace: Traces = getattr(units, name)[i]
    return trace


def unit_rows(units: Units) -> list[Row]:
    """Rows of scan_unit."""
    centre = FIELD_CENTRES[(units.field - 1) % 2]
    um = coordinates.unregistered_um(units.masks.centroid, FIELD_PX, FIELD_UM, centre).astype(int)
    return records(
        **units.key,
        field=units.field,
        mask_id=units.masks.ids,
        um_x=um[:, 0],
        um_y=um[:, 1],
        um_z=units.recording.field_z(units.field),
        px_x=units.px[:, 0],
        px_y=units.px[:, 1],
        ms_delay=units.delays,
    )


def hash_rows(units: Units) -> list[Row]:
    """Rows of unit_hash."""
    names = [(*units.recording.key, unit) for unit in units.ids.tolist()]
    return records(**units.key, hash=[unit_hash(*n) for n in names], str_key=[str_key(*n) for n in names])


def activity_rows(units: Units) -> list[Row]:
    """Rows of activity."""
    return records(**units.key, trace=[partial(_row, units, "activity", i) for i in range(len(units.ids))])


def oracle_rows(units: Units, traces: bool) -> list[Row]:
    """Rows of oracle: cell bodies only."""
    scores = units.scores if traces else drawn_scores(units)
    rows = records(**units.key, trials=ORACLE_TRIALS, pearson=scores.astype(np.float32))
    return [row for row, soma in zip(rows, units.masks.soma, strict=True) if soma]


def stack_rows(units: Units) -> list[Row]:
    """Rows of stack_unit."""
    motor, stack = (place.astype(np.float32) for place in units.places)
    columns = {
        f"{name}_{axis}": v[:, i] for name, v in (("motor", motor), ("stack", stack)) for i, axis in enumerate("xyz")
    }
    return records(**STACK_KEY, **units.recording.columns, field=units.field, unit_id=units.ids, **columns)
