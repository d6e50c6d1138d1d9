"""Neuroglancer views: read back by its own Python package, and held against what GraphQL tells of the same places."""

import socket
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from neuroglancer import ViewerState, parse_url

from gql_nda.connectome.neuroglancer import SITES
from gql_nda.resolvers.connectome import COLOURS
from gql_nda.stores import Store
from gql_nda.stores.sql import SqlStore
from gql_nda.types.connectome import NeuroglancerSite
from tests.planner.agreement import Agreement
from tests.planner.documents import Case
from tests.support.altered import altered_store
from tests.support.client import Client, serving

SNAPSHOTS = True

ROOT = "864691135762720822"
VIEW = "state url missing { key reason }"
FIELD = {"session": 4, "scanIdx": 7, "fieldIdx": 1}
DOCUMENT = f"""query($units: [UnitKey!], $fields: [FieldKey!], $points: Int, $segments: [String!], $nuclei: [String!],
  $version: Int, $site: NeuroglancerSite) {{
  neuroglancer(units: $units, fields: $fields, points: $points, segments: $segments, nuclei: $nuclei,
    version: $version, site: $site) {{ {VIEW} }} }}"""

POSITIONS = """{ scan(session: 4, scanIdx: 7) { units(first: 10000) { nodes {
  session scanIdx unitId strKey fieldIdx emPosition { x y z extrapolated } } } } }"""

View = dict[str, Any]


async def seen(client: Client, **arguments: Any) -> View:
    """The view that the root gives."""
    view: View = (await client.data(DOCUMENT, **arguments))["neuroglancer"]
    return view


async def positions(client: Client) -> list[dict[str, Any]]:
    """The units of a scan, with their places."""
    units: list[dict[str, Any]] = (await client.data(POSITIONS))["scan"]["units"]["nodes"]
    return units


def key_of(unit: dict[str, Any]) -> dict[str, Any]:
    return {name: unit[name] for name in ("session", "scanIdx", "unitId")}


def marks(view: View) -> dict[str, dict[str, Any]]:
    """The annotations by layer and id, as Neuroglancer reads them from the link."""
    every = {layer.name: layer.layer for layer in parse_url(view["url"]).layers}
    shown = {name: layer.annotations for name, layer in every.items() if layer.type == "annotation"}
    return {name: {mark.id: mark for mark in found} for name, found in shown.items()}


def near(found: Any, expected: Any) -> None:
    """Equal but for a state's digits, 0.1 voxel, and Neuroglancer's float32."""
    np.testing.assert_allclose(found, expected, rtol=2**-23, atol=0.0501)


def at(unit: dict[str, Any]) -> list[float]:
    return [unit["emPosition"][axis] for axis in "xyz"]


# --- units -----------------------------------------------------------------------------------------


async def test_units_stand_where_their_positions_are(client: Client) -> None:
    units = await positions(client)
    view = await seen(client, units=[key_of(unit) for unit in units])
    found, flags = marks(view), {unit["emPosition"]["extrapolated"] for unit in units}
    assert flags == {True, False}
    assert list(found) == ["units", "units, extrapolated"]
    for unit in units:
        mark = found["units, extrapolated" if unit["emPosition"]["extrapolated"] else "units"].pop(unit["strKey"])
        near(mark.point, at(unit))
        assert mark.description == f"session 4 scan 7 unit {unit['unitId']}"
    assert found == {"units": {}, "units, extrapolated": {}}
    assert view["missing"] == []


async def test_the_link_is_the_state(client: Client) -> None:
    view = await seen(
        client, units=[{"strKey": "04_07_000001"}], fields=[FIELD], segments=[ROOT], nuclei=["194144"], version=1300
    )
    assert parse_url(view["url"]).to_json() == ViewerState(view["state"]).to_json()
    layers = {layer.name: layer.layer for layer in parse_url(view["url"]).layers}
    assert list(layers)[:3] == ["em", "segmentation", "nuclei"]
    assert set(layers["segmentation"].segments) == {int(ROOT)}
    assert set(layers["nuclei"].segments) == {194144}
    assert view["url"].startswith(SITES["spelunker"] + "#!")


@pytest.mark.parametrize("site", SITES)
async def test_all_sites_are_offered(site: str, sqlite_client: Client) -> None:
    view = await seen(sqlite_client, nuclei=["1"], site=site.upper().replace("-", "_"))
    assert view["url"].startswith(SITES[site])
    assert len(NeuroglancerSite) == len(SITES)


