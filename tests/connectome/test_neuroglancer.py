"""Neuroglancer's states and links: read back by its own Python package, and against plain loops."""

import json
import math
from typing import Any, get_args
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from neuroglancer import ViewerState, parse_url

from gql_nda.connectome.neuroglancer import IMAGE, NUCLEI, SEGMENTATIONS, SITES, Layout, Marks, link, state

Point = tuple[float, float, float]

UNITS = Marks(
    "units",
    "#ff8800",
    ["4-7-12", "4-7-13"],
    ["session 4 scan 7 unit 12", "session 4 scan 7 unit 13"],
    np.array([[286_528.04, 161_712.5, 20_332], [280_000, 170_000.26, 20_000]]),
)
FIELD = Marks("field", "#00ff00", ["4-7-1"], ["field 1"], [np.array([[0, 0, 0], [9, 0, 1], [9, 8, 1.5]])])
ROOT = "864691135762720822"


def marks(*shapes: Any, name: str = "some") -> Marks:
    return Marks(name, "#ffffff", [str(i) for i in range(len(shapes))], [""] * len(shapes), shapes)


def annotations(viewer: Any, layer: str) -> list[Any]:
    return list(viewer.layers[layer].annotations)


# --- read back -------------------------------------------------------------------------------------


@pytest.mark.parametrize("site", SITES)
def test_a_link_is_its_state(site: str) -> None:
    made = state([FIELD, UNITS], segments=[ROOT], nuclei=["194144"], layout="4panel")
    address = link(made, site)
    assert address.startswith(f"{SITES[site]}#!%7B")
    assert json.loads(unquote(urlsplit(address).fragment)[1:]) == made  # as decodeURIComponent, then JSON.parse
    assert parse_url(address).to_json() == ViewerState(made).to_json()


def test_a_link_survives_where_links_are_written_down() -> None:
    """No mark of Markdown, HTML or a shell's, and no space."""
    odd = Marks("a b", "#ffffff", ["<'\">"], ["\\ `x` (y) [z] {*} | & ; $ ! # é 中 \n\t"], [(1, 2, 3)])
    start, fragment = link(state([odd])).split("#!")
    assert start == SITES["spelunker"]
    assert set(fragment) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%,:/-_.~")


def test_what_neuroglancer_reads() -> None:
    viewer = parse_url(link(state([FIELD, UNITS], segments=[ROOT, "2"], nuclei=["194144"], layout="xy-3d")))
    assert viewer.dimensions.names == ("x", "y", "z")
    assert viewer.dimensions.units == ("m", "m", "m")
    assert viewer.dimensions.scales.tolist() == [4e-9, 4e-9, 4e-8]
    assert viewer.layout.type == "xy-3d"
    assert (viewer.selected_layer.layer, viewer.selected_layer.visible) == ("units", True)
    layers = {layer.name: layer.layer for layer in viewer.layers}
    assert {name: layer.type for name, layer in layers.items()} == {
        "em": "image",
        "segmentation": "segmentation",
        "nuclei": "segmentation",
        "field": "annotation",
        "units": "annotation",
    }
    assert [layers[name].source[0].url for name in ("em", "segmentation", "nuclei")] == [
        IMAGE,
        SEGMENTATIONS[1300],
        NUCLEI,
    ]
    assert set(layers["segmentation"].segments) == {int(ROOT), 2}
    assert set(layers["nuclei"].segments) == {194144}
    assert layers["units"].annotation_color == "#ff8800"
    assert layers["units"].source[0].transform.output_dimensions.to_json() == viewer.dimensions.to_json()


def test_points_and_outlines_read_back() -> None:
    viewer = parse_url(link(state([FIELD, UNITS])))
    found = annotations(viewer, "units")
    assert [(each.type, each.id, each.description) for each in found] == [
        ("point", "4-7-12", "session 4 scan 7 unit 12"),
        ("point", "4-7-13", "session 4 scan 7 unit 13"),
    ]
    expected = np.array([[286_528, 161_712.5, 20_332], [280_000, 170_000.3, 20_000]], np.float32)
    assert [each.point.tolist() for each in found] == expected.tolist()
    (outline,) = annotations(viewer, "field")
    assert (outline.type, outline.id, outline.description) == ("polyline", "4-7-1", "field 1")
    assert [list(point) for point in outline.points] == [[0, 0, 0], [9, 0, 1], [9, 8, 1.5], [0, 0, 0]]


