"""The raw floor: one JOIN, dictionaries, ``orjson.dumps``; no GraphQL. In process, or as a bare ASGI app."""

from collections.abc import Mapping
from typing import Any

import orjson

from benchmarks.peers.bare import bare
from benchmarks.peers.joined import fetch


async def answer(variables: Mapping[str, Any]) -> bytes:
    """Query U's answer."""
    rows = await fetch(variables["session"], variables["scanIdx"], int(variables["after"]), variables["first"])
    return orjson.dumps({"data": {"scan": {"units": {"nodes": [_node(*row) for row in rows]}}}})


def _node(unit: int, ux: int, uy: int, uz: int, px: int, py: int, delay: int, *satellites: Any) -> dict[str, Any]:
    sx, sy, sz, pearson, trials, area = satellites
    return {
        "unitId": unit,
        "umX": ux,
        "umY": uy,
        "umZ": uz,
        "pxX": px,
        "pxY": py,
        "msDelay": delay,
        "stackUnit": None if sx is None else {"stackX": sx, "stackY": sy, "stackZ": sz},
        "oracle": None if trials is None else {"pearson": pearson, "trials": trials},
        "brainArea": area,
    }


async def _over_http(operation: Mapping[str, Any]) -> bytes:
    return await answer(operation["variables"])


app = bare(_over_http)
