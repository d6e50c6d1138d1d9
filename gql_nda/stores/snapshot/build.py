"""Building a snapshot: every table is read once, checksummed, widened and written; then all appear at once.

A folder of snapshots holds, for each database, the snapshot named by the data's fingerprint; while one
is built, also the tables read so far, and the file by whose lock no two processes build the same.
"""

import asyncio
import fcntl
import logging
import os
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import polars as pl
from sqlalchemy import Table
from sqlalchemy.engine import make_url

from gql_nda.frames import schema
from gql_nda.query import Query, Ref
from gql_nda.stores import Store, content
from gql_nda.stores.positions import Positions
from gql_nda.stores.snapshot.files import Unusable, Wide, database_of, mapped, opened, seal, write
from gql_nda.stores.snapshot.wide import widened
from gql_nda.tables import HELD, TABLES, em_position, narrow

Progress = Callable[[str, float], None]
"""Told what is done next, and the part of all that is done."""

_READING, _DERIVING = 0.8, 0.15
"""The parts of a build that are reading the database, and computing what it doesn't hold."""


log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Built:
    """A snapshot that was built, and how many of its tables an earlier build had read."""

    folder: Path
    kept: int

    @property
    def fingerprint(self) -> str:
        """Of the rows that were read."""
        return self.folder.name

    @property
    def bytes(self) -> int:
        """Of all files together."""
        return sum(path.stat().st_size for path in self.folder.iterdir())


def database_name(url: str) -> str:
    """Names a database by where it is, whoever asks."""
    address = make_url(url)
    kind, database = address.get_backend_name(), address.database
    place = str(Path(database).resolve()) if kind == "sqlite" and database else database
    parts = (kind, address.host, address.port, place)
    return blake2b(repr(parts).encode(), digest_size=6).hexdigest()


class Folder:
    """The snapshots of one database; ``database`` names it in a folder that several may share."""

    def __init__(self, root: Path, database: str) -> None:
        self.root, self.database = root, database
        self._work = root / f"{database}.building"

    def snapshots(self) -> dict[Path, int]:
        """All snapshots, in whatever state, and when they were made: another database's of the same rows will do."""
        found = {}
        for path in self.root.iterdir() if self.root.is_dir() else ():
            with suppress(FileNotFoundError):  # another process has taken it away
                if database_of(path) is not None:
                    found[path] = path.stat().st_mtime_ns
        return found

    def find(self, fingerprint: str) -> Wide | None:
        """The tables of a fingerprint's snapshot, mapped; None where there is none that can be used."""
        try:
            return opened(self.root / fingerprint, fingerprint)
        except FileNotFoundError:
            return None
        except Unusable as error:
            log.warning("snapshot %s can't be used, and is made anew: %s", fingerprint, error)
            return None

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """While no other process builds a snapshot of this database; a process that dies lets go."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / f"{self.database}.lock").open("w") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    await asyncio.sleep(0.1)
            yield

    # --- to be called under the lock --------------------------------------------------------------

    async def build(self, store: Store, progress: Progress, *, resume: bool) -> Built:
        """Build the snapshot of a store's rows; with ``resume``, of those too that an earlier build had read.

        Rows that changed since then, or while they were read, make a snapshot of no state of the database. Its
        fingerprint is that of what was read: who reads the rows once more doesn't find it.
        """
        if not resume:
            _remove(self._work)
        try:
            kept = await self._gather(store, progress)
            await self._derive(store, progress)
            progress("writing", _READING + _DERIVING)
            return Built(await asyncio.to_thread(self._finish, await content.solutions(store)), kept)
        except OSError as error:  # such as a full disk
            _remove(self._work)
            raise error if error.filename else OSError(f"{self._work}: {error}") from error

    async def _gather(self, store: Store, progress: Progress) -> int:
        """Read what isn't there yet; how many tables were."""
        self._work.mkdir(exist_ok=True)
        kept = 0
        for number, (name, table) in enumerate(TABLES.items()):
            progress(name, _READING * number / len(TABLES))
            if await self._there(store, name, table):
                kept += 1
            else:
                await asyncio.to_thread(self._keep, name, whole(table, await content.read(store, table)))
        return kept

    async def _derive(self, store: Store, progress: Progress) -> None:
        """Compute the positions of all units."""
        name = em_position.name
        rows = await Positions(store).computed(lambda part: progress(name, _READING + _DERIVING * part))
        await asyncio.to_thread(self._keep, name, rows)

    async def _there(self, store: Store, name: str, table: Table) -> bool:
        """Whether an earlier build has read the table, as far as a number of rows can tell."""
        with suppress(OSError, ValueError, pl.exceptions.PolarsError):
            rows = self._read(name, table)
            return rows.height == (await store.counts(Query(table))).get((), 0)
        return False

    def _keep(self, name: str, rows: pl.DataFrame) -> None:
        write(self._work / "unfinished", rows)
        (self._work / "unfinished").replace(self._work / f"{name}.arrow")

    def _read(self, name: str, table: Table) -> pl.DataFrame:
        rows = pl.from_arrow(mapped(self._work / f"{name}.arrow"))
        assert isinstance(rows, pl.DataFrame)
        if rows.schema != schema(map(Ref, narrow(table))):
            raise ValueError(f"{name}.arrow holds other columns")
        return rows

    def _finish(self, transforms: bytes) -> Path:
        """Make the snapshot of the tables that were read, and take away what it replaces."""
        rows = {table.name: self._read(name, table) for name, table in HELD.items()}
        fingerprint = content.named({name: content.checksum(frame) for name, frame in rows.items()}, transforms)
        if self.find(fingerprint) is None:
            self._write(rows, fingerprint)
        self._tidy(self.root / fingerprint)
        return self.root / fingerprint

    def _write(self, rows: Mapping[str, pl.DataFrame], fingerprint: str) -> None:
        unnamed, folder = self._work / f"wide.{os.getpid()}", self.root / fingerprint
        _remove(unnamed)
        unnamed.mkdir()
        tables = {name: write(unnamed / f"{name}.arrow", widened(table, rows)) for name, table in HELD.items()}
        seal(unnamed, fingerprint, self.database, tables)
        _remove(folder)  # unusable, if it is there; who has mapped it keeps it
        unnamed.replace(folder)

    def _tidy(self, folder: Path) -> None:
        _remove(self._work)
        for path in self.root.iterdir():
            if path != folder and database_of(path) == self.database:
                _remove(path)


def whole(table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows, if they hold a value wherever nda does: snapshots know of NULL only what isn't there."""
    for column in narrow(table):
        if rows[column.name].has_nulls() and not column.nullable:
            raise ValueError(f"{column} is NULL in a row, which it can't be in nda")
    return rows


def _remove(path: Path) -> None:
    """Take away whatever is there, as far as that can be done."""
    with suppress(OSError):
        path.unlink()
    shutil.rmtree(path, ignore_errors=True)