finite = st.floats(-1e6, 1e6)
voxels = st.tuples(finite, finite, finite)
texts = st.text(st.characters())  # surrogates, too
names = st.text(st.characters(), min_size=1).filter(lambda name: name not in ("em", "segmentation", "nuclei"))


@given(st.lists(st.tuples(names, texts, voxels), unique_by=lambda row: row[0]), names)
def test_any_ids_names_and_descriptions_read_back(rows: list[tuple[str, str, Point]], name: str) -> None:
    ids, descriptions, shapes = ([row[i] for row in rows] for i in range(3))
    made = state([Marks(name, "#012abc", ids, descriptions, shapes)])  # type: ignore[arg-type]
    viewer = parse_url(link(made))
    found = annotations(viewer, name)
    assert [(each.id, each.description) for each in found] == list(zip(ids, descriptions, strict=True))
    assert all(np.abs(each.point - row[2]).max() <= 0.05 + 1e6 * 2**-24 for each, row in zip(found, rows, strict=True))
    assert json.loads(json.dumps(made)) == made


@given(st.lists(voxels, min_size=2, max_size=9))
def test_an_outline_is_closed_once(corners: list[Point]) -> None:
    rounded = np.round(corners, 1).tolist()
    (outline,) = state([marks(corners)])["layers"][1]["annotations"]
    assert outline["points"] == rounded + ([] if rounded[0] == rounded[-1] else rounded[:1])
    (again,) = state([marks(outline["points"])])["layers"][1]["annotations"]
    assert again["points"] == outline["points"]


# --- the view --------------------------------------------------------------------------------------


def slow_view(points: list[Point]) -> tuple[list[float], float, float]:
    """The middle of the box, nm a pixel, and nm in the height of the 3-D panel."""
    sides = [(min(p[i] for p in points), max(p[i] for p in points)) for i in range(3)]
    nm = [1.25 * (high - low) * side for (low, high), side in zip(sides, (4, 4, 40), strict=True)]
    return [(low + high) / 2 for low, high in sides], max(4, max(nm) / 500), max(120_000, math.hypot(*nm))


@given(st.lists(st.tuples(*[st.integers(-9999, 9999).map(lambda n: n / 2)] * 3), min_size=1))
def test_the_view_is_the_plain_formula(points: list[Point]) -> None:
    viewer = parse_url(link(state([marks(*points[:1]), marks(*points, name="more")])))
    centre, cross_section, projection = slow_view(points)
    assert viewer.position.tolist() == pytest.approx(centre)
    assert viewer.cross_section_scale * 4 == pytest.approx(cross_section)
    assert viewer.projection_scale * 4 == pytest.approx(projection)


@given(st.lists(voxels, min_size=1, max_size=20), st.tuples(finite, finite, finite))
def test_all_marks_are_seen(points: list[Point], eye: Point) -> None:
    """Neuroglancer's camera sees 45 degrees, its axis is as far off as makes the scale the panel's height."""
    made = state([marks(*points)])
    axis = np.array(eye) / (math.hypot(*eye) or 1)
    distance = made["projectionScale"] / 2 / math.tan(math.pi / 8)
    for point in points:
        offset = (np.round(point, 1) - made["position"]) * (1, 1, 10)
        assert np.abs(offset).max() / made["crossSectionScale"] <= 250
        depth = distance - offset @ axis
        assert np.linalg.norm(offset - (offset @ axis) * axis) <= depth * math.tan(math.pi / 8)


def test_views_by_hand() -> None:
    """Two points 8 um apart in x and 2 um in z: 500 px of 20 nm show 10 um."""
    made = state([marks((1000, 500, 100), (3000, 500, 150))])
    assert made["position"] == [2000, 500, 125]
    assert made["crossSectionScale"] == 5
    assert made["projectionScale"] == 30_000
    assert state([marks((10, 20, 30))])["crossSectionScale"] == 1


def test_outlines_are_seen_whole() -> None:
    assert state([FIELD])["position"] == [4.5, 4, 0.75]


# --- layers that are left out ----------------------------------------------------------------------