async def test_layers_have_colours_of_their_own(client: Client) -> None:
    view = await seen(client, units=[key_of(unit) for unit in await positions(client)], fields=[FIELD])
    shown = {each["name"]: each["annotationColor"] for each in view["state"]["layers"] if each["type"] == "annotation"}
    assert set(shown) == {"units", "units, extrapolated", "fields, extrapolated"}
    assert len(set(COLOURS.values())) == len(COLOURS)
    assert shown.items() <= COLOURS.items()


async def test_a_unit_of_a_page_has_the_view_of_its_key(client: Client) -> None:
    document = f"""{{ units(first: 30) {{ nodes {{
      session scanIdx unitId neuroglancer(segments: ["{ROOT}"], site: NEUROGLANCER_DEMO) {{ {VIEW} }} }} }} }}"""
    for unit in (await client.data(document))["units"]["nodes"][::7]:
        assert unit["neuroglancer"] == await seen(
            client, units=[key_of(unit)], segments=[ROOT], site="NEUROGLANCER_DEMO"
        )


async def test_however_units_are_named_each_is_shown_once(client: Client) -> None:
    names = [{"session": 4, "scanIdx": 7, "unitId": 2}, {"strKey": "04_07_000002"}, {"strKey": "04_07_999999"}]
    view = await seen(client, units=names * 2)
    assert [list(layer) for layer in marks(view).values()] == [["04_07_000002"]]
    assert view["missing"] == [{"key": "04_07_999999", "reason": "there is no such unit"}]


async def test_all_may_be_missing(client: Client) -> None:
    view = await seen(client, units=[{"strKey": "99_99_000001"}], fields=[{**FIELD, "fieldIdx": 999}])
    assert [layer["name"] for layer in view["state"]["layers"]] == ["em"]
    assert view["missing"] == [
        {"key": "4.7.999", "reason": "there is no such field"},
        {"key": "99_99_000001", "reason": "there is no such unit"},
    ]
    assert parse_url(view["url"]).to_json() == ViewerState(view["state"]).to_json()


# --- fields ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("points", [None, 1, 4, 9])
async def test_a_field_is_its_outline(points: int | None, client: Client) -> None:
    view = await seen(client, fields=[FIELD], points=points)
    document = """query($points: Int) { field(session: 4, scanIdx: 7, fieldIdx: 1) {
      outline(frame: EM, points: $points) { points { x y z extrapolated } } } }"""
    outline = (await client.data(document, points=points or 4))["field"]["outline"]["points"]
    assert any(point["extrapolated"] for point in outline)
    ((layer, found),) = marks(view).items()
    assert (layer, list(found)) == ("fields, extrapolated", ["4.7.1"])
    assert found["4.7.1"].description == "session 4 scan 7 field 1"
    near(found["4.7.1"].points, [[point[axis] for axis in "xyz"] for point in [*outline, outline[0]]])


async def test_fields_of_a_scan_with_their_units(client: Client) -> None:
    document = f"""{{ scan(session: 4, scanIdx: 7) {{ fields {{ nodes {{ fieldIdx
      outline(frame: EM, points: 4) {{ points {{ extrapolated }} }}
      alone: neuroglancer {{ {VIEW} }} neuroglancer(units: true, points: 2, nuclei: ["7"]) {{ {VIEW} }} }} }} }} }}"""
    units = await positions(client)
    fields = (await client.data(document))["scan"]["fields"]["nodes"]
    assert len(fields) > 1
    assert {all(point["extrapolated"] for point in field["outline"]["points"]) for field in fields} == {True, False}
    for field in fields:
        key = {**FIELD, "fieldIdx": field["fieldIdx"]}
        inside = [key_of(unit) for unit in units if unit["fieldIdx"] == field["fieldIdx"]]
        assert inside
        assert list(marks(field["alone"])) == ["fields, extrapolated"]  # if but one point is
        assert field["alone"] == await seen(client, fields=[key])
        assert field["neuroglancer"] == await seen(client, fields=[key], units=inside, points=2, nuclei=["7"])


# --- what isn't there ------------------------------------------------------------------------------

