"""Pages: their sizes, their cursors, their counts, and units by a list of keys."""

from base64 import urlsafe_b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gql_nda.keys import encode64
from gql_nda.stores.sql import SqlStore
from tests.support.client import Client, Statements
from tests.types.nda import name_of, units

PAGE = """query ($by: [UnitOrder!], $where: UnitFilter, $first: Int, $after: String) {
  units(orderBy: $by, where: $where, first: $first, after: $after) {
    totalCount nodes { strKey } edges { cursor node { strKey } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
KEYS = PAGE.replace("($by", "($keys: [UnitKey!], $by").replace("(orderBy", "(keys: $keys, orderBy")
PEARSON = [{"field": "PEARSON", "direction": "DESC"}]
DEPTH = [{"field": "UM_Z"}]


def names(page: dict[str, Any]) -> list[str]:
    return [node["strKey"] for node in page["nodes"]]


async def walked(client: Client, text: str, first: int, at: tuple[str, ...] = ("units",), **given: Any) -> list[str]:
    """The rows of all pages, one after another; each page agrees with itself."""
    found: list[str] = []
    after = None
    while True:
        page: Any = await client.data(text, first=first, after=after, **given)
        for step in at:
            page = page[step]
        info, edges = page["pageInfo"], page["edges"]
        assert [edge["node"]["strKey"] for edge in edges] == names(page)
        assert info["startCursor"] == (edges[0]["cursor"] if edges else None)
        assert info["endCursor"] == (edges[-1]["cursor"] if edges else None)
        assert info["hasPreviousPage"] == (after is not None)
        assert len(edges) == first or not info["hasNextPage"]
        found += names(page)
        assert len(found) <= page["totalCount"]
        if not info["hasNextPage"]:
            assert len(found) == page["totalCount"]
            return found
        after = info["endCursor"]


# --- sizes -----------------------------------------------------------------------------------------


async def test_a_page_has_a_hundred_rows_unless_told(client: Client, demo_path: Path) -> None:
    page = (await client.data(PAGE))["units"]
    assert names(page) == [name_of(u) for u in units(demo_path)[:100]]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (160, True)


@pytest.mark.parametrize(
    ("first", "rows", "more"), [(0, 0, True), (1, 1, True), (159, 159, True), (160, 160, False), (10_000, 160, False)]
)
async def test_size_of_a_page(first: int, rows: int, more: bool, client: Client) -> None:
    page = (await client.data(PAGE, first=first))["units"]
    assert (len(page["nodes"]), page["totalCount"], page["pageInfo"]["hasNextPage"]) == (rows, 160, more)


async def test_an_empty_page_has_no_ends(client: Client) -> None:
    page = (await client.data(PAGE, where={"session": {"eq": 1}}))["units"]
    assert page == {
        "totalCount": 0,
        "nodes": [],
        "edges": [],
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None},
    }


@pytest.mark.parametrize("first", [-1, -(2**31)])
async def test_a_negative_size_makes_no_sense(first: int, sqlite_client: Client) -> None:
    error = await sqlite_client.error(PAGE, first=first)
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "first"}
    assert error["message"] == f"first: {first} is negative"


@pytest.mark.parametrize("first", [10_001, 2**31 - 1])
async def test_a_size_over_the_limit_is_refused(first: int, sqlite_client: Client) -> None:
    error = await sqlite_client.error(PAGE, first=first)
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "limit": "page_max", "maximum": 10_000}


# --- walks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [7, 50, 160])
@pytest.mark.parametrize("by", [[], PEARSON, DEPTH, [{"field": "BRAIN_AREA", "direction": "DESC"}, *DEPTH]])
async def test_a_walk_meets_each_row_once(by: list[Any], first: int, client: Client) -> None:
    whole = names((await client.data(PAGE, by=by, first=10_000))["units"])
    assert len(set(whole)) == 160
    assert await walked(client, PAGE, first, by=by) == whole


async def test_a_walk_over_a_filter(client: Client, demo_path: Path) -> None:
    where = {"not": {"pearson": {"gte": 0.3}}}
    expected = [name_of(u) for u in units(demo_path) if u["pearson"] is not None and u["pearson"] < 0.3]
    assert await walked(client, PAGE, 9, where=where) == expected
    assert len(await walked(client, PAGE, 9, where=where, by=PEARSON)) == len(expected)


async def test_a_walk_within_a_parent(client: Client, demo_path: Path) -> None:
    text = PAGE.replace("{\n  units", "{ scan(session: 4, scanIdx: 7) { units") + "}"
    expected = [name_of(u) for u in units(demo_path) if (u["session"], u["scan_idx"]) == (4, 7)]
    for first in (1, 5):
        assert await walked(client, text, first, ("scan", "units")) == expected
        assert sorted(await walked(client, text, first, ("scan", "units"), by=PEARSON)) == expected


async def test_each_parent_has_a_page_of_its_own(client: Client) -> None:
    text = """{ scans { nodes { session scanIdx
      units(first: 5) { totalCount nodes { scanIdx session } pageInfo { hasNextPage } } } } }"""
    scans = (await client.data(text))["scans"]["nodes"]
    assert len(scans) == 19
    assert sum(scan["units"]["totalCount"] for scan in scans) == 160
    for scan in scans:
        page = scan["units"]
        assert len(page["nodes"]) == min(5, page["totalCount"])
        assert page["pageInfo"]["hasNextPage"] == (page["totalCount"] > 5)
        assert all((n["session"], n["scanIdx"]) == (scan["session"], scan["scanIdx"]) for n in page["nodes"])


@pytest.mark.parametrize(
    ("selection", "count"),
    [
        ("scans { totalCount nodes { id } }", 19),
        ("stacks { totalCount nodes { id } }", 1),
        ("scan(session: 4, scanIdx: 7) { fields { totalCount nodes { id } } }", 8),
        ("scan(session: 4, scanIdx: 7) { stimulus { trials(first: 1000) { totalCount nodes { id } } } }", 464),
        ("field(session: 4, scanIdx: 7, fieldIdx: 3) { masks { totalCount nodes { id } } }", None),
        ("stack(stackSession: 9, stackIdx: 19) { registrations(first: 150) { totalCount nodes { id } } }", 146),
        ("stack(stackSession: 9, stackIdx: 19) { coregistrations { totalCount nodes { id } } }", 8),
    ],
)
async def test_every_connection_counts(selection: str, count: int | None, client: Client) -> None:
    found: Any = await client.data(f"{{ {selection} }}")
    while "nodes" not in found:
        (found,) = found.values()
    ids = {node["id"] for node in found["nodes"]}
    assert len(ids) == len(found["nodes"]) == found["totalCount"] > 0
    assert count in (None, len(ids))


# --- what is fetched -------------------------------------------------------------------------------


@pytest.fixture
async def sent(sqlite_store: SqlStore, sqlite_client: Client) -> Callable[[], list[str]]:
    """The statements of SQLite since the fixture was made, without those that measure groups."""
    await sqlite_client.data("{ units { nodes { umX } } scans { nodes { units { nodes { umX } } } } }")
    statements = Statements(sqlite_store)
    return lambda: list(statements)


async def test_one_fetch_serves_a_page(sqlite_client: Client, sent: Callable[[], list[str]]) -> None:
    await sqlite_client.data("""{ units { nodes { umX } edges { cursor } pageInfo { endCursor }
      a: nodes { umY } b: edges { node { umZ } } } }""")
    assert len(sent()) == 1


async def test_rows_are_counted_only_when_asked_for(sqlite_client: Client, sent: Callable[[], list[str]]) -> None:
    await sqlite_client.data("{ units { nodes { umX } } }")
    assert not [s for s in sent() if "count(" in s]
    await sqlite_client.data("{ units { totalCount } }")
    assert [s for s in sent() if "count(" in s] == [sent()[-1]]


async def test_pages_of_many_parents_are_one_fetch(sqlite_client: Client, sent: Callable[[], list[str]]) -> None:
    await sqlite_client.data("{ scans { nodes { units(first: 2) { nodes { umX } totalCount } } } }")
    assert len(sent()) == 3


# --- cursors of others -----------------------------------------------------------------------------

FOREIGN = "after: not a cursor of this connection"


async def cursor_of(client: Client, **given: Any) -> str:
    cursor: str = (await client.data(PAGE, first=3, **given))["units"]["pageInfo"]["endCursor"]
    return cursor


async def foreign(client: Client, text: str, **given: Any) -> bool:
    """Whether a cursor is refused as that of another connection."""
    error = await client.error(text, **given)
    return bool(error["message"] == FOREIGN and error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "after"})


async def test_cursors_are_bound_to_filter_and_order(sqlite_client: Client) -> None:
    plain = await cursor_of(sqlite_client)
    best = await cursor_of(sqlite_client, by=PEARSON)
    near = await cursor_of(sqlite_client, where={"umX": {"lt": 100}})
    assert await foreign(sqlite_client, PAGE, after=plain, by=PEARSON)
    assert await foreign(sqlite_client, PAGE, after=plain, where={"umX": {"lt": 100}})
    assert await foreign(sqlite_client, PAGE, after=best)
    assert await foreign(sqlite_client, PAGE, after=best, by=[{"field": "PEARSON"}])
    assert await foreign(sqlite_client, PAGE, after=near)
    assert await foreign(sqlite_client, PAGE, after=near, where={"umX": {"lt": 101}})
    assert await foreign(sqlite_client, PAGE, after=near, where={"umX": {"lte": 100}})
    assert await foreign(sqlite_client, PAGE, after=near, where={"umY": {"lt": 100}})


async def test_cursors_are_not_bound_to_the_size_of_a_page(sqlite_client: Client) -> None:
    cursor = await cursor_of(sqlite_client, by=PEARSON)
    for first in (1, 50):
        assert (await sqlite_client.data(PAGE, after=cursor, by=PEARSON, first=first))["units"]["totalCount"] == 160


async def test_cursors_are_bound_to_parent_and_kind(sqlite_client: Client) -> None:
    page = "(first: 1) { pageInfo { endCursor } }"
    data = await sqlite_client.data(f"""{{ units{page} scans{page}
      a: scan(session: 4, scanIdx: 7) {{ units{page} trials{page} }}
      b: scan(session: 4, scanIdx: 9) {{ units{page} }}
      f: field(session: 4, scanIdx: 7, fieldIdx: 1) {{ units{page} }} }}""")
    a, b, f = data["a"], data["b"], data["f"]
    cursors = [data["units"], data["scans"], a["units"], a["trials"], b["units"], f["units"]]
    page = "(after: $after) { nodes { id } }"
    selections = [
        f"units{page}",
        f"scans{page}",
        f"scan(session: 4, scanIdx: 7) {{ units{page} }}",
        f"scan(session: 4, scanIdx: 7) {{ trials{page} }}",
        f"scan(session: 4, scanIdx: 9) {{ units{page} }}",
        f"field(session: 4, scanIdx: 7, fieldIdx: 1) {{ units{page} }}",
    ]
    texts = [f"query ($after: String) {{ {selection} }}" for selection in selections]
    for i, connection in enumerate(cursors):
        after = connection["pageInfo"]["endCursor"]
        for j, text in enumerate(texts):
            if i == j:
                await sqlite_client.data(text, after=after)
            else:
                assert await foreign(sqlite_client, text, after=after)


async def test_cursors_are_bound_to_the_listed_keys(sqlite_client: Client) -> None:
    one, two = [{"strKey": "04_07_000001"}, {"strKey": "04_07_000002"}], [{"strKey": "04_07_000001"}]
    after = (await sqlite_client.data(KEYS, keys=one, first=1))["units"]["pageInfo"]["endCursor"]
    assert names((await sqlite_client.data(KEYS, keys=one, first=1, after=after))["units"]) == ["04_07_000002"]
    assert await foreign(sqlite_client, KEYS, keys=two, after=after)
    assert await foreign(sqlite_client, KEYS, keys=one[::-1], after=after)
    assert await foreign(sqlite_client, KEYS, after=after)


# --- cursors that are none -------------------------------------------------------------------------


@settings(max_examples=150)
@given(after=st.text() | st.binary().map(encode64) | st.from_regex(r"[A-Za-z0-9_=-]{1,40}"))
async def test_any_text_is_refused(sqlite_client: Client, after: str) -> None:
    assert await foreign(sqlite_client, PAGE, after=after)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=6,
)


@settings(max_examples=150)
@given(value=JSON)
async def test_any_json_is_refused(sqlite_client: Client, value: Any) -> None:
    assert await foreign(sqlite_client, PAGE, after=encode64(orjson.dumps(value)))


@settings(max_examples=100)
@given(values=st.lists(JSON, max_size=5))
async def test_forged_positions_are_refused_or_positions(client: Client, values: list[Any]) -> None:
    """Who forges a cursor gets a page or a refusal: never an error of the server's."""
    digest, *_ = orjson.loads(urlsafe_b64decode(await forgeable(client) + "=="))
    answer = await client.answer(PAGE, by=PEARSON, first=2, after=encode64(orjson.dumps([digest, *values])))
    codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
    assert codes in ([], ["BAD_USER_INPUT"])


