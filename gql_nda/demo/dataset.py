"""All rows of the demo, scan by scan."""

from collections.abc import Iterator

from gql_nda import tables
from gql_nda.demo.batches import Batch, packed
from gql_nda.demo.behavior import behavior_batches
from gql_nda.demo.conditions import condition_batches
from gql_nda.demo.facts import RECORDINGS, Recording, mask_counts
from gql_nda.demo.field import field_batches
from gql_nda.demo.responses import tuning
from gql_nda.demo.scan import scan_batches
from gql_nda.demo.segmentation import Masks, field_masks
from gql_nda.demo.stack import registration_row, stack_batches
from gql_nda.demo.stimulus import stimulus_batches
from gql_nda.demo.unit import Units, unit_batches

_AT_ONCE = 64
"""Units whose traces are in memory together."""


def rows(units: int = 600, traces: bool = True) -> Iterator[Batch]:
    """Batches of rows, parents before children, blobs packed; memory is bounded for any size.

    First what belongs to no scan (stack, transforms, conditions), then the scans one by one: within
    each, tables come in the order of ``tables.py``, units some at a time. ``units`` are spread over
    all 146 fields like the 168,971 real ones. Without ``traces`` every array column holds an array
    of no elements (its dtype and number of dimensions are right), and oracle scores are drawn from
    the law that scores of traces follow; all other columns are as with traces.
    """
    counts = mask_counts(units)
    yield from packed(_batches(counts, traces), traces)


def _batches(counts: dict[tuple[int, int, int], int], traces: bool) -> Iterator[Batch]:
    """All batches, arrays not packed yet."""
    yield from stack_batches()
    yield from condition_batches()
    for recording in RECORDINGS:
        yield from recording_batches(recording, counts, traces)


def recording_batches(recording: Recording, counts: dict[tuple[int, int, int], int], traces: bool) -> Iterator[Batch]:
    """All that belongs to one scan, arrays not packed yet; ``counts`` are those of ``mask_counts``."""
    masks = {f: field_masks(recording, f, counts[*recording.key, f]) for f in recording.fields}
    yield from _scan(recording, masks)
    yield from _units(recording, masks, traces)


def _scan(recording: Recording, masks: dict[int, Masks]) -> Iterator[Batch]:
    """What belongs to a scan and its fields."""
    yield from scan_batches(recording)
    yield from field_batches(recording, masks)
    yield tables.registration, [registration_row(recording, f, masks[f]) for f in recording.fields]
    yield from stimulus_batches(recording)
    yield from behavior_batches(recording)


def _units(recording: Recording, masks: dict[int, Masks], traces: bool) -> Iterator[Batch]:
    """What belongs to a scan's masks and units, numbered over the fields."""
    first = 1
    for field, of_field in masks.items():
        units = Units(recording, field, first, of_field, tuning(recording, field, of_field))
        step = _AT_ONCE if traces else len(of_field)
        for start in range(0, len(of_field), step):
            yield from unit_batches(units.part(slice(start, start + step)), traces)
        first += len(of_field)
