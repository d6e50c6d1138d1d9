"""Every table served over HTTP equals what DataJoint's own ``fetch`` returns, arrays included."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest

from gql_nda.codec import unpack
from gql_nda.stores.sql import SqlStore
from gql_nda.tables import coregistration
from tests.codec.same import same
from tests.datajoint import graph
from tests.datajoint.definitions import DEFINED
from tests.datajoint.nda import Nda
from tests.datajoint.upstream import dj
from tests.support.client import BASE, Client

SHOWN = [name for name in DEFINED if name != "ScanInclude"]  # which is Scan.included
ENUMS = {
    **{area: area for area in ("V1", "LM", "AL", "RL")},
    "soma": "SOMA",
    "artifact": "ARTIFACT",
    "stimulus.Clip": "CLIP",
    "stimulus.Monet2": "MONET2",
    "stimulus.Trippy": "TRIPPY",
    "2PEM": "TWO_P_TO_EM",
    "EM2P": "EM_TO_TWO_P",
}
ENUMERATED = ("brain_area", "mask_type", "type", "direction")


# --- columns --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DEFINED)
def test_every_table_has_awkward_rows(awkward: Nda, name: str) -> None:
    """Or else what follows would prove nothing."""
    assert len(awkward.fetch(name)) == len(awkward.inserted[name]) > 0


@pytest.mark.parametrize("name", SHOWN)
async def test_columns_equal_what_datajoint_fetches(nda: Nda, nda_client: Client, name: str) -> None:
    heading = nda.heading(name)
    for fetched, served in await graph.rows(nda_client, nda, name):
        for column, value in served.items():
            if not heading[column].is_blob:
                assert value == expected(heading[column].type, column, fetched[column]), column


def expected(kind: str, column: str, fetched: Any) -> Any:
    """What the graph shows of a value that DataJoint fetched."""
    if kind == "float":
        return AsText(fetched)
    if kind.startswith("decimal"):
        return float(fetched)
    return ENUMS[fetched] if column in ENUMERATED else fetched


class AsText(float):
    """A FLOAT as DataJoint's driver reads it, in six digits: equal to a number that is rounded so."""

    __hash__ = float.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and float(f"{np.float32(other):.6g}") == float(self)


@pytest.mark.parametrize("name", SHOWN)
async def test_floats_are_the_float32_of_what_was_inserted(nda: Nda, nda_client: Client, name: str) -> None:
    floats = [n for n, a in nda.heading(name).items() if a.type == "float"]
    keys = nda.key_names(name)
    inserted = {tuple(row[n] for n in keys): row for row in nda.inserted[name]}
    for fetched, served in await graph.rows(nda_client, nda, name) if floats else ():
        given = inserted[tuple(fetched[n] for n in keys)]
        for column in floats:
            exact = np.float32(given[column])
            assert np.float32(served[column]).tobytes() == exact.tobytes(), column
            assert served[column] == float(str(exact)), column  # the shortest decimal that reads back


async def test_the_awkward_floats_lose_digits_in_datajoint(awkward: Nda) -> None:
    """Or else the test above would prove nothing."""
    fetched = {row["raster_phase"] for row in awkward.fetch("RasterCorrection")}
    inserted = {row["raster_phase"] for row in awkward.inserted["RasterCorrection"]}
    assert {float(np.float32(value)) for value in inserted} - fetched


async def test_scans_are_included_where_scan_include_has_a_row(nda: Nda, nda_client: Client) -> None:
    data = await nda_client.data("{ scans { nodes { session scanIdx included } } }")
    included = {(s["session"], s["scanIdx"]) for s in data["scans"]["nodes"] if s["included"]}
    assert included == {(row["session"], row["scan_idx"]) for row in nda.fetch("ScanInclude")} != set()


async def test_satellites_without_a_row_are_null(awkward: Nda, nda_client: Client, nda: Nda) -> None:
    """A unit without an oracle score, area or place has null there, and nowhere else."""
    query = """query($s: Int!, $i: Int!, $u: Int!) { unit(session: $s, scanIdx: $i, unitId: $u) {
      unitId brainArea oracle { pearson } stackUnit { stackX } activity { unit { unitId } } } }"""
    keys = ("session", "scan_idx", "unit_id")
    present = {
        name: {tuple(row[n] for n in keys) for row in nda.fetch(name)}
        for name in ("AreaMembership", "Oracle", "StackUnit", "Activity")
    }
    shown = {"AreaMembership": "brainArea", "Oracle": "oracle", "StackUnit": "stackUnit", "Activity": "activity"}
    for row in nda.fetch("ScanUnit"):
        session, scan_idx, unit_id = key = tuple(row[n] for n in keys)
        unit = (await nda_client.data(query, s=session, i=scan_idx, u=unit_id))["unit"]
        for name, field in shown.items():
            assert (unit[field] is not None) == (key in present[name]), (name, key)


