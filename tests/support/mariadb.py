"""A private MariaDB server on a temporary folder and a free port."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

from tests.support.ports import free_port

ADMIN, READER = "root", "reader"
PASSWORD = "pa:ss@w/rd"


@dataclass
class MariaDb:
    """A running server: the administrator may do anything, the reader may read."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes]"

    def connect(self, database: str | None = None) -> Any:
        """An administrator's connection."""
        return pymysql.connect(
            host="127.0.0.1", port=self.port, user=ADMIN, password="", database=database, autocommit=True
        )

    def execute(self, statement: str, database: str | None = None) -> list[tuple[Any, ...]]:
        """Run one statement as the administrator."""
        with closing(self.connect(database)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def url(self, database: str, *, user: str = READER, driver: str = "mysql") -> str:
        """SQLAlchemy's URL of a database."""
        password = "pa%3Ass%40w%2Frd" if user == READER else ""
        return f"{driver}://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """An empty database that the reader may read."""
        self.execute(f"DROP DATABASE IF EXISTS `{database}`")
        self.execute(f"CREATE DATABASE `{database}`")
        return database

    def freeze(self) -> None:
        """Stop the process where it is: connections stay open, nothing answers."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()

    def start(self) -> None:
        """Start it again on its folder and port."""
        self.process = _spawn(self.folder, self.port)
        _wait(self)


@contextmanager
def mariadb_server(folder: Path) -> Iterator[MariaDb]:
    """A server on a new folder or an earlier one's, ended with the block. As upstream's, its charset is latin1."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "data").exists():
        install = ["mariadb-install-db", "--no-defaults", "--skip-test-db", "--auth-root-authentication-method=normal"]
        command = [*install, f"--datadir={folder}/data", *_user()]
        made = subprocess.run(command, capture_output=True, text=True, env=_environment(folder))
        if made.returncode:
            raise RuntimeError(f"mariadb-install-db: {made.stdout[-2000:]} {made.stderr[-2000:]}")
    port = free_port()
    server = MariaDb(folder, port, _spawn(folder, port))
    try:
        _wait(server)
        for host in ("127.0.0.1", "localhost"):
            server.execute(f"CREATE USER IF NOT EXISTS '{READER}'@'{host}' IDENTIFIED BY '{PASSWORD}'")
            server.execute(f"GRANT SELECT ON *.* TO '{READER}'@'{host}'")
        yield server
    finally:
        server.thaw()
        server.process.terminate()
        server.process.wait(30)


_OPTIONS = (
    "--bind-address=127.0.0.1",
    "--character-set-server=latin1",
    "--max-allowed-packet=1073741824",
    "--innodb-buffer-pool-size=256M",
    "--innodb-log-file-size=512M",
    "--innodb-flush-log-at-trx-commit=0",
    "--skip-log-bin",
)


def _spawn(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    own = (f"--datadir={folder}/data", f"--socket={folder}/s", f"--pid-file={folder}/pid", f"--port={port}")
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [_binary(), "--no-defaults", *_user(), *own, *_OPTIONS],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment(folder),
        )


def _environment(folder: Path) -> dict[str, str]:
    """Temporary files go into the server's own folder: one that starts clears its folder of other servers' tables."""
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    return {**os.environ, "TMPDIR": str(temporary)}


def _user() -> list[str]:
    """MariaDB refuses to run as root unless told to."""
    return ["--user=root"] if os.geteuid() == 0 else []


def _binary() -> str:
    return next(str(p) for p in map(Path, ("/usr/sbin/mariadbd", "/usr/bin/mariadbd")) if p.exists())


def _wait(server: MariaDb, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            server.connect().close()
        except pymysql.err.OperationalError:
            if time.monotonic() > deadline or server.process.poll() is not None:
                raise
            time.sleep(0.1)
        else:
            return
