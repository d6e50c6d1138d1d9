"""The database's password is nobody's business: not in errors, logs, nor in what settings print."""

import logging
from collections.abc import Iterator

import httpx
import pytest
from pydantic import ValidationError
from sqlalchemy import text

from gql_nda.cli import main
from gql_nda.http.app import build_app, open_store
from gql_nda.settings import Settings, described
from gql_nda.stores.sql import SqlStore
from tests.support.client import serving
from tests.support.mariadb import MariaDb

QUOTED = "hunter2%3A%2F%40%25"
SCAN = "{ scan(session: 4, scanIdx: 7) { fps } }"
ROUTES = ["/arrays/activity/4.7.1/trace", "/readyz"]


@pytest.fixture(autouse=True)
def _everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG):
        yield


def hidden(*texts: str) -> bool:
    """Whether none of the texts tells the password."""
    return not any("hunter2" in text for text in texts)


@pytest.mark.parametrize("database", [f"mysql://nda:{QUOTED}@db/nda", f"sqlite:///{QUOTED}"])
def test_settings_print_no_password(database: str) -> None:
    settings = Settings(database=database)
    assert settings.database.get_secret_value() == database
    assert hidden(repr(settings), str(settings), f"{settings}", repr(settings.model_dump()), settings.model_dump_json())
    assert hidden(repr(described()), repr(build_app(settings, open_store(settings))))


def test_a_store_prints_no_password() -> None:
    store = SqlStore(f"mysql://nda:{QUOTED}@db/nda")
    assert hidden(repr(store), repr(store.engine), repr(store.engine.url), store.name)


def test_wrong_settings_print_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GQL_NDA_DATABASE", f"mysql://nda:{QUOTED}@db/nda")
    monkeypatch.setenv("GQL_NDA_PORT", "no number")
    with pytest.raises(ValidationError) as wrong:
        Settings()
    assert hidden(str(wrong.value), repr(wrong.value))


@pytest.mark.parametrize(
    "address",
    [
        f"nda:{QUOTED}@db",
        f"oracle://nda:{QUOTED}@db/nda",
        f"mysql://nda:{QUOTED}@db:x/nda",
    ],
)
def test_wrong_addresses_are_not_repeated(
    address: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GQL_NDA_DATABASE", "")  # what the command sets is undone after the test
    try:
        code: object = main(["check", "--database", address])
    except SystemExit as end:
        code = end.code
    assert code
    assert hidden(*capsys.readouterr())


@pytest.mark.parametrize("user", ["reader", "nobody"])
async def test_a_refused_password_is_not_repeated(
    user: str, mariadb: MariaDb, demo_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    await nothing_told(f"mysql://{user}:{QUOTED}@127.0.0.1:{mariadb.port}/demo", caplog)


async def test_a_database_that_is_away_is_not_named(caplog: pytest.LogCaptureFixture) -> None:
    await nothing_told(f"mysql://nda:{QUOTED}@127.0.0.1:1/nda", caplog)


async def nothing_told(address: str, caplog: pytest.LogCaptureFixture) -> None:
    """A server over a database that can't be had says so, and no more."""
    store = SqlStore(address)
    await store.start()
    try:
        async with serving(store) as client:
            error = await client.error(SCAN)
            answers = [await client.http.get(path) for path in ROUTES]
    finally:
        await store.close()
    assert error["extensions"] == {"code": "STORE_UNAVAILABLE"}
    assert [answer.status_code for answer in answers] == [503, 503]
    assert hidden(str(error), caplog.text, *(answer.text for answer in answers))
    for told in (str(error), *(answer.text for answer in answers)):
        assert "127.0.0.1" not in told
        assert "Traceback" not in told


async def test_errors_of_the_database_are_not_repeated(
    demo_database: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqlStore(demo_database)
    monkeypatch.setattr(store._statements, "heads", lambda *_: text("SELECT nothing FROM nowhere"))
    transport = httpx.ASGITransport(build_app(Settings(), store), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        response = await client.get(ROUTES[0])
        graph = await client.post(
            "/graphql", json={"query": "{unit(session:4,scanIdx:7,unitId:1){fluorescence{dtype}}}"}
        )
    await store.close()
    assert response.status_code == 500
    assert graph.json()["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    for told in (response.text, graph.text):
        assert "nowhere" not in told
        assert "SELECT" not in told
    assert "pa:ss@w/rd" not in caplog.text
    assert "pa%3Ass" not in caplog.text
