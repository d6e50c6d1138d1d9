"""Arrays over HTTP: the very bytes, pictures, and errors that say what was wrong."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy import Column
from starlette.types import Message, Send

from gql_nda.codec import pack, unpack_array
from gql_nda.errors import BlobCorrupt
from gql_nda.http import arrays
from gql_nda.http.app import build_app
from gql_nda.keys import format_key
from gql_nda.resolvers.addresses import COMPUTED
from gql_nda.resolvers.computed import Computed
from gql_nda.settings import Settings
from gql_nda.stores import table_of
from gql_nda.stores.sql import SqlStore
from gql_nda.tables import TABLES, Array, key_names
from tests.codec.forge import bomb, envelope
from tests.support.asgi import LEAVE, Exchange, call, part, receiving
from tests.support.blobs import AVERAGE, address, picture_store
from tests.support.client import Client, Statements, serving

TRACE = "/arrays/activity/4.7.1/trace"
MOVIE = "/arrays/stimulus/4.7/movie"

ARRAYS = [column for table in TABLES.values() for column in table.columns if "array" in column.info]


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def store(request: pytest.FixtureRequest) -> SqlStore:
    """Each store in turn."""
    found: SqlStore = request.getfixturevalue(f"{request.param}_store")
    return found


@pytest.fixture(scope="module")
async def client(store: SqlStore) -> AsyncIterator[Client]:
    """One client of each store for all tests: a schema takes longer to build than an array to read."""
    async with serving(store) as client:
        yield client


@pytest.fixture(scope="module")
async def sqlite_client(sqlite_store: SqlStore) -> AsyncIterator[Client]:
    """One client, where the store makes no difference."""
    async with serving(sqlite_store) as client:
        yield client


def sample(path: Path, column: Column[Any]) -> tuple[tuple[Any, ...], bytes]:
    """The last row that has an array there: its key and the blob."""
    table = table_of(column)
    keys = ", ".join(key_names(table))
    with closing(sqlite3.connect(path)) as connection:
        *key, blob = connection.execute(
            f'SELECT {keys}, "{column.name}" FROM "{table.name}" ORDER BY {keys} DESC LIMIT 1'
        ).fetchone()
    return tuple(key), blob


def route(column: Column[Any], key: tuple[Any, ...]) -> str:
    table = table_of(column)
    return f"/arrays/{table.name}/{format_key(table, key)}/{column.name}"


def loaded(response: httpx.Response) -> NDArray[Any]:
    """The array of an answer."""
    assert response.status_code == 200, response.text
    assert int(response.headers["content-length"]) == len(response.content)
    array: NDArray[Any] = np.load(BytesIO(response.content), allow_pickle=False)
    return array


def identical(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two arrays are equal to the bit, NaN included."""
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes("F") == other.tobytes("F")


# --- npy -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ARRAYS, ids=str)
async def test_npy_is_the_decoded_blob(column: Column[Any], client: Client, demo_path: Path) -> None:
    key, blob = sample(demo_path, column)
    response = await client.http.get(route(column, key))
    assert identical(loaded(response), unpack_array(blob))
    assert response.headers["content-type"] == "application/x-npy"


async def test_streamed_array_comes_in_pieces_of_the_blob(
    client: Client, demo_path: Path, statements: Statements, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "CHUNK", 100_000)
    column = TABLES["stimulus"].c.movie
    key, blob = sample(demo_path, column)
    assert identical(loaded(await client.http.get(route(column, key))), unpack_array(blob))
    assert len(statements) == 1 + len(blob) // 100_000 + 1  # the header, then the pieces


async def test_no_part_of_a_streamed_array_is_large(sqlite_store: SqlStore) -> None:
    answer = await call(build_app(Settings(), sqlite_store), receiving(part(b"")), path=MOVIE, method="GET")
    parts = [len(message["body"]) for message in answer.sent[1:]]
    assert sum(parts) == int(answer.headers["content-length"])
    assert sum(parts) > 5_000_000
    assert max(parts) <= 300_000


