"""The GraphQL endpoint: POST, GET for queries, GraphiQL for browsers."""

import asyncio
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gql_nda.context import Context
from gql_nda.dataset import Dataset
from gql_nda.errors import Timeout
from gql_nda.http.graphiql import PAGE_HEADERS
from gql_nda.http.requests import Operation, Refused, read_operation
from gql_nda.schema import NoSuchOperation, NotAQuery, Schema, public
from gql_nda.settings import Settings
from gql_nda.stores import Store

RESPONSE, JSON, HTML = "application/graphql-response+json", "application/json", "text/html"


@dataclass(frozen=True)
class Endpoint:
    """Answers GraphQL requests."""

    schema: Schema
    store: Store
    dataset: Dataset
    settings: Settings
    graphiql: str | None
    slots: asyncio.Semaphore

    async def __call__(self, request: Request) -> Response:
        """The answer to one request."""
        media_type = _negotiated(request, html=self.graphiql is not None)
        if media_type == HTML:
            return HTMLResponse(self.graphiql or "", headers=PAGE_HEADERS)
        if media_type is None:
            return _answer({"errors": [_refusal("Accept: only JSON can be had.")]}, 406, JSON)
        try:
            operation = await read_operation(request)
            result, status = await self._execute(operation, request)
        except Refused as refused:
            body = {"errors": [_refusal(refused.message, refused.code)]}
            return _answer(body, refused.status, media_type, refused.headers)
        return _answer(result, status if media_type == RESPONSE else 200, media_type)

    async def _execute(self, operation: Operation, request: Request) -> tuple[dict[str, Any], int]:
        if self.slots.locked():
            raise Refused(503, "The server is busy; try again.", {"retry-after": "1"}, "RATE_LIMITED")
        address = base_url(request, self.settings)
        context = Context(self.store, self.dataset, self.settings.limits, address, fragments=True)
        async with self.slots:
            try:
                async with asyncio.timeout(self.settings.operation_timeout):
                    return await self._result(operation, context, request.method)
            except TimeoutError:
                late = Timeout(f"operation_timeout: longer than {self.settings.operation_timeout:g} s")
                return {"errors": public([GraphQLError(late.message, original_error=late)])}, 504
            finally:
                context.loaders.close()

    async def _result(self, operation: Operation, context: Context, method: str) -> tuple[dict[str, Any], int]:
        try:
            result = await self.schema.answer(operation.query, operation.variables, operation.name, context)
        except NoSuchOperation:
            raise Refused(400, "operationName: names no operation of the document.") from None
        except NotAQuery as error:
            status, headers = (400, {}) if method == "POST" else (405, {"allow": "POST"})
            raise Refused(status, f"{error}s are not allowed over {method}.", headers) from None
        errors = public(result.errors or ())
        if result.data is None and not any("path" in error for error in errors):
            return {"errors": errors}, _status(errors)  # nothing was executed
        return ({"errors": errors} if errors else {}) | {"data": result.data}, 200


_OURS = {"STORE_UNAVAILABLE": 503, "TIMEOUT": 504, "INTERNAL_SERVER_ERROR": 500}


def _status(errors: list[dict[str, Any]]) -> int:
    """Whose fault it is that nothing was executed: the client's, unless a code says otherwise."""
    return max((_OURS.get(error["extensions"]["code"], 400) for error in errors), default=400)


def base_url(request: Request, settings: Settings) -> str:
    """The address under which the client reaches the server, without a slash at its end."""
    return (settings.public_url or str(request.base_url)).rstrip("/")


def _negotiated(request: Request, *, html: bool) -> str | None:
    """The media type to answer with: the first acceptable one, JSON unless the client asks for more."""
    accepted = [part.split(";")[0].strip().lower() for part in request.headers.get("accept", "*/*").split(",")]
    page = html and request.method != "POST" and "query" not in request.query_params
    for media_type in accepted:
        if media_type == RESPONSE or (media_type == HTML and page):
            return media_type
        if media_type in (JSON, "application/*", "*/*", ""):
            return JSON
    return None


def _refusal(message: str, code: str = "BAD_USER_INPUT") -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code}}


def _answer(body: dict[str, Any], status: int, media_type: str, headers: dict[str, str] | None = None) -> Response:
    return Response(
        orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY),
        status,
        headers={"vary": "Accept", **(headers or {})},
        media_type=f"{media_type}; charset=utf-8",
    )