# --- arrays ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHOWN)
async def test_arrays_equal_what_datajoint_fetches(nda: Nda, nda_client: Client, name: str) -> None:
    for fetched, served in await graph.rows(nda_client, nda, name) if graph.arrays(nda, name) else ():
        for column in graph.arrays(nda, name):
            array = as_array(fetched[column])
            await assert_served(nda_client, served[column], array)


def as_array(fetched: Any) -> Any:
    """What DataJoint fetched, as an array: upstream's tracks are lists of numbers and of 0-d arrays."""
    return np.array(fetched, float) if isinstance(fetched, list) else np.asarray(fetched)


async def assert_served(client: Client, served: dict[str, Any], array: Any) -> None:
    described = {"shape": list(array.shape), "dtype": array.dtype.name, "nbytes": array.nbytes}
    assert {name: served[name] for name in described} == described
    response = await client.http.get(served["href"].removeprefix(BASE))
    assert response.status_code == 200
    assert int(response.headers["content-length"]) == len(response.content)
    assert same(np.load(BytesIO(response.content)), array)
    assert same(as_numbers(served["values"], array.dtype), as_numbers(array.reshape(-1)[:20], array.dtype))


def as_numbers(values: Any, dtype: np.dtype[Any]) -> Any:
    """Values as JSON carries them: what isn't finite is None, true is 1."""
    plain = [None if value is None or not np.isfinite(value) else value for value in values]
    return [None if value is None else np.array(value, dtype).item() for value in plain]


async def test_arrays_of_every_kind_are_among_them(awkward: Nda) -> None:
    """Or else the test above would prove little."""
    arrays = [row[column] for name in SHOWN for row in awkward.fetch(name) for column in graph.arrays(awkward, name)]
    assert sum(isinstance(array, list) for array in arrays) >= 4
    kinds = {(array.dtype.name, array.ndim) for array in arrays if not isinstance(array, list)}
    assert {"float32", "float64", "int64", "uint8", "int16", "bool"} <= {dtype for dtype, _ in kinds}
    assert {1, 2, 3, 4} <= {ndim for _, ndim in kinds}
    assert any(array.size == 0 for array in arrays if not isinstance(array, list))


async def test_transforms_equal_what_datajoint_fetches(nda: Nda, nda_client: Client, nda_store: SqlStore) -> None:
    found = await graph.rows(nda_client, nda, "Coregistration")
    for fetched, served in found:
        for column in graph.TRANSFORMS:
            assert served[column] == stages(fetched[column])
            key = tuple(fetched[n] for n in nda.key_names("Coregistration"))
            blob = (await nda_store.blobs(coregistration.c[column], [key])).get(key)
            assert same(None if blob is None else unpack(blob), fetched[column])
    assert any(fetched["transform_solution"] is None for fetched, _ in found)


def stages(fetched: Any) -> Any:
    """What the graph shows of a transform: its stages, without their many numbers."""
    if fetched is None:
        return None
    whole = fetched.get("transform", fetched)
    return {
        "name": whole.get("name"),
        "stages": [
            {
                "name": stage["name"],
                **{name: stage.get(name) for name in ("order", "axis", "nchunks")},
                "controlPoints": len(stage["control_pts"]) if "control_pts" in stage else None,
            }
            for stage in whole["transforms"]
        ],
    }


# --- rows and their relations ----------------------------------------------------------------------


async def test_counts_are_datajoints(nda: Nda, nda_client: Client) -> None:
    data = await nda_client.data("{ dataset { rowCounts { table rows } } }")
    served = {row["table"]: row["rows"] for row in data["dataset"]["rowCounts"]}
    assert served == {table.table_name.lstrip("#"): len(table()) for table in nda.tables.values()}


CONNECTIONS = {
    "Scan": "{ scans { totalCount nodes { session scanIdx } } }",
    "Field": "{ scans { nodes { fields { totalCount nodes { session scanIdx fieldIdx } } } } }",
    "Segmentation": "{ scans { nodes { fields { nodes { masks { totalCount nodes {"
    " session scanIdx fieldIdx maskId } } } } } } }",
    "ScanUnit": "{ units { totalCount nodes { session scanIdx unitId } } }",
    "Trial": "{ scans { nodes { trials { totalCount nodes { session scanIdx trialIdx } } } } }",
    "Stack": "{ stacks { totalCount nodes { stackSession stackIdx } } }",
    "Registration": "{ stacks { nodes { registrations { totalCount nodes {"
    " stackSession stackIdx session scanIdx fieldIdx } } } } }",
    "Coregistration": "{ stacks { nodes { coregistrations { totalCount nodes {"
    " stackSession stackIdx transformId } } } } }",
    "StackUnit": "{ stacks { nodes { registrations { nodes { stackUnits { totalCount nodes {"
    " stackSession stackIdx session scanIdx fieldIdx unitId } } } } } } }",
}


