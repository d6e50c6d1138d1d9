"""The database that is measured: the demo in a private MariaDB, kept from one run to the next."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gql_nda.codec import pack, unpack
from gql_nda.demo.sqlite import version
from tests.support.mariadb import ADMIN, MariaDb, mariadb_server

COMMAND = str(Path(sys.executable).with_name("gql-nda"))
TRACED = 600
"""Units whose traces are measured: every other one is stored as it is, the rest compressed."""


@dataclass(frozen=True)
class Databases:
    """Addresses of two demos: many units without traces, and some with."""

    server: MariaDb
    units: int
    whole: str
    traced: str

    @property
    def release(self) -> str:
        """Which server it is."""
        return str(self.server.execute("SELECT VERSION()")[0][0])


@contextmanager
def databases(folder: Path, units: int, traced: int = TRACED) -> Iterator[Databases]:
    """The server, running; its databases are filled where another version of the demo left others."""
    stamp = f"{version(units, False)} {version(traced, True)}"
    folder = folder.resolve()
    kept = folder / "stamp"
    if not kept.exists() or kept.read_text() != stamp:
        shutil.rmtree(folder, ignore_errors=True)
    with mariadb_server(folder) as server:
        if not kept.exists():
            _fill(server, "whole", units, "--no-traces")
            _fill(server, "traced", traced)
            _store_plain(server)
            kept.write_text(stamp)
        yield Databases(server, units, server.url("whole"), server.url("traced"))


def _fill(server: MariaDb, name: str, units: int, *options: str) -> None:
    print(f"database: {name}, {units:,} units", flush=True)
    url = server.url(server.create(name), user=ADMIN)
    subprocess.run([COMMAND, "demo", url, "--units", str(units), *options], check=True, stdout=subprocess.DEVNULL)
    tables = server.execute("SHOW TABLES", name)
    server.execute(f"ANALYZE TABLE {', '.join(f'`{table}`' for (table,) in tables)}", name)


def _store_plain(server: MariaDb) -> None:
    """Store the traces of units with even numbers uncompressed, as DataJoint stores what zlib can't shrink."""
    with server.connect("traced") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT session, scan_idx, unit_id FROM activity WHERE unit_id % 2 = 0")
        for key in cursor.fetchall():
            where = "WHERE session = %s AND scan_idx = %s AND unit_id = %s"
            cursor.execute(f"SELECT trace FROM activity {where}", key)  # noqa: S608  # the text is all ours
            blob = pack(unpack(cursor.fetchone()[0]), compress=False)
            cursor.execute(f"UPDATE activity SET trace = %s {where}", (blob, *key))  # noqa: S608