_FORGEABLE: dict[int, str] = {}


async def forgeable(client: Client) -> str:
    """A genuine cursor, asked for once."""
    if id(client) not in _FORGEABLE:
        _FORGEABLE[id(client)] = await cursor_of(client, by=PEARSON)
    return _FORGEABLE[id(client)]


@pytest.mark.parametrize(
    "values",
    [
        [0.5, 4, 7, 2**31],
        [0.5, 4, 7, 2**63 - 1],
        [0.5, 4, 7, 2**63],
        [0.5, 4, 7, 2**64 - 1],
        [0.5, -(2**63), 7, 1],
        [1.7e308, 4, 7, 1],
        [2**64 - 1, 4, 7, 1],
        [None, 4, 7, 1],
        [None, None, 7, 1],
        [True, 4, 7, 1],
        ["0.5", 4, 7, 1],
        [0.5, 4, 7],
        [0.5, 4, 7, 1, 1],
        [0.5, 4, 7, 1.0],
    ],
)
async def test_forged_positions(values: list[Any], client: Client) -> None:
    digest, *_ = orjson.loads(urlsafe_b64decode(await forgeable(client) + "=="))
    answer = await client.answer(PAGE, by=PEARSON, first=2, after=encode64(orjson.dumps([digest, *values])))
    assert [error["extensions"]["code"] for error in answer.get("errors", [])] in ([], ["BAD_USER_INPUT"])


