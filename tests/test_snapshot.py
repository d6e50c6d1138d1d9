"""Snapshots as those see them who serve one and ask it: the same answers, from files, unless told otherwise."""

import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from gql_nda.cli import main
from gql_nda.http.app import open_store
from gql_nda.settings import Settings
from gql_nda.stores.snapshot import SnapshotStore
from gql_nda.stores.sql import SqlStore
from tests.support.client import Statements, serving
from tests.support.examples import EXAMPLES, Example
from tests.support.granian import granian

UNIT = "{ scan(session: 4, scanIdx: 7) { nframes units(first: 3, orderBy: [{field: PEARSON}]) { nodes { id } } } }"


@pytest.fixture(autouse=True)
def _settings_stay_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flags become variables of the environment: not for other tests."""
    for name in ("GQL_NDA_DATABASE", "GQL_NDA_SNAPSHOT", "GQL_NDA_SNAPSHOT_FOLDER"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
async def test_examples_are_answered_alike_to_the_byte(
    example: Example, sqlite_store: SqlStore, snapshot_store: SnapshotStore
) -> None:
    body = {"query": example.text, "variables": example.variables}
    async with serving(sqlite_store) as live, serving(snapshot_store) as snapshot:
        expected, found = [await client.http.post("/graphql", json=body) for client in (live, snapshot)]
    assert found.content == expected.content
    assert found.status_code == 200


async def test_rows_come_without_a_statement(snapshot_store: SnapshotStore) -> None:
    assert isinstance(snapshot_store.live, SqlStore)
    statements = Statements(snapshot_store.live)
    async with serving(snapshot_store) as client:
        await client.data(UNIT)
    assert statements == []


# --- the command line -----------------------------------------------------------------------------


def test_the_command_says_where_and_how_large(
    demo_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert main(["snapshot", "--database", f"sqlite:///{demo_path}", "--snapshot-folder", str(tmp_path)]) == 0
        (made,) = [path for path in tmp_path.iterdir() if path.is_dir()]
        told = capsys.readouterr().out.split("\r")
        assert told[-1].startswith(f"snapshot: {made}, ")
        assert "MB" in told[-1]
        assert any("scan_unit" in step and "%" in step for step in told)


@pytest.mark.parametrize("database", ["none.sqlite", "text.sqlite"])
def test_a_database_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str], database: str) -> None:
    (tmp_path / "text.sqlite").write_text("no database, but long enough to be looked at " * 30)
    flags = ["--database", f"sqlite:///{tmp_path}/{database}", "--snapshot-folder", str(tmp_path / "snapshots")]
    assert main(["snapshot", *flags]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_row_of_another_type(demo_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = shutil.copy(demo_path, tmp_path / "typed.sqlite")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE trial SET start_frame_time = 'x' WHERE trial_idx = 3")
    assert main(["snapshot", "--database", f"sqlite:///{path}", "--snapshot-folder", str(tmp_path / "snapshots")]) == 1
    (message,) = capsys.readouterr().err.splitlines()
    assert message.startswith("gql-nda: trial.start_frame_time: ")


def test_a_folder_that_cannot_be_written(demo_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    flags = ["--database", f"sqlite:///{demo_path}", "--snapshot-folder", str(tmp_path / "file" / "below")]
    assert main(["snapshot", *flags]) == 1
    message = capsys.readouterr().err
    assert message.startswith("gql-nda: ")
    assert str(tmp_path / "file") in message


def test_whether_there_is_one_is_a_setting(demo_path: Path, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"database": f"sqlite:///{demo_path}", "snapshot_folder": str(tmp_path)}
    assert isinstance(open_store(Settings(**settings)), SnapshotStore)
    assert isinstance(open_store(Settings(**settings, snapshot=False)), SqlStore)


# --- a server -------------------------------------------------------------------------------------


def test_a_server_builds_one_unless_it_is_told_not_to(demo_path: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(demo_path, tmp_path / "nda.sqlite"))
    for flags, log in ([["--workers", "2"], "with"], [["--no-snapshot"], "without"]):
        place = tmp_path / str(log)
        place.mkdir()
        with granian(f"sqlite:///{path}", place / "log", flags=flags) as address:
            answer = httpx.post(f"{address}/graphql", json={"query": UNIT}).json()
            assert answer["data"]["scan"]["units"]["nodes"]
            if log == "with":
                assert _soon(place / "log", "answers", times=2)
                assert httpx.post(f"{address}/graphql", json={"query": UNIT}).json() == answer
        assert (place / "snapshots").exists() == (log == "with")


def _soon(log: Path, text: str, times: int) -> bool:
    deadline = time.monotonic() + 60
    while log.read_text().count(text) < times and time.monotonic() < deadline:
        time.sleep(0.05)
    return log.read_text().count(text) == times
