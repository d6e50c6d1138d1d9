"""A bare ASGI app around a function from an operation to its answer. Imports nothing of ours."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson

Answer = Callable[[dict[str, Any]], Awaitable[bytes]]


def bare(answer: Answer) -> Callable[[Any, Any, Any], Awaitable[None]]:
    """The app. A request without a body is answered, too: so one sees that it's there."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = await _body(receive)
        found = await answer(orjson.loads(body)) if body else b"{}"
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(found)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": found})

    return app


async def _body(receive: Any) -> bytes:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body
