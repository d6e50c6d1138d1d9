"""DataJoint as its users fetch: each table's rows as dictionaries, merged by key, ``json.dumps``. No server."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import datajoint as dj

from benchmarks.peers.joined import address


@lru_cache
def _nda() -> Any:
    """The database's tables, read from the database."""
    where = address()
    dj.config["database.host"], dj.config["database.port"] = where["host"], where["port"]
    dj.config["database.user"], dj.config["database.password"] = where["user"], where["password"]
    dj.config["database.use_tls"] = False
    return dj.VirtualModule("nda", where["db"])


def answer(variables: Mapping[str, Any]) -> bytes:
    """Query U's answer."""
    nda = _nda()
    key = {"session": variables["session"], "scan_idx": variables["scanIdx"]}
    page = dj.Top(limit=variables["first"], order_by="unit_id")
    units = (nda.ScanUnit & key & f"unit_id > {int(variables['after'])}" & page).to_dicts()
    last = units[-1]["unit_id"] if units else 0
    same = [key, f"unit_id > {int(variables['after'])}", f"unit_id <= {last}"]
    stack, oracle, area = (_by_unit(table, same) for table in (nda.StackUnit, nda.Oracle, nda.AreaMembership))
    nodes = [_node(unit, stack.get(unit["unit_id"]), oracle.get(unit["unit_id"]), area) for unit in units]
    return json.dumps({"data": {"scan": {"units": {"nodes": nodes}}}}).encode()


def _by_unit(table: Any, conditions: list[Any]) -> dict[int, dict[str, Any]]:
    return {row["unit_id"]: row for row in (table & dj.AndList(conditions)).to_dicts()}


def _node(unit: Any, stack: Any, oracle: Any, areas: Any) -> dict[str, Any]:
    area = areas.get(unit["unit_id"])
    return {
        "unitId": unit["unit_id"],
        "umX": unit["um_x"],
        "umY": unit["um_y"],
        "umZ": unit["um_z"],
        "pxX": unit["px_x"],
        "pxY": unit["px_y"],
        "msDelay": unit["ms_delay"],
        "stackUnit": stack and {"stackX": stack["stack_x"], "stackY": stack["stack_y"], "stackZ": stack["stack_z"]},
        "oracle": oracle and {"pearson": oracle["pearson"], "trials": oracle["trials"]},
        "brainArea": area and area["brain_area"],
    }
