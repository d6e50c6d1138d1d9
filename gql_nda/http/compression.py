"""Answers gzipped, where the client takes it and they are text of some size.

ISA-L's gzip costs 2 ms a MB and leaves a quarter of it; zlib's usual level leaves a fifth and costs 28 ms, more
than most queries do. Arrays are served as they are: a picture is compressed, and samples are noise.
"""

import asyncio
import re
from functools import lru_cache
from typing import Any, NamedTuple

from isal import isal_zlib
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gql_nda.http.quality import weights

LEAST = 1024
"""Bytes of a body that are worth it: fewer fit into a packet or two."""

_ASIDE = 128 << 10
"""Bytes that are compressed in a thread: they would keep the loop for a quarter of a millisecond or more."""

_GZIP = 31  # zlib's window bits for gzip's format
_SENDFILE = "http.response.pathsend"
_TEXT = re.compile(r"text/|application/(json|javascript|[a-z.-]+\+json)|image/svg\+xml")


class Codings(NamedTuple):
    """The content codings that a client takes."""

    gzip: bool
    identity: bool


class Compression:
    """Compresses bodies, and tells a compressed representation's ETag from the plain one's."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on the request; the answer comes as the client takes it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        codings = accepted(headers.get(b"accept-encoding", b""))
        if not any(codings):
            await _none()(scope, receive, send)
            return
        answer = _Answer(send, codings)
        if b"if-none-match" in headers:
            scope = dict(scope)
            MutableHeaders(scope=scope)["if-none-match"] = answer.plain(headers[b"if-none-match"].decode("latin-1"))
        if _SENDFILE in scope.get("extensions", ()):  # the server would send a file as it is
            scope = {**scope, "extensions": {k: v for k, v in scope["extensions"].items() if k != _SENDFILE}}
        await self._app(scope, receive, answer.send)


@lru_cache(256)
def accepted(header: bytes) -> Codings:
    """The codings that an Accept-Encoding takes; one without a say on identity takes it."""
    asked = weights(header.decode("latin-1"))
    other = asked.get("*")
    gzip = asked.get("gzip", asked.get("x-gzip", other or 0.0))
    identity = asked.get("identity", 1.0 if other is None else other)
    return Codings(gzip > 0 and (gzip >= asked.get("identity", 0.0)), identity > 0)


class _Answer:
    """The answer to one request on its way out: its head is held back until the body tells how large it is."""

    def __init__(self, send: Send, codings: Codings) -> None:
        self._send, self._codings = send, codings
        self._head: Message | None = None
        self._stream: Any = None
        self._known: set[str] = set()

    def plain(self, condition: str) -> str:
        """An If-None-Match in terms of plain representations; what the client would not get now is left out."""
        tags = []
        for tag in (part.strip().removeprefix("W/") for part in condition.split(",")):
            if not tag.endswith('-gzip"'):
                tags += [tag] if self._codings.identity else []
            elif self._codings.gzip:
                tags.append(tag.removesuffix('-gzip"') + '"')
                self._known.add(tags[-1])
        return ", ".join(tags)

    async def send(self, message: Message) -> None:
        """Send on what the application sends."""
        if message["type"] == "http.response.start":
            self._head = message
            return
        if self._head is not None:
            head, self._head = self._head, None
            message = await self._begun(head, message)
            await self._send(head)
        elif self._stream is not None:
            message = await self._piece(message)
        await self._send(message)

    async def _begun(self, head: Message, message: Message) -> Message:
        """The first part of the body, and with it the head, as the client takes them."""
        headers = MutableHeaders(raw=head.setdefault("headers", []))
        if head["status"] == 304:
            headers.add_vary_header("Accept-Encoding")
            if headers.get("etag") in self._known:
                _mark(headers)
            return message
        if head["status"] in (204, 206) or "content-encoding" in headers or not _TEXT.match(_type(headers)):
            return message
        headers.add_vary_header("Accept-Encoding")
        if not self._worth(headers, message):
            return message
        headers["content-encoding"] = "gzip"
        _mark(headers)
        if not message.get("body") and not message.get("more_body", False):  # a HEAD's: it is what GET would send
            del headers["content-length"]
            return message
        if message.get("more_body", False):
            del headers["content-length"]
            self._stream = isal_zlib.compressobj(1, wbits=_GZIP)
            return await self._piece(message)
        body = await _compressed(message["body"])
        headers["content-length"] = str(len(body))
        return {**message, "body": body}

    def _worth(self, headers: MutableHeaders, message: Message) -> bool:
        size = len(message.get("body", b"")) or int(headers.get("content-length", 0))
        large = size >= LEAST or message.get("more_body", False) or (size > 0 and not self._codings.identity)
        return self._codings.gzip and large

    async def _piece(self, message: Message) -> Message:
        """A piece of a body of unknown size; what the compressor keeps comes with a later one."""
        body = self._stream.compress(message.get("body", b""))
        if not message.get("more_body", False):
            body += self._stream.flush()
        return {**message, "body": body}


def _none() -> JSONResponse:
    told = {"message": "Accept-Encoding: only identity and gzip can be had.", "extensions": {"code": "BAD_USER_INPUT"}}
    return JSONResponse({"errors": [told]}, 406, {"vary": "Accept-Encoding"})


def _type(headers: MutableHeaders) -> str:
    return headers.get("content-type", "").lower()


def _mark(headers: MutableHeaders) -> None:
    """Another coding is another representation, and a strong ETag names one."""
    if headers.get("etag", "").endswith('"'):
        headers["etag"] = headers["etag"][:-1] + '-gzip"'


async def _compressed(body: bytes) -> bytes:
    return await asyncio.to_thread(_compress, body) if len(body) >= _ASIDE else _compress(body)


def _compress(body: bytes) -> bytes:
    return bytes(isal_zlib.compress(body, 1, _GZIP))
