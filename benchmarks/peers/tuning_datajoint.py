"""Direction tuning as DataJoint's users compute it: a fetch and a loop over segments for each unit. No server."""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.peers import datajoint_shared


def answer(variables: Mapping[str, Any]) -> bytes:
    """The tuning of a scan's first units."""
    nda, scan = datajoint_shared.nda(), {"session": variables["session"], "scan_idx": variables["scanIdx"]}
    frames, segments = (nda.ScanTimes & scan).fetch1("frame_times"), _segments(nda, scan)
    keys = (nda.ScanUnit & scan).fetch("KEY", order_by="unit_id", limit=variables["first"])
    nodes = [{"unitId": key["unit_id"], "directionTuning": _tuning(nda, key, frames, segments)} for key in keys]
    return json.dumps({"data": {"scan": {"units": {"nodes": nodes}}}}).encode()


def _segments(nda: Any, scan: Mapping[str, int]) -> list[tuple[float, float, float]]:
    """Direction, start and stop (s) of all segments of a scan."""
    found = []
    trials = (nda.Trial & scan & {"type": "stimulus.Monet2"}).fetch("start_frame_time", "condition_hash")
    for start, hash_ in zip(*trials, strict=True):
        shown = nda.Monet2 & {"condition_hash": hash_}
        directions, onsets, duration = shown.fetch1("directions", "onsets", "duration")
        edges = [*onsets[0], float(duration)]
        found += [(d, start + edges[i], start + edges[i + 1]) for i, d in enumerate(directions[0])]
    return found


def _tuning(nda: Any, key: Any, frames: Any, segments: list[tuple[float, float, float]]) -> dict[str, Any]:
    """One unit's mean responses by direction, gOSI and gDSI."""
    trace = (nda.Activity & key).fetch1("trace")
    times = frames + (nda.ScanUnit & key).fetch1("ms_delay") / 1000
    responses = defaultdict(list)
    for direction, start, stop in segments:
        first, last = np.searchsorted(times, [start, stop])
        responses[direction].append(trace[first:last].mean(dtype=float))
    degrees = sorted(responses)
    r = np.array([np.mean(responses[d]) for d in degrees])
    total, angles = r.sum(), np.deg2rad(degrees)
    gosi, gdsi = (abs((r * np.exp(1j * n * angles)).sum()) / total if total > 0 else None for n in (2, 1))
    return {"responses": r.tolist(), "gOSI": gosi, "gDSI": gdsi}
