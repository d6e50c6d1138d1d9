"""Oracle scores and rasters as DataJoint's users compute them: a fetch and ``interp1d`` for each unit. No server."""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.interpolate import interp1d

from benchmarks.peers import datajoint_shared


class Scan(NamedTuple):
    """What units share: frame times, and when each repeat of a clip is sampled, by the clip's hash."""

    frames: Any
    times: dict[str, list[Any]]


def answer(variables: Mapping[str, Any]) -> bytes:
    """The scores, or the rasters, of a session's first units."""
    nda, session = datajoint_shared.nda(), {"session": variables["session"]}
    units = (nda.ScanUnit & session).fetch("KEY", "ms_delay", order_by="scan_idx, unit_id", limit=variables["first"])
    scans: dict[int, Scan] = {}
    nodes = []
    for key, delay in zip(*units, strict=True):
        if key["scan_idx"] not in scans:
            scans[key["scan_idx"]] = _scan(nda, {**session, "scan_idx": key["scan_idx"]})
        scan = scans[key["scan_idx"]]
        trace = interp1d(scan.frames + delay / 1000, (nda.Activity & key).fetch1("trace"))
        nodes.append({"unitId": key["unit_id"], **_answers[variables["what"]](trace, scan)})
    return json.dumps({"data": {"units": {"nodes": nodes}}}).encode()


def _scan(nda: Any, key: Mapping[str, int]) -> Scan:
    fps, frames = (nda.Scan & key).fetch1("fps"), (nda.ScanTimes & key).fetch1("frame_times")
    clips = nda.Trial & key & {"type": "stimulus.Clip"}
    times = defaultdict(list)
    names = ("condition_hash", "start_frame_time", "end_frame_time")
    for name, start, end in zip(*clips.fetch(*names, order_by="trial_idx"), strict=True):
        times[name].append(np.linspace(start, end, round(fps * (end - start))))
    return Scan(frames, dict(times))


def _score(trace: Any, scan: Scan) -> dict[str, Any]:
    data, oracle = [], []
    for grids in scan.times.values():
        if (repeats := len(grids)) > 2:
            shortest = min(map(len, grids))
            responses = np.array([trace(grid[:shortest]) for grid in grids])
            data.append(responses.ravel())
            oracle.append(((responses.sum(axis=0) - responses) / (repeats - 1)).ravel())
    x, y = (np.concatenate(values) for values in (data, oracle))
    x, y = ((v - v.mean()) / (v.std(ddof=1) + 1e-8) for v in (x, y))
    return {"oracleComputed": {"pearson": float((x * y).mean())}}


def _raster(trace: Any, scan: Scan) -> dict[str, Any]:
    clips = sorted((name for name, grids in scan.times.items() if len(grids) == 10), key=str.lower, reverse=True)
    raw = np.array([[trace(scan.times[clip][i]) for clip in clips] for i in range(10)])
    normalized = raw - raw.min(axis=(1, 2), keepdims=True)
    normalized = normalized / normalized.max(axis=(1, 2), keepdims=True)
    return {"oracleRaster": {"values": raw.tolist(), "normalized": normalized.tolist()}}


_answers = {"score": _score, "raster": _raster}
