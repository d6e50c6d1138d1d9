"""Pure ASGI middleware: a deadline for bodies, an end for what nobody waits for, the proxies' word."""

import asyncio
from collections.abc import Sequence

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyDeadline:
    """Answers 408 when a body has not arrived in time: servers wait for slow bodies for ever."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app, self._seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on the request with a clock on its body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(receive, asyncio.get_running_loop().time() + self._seconds)
        try:
            await self._app(scope, body.receive, send)
        except _SlowBodyError:
            response = JSONResponse({"error": {"code": "TIMEOUT", "message": "The body took too long."}}, 408)
            await response(scope, receive, send)


class _SlowBodyError(Exception):
    """The body is not complete, and its time is over."""


class _Body:
    """Receives a body until a deadline, and whatever follows without one."""

    def __init__(self, receive: Receive, deadline: float) -> None:
        self._receive, self._deadline = receive, deadline
        self._complete = False

    async def receive(self) -> Message:
        """The next message."""
        if self._complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise _SlowBodyError from None
        self._complete = not message.get("more_body", False)
        return message


class CancelOnDisconnect:
    """Cancels the work for a client that has left."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on the request while its client is there."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        messages: asyncio.Queue[Message] = asyncio.Queue(maxsize=1)
        work = asyncio.ensure_future(self._app(scope, messages.get, send))
        reader = asyncio.create_task(_read(receive, messages))
        try:
            await asyncio.wait((work, reader), return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                work.cancel()
                await asyncio.wait((work,))
                reader.result()  # raises when the body couldn't be read, as one that is too large
            if not work.cancelled():
                work.result()
        finally:
            work.cancel()
            reader.cancel()


async def _read(receive: Receive, messages: asyncio.Queue[Message]) -> None:
    """Hand on the body until the client has left."""
    while (message := await receive())["type"] != "http.disconnect":
        await messages.put(message)


class Proxies:
    """Believes X-Forwarded-Proto and X-Forwarded-Host of trusted proxies, for absolute addresses."""

    def __init__(self, app: ASGIApp, trusted: Sequence[str]) -> None:
        self._app, self._trusted = app, frozenset(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on the request as the proxy was asked."""
        client = scope.get("client") or ("",)
        if scope["type"] == "http" and ("*" in self._trusted or client[0] in self._trusted):
            scope = _forwarded(scope)
        await self._app(scope, receive, send)


def _forwarded(scope: Scope) -> Scope:
    headers = dict(scope["headers"])
    host = headers.get(b"x-forwarded-host", b"").split(b",")[0].strip()
    proto = headers.get(b"x-forwarded-proto", b"").split(b",")[0].strip().decode("latin-1")
    prefix = headers.get(b"x-forwarded-prefix", b"").decode("latin-1").strip().rstrip("/")
    changed = dict(scope)
    if host:
        changed["headers"] = [(b"host", host), *((k, v) for k, v in scope["headers"] if k != b"host")]
    if proto in ("http", "https"):
        changed["scheme"] = proto
    if prefix.startswith("/"):
        changed["app_root_path"] = prefix
    return changed