@pytest.mark.parametrize("path", [TRACE, MOVIE, "/arrays/raw_manual_pupil/4.7/pupil_x"])
async def test_head_tells_the_size_and_reads_no_array(path: str, client: Client, statements: Statements) -> None:
    head = await client.http.head(path)
    asked = len(statements)
    whole = await client.http.get(path)
    assert (head.status_code, head.content, asked) == (200, b"", 1)
    assert head.headers == whole.headers


async def test_answer_names_the_file_and_forbids_guessing(sqlite_client: Client) -> None:
    headers = (await sqlite_client.http.get(TRACE)).headers
    assert headers["content-disposition"] == 'inline; filename="activity_4.7.1_trace.npy"'
    assert headers["x-content-type-options"] == "nosniff"


async def test_hashes_are_written_in_the_urls_alphabet(client: Client, demo_path: Path) -> None:
    with closing(sqlite3.connect(demo_path)) as connection:
        ((condition_hash,),) = connection.execute(
            "SELECT condition_hash FROM clip WHERE condition_hash LIKE '%/%' AND condition_hash LIKE '%+%' LIMIT 1"
        )
    text = condition_hash.replace("/", "_").replace("+", "-")
    href = (await client.data(f'{{ condition(hash: "{condition_hash}") {{ ... on Clip {{ clip {{ href }} }} }} }}'))[
        "condition"
    ]["clip"]["href"]
    assert href.endswith(f"/arrays/clip/{text}/clip")
    assert loaded(await client.http.get(href)).shape == (300, 9, 16)
    assert (await client.http.get(f"/arrays/clip/{text.swapcase()}/clip")).status_code == 404


