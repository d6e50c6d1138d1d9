"""The command line says what is wrong, in one line and with exit code 1."""

import socket
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text

from gql_nda.cli import main
from tests.support.granian import granian
from tests.support.mariadb import MariaDb


@pytest.fixture(autouse=True)
def _settings_stay_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flags become variables of the environment, for the workers: not for other tests."""
    for name in ("GQL_NDA_DATABASE", "GQL_NDA_PORT"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command that fails says."""
    assert main(list(arguments)) == 1
    message = capsys.readouterr().err
    assert message.startswith("gql-nda: ")
    assert len(message.splitlines()) == 1
    return message


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "gql-nda demo" in said(capsys, "serve", "--database", f"sqlite:///{tmp_path}/none.sqlite")


def test_a_file_that_is_no_database(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "text #1.sqlite").write_text("no database, but long enough to be looked at " * 30)
    assert "not a database" in said(capsys, "check", "--database", f"sqlite:///{tmp_path}/text #1.sqlite")
    assert [path.name for path in tmp_path.iterdir()] == ["text #1.sqlite"]  # and none was made


def test_an_address_of_another_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert "postgresql" in said(capsys, "serve", "--database", "postgresql://user:hunter2@host/nda")


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str], demo_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert "in use" in said(capsys, "serve", "--database", f"sqlite:///{demo_path}", "--port", port)


def test_too_few_units(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "146" in said(capsys, "demo", str(tmp_path / "few.sqlite"), "--units", "100")


def test_a_setting_that_makes_no_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="setting port"):
        main(["serve", "--port", "-1"])


def test_the_demo_in_another_database(mariadb: MariaDb) -> None:
    mariadb.create("filled")
    assert main(["demo", mariadb.url("filled", user="root"), "--units", "146", "--no-traces"]) == 0
    engine = create_engine(mariadb.url("filled", user="root", driver="mysql+pymysql"))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT COUNT(*) FROM scan_unit")) == 146
    engine.dispose()


def test_a_worker_that_dies_is_replaced(demo_path: Path, tmp_path: Path) -> None:
    with granian(f"sqlite:///{demo_path}", tmp_path / "log", flags=["--no-snapshot"]) as address:
        (worker,) = workers(address)
        worker.kill()
        worker.wait(30)
        deadline = time.monotonic() + 60
        while not answers(address) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert answers(address)
        assert workers(address) != [worker]


def workers(address: str) -> list[psutil.Process]:
    """The processes of a server of ours that answer requests."""
    port = address.rpartition(":")[2]
    (server,) = [process for process in psutil.Process().children() if port in process.cmdline()]
    return [process for process in server.children() if process.status() != psutil.STATUS_ZOMBIE]


def answers(address: str) -> bool:
    try:
        urllib.request.urlopen(f"{address}/healthz", timeout=5).close()
    except OSError:
        return False
    return True
