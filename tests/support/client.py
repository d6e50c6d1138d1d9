"""A client of the application, in process: requests go through all of its layers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from sqlalchemy import event

from gql_nda.http.app import build_app
from gql_nda.settings import Settings
from gql_nda.stores import Store
from gql_nda.stores.sql import SqlStore

BASE = "http://test"


class Client:
    """Sends GraphQL over HTTP."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def answer(self, query: str, **variables: Any) -> dict[str, Any]:
        """The whole response."""
        response = await self.http.post("/graphql", json={"query": query, "variables": variables})
        body: dict[str, Any] = response.json()
        return body

    async def data(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer without errors."""
        body = await self.answer(query, **variables)
        assert "errors" not in body, body["errors"]
        data: dict[str, Any] = body["data"]
        return data

    async def error(self, query: str, **variables: Any) -> dict[str, Any]:
        """The one error of an answer."""
        errors = (await self.answer(query, **variables))["errors"]
        assert len(errors) == 1, errors
        error: dict[str, Any] = errors[0]
        return error


@asynccontextmanager
async def serving(store: Store, **settings: Any) -> AsyncIterator[Client]:
    """A client of the application over a store that is already started."""
    app = build_app(Settings(**settings), store)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE, timeout=60) as http:
        yield Client(http)


class Statements(list[str]):
    """The SQL statements that a store sends, as they are sent."""

    def __init__(self, store: SqlStore) -> None:
        super().__init__()
        event.listen(store.engine.sync_engine, "before_cursor_execute", self._note)

    def _note(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.append(statement)
