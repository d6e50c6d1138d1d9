"""GraphQL requests: what a client sent, checked by hand, as the GraphQL-over-HTTP specification has it."""

from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request


class Refused(Exception):
    """A request that no operation can be made of; ``status`` is the answer's."""

    def __init__(
        self, status: int, message: str, headers: dict[str, str] | None = None, code: str = "BAD_USER_INPUT"
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.headers, self.code = status, message, headers or {}, code


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation to execute."""

    query: str
    variables: dict[str, Any] | None
    name: str | None


async def read_operation(request: Request) -> Operation:
    """The operation of a request."""
    if request.method != "POST":
        return _operation(_from_query(request))
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    if media_type.strip().lower() != "application/json":
        raise Refused(415, "Send the operation as application/json.")
    if "charset" in parameters.lower() and "utf-8" not in parameters.lower():
        raise Refused(415, "Send the operation in UTF-8.")
    return _operation(_json(await request.body(), "body"))


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
    query = _typed(sent, "query", str)
    if not query:
        raise Refused(400, "query: missing.")
    _typed(sent, "extensions", dict)  # none is known, but they have a type
    return Operation(query, _typed(sent, "variables", dict), _typed(sent, "operationName", str))


_KINDS: dict[type, str] = {str: "a string", dict: "an object"}


def _typed(sent: dict[str, Any], name: str, kind: type) -> Any:
    value = sent.get(name)
    if value is not None and not isinstance(value, kind):
        raise Refused(400, f"{name}: expected {_KINDS[kind]}.")
    return value