def test_the_images_alone() -> None:
    made = state()
    assert [layer["name"] for layer in made["layers"]] == ["em"]
    assert made["selectedLayer"]["layer"] == "em"
    assert made.keys() == {"dimensions", "layers", "selectedLayer", "layout"}
    viewer = parse_url(link(made))
    assert viewer.cross_section_scale is None


def test_layers_without_anything_are_there() -> None:
    viewer = parse_url(link(state([marks()], segments=[], nuclei=[])))
    assert [layer.name for layer in viewer.layers] == ["em", "segmentation", "nuclei", "some"]
    assert len(viewer.layers["segmentation"].segments) == 0
    assert annotations(viewer, "some") == []


@pytest.mark.parametrize("layout", get_args(Layout))
def test_neuroglancer_knows_the_layouts(layout: Layout) -> None:
    assert parse_url(link(state(layout=layout))).layout.type == layout


def test_states_share_nothing() -> None:
    made = state([UNITS])
    made["dimensions"]["x"][0] = made["layers"][1]["source"]["transform"]["outputDimensions"]["x"][0] = 1
    assert state([UNITS])["dimensions"]["x"][0] == 4e-9
    assert state([UNITS])["layers"][1]["source"]["transform"]["outputDimensions"]["x"][0] == 4e-9


# --- refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf, None, 1e39, -1e308])
def test_a_position_that_is_not_finite_is_refused(odd: float | None) -> None:
    for shape in ((1, 2, odd), [(1, 2, 3), (odd, 2, 3)]):
        with pytest.raises(ValueError, match="some 1: its position isn't finite"):
            state([marks((1, 2, 3), shape)])


@pytest.mark.parametrize("shape", [(1, 2), (1, 2, 3, 4), [], [(1, 2, 3)], [(1, 2), (3, 4)], [[(1, 2, 3)] * 2] * 2, 7])
def test_another_shape_is_refused(shape: Any) -> None:
    with pytest.raises(ValueError, match=r"some 0: a point is \(3,\), an outline \(2 or more, 3\), not \("):
        state([marks(shape)])


@pytest.mark.parametrize("odd", ["", "-1", "1.0", "0x1", " 1", "1\n", "\u0661", "18446744073709551616", "9" * 5000])
def test_a_segment_that_is_none_is_refused(odd: str) -> None:
    for wrong in ({"segments": [ROOT, odd]}, {"nuclei": [odd]}):
        with pytest.raises(ValueError, match=f"a segment of {'nuclei' if 'nuclei' in wrong else 'segmentation'} is"):
            state(**wrong)  # type: ignore[arg-type]


def test_the_largest_segment() -> None:
    viewer = parse_url(link(state(segments=["18446744073709551615"])))
    assert set(viewer.layers["segmentation"].segments) == {2**64 - 1}


def test_a_version_without_a_segmentation_is_refused() -> None:
    with pytest.raises(ValueError, match="a flat segmentation's version is 1300, not 943"):
        state(segments=[], version=943)


def test_another_site_is_refused() -> None:
    with pytest.raises(ValueError, match="a site is spelunker or neuroglancer-demo, not 'elsewhere'"):
        link(state(), "elsewhere")


@pytest.mark.parametrize("colour", ["red", "#fff", "#ff00zz", "", "#ff00000", "#ff0000\n"])
def test_another_colour_is_refused(colour: str) -> None:
    with pytest.raises(ValueError, match="some: a colour is #rrggbb, not "):
        state([Marks("some", colour, [], [], [])])


@pytest.mark.parametrize("ids", [["a", "a"], ["a", ""]])
def test_ids_that_neuroglancer_would_replace_are_refused(ids: list[str]) -> None:
    with pytest.raises(ValueError, match="some: ids must be distinct, and none empty"):
        state([Marks("some", "#ffffff", ids, ["", ""], [(1, 2, 3)] * 2)])


@pytest.mark.parametrize("name", ["em", "nuclei", "units", ""])
def test_names_of_layers_that_neuroglancer_would_replace_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="names of layers must be distinct, and none empty"):
        state([UNITS, marks(name=name)], nuclei=[])


def test_as_many_of_each() -> None:
    with pytest.raises(ValueError, match="zip"):
        state([Marks("some", "#ffffff", ["a"], ["a", "b"], [(1, 2, 3)])])


def test_a_state_of_anyone_is_linked_only_if_it_is_json() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        link({"position": [math.nan]})
