"""GraphQL requests: what a client sent, checked by hand, as the GraphQL-over-HTTP specification has it."""

import asyncio
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request

from gql_nda.settings import Settings


class Refused(Exception):
    """A request that no operation can be made of; ``status`` is the answer's."""

    def __init__(
        self, status: int, message: str, headers: dict[str, str] | None = None, code: str = "BAD_USER_INPUT"
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.headers, self.code = status, message, headers or {}, code


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation to execute; ``query`` is empty where the client sent no more than the ``sha256`` of it."""

    query: str
    variables: dict[str, Any] | None
    name: str | None
    sha256: str | None = None


async def read_operation(request: Request, settings: Settings) -> Operation:
    """The operation of a request."""
    if request.method != "POST":
        return _operation(_from_query(request))
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    if media_type.strip().lower() != "application/json":
        raise Refused(415, "Send the operation as application/json.")
    if "charset" in parameters.lower() and "utf-8" not in parameters.lower():
        raise Refused(415, "Send the operation in UTF-8.")
    return _operation(_json(await _body(request, settings), "body"))


async def _body(request: Request, settings: Settings) -> bytes:
    """The body, if it comes in time and isn't too large: servers wait for a slow one for ever, and take any."""
    _expect_at_most(settings.body_bytes, _declared(request))
    parts, size, more = list[bytes](), 0, True
    try:
        async with asyncio.timeout(settings.body_timeout):
            while more:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                parts.append(message.get("body", b""))
                size, more = size + len(parts[-1]), message.get("more_body", False)
                _expect_at_most(settings.body_bytes, size)
    except TimeoutError:
        late = f"body_timeout: the body took longer than {settings.body_timeout:g} s."
        raise Refused(408, late, code="TIMEOUT") from None
    except OSError:  # a connection that breaks has been left, too
        raise ClientDisconnect from None
    return b"".join(parts)


def _declared(request: Request) -> int:
    text = request.headers.get("content-length", "0")
    return int(text) if re.fullmatch("[0-9]{1,18}", text) else 0  # another one is the server's to refuse


def _expect_at_most(most: int, size: int) -> None:
    if size > most:
        raise Refused(413, f"body_bytes: the body is larger than {most} bytes.", code="LIMIT_EXCEEDED")


def _from_query(request: Request) -> dict[str, Any]:
    parameters: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if parameters.get(name):
            parameters[name] = _json(parameters[name], name)
        else:
            parameters.pop(name, None)
    return parameters


def _json(text: str | bytes, where: str) -> Any:
    try:
        return orjson.loads(text)
    except ValueError as error:  # lone surrogates in a query string are a ValueError too
        raise Refused(400, f"{where}: no valid JSON: {str(error)[:200]}") from None


def _operation(sent: Any) -> Operation:
    if isinstance(sent, list):
        raise Refused(400, "Send one operation at a time: batches are not taken.")
    if not isinstance(sent, dict):
        raise Refused(400, "body: expected an object with a query.")
    query, sha256 = _typed(sent, "query", str), _sha256(_typed(sent, "extensions", dict))
    if not query and not sha256:
        raise Refused(400, "query: missing.")
    return Operation(query or "", _typed(sent, "variables", dict), _typed(sent, "operationName", str), sha256)


def _sha256(extensions: dict[str, Any] | None) -> str | None:
    """The hash of a persisted query, if the request names one."""
    persisted = (extensions or {}).get("persistedQuery")
    match persisted:
        case None:
            return None
        case {"version": 1, "sha256Hash": str(sha256)} if re.fullmatch("[0-9a-f]{64}", sha256):
            return sha256
    raise Refused(400, "extensions.persistedQuery: expected version 1 and a sha256Hash of 64 lower-case hex digits.")


_KINDS: dict[type, str] = {str: "a string", dict: "an object"}


def _typed(sent: dict[str, Any], name: str, kind: type) -> Any:
    value = sent.get(name)
    if value is not None and not isinstance(value, kind):
        raise Refused(400, f"{name}: expected {_KINDS[kind]}.")
    return value


def base_url(request: Request, settings: Settings) -> str:
    """The address under which the client reaches the server, without a slash at its end."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    scope = request.scope
    root = scope.get("app_root_path", scope.get("root_path", ""))
    return _base_url(scope.get("scheme", "http"), request.headers.get("host"), scope.get("server"), root)


@lru_cache(64)
def _base_url(scheme: str, host: str | None, server: tuple[str, int] | None, root: str) -> str:
    """Starlette's word on it, of what few clients have in common."""
    headers = [(b"host", host.encode("latin-1"))] if host is not None else []
    scope = {"type": "http", "scheme": scheme, "headers": headers, "server": server, "path": "/", "root_path": root}
    return str(Request(scope).base_url).rstrip("/")
