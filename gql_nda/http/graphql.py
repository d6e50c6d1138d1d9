"""The GraphQL endpoint: POST, GET for queries, GraphiQL for browsers."""

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from graphql import GraphQLError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from gql_nda.cache import Cache
from gql_nda.context import Context
from gql_nda.dataset import Dataset
from gql_nda.errors import PublicError, Timeout
from gql_nda.http.caching import NEVER, REVALIDATE, Tags, matches
from gql_nda.http.graphiql import PAGE_HEADERS
from gql_nda.http.persisted import PersistedQueries
from gql_nda.http.presence import Attended
from gql_nda.http.quality import weights
from gql_nda.http.requests import Operation, Refused, base_url, read_operation
from gql_nda.schema import NoSuchOperation, NotAQuery, Schema, public
from gql_nda.settings import Settings
from gql_nda.stores import Store

RESPONSE, JSON, HTML = "application/graphql-response+json", "application/json", "text/html"


class Result(NamedTuple):
    """A response's body and, for who wants it, status; ``lasting``: it says the same as long as the data does."""

    body: bytes
    status: int
    lasting: bool


@dataclass(frozen=True)
class Endpoint:
    """Answers GraphQL requests."""

    schema: Schema
    store: Store
    dataset: Dataset
    settings: Settings
    graphiql: str | None
    slots: asyncio.Semaphore
    persisted: PersistedQueries
    tags: Tags
    cache: Cache

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        media_type = _negotiated(request, html=self.graphiql is not None)
        if media_type == HTML:
            response: Response | None = HTMLResponse(self.graphiql or "", headers=PAGE_HEADERS)
        elif media_type is None:
            response = _answer(_refusal("Accept: only JSON can be had."), 406, JSON)
        else:
            response = await self._respond(request, media_type)
        if response is not None:
            await response(scope, receive, send)

    async def _respond(self, request: Request, media_type: str) -> Response | None:
        """The response; none where the client has left."""
        try:
            operation = await read_operation(request, self.settings)
            async with Attended(request.receive):
                return await self._answered(operation, request, media_type)
        except Refused as refused:
            return _answer(_refusal(refused.message, refused.code), refused.status, media_type, refused.headers)
        except ClientDisconnect:
            return None
        except Exception as error:  # nobody foresaw it
            return _answer(_failed(error), 500, media_type)
        return None

    async def _answered(self, operation: Operation, request: Request, media_type: str) -> Response:
        try:
            operation = self.persisted.completed(operation)
        except PublicError as error:
            return _answer(_failed(error), 400 if media_type == RESPONSE else 200, media_type)
        base = base_url(request, self.settings)
        tag = self.tags.of(operation, media_type, base) if request.method != "POST" else None
        if tag is not None and matches(request.headers.get("if-none-match"), tag):
            return Response(status_code=304, headers={"vary": "Accept", **_kept(tag)})
        result = await self._execute(operation, base, request.method)
        if result.status == 200:
            self.persisted.keep(operation)
        headers = _kept(tag) if result.lasting and request.method != "POST" else None
        return _answer(result.body, result.status if media_type == RESPONSE else 200, media_type, headers)

    async def _execute(self, operation: Operation, base: str, method: str) -> Result:
        if self.slots.locked():
            raise Refused(503, "The server is busy; try again.", {"retry-after": "1"}, "RATE_LIMITED")
        context = Context(self.store, self.dataset, self.settings.limits, base, fragments=True, cache=self.cache)
        async with self.slots:
            try:
                async with asyncio.timeout(self.settings.operation_timeout):
                    return await self._result(operation, context, method)
            except TimeoutError:
                late = Timeout(f"operation_timeout: longer than {self.settings.operation_timeout:g} s")
                return Result(_failed(late), 504, lasting=False)
            finally:
                context.loaders.close()

    async def _result(self, operation: Operation, context: Context, method: str) -> Result:
        try:
            result = await self.schema.answer(operation.query, operation.variables, operation.name, context)
        except NoSuchOperation:
            raise Refused(400, "operationName: names no operation of the document.") from None
        except NotAQuery as error:
            status, headers = (400, {}) if method == "POST" else (405, {"allow": "POST"})
            raise Refused(status, f"{error}s are not allowed over {method}.", headers) from None
        errors = public(result.errors or ())
        if result.data is None and not any("path" in error for error in errors):
            return Result(_json({"errors": errors}), _status(errors), lasting=False)  # nothing was executed
        body = ({"errors": errors} if errors else {}) | {"data": result.data}
        return Result(_json(body), 200, lasting=not errors)


_OURS = {"STORE_UNAVAILABLE": 503, "TIMEOUT": 504, "INTERNAL_SERVER_ERROR": 500}


def _status(errors: list[dict[str, Any]]) -> int:
    """Whose fault it is that nothing was executed: the client's, unless a code says otherwise."""
    return max((_OURS.get(error["extensions"]["code"], 400) for error in errors), default=400)


def _negotiated(request: Request, *, html: bool) -> str | None:
    """The media type to answer with: JSON unless the client asks for more, GraphiQL where nothing is asked yet."""
    accept = request.headers.get("accept", "*/*")
    asked = request.method == "POST" or not request.query_params.keys().isdisjoint(("query", "extensions"))
    return _first(accept, html and not asked)


@lru_cache(256)
def _first(accept: str, html: bool) -> str | None:
    """The media type that is rather wanted; of several alike the first. Whatever is wanted, JSON will do."""
    asked = weights(accept or "*/*")
    ranges = {JSON: (JSON, "application/*", "*/*"), RESPONSE: (RESPONSE,), HTML: (HTML,) if html else ()}
    named = {media: next((name for name in names if name in asked), "") for media, names in ranges.items()}
    wanted = [media for media, name in named.items() if asked.get(name)]
    order = list(asked)
    return max(wanted, key=lambda media: (asked[named[media]], -order.index(named[media])), default=None)


def _refusal(message: str, code: str = "BAD_USER_INPUT") -> bytes:
    return _json({"errors": [{"message": message, "extensions": {"code": code}}]})


def _failed(error: Exception) -> bytes:
    return _json({"errors": public([GraphQLError(str(error), original_error=error)])})


def _json(body: dict[str, Any]) -> bytes:
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)


def _kept(tag: str | None) -> dict[str, str]:
    """What tells a client to keep an answer."""
    return {"cache-control": REVALIDATE, **({"etag": tag} if tag else {})}


def _answer(body: bytes, status: int, media_type: str, headers: dict[str, str] | None = None) -> Response:
    kept = headers if headers and "cache-control" in headers else {"cache-control": NEVER, **(headers or {})}
    return Response(body, status, {"vary": "Accept", **kept}, f"{media_type}; charset=utf-8")