# --- units(keys:) ----------------------------------------------------------------------------------


def key(unit: dict[str, Any]) -> dict[str, Any]:
    return {"session": unit["session"], "scanIdx": unit["scan_idx"], "unitId": unit["unit_id"]}


async def test_units_come_in_the_order_of_their_keys(client: Client, demo_path: Path) -> None:
    chosen = units(demo_path)[::-3]
    found = (await client.data(KEYS, keys=[key(u) for u in chosen]))["units"]
    assert names(found) == [name_of(u) for u in chosen]
    assert found["totalCount"] == len(chosen)


async def test_keys_come_in_either_form_and_count_once(client: Client, demo_path: Path) -> None:
    a, b, c = units(demo_path)[5:8]
    keys = [key(b), {"strKey": name_of(a)}, {"strKey": name_of(b)}, key(c), key(a), key(c)]
    found = (await client.data(KEYS, keys=keys))["units"]
    assert names(found) == [name_of(u) for u in (b, a, c)]
    assert found["totalCount"] == 3


async def test_all_listed_units_come_unless_told(client: Client, demo_path: Path) -> None:
    keys = [key(u) for u in units(demo_path)]
    assert len(names((await client.data(KEYS, keys=keys))["units"])) == 160
    page = (await client.data(KEYS, keys=keys, first=10))["units"]
    assert (len(names(page)), page["totalCount"], page["pageInfo"]["hasNextPage"]) == (10, 160, True)


