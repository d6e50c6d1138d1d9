"""Array routes: ``/arrays/<table>/<key>/<column>``, whole, as they are stored or as a picture."""

import asyncio
import math
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from gql_nda.arrays.formats import Format, fitting
from gql_nda.codec import Header
from gql_nda.context import Context
from gql_nda.errors import BadUserInput, BlobCorrupt, LimitExceeded, PublicError, StoreUnavailable, Timeout
from gql_nda.http.presence import Attended, silence
from gql_nda.keys import format_key, parse_key
from gql_nda.query import Key
from gql_nda.resolvers.addresses import COMPUTED
from gql_nda.resolvers.arrays import header_of
from gql_nda.resolvers.computed import At
from gql_nda.settings import Settings
from gql_nda.stores import Store, located, table_of
from gql_nda.tables import TABLES

CHUNK = 8 << 20
"""Bytes of a blob that are read at a time."""

EAGER = 1 << 20
"""Bytes of an array that are decoded before the answer begins: a smaller one fails with an error of its own."""

STATUS: dict[type[PublicError], int] = {
    BadUserInput: 400,
    LimitExceeded: 400,
    StoreUnavailable: 503,
    Timeout: 504,
    BlobCorrupt: 500,
}


@dataclass(frozen=True)
class ArrayRoute:
    """Answers requests for arrays."""

    store: Store
    settings: Settings
    slots: asyncio.Semaphore
    context: Callable[[], Context]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as long as its client is there."""
        async with Attended(receive):
            response = await self.response(Request(scope))
            await response(scope, silence, send)

    async def response(self, request: Request) -> Response:
        """The array, or an error that says what was wrong."""
        if self.slots.locked():
            return _error(503, "BUSY", "The server is busy; try again.", {"retry-after": "1"})
        await self.slots.acquire()
        try:
            response = await self._respond(request)
        except PublicError as error:
            response = _error(STATUS.get(type(error), 400), error.code, error.message)
        except BaseException:
            self.slots.release()
            raise
        return _Held(response, self.slots)

    async def _respond(self, request: Request) -> Response:
        table, name = request.path_params["table"], request.path_params["column"]
        if find := COMPUTED.get((table, name)):
            return await self._computed(request, find)
        column = _column(table, name)
        key = parse_key(table_of(column), request.path_params["key"]) if column is not None else ()
        head = (await self.store.heads(column, [key])).get(key) if column is not None else None
        if column is None or head is None:
            return _not_found()
        limits = self.settings.limits
        header = header_of(column, key, head, limits.blob_bytes)
        shift = _shift(request, header)
        form = fitting(request.query_params.get("format", "npy"), header, limits.decoded_bytes, shift)
        table_name = table_of(column).name.lstrip("#")
        headers = _headers(f"{table_name}_{format_key(table_of(column), key)}_{column.name}", form, header)
        if request.method == "HEAD":
            return StreamingResponse(_nothing(), headers=headers, media_type=form.media_type)
        body = self._body(column, key, header, form, shift)
        return StreamingResponse(await _begun(body), headers=headers, media_type=form.media_type)

    async def _computed(self, request: Request, find: At) -> Response:
        """An array that no blob holds: it is computed before the answer begins."""
        context, params, most = self.context(), request.path_params, self.settings.limits.decoded_bytes
        try:
            array = await find(params["key"], request.query_params, context)
            if array is None:
                return _not_found()
            form = fitting(request.query_params.get("format", "npy"), array.header, most)
            name = f"{params['table']}_{params['key'][:80]}_{params['column']}"
            headers = _headers(name, form, array.header)
            if request.method == "HEAD":
                return StreamingResponse(_nothing(), headers=headers, media_type=form.media_type)
            async with asyncio.timeout(self.settings.operation_timeout):
                body = await array.written(form, context)
            return Response(body, headers=headers, media_type=form.media_type)
        except TimeoutError:
            raise Timeout(f"the array took longer than {self.settings.operation_timeout} s") from None
        finally:
            context.loaders.close()

    async def _body(self, column: Column[Any], key: Key, header: Header, form: Format, shift: float) -> Any:
        pieces = self.store.chunks(column, key, CHUNK)
        try:
            async for part in form.write(header, pieces, self.settings.limits.blob_bytes, shift):
                yield part
        except BlobCorrupt as error:
            raise located(error, column, key) from None


class _Held(Response):
    """A response that gives back its slot when its last byte has gone, or its client."""

    def __init__(self, response: Response, slots: asyncio.Semaphore) -> None:
        self._response, self._slots = response, slots

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        try:
            await self._response(scope, receive, send)
        finally:
            self._slots.release()


async def _begun(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The body with its beginning read, so that what fails early fails before the answer has begun."""
    parts: list[bytes] = []
    while sum(map(len, parts)) < EAGER and (part := await anext(body, b"")):
        parts.append(part)

    async def whole() -> AsyncIterator[bytes]:
        for part in parts:
            yield part
        async for part in body:
            yield part

    return whole()


async def _nothing() -> AsyncIterator[bytes]:
    """No body, nor a length of 0 in its place."""
    for part in tuple[bytes, ...]():
        yield part


def _column(table: str, column: str) -> Column[Any] | None:
    """The array column of that address: names are only ever looked up in the tables."""
    found = TABLES[table].columns.get(column) if table in TABLES else None
    return found if found is not None and "array" in found.info else None


_FURTHEST = 1e9
"""Seconds by which times may be shifted: with so few no value overflows."""

_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?(e[+-]?[0-9]{1,3})?")


def _shift(request: Request, header: Header) -> float:
    """What to add to every value: seconds, for arrays of times."""
    text = request.query_params.get("shift", "0")
    shift = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not abs(shift) <= _FURTHEST:
        raise BadUserInput(f"shift: {text[:40]!r} is no number of seconds", argument="shift")
    if shift and not header.dtype.startswith("float"):
        raise BadUserInput(f"shift: an array of {header.dtype} can't be shifted", argument="shift")
    return shift


def _headers(name: str, form: Format, header: Header) -> dict[str, str]:
    size = form.size(header)
    headers = {
        "content-disposition": f'inline; filename="{name}.{form.name}"',
        "x-content-type-options": "nosniff",
    }
    return headers if size is None else {**headers, "content-length": str(size)}


def _not_found() -> Response:
    return _error(404, "NOT_FOUND", "There is no such array.")


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)