BARE = """
    DELETE FROM stack_unit WHERE session = 4 AND scan_idx = 7 AND unit_id = 1;
    UPDATE stack_unit SET stack_x = 1e38 WHERE session = 4 AND scan_idx = 7 AND unit_id = 2;
    UPDATE stack_unit SET stack_x = 1e8 WHERE session = 4 AND scan_idx = 7 AND unit_id = 3;
    DELETE FROM registration WHERE session = 4 AND scan_idx = 7 AND field = 2;
    UPDATE registration SET reg_x = 1e38 WHERE session = 4 AND scan_idx = 7 AND field = 3;
    UPDATE field SET um_width = 1, um_height = 1 WHERE session = 4 AND scan_idx = 7 AND field = 4;
    UPDATE registration SET (reg_x, reg_y, reg_z) = (
      SELECT motor_x, motor_y, motor_z FROM stack_unit WHERE session = 4 AND scan_idx = 7 AND unit_id = 4
    ) WHERE session = 4 AND scan_idx = 7 AND field = 4;
"""


@pytest.fixture(scope="module")
async def bare_store(demo_path: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SqlStore]:
    """The demo, where some units and fields have no place, or a far one; field 4 is a speck where unit 4 is."""
    folder = tmp_path_factory.mktemp("bare")
    async with altered_store(demo_path, folder, lambda connection: connection.executescript(BARE)) as store:
        yield store


@pytest.fixture(scope="module")
async def bare(bare_store: SqlStore) -> AsyncIterator[Client]:
    async with serving(bare_store) as client:
        yield client


async def test_who_has_no_place_is_told_with_the_reason(bare: Client) -> None:
    view = await seen(
        bare,
        units=[{"strKey": f"04_07_00000{i}"} for i in (1, 2, 3, 4)],
        fields=[{**FIELD, "fieldIdx": i} for i in (1, 2, 3, 4)],
    )
    far = "its place is too far outside the volume to be seen"
    assert view["missing"] == [
        {"key": "4.7.2", "reason": "the field isn't registered to a stack"},
        {"key": "4.7.3", "reason": far},
        {"key": "04_07_000001", "reason": "the unit has no place in a stack"},
        {"key": "04_07_000002", "reason": far},
        {"key": "04_07_000003", "reason": far},
    ]
    assert {layer: list(found) for layer, found in marks(view).items()} == {
        "fields": ["4.7.4"],
        "fields, extrapolated": ["4.7.1"],
        "units": ["04_07_000004"],
    }


async def test_a_unit_or_a_field_without_a_place_has_a_view_without_it(bare: Client) -> None:
    document = f"""{{ unit(strKey: "04_07_000001") {{ neuroglancer {{ {VIEW} }} emPosition {{ reason }} }}
      field(session: 4, scanIdx: 7, fieldIdx: 2) {{ neuroglancer {{ {VIEW} }} }} }}"""
    data = await bare.data(document)
    reason = data["unit"]["emPosition"]["reason"]
    assert data["unit"]["neuroglancer"]["missing"] == [{"key": "04_07_000001", "reason": reason}]
    assert [missing["key"] for missing in data["field"]["neuroglancer"]["missing"]] == ["4.7.2"]
    for shown in data.values():
        assert [layer["name"] for layer in shown["neuroglancer"]["state"]["layers"]] == ["em"]


async def test_a_corrupt_transform(demo_path: Path, tmp_path: Path) -> None:
    """Units are told with the reason; of a field that is asked for it is the error, as of its outline."""
    corrupt = "UPDATE coregistration SET transform_solution = X'00'"
    altered = altered_store(demo_path, tmp_path, lambda connection: connection.execute(corrupt))
    async with altered as store, serving(store) as client:
        (missing,) = (await seen(client, units=[{"strKey": "04_07_000001"}]))["missing"]
        assert "transform_id=5" in missing["reason"]
        document = "{ field(session: 4, scanIdx: 7, fieldIdx: 1) { fieldIdx neuroglancer { url } } }"
        answer = await client.answer(document)
        assert answer["data"] == {"field": {"fieldIdx": 1, "neuroglancer": None}}
        for error in (*answer["errors"], await client.error(DOCUMENT, fields=[FIELD])):
            assert error["extensions"]["code"] == "BLOB_CORRUPT"