@pytest.mark.parametrize("by", [[], PEARSON, DEPTH])
@pytest.mark.parametrize("first", [1, 4])
async def test_a_walk_over_listed_units(by: list[Any], first: int, client: Client, demo_path: Path) -> None:
    keys = [key(u) for u in units(demo_path)[40:20:-1]]
    keys += keys[:3]
    whole = names((await client.data(KEYS, keys=keys, by=by))["units"])
    assert len(whole) == 20
    assert await walked(client, KEYS, first, keys=keys, by=by) == whole


async def test_an_order_is_stronger_than_that_of_the_keys(client: Client, demo_path: Path) -> None:
    chosen = units(demo_path)[::-3]
    asked = [key(u) for u in chosen]
    found = names((await client.data(KEYS, keys=asked, by=[{"field": "UM_X"}]))["units"])
    assert found == [name_of(u) for u in sorted(chosen, key=lambda u: (u["um_x"], name_of(u)))]


MISSING = """query ($keys: [UnitKey!], $where: UnitFilter, $first: Int) {
  units(keys: $keys, where: $where, first: $first) {
    totalCount nodes { strKey } missingKeys { session scanIdx unitId strKey } } }"""


async def test_missing_keys_are_told(client: Client) -> None:
    keys = [
        {"session": 99, "scanIdx": 1, "unitId": 5},
        {"strKey": "04_07_000001"},
        {"strKey": "04_07_900000"},
        {"session": 99, "scanIdx": 1, "unitId": 5},
        {"session": -1, "scanIdx": 0, "unitId": 2**31 - 1},
    ]
    found = (await client.data(MISSING, keys=keys, where={"umX": {"isNull": True}}, first=0))["units"]
    assert (found["totalCount"], found["nodes"]) == (0, [])
    assert found["missingKeys"] == [
        {"session": 99, "scanIdx": 1, "unitId": 5, "strKey": "99_01_000005"},
        {"session": 4, "scanIdx": 7, "unitId": 900000, "strKey": "04_07_900000"},
        {"session": -1, "scanIdx": 0, "unitId": 2**31 - 1, "strKey": "-1_00_2147483647"},
    ]


