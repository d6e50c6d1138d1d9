"""The application, put together: no globals, whatever is shared is made here."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from gql_nda.cache import Cache
from gql_nda.check import rights
from gql_nda.context import Context
from gql_nda.dataset import Dataset
from gql_nda.errors import PublicError
from gql_nda.http.arrays import ArrayRoute
from gql_nda.http.caching import Tags
from gql_nda.http.compression import Compression
from gql_nda.http.graphiql import STATIC, page
from gql_nda.http.graphql import Endpoint
from gql_nda.http.middleware import Proxies
from gql_nda.http.persisted import PersistedQueries
from gql_nda.schema import build_schema
from gql_nda.settings import Settings
from gql_nda.stores import Store
from gql_nda.stores.snapshot import SnapshotStore
from gql_nda.stores.sql import SqlStore

log = logging.getLogger(__name__)


def open_store(settings: Settings) -> Store:
    """The store of the settings' database."""

    def opened(pool: int) -> SqlStore:
        return SqlStore(settings.database.get_secret_value(), pool=pool, deadlines=settings.deadlines)

    live = opened(settings.pool)
    return SnapshotStore(live, settings.snapshots, reader=opened(1)) if settings.snapshot else live


def build_app(settings: Settings, store: Store) -> Starlette:
    """The server over a store."""
    dataset, cache = Dataset(store, settings.dataset_version), Cache(settings.derived_bytes)
    endpoint = Endpoint(
        schema=build_schema(settings.limits, settings.cached_documents),
        store=store,
        dataset=dataset,
        settings=settings,
        graphiql=page() if settings.graphiql else None,
        slots=asyncio.Semaphore(settings.operations),
        persisted=PersistedQueries(settings.persisted_queries, settings.persisted_bytes),
        tags=Tags(dataset, settings),
        cache=cache,
    )

    def context() -> Context:
        return Context(store, dataset, settings.limits, cache=cache)

    arrays = ArrayRoute(store, settings, asyncio.Semaphore(settings.streams), context)

    async def ready(_request: Request) -> Response:
        return _health(store.ready)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await store.start()
        await _warn_of_rights(store)
        try:
            yield
        finally:
            await store.close()

    return Starlette(
        routes=[
            Route("/graphql", endpoint, methods=["GET", "POST"]),
            Route("/arrays/{table}/{key}/{column}", arrays, methods=["GET"]),
            Route("/", lambda _: RedirectResponse("graphql")),
            Route("/healthz", lambda _: _health(True)),
            Route("/readyz", ready),
            Mount("/static", StaticFiles(directory=STATIC, check_dir=False)),
        ],
        middleware=_middleware(settings),
        lifespan=lifespan,
    )


async def _warn_of_rights(store: Store) -> None:
    """Sessions are read-only; say so when the user could write all the same."""
    with suppress(PublicError):  # a database that is away may come later
        for finding in rights((await store.probe())["grants"]):
            log.warning("%s", finding.message)


def _middleware(settings: Settings) -> list[Middleware]:
    """From the outside in; what a setting switches off costs no request anything."""
    return [
        *_cors(settings.cors_origins),  # outermost, so that a page can read refusals too
        *([Middleware(Compression)] if settings.compression else []),
        *([Middleware(Proxies, trusted=settings.trusted_proxies)] if settings.trusted_proxies else []),
    ]


def _cors(origins: list[str]) -> list[Middleware]:
    """What lets pages of other origins call the server: nothing, unless they are named."""
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=["content-type", "accept"],
            expose_headers=["content-length", "content-disposition", "etag", "retry-after"],
        )
    ]


def _health(well: bool) -> Response:
    return JSONResponse({"status": "ok" if well else "unavailable"}, 200 if well else 503)


def create() -> Starlette:
    """The server of the environment's settings: what Granian's workers call."""
    settings = Settings()
    logging.basicConfig(level=settings.log_level.upper(), format="[%(levelname)s] %(name)s: %(message)s")
    app = build_app(settings, open_store(settings))
    _spare_the_collector()
    return app


def _spare_the_collector() -> None:
    """Look for garbage less often: a page makes many objects, few of them in cycles. It halves a large query."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
