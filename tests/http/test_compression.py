"""Answers gzipped for those who take it: text of some size, and nothing else."""

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message

from gql_nda.http.compression import LEAST, Codings, Compression, accepted
from gql_nda.stores.snapshot import SnapshotStore
from gql_nda.stores.sql import SqlStore
from tests.support.asgi import call, part, receiving
from tests.support.client import Client, serving

UNITS = "{ units(first: 100) { nodes { unitId umX umY umZ } } }"


@pytest.fixture
async def client(snapshot_store: SnapshotStore) -> AsyncIterator[Client]:
    """A client of a server that knows its data's fingerprint."""
    async with serving(snapshot_store) as client:
        await client.data("{ dataset { fingerprint } }")
        yield client


async def get(client: Client, path: str = "/graphql", **headers: str) -> httpx.Response:
    params = {"query": UNITS} if path == "/graphql" else None
    given = {"accept-encoding": "", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await client.http.get(path, params=params, headers=given)


async def raw(client: Client, path: str, encoding: str) -> tuple[httpx.Headers, bytes]:
    """The answer's bytes as they are sent."""
    async with client.http.stream("GET", path, headers={"accept-encoding": encoding}) as response:
        return response.headers, b"".join([piece async for piece in response.aiter_raw()])


@pytest.mark.parametrize(
    ("header", "codings"),
    [
        ("", (False, True)),
        ("identity", (False, True)),
        ("gzip", (True, True)),
        ("GZip", (True, True)),
        ("x-gzip", (True, True)),
        ("gzip, deflate, br, zstd", (True, True)),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", (True, True)),
        ("gzip;q=0", (False, True)),
        ("gzip;q=0.000", (False, True)),
        ("gzip;q=0, *", (False, True)),
        ("*", (True, True)),
        ("*;q=0", (False, False)),
        ("gzip, identity;q=0", (True, False)),
        ("gzip, *;q=0", (True, False)),
        ("identity;q=1, gzip;q=0.5", (False, True)),
        ("identity;q=0.5, gzip;q=1", (True, True)),
        ("gzip ; q=0.5", (True, True)),
        ("gzipped", (False, True)),
        ("gzip;q=x", (True, True)),
        ("deflate, br", (False, True)),
    ],
)
def test_what_a_client_takes(header: str, codings: tuple[bool, bool]) -> None:
    assert accepted(header.encode()) == Codings(*codings)


async def test_an_answer_is_the_same_compressed(client: Client) -> None:
    plain, packed = await get(client), await get(client, accept_encoding="gzip")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    for response in (plain, packed):
        assert response.headers["vary"] == "Accept, Accept-Encoding"


async def test_what_is_large_is_compressed_too(client: Client) -> None:
    many = " ".join(f"a{i}: units(first: 160) {{ nodes {{ unitId umX umY umZ pxX pxY }} }}" for i in range(30))
    answers = [
        await client.http.post("/graphql", json={"query": f"{{ {many} }}"}, headers={"accept-encoding": encoding})
        for encoding in ("", "gzip")
    ]
    assert answers[0].content == answers[1].content
    assert len(answers[0].content) > 200_000
    assert answers[1].headers["content-encoding"] == "gzip"


async def test_errors_are_compressed_too(client: Client) -> None:
    text = "{" + " ".join(f"n{i}" for i in range(50)) + "}"
    response = await client.http.post("/graphql", json={"query": text}, headers={"accept-encoding": "gzip"})
    assert response.headers["content-encoding"] == "gzip"
    assert len(response.json()["errors"]) == 50


async def test_arrays_are_sent_as_they_are(client: Client) -> None:
    for path, magic in (
        ("activity/4.7.1/trace", b"\x93NUMPY"),
        ("summary_images/4.7.1/average?format=png", b"\x89PNG"),
    ):
        headers, body = await raw(client, f"/arrays/{path}", "gzip, identity;q=0")
        assert "content-encoding" not in headers
        assert len(body) > LEAST
        assert body.startswith(magic)


async def test_graphiql_comes_compressed(client: Client) -> None:
    plain, whole = await raw(client, "/static/built/graphiql.js", "")
    packed, body = await raw(client, "/static/built/graphiql.js", "gzip")
    assert gzip.decompress(body) == whole
    assert len(body) < len(whole) / 2
    assert plain["etag"] != packed["etag"]
    assert "content-length" not in packed


async def test_it_can_be_switched_off(sqlite_store: SqlStore) -> None:
    async with serving(sqlite_store, compression=False) as client:
        response = await get(client, accept_encoding="gzip")
    assert "content-encoding" not in response.headers
    assert response.headers["vary"] == "Accept"


# --- validators --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/graphql", "/static/built/graphiql.js"])
async def test_each_representation_has_its_own_tag(path: str, client: Client) -> None:
    plain = (await get(client, path)).headers["etag"]
    packed = (await get(client, path, accept_encoding="gzip")).headers["etag"]
    assert packed == plain[:-1] + '-gzip"'
    for condition, encoding, status, tag in [
        (plain, "", 304, plain),
        (plain, "gzip", 304, plain),
        (packed, "gzip", 304, packed),
        (f"W/{packed}", "gzip", 304, packed),
        (f'"other", {packed}', "gzip", 304, packed),
        (packed, "", 200, plain),
        (packed, "gzip;q=0", 200, plain),
        (plain, "gzip, identity;q=0", 200, packed),
    ]:
        response = await get(client, path, accept_encoding=encoding, if_none_match=condition)
        assert (response.status_code, response.headers["etag"]) == (status, tag), (condition, encoding)
        assert "Accept-Encoding" in response.headers["vary"]
        assert "content-encoding" not in response.headers or status == 200


# --- by hand -----------------------------------------------------------------------------------------


async def reply(response: Response, encoding: str = "gzip", method: str = "GET") -> tuple[Any, bytes]:
    """Head and body of a response on its way through."""

    async def answer(_request: Request) -> Response:
        return response

    app = Compression(Starlette(routes=[Route("/", answer, methods=["GET"])]))
    exchange = await call(app, receiving(part(b"")), path="/", method=method, headers={"accept-encoding": encoding})
    return exchange.headers, exchange.body


TEXT = b"text " * LEAST


@pytest.mark.parametrize(
    ("media_type", "packed"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("application/graphql-response+json", True),
        ("application/geo+json", True),
        ("application/javascript", True),
        ("text/csv", True),
        ("image/svg+xml", True),
        ("image/png", False),
        ("application/octet-stream", False),
        ("application/vnd.apache.arrow.stream", False),
        ("application/gzip", False),
        ("video/mp4", False),
    ],
)
async def test_only_text_is_compressed(media_type: str, packed: bool) -> None:
    headers, body = await reply(Response(TEXT, media_type=media_type))
    assert ("content-encoding" in headers, "vary" in headers) == (packed, packed)
    assert (gzip.decompress(body) if packed else body) == TEXT
    assert int(headers["content-length"]) == len(body)


@pytest.mark.parametrize(
    ("response", "encoding"),
    [
        (Response(b"x" * (LEAST - 1), media_type="text/plain"), "gzip"),
        (Response(TEXT, media_type="text/plain"), "br"),
        (Response(TEXT, media_type="text/plain", headers={"content-encoding": "br"}), "gzip"),
        (Response(TEXT, 206, media_type="text/plain"), "gzip"),
        (Response(b"", media_type="text/plain"), "gzip, identity;q=0"),
        (Response(status_code=204), "gzip, identity;q=0"),
    ],
)
async def test_what_is_left_alone(response: Response, encoding: str) -> None:
    before = dict(response.headers)
    headers, body = await reply(response, encoding)
    assert body == response.body
    assert {name: value for name, value in headers.items() if name != "vary"} == before


async def test_little_is_compressed_for_who_takes_nothing_else() -> None:
    headers, body = await reply(Response(b"little", media_type="text/plain"), "gzip, identity;q=0")
    assert (headers["content-encoding"], gzip.decompress(body)) == ("gzip", b"little")


async def test_a_stream_is_compressed_piece_by_piece() -> None:
    pieces = [json.dumps({"row": i}) for i in range(5000)]

    async def stream() -> AsyncIterator[str]:
        for piece in pieces:
            yield piece

    response = StreamingResponse(stream(), media_type="application/json", headers={"content-length": "1"})
    headers, body = await reply(response)
    assert gzip.decompress(body).decode() == "".join(pieces)
    assert "content-length" not in headers


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_head_tells_what_get_would_send(method: str) -> None:
    headers, body = await reply(Response(TEXT, media_type="text/plain", headers={"etag": '"a"'}), method=method)
    assert (headers["content-length"], headers["etag"]) == (str(len(body)), '"a-gzip"')
    assert (headers["content-encoding"], headers["vary"]) == ("gzip", "Accept-Encoding")
    assert len(body) < LEAST


async def test_head_of_a_file_tells_no_length(tmp_path: Path) -> None:
    """It is that of the file, which is sent compressed."""
    (tmp_path / "file.txt").write_bytes(TEXT)
    headers, body = await reply(FileResponse(tmp_path / "file.txt"), method="HEAD")
    assert (headers["content-encoding"], "content-length" in headers, body) == ("gzip", False, b"")
    assert headers["etag"].endswith('-gzip"')


@pytest.mark.parametrize("encoding", ["identity;q=0", "*;q=0", "gzip;q=0, identity;q=0", "br, identity;q=0"])
async def test_who_takes_nothing_gets_nothing(encoding: str, client: Client) -> None:
    response = await get(client, accept_encoding=encoding)
    assert (response.status_code, response.headers["vary"]) == (406, "Accept-Encoding")
    assert response.json()["errors"][0]["message"].startswith("Accept-Encoding: ")


async def test_weak_tags_are_told_apart_as_well() -> None:
    headers, _ = await reply(Response(TEXT, media_type="text/plain", headers={"etag": 'W/"a"'}))
    assert headers["etag"] == 'W/"a-gzip"'


async def test_files_are_read_by_the_server_only_when_sent_as_they_are() -> None:
    seen: list[Any] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["extensions"])

    async def nothing(_message: Message) -> None:
        raise AssertionError

    scope = {"type": "http", "method": "GET", "headers": [], "extensions": {"http.response.pathsend": {}, "tls": {}}}
    await Compression(app)(scope, receiving(), nothing)
    assert seen == [{"tls": {}}]