# --- refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argument", "arguments"),
    [
        ("units", {}),
        ("units", {"units": [], "fields": [], "segments": [], "nuclei": []}),
        ("unit", {"units": [{"session": 4}]}),
        ("strKey", {"units": [{"strKey": "unit 7"}]}),
        ("segments", {"segments": [ROOT, "soma"]}),
        ("segments", {"segments": ["-1"]}),
        ("segments", {"segments": [str(2**64)]}),
        ("nuclei", {"nuclei": ["1.0"]}),
        ("version", {"segments": [ROOT], "version": 943}),
        ("version", {"units": [{"strKey": "04_07_000001"}], "version": -1}),
        ("points", {"fields": [FIELD], "points": 0}),
        ("points", {"fields": [FIELD], "points": -(2**31)}),
    ],
)
async def test_bad_input_is_named(argument: str, arguments: dict[str, Any], client: Client) -> None:
    error = await client.error(DOCUMENT, **arguments)
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": argument}
    assert error["message"].startswith(f"{argument}: ")


@pytest.mark.parametrize("argument", ['segments: ["a"]', 'nuclei: [""]', "version: 1"])
@pytest.mark.parametrize(
    "place", ["units(first: 2) { nodes {", "scan(session: 4, scanIdx: 7) { fields(first: 2) { nodes {"]
)
async def test_bad_input_is_named_below_rows_too(place: str, argument: str, client: Client) -> None:
    document = f"{{ {place} neuroglancer({argument}) {{ url }} {'}' * place.count('{')} }}"
    answer = await client.answer(document)
    assert len(answer["errors"]) == 2
    for error in answer["errors"]:
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": argument.split(":")[0]}


@pytest.mark.parametrize("odd", [{"site": "ELSEWHERE"}, {"segments": [864691135762720822]}, {"units": [{"unit": 4}]}])
async def test_what_is_of_no_such_type_never_runs(odd: dict[str, Any], sqlite_client: Client) -> None:
    errors = (await sqlite_client.answer(DOCUMENT, **odd))["errors"]
    assert {error["extensions"]["code"] for error in errors} == {"BAD_USER_INPUT"}
    assert next(iter(odd)) in errors[0]["message"]


# --- limits ----------------------------------------------------------------------------------------


async def test_a_link_of_too_many_points(sqlite_store: SqlStore) -> None:
    fits = {"units": [{"strKey": f"04_07_00000{i}"} for i in (1, 3)], "fields": [FIELD], "points": 1, "nuclei": ["1"]}
    async with serving(sqlite_store, limits={"link_points": 7}) as client:
        assert sum(map(len, marks(await seen(client, **fits)).values())) == 3
        for more in ({"segments": ["1"]}, {"nuclei": ["1", "2"]}, {"points": 2}):
            error = await client.error(DOCUMENT, **{**fits, **more})
            assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "limit": "link_points", "maximum": 7}
            assert error["message"].startswith("link_points: ")
        units = [{"session": 4, "scanIdx": 7, "unitId": i} for i in range(8)]
        assert (await client.error(DOCUMENT, units=units))["extensions"]["limit"] == "link_points"
        error = await client.error(DOCUMENT, fields=[FIELD], points=2**31 - 1)
        assert error["extensions"]["limit"] == "link_points"


@pytest.mark.parametrize("first", [0, 1])
async def test_the_first_units_of_a_field_go_into_a_link(first: int, sqlite_store: SqlStore) -> None:
    place, keys = "session: 4, scanIdx: 7, fieldIdx: 1", "units(first: %d) { nodes { strKey } }"
    text = f"{{ field({place}) {{ {keys} neuroglancer(units: true, first: %d, points: 1) {{ {VIEW} }} }} }}"
    async with serving(sqlite_store, limits={"link_points": 5}) as client:
        field = (await client.data(text % (first, first)))["field"]
        units = field["units"]["nodes"]
        assert len(units) == first
        assert field["neuroglancer"] == await seen(client, fields=[FIELD], units=units, points=1)
        error = await client.error(text % (2, 2))
        assert error["extensions"]["limit"] == "link_points"
        assert error["message"].endswith("choose by first")
        assert (await client.error(text % (1, -1)))["extensions"] == {"code": "BAD_USER_INPUT", "argument": "first"}


async def test_a_units_link_of_too_many_segments(sqlite_store: SqlStore) -> None:
    document = (
        """query($nuclei: [String!]) { unit(strKey: "04_07_000001") { neuroglancer(nuclei: $nuclei) { url } } }"""
    )
    async with serving(sqlite_store, limits={"link_points": 3}) as client:
        await client.data(document, nuclei=["1", "2"])
        error = await client.error(document, nuclei=["1", "2", "3"])
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "limit": "link_points", "maximum": 3}