@pytest.mark.parametrize("name", CONNECTIONS)
async def test_connections_reach_every_row_once_in_datajoints_order(nda: Nda, nda_client: Client, name: str) -> None:
    connections = list(innermost(await nda_client.data(CONNECTIONS[name])))
    keys = [tuple(node.values()) for connection in connections for node in connection["nodes"]]
    assert keys == [tuple(key.values()) for key in nda.tables[name].fetch("KEY", order_by="KEY")] != []
    assert [c["totalCount"] for c in connections] == [len(c["nodes"]) for c in connections]


def innermost(answer: Any) -> Any:
    """The connections that count their rows, however deep in an answer."""
    if isinstance(answer, dict) and "totalCount" in answer:
        yield answer
    else:
        for below in answer.values() if isinstance(answer, dict) else answer if isinstance(answer, list) else ():
            yield from innermost(below)


async def test_units_of_a_field_are_those_of_its_masks(nda: Nda, nda_client: Client) -> None:
    query = "{ scans { nodes { fields { nodes { session scanIdx fieldIdx units { nodes { unitId mask { maskId"
    data = await nda_client.data(query + " unit { unitId } } } } } } } } }")
    for scan in data["scans"]["nodes"]:
        for field in scan["fields"]["nodes"]:
            key = dict(zip(("session", "scan_idx", "field"), list(field.values())[:3], strict=True))
            units = (nda.tables["ScanUnit"] & key).fetch("unit_id", "mask_id", order_by="KEY")
            shown = [(u["unitId"], u["mask"]["maskId"], u["mask"]["unit"]["unitId"]) for u in field["units"]["nodes"]]
            assert shown == [(unit, mask, unit) for unit, mask in zip(*units, strict=True)]


@pytest.mark.parametrize("name", ["Clip", "Monet2", "Trippy"])
async def test_trials_and_conditions_find_each_other_by_the_exact_hash(nda: Nda, nda_client: Client, name: str) -> None:
    """The server's collation ignores case: DataJoint's join would give a hash the trials of its namesakes."""
    query = """query($h: String!) { condition(hash: $h) { __typename ... on NAME { conditionHash trials { totalCount
      nodes { session scanIdx trialIdx condition { ... on NAME { conditionHash } } } } } } }""".replace("NAME", name)
    trials = [row for row in nda.fetch("Trial") if row["type"] == f"stimulus.{name}"]
    for row in nda.fetch(name):
        condition = (await nda_client.data(query, h=row["condition_hash"]))["condition"]
        exact = [t for t in trials if t["condition_hash"] == row["condition_hash"]]
        assert condition["__typename"] == name
        assert condition["trials"]["totalCount"] == len(exact)
        found = [tuple(t[n] for n in ("session", "scanIdx", "trialIdx")) for t in condition["trials"]["nodes"]]
        assert found == [(t["session"], t["scan_idx"], t["trial_idx"]) for t in exact]
        assert all(t["condition"] == {"conditionHash": row["condition_hash"]} for t in condition["trials"]["nodes"])


async def test_trials_whose_hash_differs_by_case_have_no_condition(awkward: Nda, nda: Nda, nda_client: Client) -> None:
    query = "{ scans { nodes { trials { nodes { conditionHash condition { __typename } } } } } }"
    data = await nda_client.data(query)
    known = {row["condition_hash"] for name in ("Clip", "Monet2", "Trippy") for row in nda.fetch(name)}
    trials = [trial for scan in data["scans"]["nodes"] for trial in scan["trials"]["nodes"]]
    for trial in trials:
        assert (trial["condition"] is not None) == (trial["conditionHash"] in known), trial
    if nda is awkward:
        hashes = {trial["conditionHash"] for trial in trials if trial["condition"] is None}
        assert {h.lower() for h in hashes} & {h.lower() for h in known}


def test_conditions_whose_hash_differs_by_case_cannot_both_be_stored(awkward: Nda) -> None:
    """So a condition is one row whatever the case; ``trial.condition_hash``, no key, may differ by case."""
    row = {**awkward.inserted["Trippy"][0], "condition_hash": "A/B+c"}
    with pytest.raises(dj.errors.DuplicateError):
        awkward.tables["Trippy"].insert1(row)
