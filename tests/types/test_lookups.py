"""One row by its key: by numbers, by name, by hash, by global id."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strawberry.types import arguments

from gql_nda.keys import encode64
from gql_nda.tables import key_names
from gql_nda.types.entity import ENTITIES, type_name
from tests.support.client import Client
from tests.types.nda import name_of, units

NODE = "query ($id: ID!) { node(id: $id) { __typename id } }"
UNIT = """query ($s: Int, $i: Int, $u: Int, $k: String) {
  unit(session: $s, scanIdx: $i, unitId: $u, strKey: $k) { session scanIdx unitId strKey hash umX } }"""


# --- by numbers ------------------------------------------------------------------------------------

LOOKUPS = [
    "scan(session: 4, scanIdx: 7) { session scanIdx }",
    "field(session: 4, scanIdx: 7, fieldIdx: 3) { session scanIdx fieldIdx }",
    "unit(session: 4, scanIdx: 7, unitId: 2) { session scanIdx unitId }",
    "mask(session: 4, scanIdx: 7, fieldIdx: 3, maskId: 1) { session scanIdx fieldIdx maskId }",
    "trial(session: 4, scanIdx: 7, trialIdx: 0) { session scanIdx trialIdx }",
    "stack(stackSession: 9, stackIdx: 19) { stackSession stackIdx }",
]


@pytest.mark.parametrize("lookup", LOOKUPS)
async def test_a_row_has_the_key_that_was_asked_for(lookup: str, client: Client) -> None:
    (found,) = (await client.data(f"{{ {lookup} }}")).values()
    asked = lookup[lookup.index("(") + 1 : lookup.index(")")]
    assert ", ".join(f"{name}: {value}" for name, value in found.items()) == asked


@pytest.mark.parametrize("number", [0, -1, 32767, 32768, 2**31 - 1, -(2**31)])
@pytest.mark.parametrize("lookup", LOOKUPS)
async def test_an_unknown_row_is_null_without_an_error(lookup: str, number: int, client: Client) -> None:
    start = lookup.index("(")
    name = lookup[start + 1 : lookup.index(":")]
    unknown = lookup.replace(lookup[start + 1 : lookup.index(",")], f"{name}: {number}")
    assert list((await client.data(f"{{ {unknown} }}")).values()) == [None]


async def test_lookups_of_one_kind_are_told_apart(client: Client) -> None:
    data = await client.data("""{
      a: scan(session: 4, scanIdx: 7) { nframes } b: scan(session: 4, scanIdx: 9) { nframes }
      c: scan(session: 4, scanIdx: 8) { nframes } d: scan(scanIdx: 7, session: 4) { nframes } }""")
    assert data["a"] == data["d"] == {"nframes": 40000}
    assert data["b"] == {"nframes": 35112}
    assert data["c"] is None


# --- units by name ---------------------------------------------------------------------------------


async def test_a_unit_has_two_names(client: Client, demo_path: Path) -> None:
    for unit in units(demo_path)[::40]:
        numbers = {"s": unit["session"], "i": unit["scan_idx"], "u": unit["unit_id"]}
        by_numbers = (await client.data(UNIT, **numbers))["unit"]
        by_name = (await client.data(UNIT, k=name_of(unit)))["unit"]
        assert by_numbers == by_name
        assert (by_name["strKey"], by_name["hash"]) == (unit["str_key"], unit["hash"])
        assert (by_name["session"], by_name["umX"]) == (unit["session"], unit["um_x"])


@pytest.mark.parametrize("name", ["99_01_000001", "04_07_999999", "04_07_000000", "99999_99999_999999999"])
async def test_an_unknown_name_is_null(name: str, client: Client) -> None:
    assert await client.data(UNIT, k=name) == {"unit": None}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"s": 4},
        {"s": 4, "i": 7},
        {"i": 7, "u": 1},
        {"s": 4, "i": 7, "u": None},
        {"s": None, "i": None, "u": None, "k": None},
        {"s": 4, "i": 7, "u": 1, "k": "04_07_000001"},
        {"s": 4, "k": "04_07_000001"},
        {"u": 1, "k": "04_07_000001"},
    ],
)
async def test_a_key_is_whole(given: dict[str, Any], sqlite_client: Client) -> None:
    error = await sqlite_client.error(UNIT, **given)
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "unit"}
    assert error["path"] == ["unit"]


@pytest.mark.parametrize(
    "name",
    [
        "4_7_1",
        "04_07_1",
        "04_07_000001\n",
        " 04_07_000001",
        "04-07-000001",
        "04_07_000001_1",
        "04_07_\u0660\u0660\u0660\u0660\u0660\u0661",
        "-4_07_000001",
        "04_07_0000000000001",
        "_0_07_000001",
        "",
    ],
)
async def test_a_malformed_name_is_refused(name: str, sqlite_client: Client) -> None:
    error = await sqlite_client.error(UNIT, k=name)
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "strKey"}


@settings(max_examples=100)
@given(name=st.text() | st.from_regex(r"[0-9]{1,6}_[0-9]{1,6}_[0-9]{1,10}", fullmatch=True))
async def test_any_name_is_a_unit_or_null_or_refused(sqlite_client: Client, name: str) -> None:
    answer = await sqlite_client.answer(UNIT, k=name)
    codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
    assert codes in ([], ["BAD_USER_INPUT"])
    if answer["data"]["unit"]:
        assert answer["data"]["unit"]["strKey"] == name


# --- conditions ------------------------------------------------------------------------------------

CONDITION = """query ($hash: String!) { condition(hash: $hash) { __typename
  ... on Clip { conditionHash } ... on Monet2 { conditionHash } ... on Trippy { conditionHash } } }"""


def hashes(path: Path, table: str) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute(f"SELECT condition_hash FROM {table} ORDER BY 1")]


@pytest.mark.parametrize("kind", ["Clip", "Monet2", "Trippy"])
async def test_a_condition_is_found_by_its_very_hash(kind: str, client: Client, demo_path: Path) -> None:
    mine = hashes(demo_path, kind.lower())
    everyone = {h for table in ("clip", "monet2", "trippy") for h in hashes(demo_path, table)}
    for one in mine[:: len(mine) // 4]:
        assert await client.data(CONDITION, hash=one) == {"condition": {"__typename": kind, "conditionHash": one}}
        for other in {
            one.swapcase(),
            one.lower(),
            one.upper(),
            one[:-1],
            f"{one} ",
            f" {one}",
            f"{one}\u0000",
        } - everyone:
            assert await client.data(CONDITION, hash=other) == {"condition": None}


@pytest.mark.parametrize("wrong", ["", "%", "_" * 20, "' OR 1=1 --", "é" * 20, "\U0001f600", "\u0000", "A" * 10_000])
async def test_what_is_no_hash_is_null(wrong: str, client: Client) -> None:
    assert await client.data(CONDITION, hash=wrong) == {"condition": None}


async def test_a_trial_shows_the_condition_of_its_type(client: Client) -> None:
    data = await client.data("""{ scan(session: 4, scanIdx: 7) { trials(first: 1000) { nodes {
      type conditionHash condition { __typename
        ... on Clip { conditionHash } ... on Monet2 { conditionHash } ... on Trippy { conditionHash } } } } } }""")
    trials = data["scan"]["trials"]["nodes"]
    assert {t["type"] for t in trials} == {"CLIP", "MONET2", "TRIPPY"}
    for trial in trials:
        assert trial["condition"]["__typename"].upper() == trial["type"]
        assert trial["condition"]["conditionHash"] == trial["conditionHash"]


# --- global ids ------------------------------------------------------------------------------------


def rows(path: Path, table: Any) -> Iterator[tuple[Any, ...]]:
    """The keys of some rows of a table."""
    keys = ", ".join(key_names(table))
    with closing(sqlite3.connect(path)) as connection:
        yield from connection.execute(f'SELECT {keys} FROM "{table.name}" ORDER BY {keys} LIMIT 3')


@pytest.mark.parametrize("cls", ENTITIES.values(), ids=type_name)
async def test_every_entity_is_found_by_its_id(cls: Any, client: Client, demo_path: Path) -> None:
    kind, table = type_name(cls), cls.__table__
    shown = [("fieldIdx" if n == "field" else _camel(n)) for n in key_names(table)]
    for key in rows(demo_path, table):
        text = ".".join(str(v).replace("+", "-").replace("/", "_") for v in key)
        one = encode64(f"{kind}:{text}".encode())
        found = (await client.data(
            f"query ($id: ID!) {{ node(id: $id) {{ __typename id ... on {kind} {{ {' '.join(shown)} }} }} }}", id=one
        ))["node"]  # fmt: skip
        assert found == {"__typename": kind, "id": one, **dict(zip(shown, key, strict=True))}


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


async def test_ids_are_unique_over_all_types(client: Client) -> None:
    data = await client.data("""{ scan(session: 4, scanIdx: 7) { id scanTimes { id } stimulus { id } treadmill { id }
      rawTreadmill { id } manualPupil { id } rawManualPupil { id }
      units(first: 2) { nodes { id activity { id } oracle { id } stackUnit { id } mask { id } } } } }""")
    ids = list(_ids(data))
    assert len(set(ids)) == len(ids) == 7 + 2 * 5


def _ids(answer: Any) -> Iterator[str]:
    if isinstance(answer, dict):
        if "id" in answer:
            yield answer["id"]
        for child in answer.values():
            yield from _ids(child)
    elif isinstance(answer, list):
        for child in answer:
            yield from _ids(child)


def written(text: str) -> str:
    return encode64(text.encode())


@pytest.mark.parametrize(
    "text", ["Scan:99.1", "Unit:4.7.0", "Unit:-4.7.1", "Clip:nothing", "Clip:", "Clip:\u00e9", "Trial:4.7.2147483647"]
)
async def test_an_id_of_no_row_is_null(text: str, client: Client) -> None:
    assert await client.data(NODE, id=written(text)) == {"node": None}


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "x",
        "4.7.1",
        "Unit:4.7.1",
        "!!!!",
        "A" * 10_000,
        "\u00e9",
        written("Unit"),
        written("Unit:"),
        written("Unit:4.7"),
        written("Unit:4.7.1.1"),
        written("Unit:4.7.x"),
        written("Unit:4.7.1 "),
        written("Unit:4.7.\u0661"),
        written("Unit:4.7.99999999999"),
        written("Unit:4.7.1;DROP TABLE scan"),
        written("unit:4.7.1"),
        written("ScanUnit:4.7.1"),
        written("Node:4.7.1"),
        written("PageInfo:4.7.1"),
        written("Query:1"),
        written("NdArray:4.7.1"),
        written(":4.7.1"),
        written("Unit:4.7.1") + "=",
        written("Unit:4.7.1") + "\n",
        encode64(b"\xff\xfe:4.7.1"),
    ],
)
async def test_a_malformed_id_is_refused(wrong: str, sqlite_client: Client) -> None:
    error = await sqlite_client.error(NODE, id=wrong)
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["path"] == ["node"]
    assert len(error["message"]) < 200


@settings(max_examples=150)
@given(
    one=st.text()
    | st.binary().map(encode64)
    | st.text().map(lambda t: encode64(f"Unit:{t}".encode("utf-8", "replace")))
)
async def test_any_id_is_a_row_or_null_or_refused(sqlite_client: Client, one: str) -> None:
    answer = await sqlite_client.answer(NODE, id=one)
    codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
    assert codes in ([], ["BAD_USER_INPUT"])


async def test_keys_are_made_each_in_one_go(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strawberry converts the scalars of an input one by one: of 10,000 keys that took a third of a second."""
    converted: list[object] = []
    convert = arguments.convert_argument

    def noted(*args: Any, **kwargs: Any) -> object:
        converted.append(args)
        return convert(*args, **kwargs)

    monkeypatch.setattr(arguments, "convert_argument", noted)
    keys = [{"session": 4, "scanIdx": 7, "unitId": i} for i in range(1, 501)] + [{"strKey": "04_07_000501"}]
    text = "query ($keys: [UnitKey!]) { units(keys: $keys) { nodes { unitId } missingKeys { unitId } } }"
    found = (await client.data(text, keys=keys))["units"]
    assert sorted(each["unitId"] for each in found["nodes"] + found["missingKeys"]) == list(range(1, 502))
    assert len(converted) <= len(keys) + 10