KINDS: list[Any] = [
    np.array([[True, False, True]]),
    *(np.arange(6).reshape(2, 3).astype(dtype) for dtype in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8")),
    np.array([[0.1, np.nan, -np.inf]], "f4"),
    np.array([[0.1, np.nan, 1e308]], "f8"),
    np.array([1 + 2j, complex(np.nan, -0.0)]),
    np.array([[1 + 2j], [3j]], "c8"),
    np.arange(24.0).reshape(2, 3, 4),
    np.arange(16.0).reshape(2, 1, 2, 1, 4),
    np.zeros((0,)),
    np.zeros((0, 5), "f4"),
    np.float64(3.5),
    np.arange(300_000.0),
    [1.5, -2.0, float("nan")],
    [],
]


@pytest.fixture(scope="module")
async def pictures(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A client of a server over arrays of every kind."""
    blobs = [pack(kind) if isinstance(kind, list | np.generic) else kind for kind in KINDS]
    async with picture_store(tmp_path_factory.mktemp("kinds"), blobs) as store, serving(store) as client:
        yield client


@pytest.mark.parametrize("number", range(1, len(KINDS) + 1))
async def test_npy_of_every_kind(number: int, pictures: Client) -> None:
    expected = np.asarray(KINDS[number - 1])
    found = loaded(await pictures.http.get(address(number)))
    assert identical(found, expected)


# --- shifts ----------------------------------------------------------------------------------------


async def test_times_of_a_unit_are_shifted_by_its_delay(client: Client) -> None:
    data = await client.data("""{ unit(session: 4, scanIdx: 7, unitId: 3) { msDelay
      times { href values(stop: 9) } scan { scanTimes { frameTimes { href } } } } }""")
    unit = data["unit"]
    times = loaded(await client.http.get(unit["times"]["href"]))
    frames = loaded(await client.http.get(unit["scan"]["scanTimes"]["frameTimes"]["href"]))
    assert unit["msDelay"] > 0
    assert identical(times, frames + unit["msDelay"] / 1000)
    assert times[:9].tolist() == unit["times"]["values"]


@pytest.mark.parametrize(
    ("shift", "value"), [("0", 0.0), ("-0.25", -0.25), ("1e-3", 0.001), ("1000000000", 1e9), ("2.5E", None)]
)
async def test_shift(shift: str, value: float | None, pictures: Client) -> None:
    number = 1 + next(i for i, kind in enumerate(KINDS) if np.size(kind) == 300_000)
    response = await pictures.http.get(address(number), params={"shift": shift})
    if value is None:
        assert response.status_code == 400
    else:
        assert identical(loaded(response), np.arange(300_000.0) + value)


@pytest.mark.parametrize(
    "shift",
    [
        "",
        "x",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "1e10",
        "1_0",
        " 1",
        "0x10",
        "\u0661",
        "1" * 5000,
        "1;DROP",
        "\x00",
        "--1",
    ],
)
async def test_what_is_no_shift_is_refused(shift: str, sqlite_client: Client) -> None:
    response = await sqlite_client.http.get("/arrays/scan_times/4.7/frame_times", params={"shift": shift})
    refused(response, 400, "BAD_USER_INPUT", "shift: ")


async def test_whole_numbers_are_not_shifted(sqlite_client: Client) -> None:
    refused(await sqlite_client.http.get(f"{MOVIE}?shift=1"), 400, "BAD_USER_INPUT", "uint8")


# --- what is not there -----------------------------------------------------------------------------


def refused(response: httpx.Response, status: int, code: str, words: str) -> None:
    """The answer is an error with this code and these words, and short."""
    assert response.status_code == status
    error = response.json()["error"]
    assert error["code"] == code
    assert words in error["message"]
    assert len(response.content) < 500


@pytest.mark.parametrize(
    "path",
    [
        "/arrays/nothing/4.7.1/trace",
        "/arrays/activity/4.7.1/nothing",
        "/arrays/activity/4.7.999999/trace",
        "/arrays/activity/4.7.1/unit_id",  # a column that holds no array
        "/arrays/coregistration/9.19.1/transform_solution",  # a blob that is no array
        "/arrays/unit_hash/4.7.1/hash",
        "/arrays/Activity/4.7.1/trace",
        "/arrays/%23scan_include/4.7/session",
        "/arrays/sqlite_master/1/sql",
        "/arrays/clip/nothing/clip",
        "/arrays/clip/%C3%A9%00'%20OR%201=1%20--/clip",
        "/arrays/activity/4.7.1/__class__",
        "/arrays/activity/4.7.1/trace%00",
        "/arrays/clip/" + "A" * 5000 + "/clip",
    ],
)
async def test_what_is_not_there_is_404(path: str, client: Client) -> None:
    refused(await client.http.get(path), 404, "NOT_FOUND", "no such array")


@pytest.mark.parametrize(
    "key",
    [
        "4.7", "4.7.1.1", "4.7.", "...", "%2e%2e", "4.7.x", "4.7.1%00", "4.7.%D9%A1", "4.7.+1", "4.7.%201",
        "4.7.1_0", "4.7.1e3", "4.7.0x1", "4.7.--1", "4.7." + "9" * 40, "4.7.99999999999", "4.7.1'%20OR%20'1'='1",
        "4.7.1;DROP", "4.7.1%20--", "4,7,1", "%ff%fe.7.1", "4.7.%F0%9F%98%80", "4" * 5000 + ".7.1",
    ],
)  # fmt: skip
async def test_malformed_keys_are_400(key: str, client: Client) -> None:
    response = await client.http.get(f"/arrays/activity/{key}/trace")
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "BAD_USER_INPUT"
    assert len(response.content) < 500


@pytest.mark.parametrize("path", ["/arrays/activity/4.7.1", "/arrays/activity/./trace", "/arrays/../graphql/a/b/c"])
async def test_what_is_no_address_is_404(path: str, sqlite_client: Client) -> None:
    assert (await sqlite_client.http.get(path)).status_code == 404


async def test_a_path_cannot_leave_the_arrays(sqlite_store: SqlStore) -> None:
    app = build_app(Settings(), sqlite_store)
    for path in (
        "/arrays/../arrays/activity/4.7.1/trace",
        "/arrays/activity/../4.7.1/trace",
        "/arrays/activity/.../trace",
    ):
        answer = await call(app, receiving(part(b"")), path=path, method="GET")
        assert answer.status in (400, 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_arrays_are_only_read(method: str, sqlite_client: Client) -> None:
    assert (await sqlite_client.http.request(method, TRACE)).status_code == 405


@pytest.mark.parametrize("form", ["jpeg", "", "NPY", "npy ", "../npy", "%00", "x" * 5000])
async def test_unknown_formats_name_the_possible_ones(form: str, sqlite_client: Client) -> None:
    response = await sqlite_client.http.get(TRACE, params={"format": form})
    refused(response, 400, "BAD_USER_INPUT", "comes as npy, not as")


# --- pictures --------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["correlation", "average"])
async def test_png_of_a_field(column: str, client: Client, demo_path: Path) -> None:
    key, blob = sample(demo_path, TABLES["summary_images"].c[column])
    response = await client.http.get(route(TABLES["summary_images"].c[column], key), params={"format": "png"})
    assert response.headers["content-type"] == "image/png"
    values = unpack_array(blob)
    grey = np.asarray(Image.open(BytesIO(response.content)))
    assert grey.shape == values.shape
    assert grey.dtype == np.uint8
    scaled = (values - values.min()) / (values.max() - values.min()) * 255
    assert np.abs(grey - scaled).max() <= 0.5 + 1e-9


GREYS: list[tuple[NDArray[Any], list[list[int]]]] = [
    (np.array([[1.0, 2.0], [3.0, 6.0]]), [[0, 51], [102, 255]]),
    (np.array([[np.nan, 2.0], [np.inf, 6.0], [-np.inf, 4.0]]), [[0, 0], [0, 255], [0, 128]]),
    (np.full((2, 3), 7.0), [[0, 0, 0], [0, 0, 0]]),
    (np.array([[0, 7], [1400, 65_535]]), [[0, 7], [1400, 65_535]]),
    (np.array([[0, 7], [1400, 65_536]]), [[0, 0], [5, 255]]),
    (np.array([[3, 200]], "u1"), [[3, 200]]),
    (np.full((1, 2), np.nan), [[0, 0]]),
    (np.array([[True, False]]), [[255, 0]]),
    (np.array([[0], [2**63]], "u8"), [[0], [255]]),
    (np.array([[-128, 127, 0]], "i1"), [[0, 255, 128]]),
    (np.array([[-1.7e308, 1.7e308]]), [[0, 255]]),
]


@pytest.fixture(scope="module")
async def greys(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A client of a server over small pictures."""
    async with (
        picture_store(tmp_path_factory.mktemp("greys"), [picture for picture, _ in GREYS]) as store,
        serving(store) as client,
    ):
        yield client


@pytest.mark.parametrize("number", range(1, len(GREYS) + 1))
async def test_png_runs_from_the_least_to_the_largest(number: int, greys: Client) -> None:
    response = await greys.http.get(address(number), params={"format": "png"})
    assert response.status_code == 200
    assert np.asarray(Image.open(BytesIO(response.content))).tolist() == GREYS[number - 1][1]


@pytest.mark.parametrize("number", [n for n, kind in enumerate(KINDS, 1) if np.ndim(kind) != 2 or not np.size(kind)])
async def test_what_is_no_picture_names_what_is_possible(number: int, pictures: Client) -> None:
    response = await pictures.http.get(address(number), params={"format": "png"})
    refused(response, 400, "BAD_USER_INPUT", "comes as npy, not as 'png'")


async def test_complex_numbers_are_no_picture(pictures: Client) -> None:
    number = 1 + next(i for i, kind in enumerate(KINDS) if np.asarray(kind).dtype == np.complex64)
    refused(await pictures.http.get(address(number) + "?format=png"), 400, "BAD_USER_INPUT", "comes as npy")


async def test_picture_too_large_is_refused_before_it_is_read(sqlite_store: SqlStore) -> None:
    async with serving(sqlite_store, limits={"decoded_bytes": 872_959}) as client:
        response = await client.http.get("/arrays/summary_images/4.7.1/correlation?format=png")
        refused(response, 400, "ARRAY_TOO_LARGE", "decoded_bytes: 872960")
        assert (await client.http.get("/arrays/summary_images/4.7.1/correlation")).status_code == 200


async def test_array_larger_than_any_is_refused(sqlite_store: SqlStore) -> None:
    async with serving(sqlite_store, limits={"blob_bytes": 872_959}) as client:
        assert (await client.http.get("/arrays/summary_images/4.7.1/correlation")).status_code >= 400


# --- damage ----------------------------------------------------------------------------------------

WHOLE = np.random.default_rng(1).normal(size=(40, 50))
BLOB = pack(WHOLE)
RAW = pack(WHOLE, compress=False)


def flipped(blob: bytes, at: int) -> bytes:
    return blob[:at] + bytes([blob[at] ^ 16]) + blob[at + 1 :]


DAMAGED = {
    "one byte": b"Z",
    "magic only": BLOB[:14],
    "half": BLOB[: len(BLOB) // 2],
    "all but a byte": BLOB[:-1],
    "a byte more": RAW + b"\0",
    "half, raw": RAW[: len(RAW) // 2],
    "flipped magic": flipped(BLOB, 2),
    "flipped size": flipped(BLOB, 9),
    "flipped data": flipped(BLOB, len(BLOB) // 2),
    "flipped checksum": flipped(BLOB, len(BLOB) - 1),
    "flipped shape": flipped(RAW, 13),
    "huge shape": flipped(RAW, 19),
    "text": pack("no array"),
    "objects": pack({"a": 1}),
    "noise": np.random.default_rng(2).bytes(5000),
    "a bomb": envelope(bomb(RAW, 1 << 24), len(RAW)),
    "a bomb that says so": envelope(bomb(RAW, 1 << 24), 1 << 40),
}
assert all(blob not in (BLOB, RAW) for blob in DAMAGED.values())


@pytest.fixture(scope="module")
async def damaged(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A client of a server whose arrays are damaged, but for the first and the last."""
    async with (
        picture_store(tmp_path_factory.mktemp("damage"), [WHOLE, *DAMAGED.values(), WHOLE]) as store,
        serving(store) as client,
    ):
        yield client


@pytest.mark.parametrize("form", ["npy", "png"])
@pytest.mark.parametrize("name", DAMAGED)
async def test_damage_is_told_where_it_lies(name: str, form: str, damaged: Client) -> None:
    number = list(DAMAGED).index(name) + 2
    response = await damaged.http.get(address(number), params={"format": form})
    where = f"summary_images.correlation of session=1 scan_idx=1 field={number}: "
    refused(response, 500, "BLOB_CORRUPT", where)
    assert identical(loaded(await damaged.http.get(address(number, "average"))), AVERAGE)


async def test_damage_leaves_other_rows_and_fields_alone(damaged: Client) -> None:
    answer = await damaged.answer("""{ scan(session: 1, scanIdx: 1) { fields { nodes { fieldIdx pxWidth
      summaryImages { correlation { values(stop: 3) } average { values } } } } } }""")
    nodes = answer["data"]["scan"]["fields"]["nodes"]
    assert [node["fieldIdx"] for node in nodes] == list(range(1, len(DAMAGED) + 3))
    assert {node["pxWidth"] for node in nodes} == {1}
    assert all(node["summaryImages"]["average"]["values"] == AVERAGE.ravel().tolist() for node in nodes)
    for node in (nodes[0], nodes[-1]):
        assert node["summaryImages"]["correlation"]["values"] == WHOLE.ravel()[:3].tolist()
    lost = [node["summaryImages"]["correlation"] for node in nodes[1:-1]]
    assert all(array is None or array["values"] is None for array in lost)
    assert_named(answer["errors"])


def assert_named(errors: list[dict[str, Any]]) -> None:
    """Each damaged array has one error, which says where the blob lies."""
    assert len(errors) == len(DAMAGED)
    for error in errors:
        number = error["path"][3] + 1
        key = {"session": 1, "scan_idx": 1, "field": number}
        assert error["extensions"] == {
            "code": "BLOB_CORRUPT",
            "table": "summary_images",
            "column": "correlation",
            "key": key,
        }
        assert f"field={number}: " in error["message"]
    assert len({error["path"][3] for error in errors}) == len(DAMAGED)


async def test_an_empty_blob_is_damage_and_its_neighbours_are_whole(tmp_path: Path) -> None:
    async with picture_store(tmp_path, [WHOLE, b"", WHOLE]) as store, serving(store) as client:
        refused(await client.http.get(address(2)), 500, "BLOB_CORRUPT", "field=2: ")
        answer = await client.answer("""{ scan(session: 1, scanIdx: 1) { fields { nodes {
          summaryImages { correlation { dtype } } } } } }""")
    nodes = answer["data"]["scan"]["fields"]["nodes"]
    assert [node["summaryImages"]["correlation"] is None for node in nodes] == [False, True, False]
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BLOB_CORRUPT"]


async def test_damage_far_into_an_array_breaks_the_connection(tmp_path: Path) -> None:
    large = np.random.default_rng(3).normal(size=400_000)
    answer = Exchange()
    async with picture_store(tmp_path, [pack(large)[:-100_000]]) as store:
        app = build_app(Settings(), store)
        with pytest.raises(BlobCorrupt, match="field=1"):
            await call(app, receiving(part(b"")), path=address(1), method="GET", send=lambda _: answer.send)
    assert answer.status == 200
    assert len(answer.body) < int(answer.headers["content-length"])
    assert not any(message["type"] == "http.response.body" and not message["more_body"] for message in answer.sent)


async def test_unforeseen_errors_tell_nothing(sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("mysql://user:hunter2@host/nda")

    monkeypatch.setattr(sqlite_store, "heads", fail)
    transport = httpx.ASGITransport(build_app(Settings(), sqlite_store), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        response = await client.get(TRACE)
    assert response.status_code == 500
    assert "hunter2" not in response.text
    assert "Traceback" not in response.text


# --- slots -----------------------------------------------------------------------------------------


class SlowReader:
    """Takes the headers of an answer, and then its time."""

    def __init__(self) -> None:
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    def __call__(self, exchange: Exchange) -> Send:
        async def send(message: Message) -> None:
            await exchange.send(message)
            if message["type"] == "http.response.body":
                self.begun.set()
                await self.go_on.wait()

        return send


async def test_a_download_holds_its_slot_to_its_end(sqlite_store: SqlStore) -> None:
    app = build_app(Settings(streams=1), sqlite_store)
    reader = SlowReader()
    first = asyncio.create_task(call(app, receiving(part(b"")), path=TRACE, method="GET", send=reader))
    await reader.begun.wait()
    second = await call(app, receiving(part(b"")), path=TRACE, method="GET")
    assert (second.status, second.json["error"]["code"], second.headers["retry-after"]) == (503, "BUSY", "1")
    reader.go_on.set()
    assert (await first).status == 200
    third = await call(app, receiving(part(b"")), path=TRACE, method="GET")
    assert third.body == (await first).body


async def test_a_download_that_ends_early_frees_its_slot(sqlite_store: SqlStore) -> None:
    app = build_app(Settings(streams=1), sqlite_store)
    reader = SlowReader()
    await call(app, receiving(part(b""), reader.begun.wait(), LEAVE), path=TRACE, method="GET", send=reader)
    for path, status in (("/arrays/activity/4.7.x/trace", 400), ("/arrays/activity/4.7.0/trace", 404), (TRACE, 200)):
        assert (await call(app, receiving(part(b"")), path=path, method="GET")).status == status


async def test_a_computed_array_that_takes_too_long_is_given_up(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never() -> Any:
        await asyncio.sleep(3600)

    async def find(_key: str, _query: object, _context: object) -> Computed:
        return Computed("field/4.7.1/slow", (1,), Array(("value",), "float64"), never)

    monkeypatch.setitem(COMPUTED, ("field", "slow"), find)
    async with serving(sqlite_store, operation_timeout=0.1) as client:
        response = await client.http.get("/arrays/field/4.7.1/slow")
    assert (response.status_code, response.json()["error"]["code"]) == (504, "TIMEOUT")