async def test_no_keys_are_no_units(client: Client) -> None:
    found = (await client.data(MISSING, keys=[]))["units"]
    assert found == {"totalCount": 0, "nodes": [], "missingKeys": []}


async def test_other_connections_miss_nothing(client: Client) -> None:
    data = await client.data(
        "{ units { missingKeys { strKey } } scan(session: 4, scanIdx: 7) { units { missingKeys { strKey } } } }"
    )
    assert data == {"units": {"missingKeys": []}, "scan": {"units": {"missingKeys": []}}}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"session": 4},
        {"session": 4, "scanIdx": 7},
        {"session": 4, "scanIdx": 7, "unitId": None},
        {"session": 4, "scanIdx": 7, "unitId": 1, "strKey": "04_07_000001"},
        {"unitId": 1, "strKey": "04_07_000001"},
        {"strKey": None},
        {"strKey": "4_7_1"},
        {"strKey": "04_07_000001 "},
        {"strKey": ""},
    ],
)
async def test_each_key_is_whole(wrong: dict[str, Any], client: Client) -> None:
    error = await client.error(KEYS, keys=[{"strKey": "04_07_000001"}, wrong])
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["path"] == ["units"]


async def test_so_many_keys_and_no_more(sqlite_client: Client) -> None:
    keys = [{"strKey": f"04_07_{i:06}"} for i in range(1, 10_001)]
    found = (
        await sqlite_client.data(
            "query ($keys: [UnitKey!]) { units(keys: $keys) { totalCount missingKeys { unitId } } }", keys=keys
        )
    )["units"]
    assert found["totalCount"] + len(found["missingKeys"]) == 10_000
    error = await sqlite_client.error(KEYS, keys=[*keys, keys[0]])
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "limit": "keys", "maximum": 10_000}