async def test_a_field_of_too_many_units(sqlite_store: SqlStore) -> None:
    """The others have their views."""
    document = """{ scan(session: 4, scanIdx: 7) { fields { nodes {
      units { totalCount } neuroglancer(units: true, points: 1, nuclei: ["1"]) { url } } } } }"""
    async with serving(sqlite_store) as client:
        fields = (await client.data(document))["scan"]["fields"]["nodes"]
    counts = [field["units"]["totalCount"] for field in fields]
    assert min(counts) < max(counts)
    async with serving(sqlite_store, limits={"link_points": 5 + min(counts)}) as client:
        answer = await client.answer(document)
    shown = [field["neuroglancer"] is not None for field in answer["data"]["scan"]["fields"]["nodes"]]
    assert shown == [count == min(counts) for count in counts]
    assert {error["extensions"]["limit"] for error in answer["errors"]} == {"link_points"}
    assert len(answer["errors"]) == shown.count(False)


@pytest.mark.parametrize(
    ("document", "points"),
    [
        ('{ units(first: 5) { nodes { neuroglancer(nuclei: ["1", "2"]) { url } } } }', 15),
        ('{ field(session: 4, scanIdx: 7, fieldIdx: 1) { neuroglancer(segments: ["1"]) { url } } }', 17),
        ("{ field(session: 4, scanIdx: 7, fieldIdx: 3) { neuroglancer(units: true) { url } } }", 16 + 4),
        ('{ a: neuroglancer(nuclei: ["1"]) { url } b: neuroglancer(segments: ["1", "2"]) { url } }', 3),
    ],
)
async def test_views_count_towards_an_operations_points(document: str, points: int, sqlite_store: SqlStore) -> None:
    async with serving(sqlite_store, limits={"points": points}) as client:
        await client.data(document)
    async with serving(sqlite_store, limits={"points": points - 1}) as client:
        errors = (await client.answer(document))["errors"]
        assert {error["extensions"]["limit"] for error in errors} == {"points"}


# --- on every path ---------------------------------------------------------------------------------

ASKED = [
    f"{{ units(first: 20) {{ nodes {{ strKey neuroglancer {{ {VIEW} }} emPosition {{ x }} }} totalCount }} }}",
    f'{{ unit(strKey: "04_07_000001") {{ neuroglancer(segments: ["{ROOT}"]) {{ ...V }} }} }} '
    f"fragment V on NeuroglancerView {{ __typename {VIEW} }}",
    f"{{ scan(session: 4, scanIdx: 7) {{ fields {{ nodes {{ neuroglancer(units: true) {{ {VIEW} }} }} }} }} }}",
    "{ scans { nodes { units(first: 1) { nodes { neuroglancer(version: 1) { url } } } } } }",
]


@pytest.mark.parametrize("text", ASKED)
async def test_plans_and_graphql_core_agree(text: str, store: Store) -> None:
    answer = await Agreement(store).compare(Case(text, {}))
    assert bool(answer.errors) == ("version" in text)
    assert (b'"neuroglancer":{' in answer.data) != bool(answer.errors)


@pytest.mark.parametrize("text", ASKED)
async def test_plans_and_graphql_core_agree_on_what_is_missing(text: str, bare_store: SqlStore) -> None:
    await Agreement(bare_store).compare(Case(text, {}))


async def test_stores_give_the_same_link(clients: dict[str, Client]) -> None:
    units = [key_of(unit) for unit in await positions(clients["sqlite"])]
    links = {(await seen(client, units=units, fields=[FIELD]))["url"] for client in clients.values()}
    assert len(links) == 1


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No address is looked up or connected to."""

    def refused(*_: Any) -> None:
        raise AssertionError("the network was asked")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, refused)


@pytest.mark.usefixtures("offline")
async def test_no_network(sqlite_client: Client) -> None:
    with closing(socket.socket()) as tried, pytest.raises(AssertionError, match="the network was asked"):
        tried.connect(("127.0.0.1", 9))
    view = await seen(sqlite_client, units=[{"strKey": "04_07_000001"}], fields=[FIELD], segments=[ROOT])
    assert view["url"]
