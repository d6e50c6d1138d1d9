"""``where`` and ``orderBy``: the rows that a plain loop would keep, in the order that it would sort them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.client import Client
from tests.types.nda import Record, name_of, trials, units

WHERE = "query ($where: UnitFilter) { units(where: $where, first: 10000) { totalCount nodes { strKey } } }"
ORDER = "query ($by: [UnitOrder!]) { units(orderBy: $by, first: 10000) { nodes { strKey } } }"
HALF = 0.3


async def kept(client: Client, where: Any) -> list[str]:
    """The units that satisfy a filter; their number is told aright."""
    found = (await client.data(WHERE, where=where))["units"]
    assert found["totalCount"] == len(found["nodes"])
    return [node["strKey"] for node in found["nodes"]]


def some(value: Any, test: Callable[[Any], bool]) -> bool:
    """A comparison with NULL holds never."""
    return value is not None and test(value)


CASES: list[tuple[Any, Callable[[Record], bool]]] = [
    ({}, lambda u: True),
    (None, lambda u: True),
    # one comparison
    ({"umZ": {"eq": 80}}, lambda u: u["um_z"] == 80),
    ({"umZ": {"ne": 80}}, lambda u: u["um_z"] != 80),
    ({"umX": {"lt": 0}}, lambda u: u["um_x"] < 0),
    ({"umX": {"lte": 0}}, lambda u: u["um_x"] <= 0),
    ({"umX": {"gt": 0}}, lambda u: u["um_x"] > 0),
    ({"umX": {"gte": 0}}, lambda u: u["um_x"] >= 0),
    ({"session": {"in": [4, 9, 4]}}, lambda u: u["session"] in (4, 9)),
    ({"session": {"notIn": [4, 9]}}, lambda u: u["session"] not in (4, 9)),
    ({"session": {"in": []}}, lambda u: False),
    ({"session": {"notIn": []}}, lambda u: True),
    ({"session": {"isNull": True}}, lambda u: False),
    ({"session": {"isNull": False}}, lambda u: True),
    ({"umX": {"gt": -(2**31), "lt": 2**31 - 1}}, lambda u: True),
    ({"umX": {"gt": 0, "lte": 300}, "umY": {"gt": 0}}, lambda u: 0 < u["um_x"] <= 300 and u["um_y"] > 0),
    ({"fieldIdx": {"eq": 1}}, lambda u: u["field"] == 1),
    # what stands beside
    ({"brainArea": {"eq": "AL"}}, lambda u: u["brain_area"] == "AL"),
    ({"brainArea": {"in": ["LM", "RL"]}}, lambda u: u["brain_area"] in ("LM", "RL")),
    ({"brainArea": {"notIn": ["V1"]}}, lambda u: some(u["brain_area"], lambda v: v != "V1")),
    ({"maskType": {"eq": "ARTIFACT"}}, lambda u: u["mask_type"] == "artifact"),
    ({"maskType": {"ne": "ARTIFACT"}}, lambda u: some(u["mask_type"], lambda v: v != "artifact")),
    ({"pearson": {"gte": HALF}}, lambda u: some(u["pearson"], lambda v: v >= HALF)),
    ({"pearson": {"isNull": True}}, lambda u: u["pearson"] is None),
    ({"pearson": {"isNull": False}}, lambda u: u["pearson"] is not None),
    ({"pearson": {"ne": HALF}}, lambda u: u["pearson"] is not None),
    ({"pearson": {"notIn": [HALF]}}, lambda u: u["pearson"] is not None),
    ({"pearson": {"notIn": []}}, lambda u: u["pearson"] is not None),
    ({"pearson": {"in": []}}, lambda u: False),
    ({"pearson": {"lt": 1}}, lambda u: u["pearson"] is not None),
    ({"pearson": {"lt": 1.7e308, "gt": -1.7e308}}, lambda u: u["pearson"] is not None),
    ({"trials": {"eq": 60}}, lambda u: u["trials"] == 60),
    ({"stackX": {"gt": 700}}, lambda u: some(u["stack_x"], lambda v: v > 700)),
    # what stands above
    ({"scan": {"included": {"eq": True}}}, lambda u: bool(u["included"])),
    ({"scan": {"included": {"eq": False}}}, lambda u: not u["included"]),
    ({"scan": {"included": {"ne": True}}}, lambda u: not u["included"]),
    ({"scan": {"included": {"ne": False}}}, lambda u: bool(u["included"])),
    ({"scan": {"fps": {"gt": 7}}}, lambda u: u["fps"] > 7),
    ({"scan": {"ndepths": {"lte": 4}, "nframes": {"lt": 40000}}}, lambda u: u["ndepths"] <= 4 and u["nframes"] < 40000),
    ({"field": {"fieldZ": {"lt": 200}}}, lambda u: u["field_z"] < 200),
    ({"field": {"xStd": {"gt": 1}}}, lambda u: some(u["x_std"], lambda v: v > 1)),
    ({"field": {"score": {"gt": 0.9}}}, lambda u: some(u["score"], lambda v: v > 0.9)),
    ({"field": {"scan": {"included": {"eq": True}}}}, lambda u: bool(u["included"])),
    ({"mask": {"maskType": {"eq": "SOMA"}}}, lambda u: u["mask_type"] == "soma"),
    ({"mask": {"field": {"scan": {"session": {"eq": 5}}}}}, lambda u: u["session"] == 5),
    ({"scan": {}}, lambda u: True),
    # connectives
    ({"and": []}, lambda u: True),
    ({"or": []}, lambda u: False),
    ({"not": {}}, lambda u: False),
    ({"not": {"or": []}}, lambda u: True),
    ({"not": {"umX": {"lt": 0}}}, lambda u: u["um_x"] >= 0),
    ({"not": {"pearson": {"gte": HALF}}}, lambda u: some(u["pearson"], lambda v: v < HALF)),
    ({"not": {"not": {"pearson": {"gte": HALF}}}}, lambda u: some(u["pearson"], lambda v: v >= HALF)),
    ({"not": {"pearson": {"isNull": True}}}, lambda u: u["pearson"] is not None),
    ({"not": {"scan": {"included": {"eq": True}}}}, lambda u: not u["included"]),
    ({"not": {"umX": {"lt": 0}, "umY": {"lt": 0}}}, lambda u: not (u["um_x"] < 0 and u["um_y"] < 0)),
    (
        {"not": {"pearson": {"gte": HALF}, "umX": {"lt": 0}}},
        lambda u: u["um_x"] >= 0 or some(u["pearson"], lambda v: v < HALF),
    ),
    (
        {"or": [{"umX": {"lt": -300}}, {"pearson": {"gte": HALF}}]},
        lambda u: u["um_x"] < -300 or some(u["pearson"], lambda v: v >= HALF),
    ),
    (
        {"and": [{"umX": {"lt": 0}}, {"or": [{"umY": {"lt": 0}}, {"session": {"eq": 4}}]}]},
        lambda u: u["um_x"] < 0 and (u["um_y"] < 0 or u["session"] == 4),
    ),
    (
        {"umX": {"lt": 0}, "or": [{"session": {"eq": 4}}, {"session": {"eq": 5}}]},
        lambda u: u["um_x"] < 0 and u["session"] in (4, 5),
    ),
    # text, character by character
    ({"strKey": {"eq": "04_07_000001"}}, lambda u: name_of(u) == "04_07_000001"),
    ({"strKey": {"startsWith": "04_0"}}, lambda u: name_of(u).startswith("04_0")),
    ({"strKey": {"startsWith": ""}}, lambda u: True),
    ({"strKey": {"startsWith": "0"}}, lambda u: True),
    ({"strKey": {"startsWith": "__"}}, lambda u: False),
    ({"strKey": {"startsWith": "04%"}}, lambda u: False),
    ({"strKey": {"startsWith": "%"}}, lambda u: False),
    ({"strKey": {"startsWith": "04_07_000001 "}}, lambda u: False),
    ({"strKey": {"eq": "04_07_000001 "}}, lambda u: False),
    ({"strKey": {"eq": ""}}, lambda u: False),
    ({"strKey": {"eq": "\u0000"}}, lambda u: False),
    ({"strKey": {"eq": "' OR 1=1 --"}}, lambda u: False),
    ({"strKey": {"in": ["04_07_000001", "\\", "\U0001f600", "é", "%"]}}, lambda u: name_of(u) == "04_07_000001"),
    ({"strKey": {"gte": "07_03", "lt": "07_04"}}, lambda u: (u["session"], u["scan_idx"]) == (7, 3)),
    ({"strKey": {"lt": "05", "ne": "04_07_000001"}}, lambda u: u["session"] < 5 and name_of(u) != "04_07_000001"),
    ({"strKey": {"gt": "\U0001f600"}}, lambda u: False),
    ({"hash": {"startsWith": "A"}}, lambda u: u["hash"].startswith("A")),
    ({"hash": {"startsWith": "a"}}, lambda u: u["hash"].startswith("a")),
    ({"hash": {"gt": "a"}}, lambda u: u["hash"] > "a"),
    ({"hash": {"gt": "B"}}, lambda u: u["hash"] > "B"),
]


@pytest.mark.parametrize(("where", "keeps"), CASES, ids=[str(where) for where, _ in CASES])
async def test_where(where: Any, keeps: Callable[[Record], bool], client: Client, demo_path: Path) -> None:
    assert await kept(client, where) == [name_of(u) for u in units(demo_path) if keeps(u)]


async def test_the_cases_tell_rows_apart(demo_path: Path) -> None:
    """Most cases keep some units and leave others: else they would show little."""
    counts = [sum(map(keeps, units(demo_path))) for _, keeps in CASES]
    assert sum(0 < count < len(units(demo_path)) for count in counts) > len(CASES) / 2
    assert any(u["pearson"] is None for u in units(demo_path))


# --- float32 ---------------------------------------------------------------------------------------


async def test_what_is_shown_is_found_again(client: Client, demo_path: Path) -> None:
    scored = [u for u in units(demo_path) if u["pearson"] is not None]
    for unit in scored[::20]:
        shown = float(str(np.float32(unit["pearson"])))
        assert shown != unit["pearson"]
        assert await kept(client, {"pearson": {"eq": shown}}) == [name_of(unit)]
        assert await kept(client, {"pearson": {"in": [shown, 2]}}) == [name_of(unit)]
        for op in ("lte", "gte"):
            assert name_of(unit) in await kept(client, {"pearson": {op: shown}})
        for op in ("lt", "gt", "ne"):
            assert name_of(unit) not in await kept(client, {"pearson": {op: shown}})


# --- texts that differ by case ---------------------------------------------------------------------

HASHES = """query ($where: TrialFilter) {
  scan(session: 4, scanIdx: 7) { trials(where: $where, first: 10000) { nodes { trialIdx } } } }"""


async def test_hashes_are_compared_exactly(client: Client, demo_path: Path) -> None:
    mine = [t for t in trials(demo_path) if (t["session"], t["scan_idx"]) == (4, 7)]
    one = next(t["condition_hash"] for t in mine if t["condition_hash"].swapcase() != t["condition_hash"])
    tests: list[tuple[Any, Callable[[str], bool]]] = [
        ({"eq": one}, lambda h: h == one),
        ({"eq": one.swapcase()}, lambda h: False),
        ({"in": [one, one.lower(), one.upper()]}, lambda h: h == one),
        ({"notIn": [one.lower(), one.upper()]}, lambda h: True),
        ({"startsWith": one[:3]}, lambda h: h.startswith(one[:3])),
        ({"startsWith": one[:3].swapcase()}, lambda h: h.startswith(one[:3].swapcase())),
        ({"startsWith": "+"}, lambda h: h.startswith("+")),
        ({"lt": "a"}, lambda h: h < "a"),
        ({"gte": "Z"}, lambda h: h >= "Z"),
    ]
    for where, keeps in tests:
        found = (await client.data(HASHES, where={"conditionHash": where}))["scan"]["trials"]["nodes"]
        expected = [t["trial_idx"] for t in mine if keeps(t["condition_hash"])]
        assert [node["trialIdx"] for node in found] == expected, where


@pytest.mark.parametrize(("name", "value"), [("CLIP", "stimulus.Clip"), ("MONET2", "stimulus.Monet2")])
async def test_types_of_trials(name: str, value: str, client: Client, demo_path: Path) -> None:
    found = (await client.data(HASHES, where={"type": {"eq": name}}))["scan"]["trials"]["nodes"]
    mine = [t for t in trials(demo_path) if (t["session"], t["scan_idx"]) == (4, 7)]
    expected = [t["trial_idx"] for t in mine if t["type"] == value]
    assert [node["trialIdx"] for node in found] == expected
    assert expected


ODD = st.sampled_from(
    ["%", "_", "\\", "'", '"', "\u0000", "\n", " ", "\U0001f600", "\u00e9", "e\u0301", "\ufeff", "\u2028", ";--", "{}"]
)
NAME = st.sampled_from(["04_07_000001", "05_03_000004", "09_06_000008", "c7daab17d264"])
TEXT = st.text() | st.builds(lambda name, n, odd: name[:n] + odd, NAME, st.integers(0, 12), ODD | st.just(""))

HOLDS: dict[str, Callable[[str, Any], bool]] = {
    "eq": lambda value, text: value == text,
    "ne": lambda value, text: value != text,
    "in": lambda value, texts: value in texts,
    "notIn": lambda value, texts: value not in texts,
    "lt": lambda value, text: value < text,
    "lte": lambda value, text: value <= text,
    "gt": lambda value, text: value > text,
    "gte": lambda value, text: value >= text,
    "startsWith": lambda value, text: value.startswith(text),
}


@settings(max_examples=120)
@given(
    field=st.sampled_from([("strKey", "str_key"), ("hash", "hash")]), op=st.sampled_from(list(HOLDS)), data=st.data()
)
async def test_no_text_is_more_than_a_text(
    client: Client, demo_path: Path, field: tuple[str, str], op: str, data: st.DataObject
) -> None:
    operand = data.draw(st.lists(TEXT, max_size=3) if op in ("in", "notIn") else TEXT)
    expected = [name_of(u) for u in units(demo_path) if HOLDS[op](u[field[1]], operand)]
    assert await kept(client, {field[0]: {op: operand}}) == expected


# --- what makes no sense ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "argument"),
    [
        ({"umX": None}, "umX"),
        ({"umX": {"eq": None}}, "eq"),
        ({"umX": {"in": None}}, "in"),
        ({"umX": {"isNull": None}}, "isNull"),
        ({"brainArea": {"eq": None}}, "eq"),
        ({"and": None}, "and"),
        ({"or": None}, "or"),
        ({"not": None}, "not"),
        ({"scan": None}, "scan"),
        ({"scan": {"included": None}}, "included"),
        ({"scan": {"included": {"eq": None}}}, "eq"),
        ({"or": [{"umX": {"eq": None}}]}, "eq"),
    ],
)
async def test_null_is_no_operand(where: Any, argument: str, client: Client) -> None:
    error = await client.error(WHERE, where=where)
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": argument}
    assert "null is no operand; use isNull" in error["message"]


@pytest.mark.parametrize(
    "where",
    [
        {"umX": 1},
        {"umX": {"eq": "1"}},
        {"umX": {"eq": 1.5}},
        {"umX": {"eq": 2**31}},
        {"umX": {"in": [None]}},
        {"umX": {"like": "1"}},
        {"umX": {"startsWith": "1"}},
        {"brainArea": {"eq": "V2"}},
        {"brainArea": {"eq": "v1"}},
        {"brainArea": {"lt": "V1"}},
        {"maskType": {"eq": "soma"}},
        {"pearson": {"eq": "0.3"}},
        {"scan": {"included": {"isNull": True}}},
        {"unknown": {"eq": 1}},
        {"__table__": {"eq": 1}},
        {"and": [None]},
        [[]],
        "umX = 1",
    ],
)
async def test_what_a_filter_lacks_is_refused(where: Any, sqlite_client: Client) -> None:
    response = await sqlite_client.answer(WHERE, where=where)
    assert "data" not in response
    assert {e["extensions"]["code"] for e in response["errors"]} == {"BAD_USER_INPUT"}


async def test_arguments_that_are_null_are_left_out(client: Client) -> None:
    plain = await client.data("{ units { totalCount nodes { strKey } } }")
    null = await client.data(
        "{ units(keys: null, where: null, orderBy: null, first: null, after: null) { totalCount nodes { strKey } } }"
    )
    assert null == plain


# --- orders ----------------------------------------------------------------------------------------


def ranked(rows: list[Record], *by: tuple[str, bool]) -> list[str]:
    """The units sorted: NULL last either way, ties by primary key."""
    for column, descending in reversed(by):
        known = [r for r in rows if r[column] is not None]
        known.sort(key=lambda r: r[column], reverse=descending)
        rows = known + [r for r in rows if r[column] is None]
    return [name_of(r) for r in rows]


ORDERS: list[tuple[list[tuple[str, str | None]], list[tuple[str, bool]]]] = [
    ([], []),
    ([("UM_Z", None)], [("um_z", False)]),
    ([("UM_Z", "ASC")], [("um_z", False)]),
    ([("UM_Z", "DESC")], [("um_z", True)]),
    ([("PEARSON", "ASC")], [("pearson", False)]),
    ([("PEARSON", "DESC")], [("pearson", True)]),
    ([("BRAIN_AREA", "DESC"), ("PEARSON", "DESC")], [("brain_area", True), ("pearson", True)]),
    (
        [("MASK_TYPE", "ASC"), ("UM_X", "DESC"), ("UM_Y", "ASC")],
        [("mask_type", False), ("um_x", True), ("um_y", False)],
    ),
    ([("TRIALS", "DESC")], [("trials", True)]),
    ([("SESSION", "DESC")], [("session", True)]),
    ([("UNIT_ID", "DESC"), ("SESSION", "ASC")], [("unit_id", True), ("session", False)]),
    ([("HASH", "ASC")], [("hash", False)]),
    ([("STR_KEY", "DESC")], [("str_key", True)]),
    ([("STACK_X", "DESC")], [("stack_x", True)]),
    ([("UM_Z", "ASC"), ("UM_Z", "DESC")], [("um_z", False)]),
]


@pytest.mark.parametrize(("by", "reference"), ORDERS, ids=[str(by) for by, _ in ORDERS])
async def test_order(
    by: list[tuple[str, str | None]], reference: list[tuple[str, bool]], client: Client, demo_path: Path
) -> None:
    asked = [{"field": name, **({"direction": way} if way else {})} for name, way in by]
    found = (await client.data(ORDER, by=asked))["units"]["nodes"]
    assert [node["strKey"] for node in found] == ranked(units(demo_path), *reference)


@pytest.mark.parametrize(
    "by", [[{"field": "NOTHING"}], [{"direction": "ASC"}], [{"field": "UM_X", "direction": "UP"}], [None]]
)
async def test_what_an_order_lacks_is_refused(by: Any, sqlite_client: Client) -> None:
    response = await sqlite_client.answer(ORDER, by=by)
    assert "data" not in response


async def test_filters_and_orders_of_nested_connections(client: Client, demo_path: Path) -> None:
    data = await client.data("""{ scans { nodes { session scanIdx fields(where: {fieldZ: {lt: 250}}) { nodes { fieldIdx
      units(where: {maskType: {eq: SOMA}}, orderBy: [{field: PEARSON, direction: DESC}]) {
        totalCount nodes { strKey } } } } } } }""")
    for scan in data["scans"]["nodes"]:
        mine = [u for u in units(demo_path) if (u["session"], u["scan_idx"]) == (scan["session"], scan["scanIdx"])]
        assert [f["fieldIdx"] for f in scan["fields"]["nodes"]] == sorted(
            {u["field"] for u in mine if u["field_z"] < 250}
        )
        for field in scan["fields"]["nodes"]:
            somata = [u for u in mine if u["field"] == field["fieldIdx"] and u["mask_type"] == "soma"]
            assert [n["strKey"] for n in field["units"]["nodes"]] == ranked(somata, ("pearson", True))
            assert field["units"]["totalCount"] == len(somata)
