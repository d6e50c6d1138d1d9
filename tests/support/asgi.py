"""An application driven by hand, for what no polite client does: stall, leave, read slowly."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Send

PATIENCE = 20.0
"""Seconds after which a test that hangs is ended; nothing is measured."""


@dataclass
class Exchange:
    """A request and what was answered to it."""

    sent: list[Message] = field(default_factory=list)

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


async def call(
    app: ASGIApp,
    receive: Receive,
    *,
    path: str = "/graphql",
    method: str = "POST",
    send: Callable[[Exchange], Send] | None = None,
    headers: dict[str, str] | None = None,
) -> Exchange:
    """What the application answers; it must come to an end."""
    exchange = Exchange()
    given = {"content-type": "application/json", "accept": "application/graphql-response+json", **(headers or {})}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "client": ("203.0.113.9", 1234),
        "server": ("test", 80),
    }
    async with asyncio.timeout(PATIENCE):
        await app(scope, receive, send(exchange) if send else exchange.send)
    return exchange


def part(body: bytes, more: bool = False) -> Message:
    """A piece of a request's body."""
    return {"type": "http.request", "body": body, "more_body": more}


def question(query: str, **variables: Any) -> Message:
    """A whole body."""
    return part(orjson.dumps({"query": query, "variables": variables}))


def receiving(*steps: Message | Awaitable[Any] | Exception) -> Receive:
    """Hands out messages one by one; waits where it is given something to wait for; stalls at the end."""
    remaining = list(steps)

    async def receive() -> Message:
        while remaining:
            match remaining.pop(0):
                case Exception() as error:
                    raise error
                case dict() as message:
                    return message
                case step:
                    assert isinstance(step, Awaitable)
                    await step
        await asyncio.Event().wait()
        raise AssertionError

    return receive


LEAVE: Message = {"type": "http.disconnect"}
