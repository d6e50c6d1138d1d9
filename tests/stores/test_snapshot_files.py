"""The files of a snapshot: whole or not at all, of what the database holds now or of no use."""

# ruff: noqa: ASYNC220, ASYNC221, ASYNC240
import asyncio
import logging
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import orjson
import pyarrow as pa
import pytest
from sqlalchemy import event

from gql_nda import tables as t
from gql_nda.query import Query
from gql_nda.stores import content
from gql_nda.stores.snapshot import Folder, SnapshotStore, database_name
from gql_nda.stores.snapshot import files as written
from gql_nda.stores.sql import SqlStore
from gql_nda.tables import TABLES
from tests.stores.reference import REFERENCE, dumped
from tests.support.mariadb import MariaDb
from tests.support.snapshots import answering, snapshot_of

UNITS = Query(t.scan_unit)


@pytest.fixture
def path(sqlite_path: Path, tmp_path: Path) -> Path:
    """A database of its own."""
    return Path(shutil.copy(sqlite_path, tmp_path / "nda.sqlite"))


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "snapshots"


def edit(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute(statement).rowcount > 0
        connection.commit()


def snapshots(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir())


def in_use(store: SnapshotStore) -> bool:
    return store.answers is not None


async def answers_rightly(store: SnapshotStore) -> None:
    assert dumped(await store.rows(UNITS)) == dumped(REFERENCE.rows(UNITS))


# --- one snapshot for one state of the database ---------------------------------------------------


async def test_it_is_named_by_the_fingerprint_of_its_rows(url: str, root: Path, sqlite_store: SqlStore) -> None:
    async with answering(url, root) as store:
        fingerprint = await content.fingerprint(sqlite_store)
        assert await store.fingerprint() == fingerprint == await content.fingerprint(store)
        assert [path.name for path in snapshots(root)] == [fingerprint]
        await answers_rightly(store)


async def test_every_store_makes_the_same_files(
    url: str, root: Path, tmp_path: Path, mariadb_store: SqlStore, mariadb: MariaDb
) -> None:
    async with answering(url, root), answering(mariadb.url("asked"), tmp_path / "other") as store:
        await answers_rightly(store)
    one, other = snapshots(root)[0], snapshots(tmp_path / "other")[0]
    assert one.name == other.name
    assert {path.name: path.read_bytes() for path in one.iterdir()} == {
        path.name: path.read_bytes() for path in other.iterdir()
    }


async def test_a_second_server_takes_it_as_it_is(url: str, root: Path) -> None:
    async with answering(url, root):
        made = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    async with answering(url, root) as store:
        assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == made
        await answers_rightly(store)


async def test_the_same_rows_under_another_name_take_it_too(url: str, root: Path, path: Path, tmp_path: Path) -> None:
    async with answering(url, root):
        made = {path: path.stat().st_mtime_ns for path in root.rglob("*.arrow")}
    copy = SnapshotStore(SqlStore(f"sqlite:///{shutil.copy(path, tmp_path / 'copy.sqlite')}"), Folder(root, "copy"))
    await copy.start()
    await copy.settled()
    assert in_use(copy)
    await copy.close()
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*.arrow")} == made
    assert not (root / "copy.lock").exists()  # nothing was to be built


def test_a_file_has_one_name(url: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    assert database_name(f"sqlite:///{path.name}") == database_name(url)
    assert database_name("sqlite:///other.sqlite") != database_name(url)


async def test_files_are_mapped(url: str, root: Path) -> None:
    async with answering(url, root):
        mapped = Path("/proc/self/maps").read_text()
        assert str(snapshots(root)[0] / "scan_unit.arrow") in mapped


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE oracle SET pearson = 0.5 WHERE rowid = (SELECT max(rowid) FROM oracle)",
        "DELETE FROM unit_hash WHERE rowid = (SELECT max(rowid) FROM unit_hash)",
        "UPDATE scan_unit SET um_x = um_y, um_y = um_x WHERE um_x <> um_y",
    ],
)
async def test_changed_rows_are_never_answered_from_an_old_one(
    url: str, root: Path, path: Path, statement: str
) -> None:
    async with answering(url, root):
        (old,) = snapshots(root)
    edit(path, statement)
    live = SqlStore(url)
    for table in (t.oracle, t.unit_hash, t.scan_unit):
        async with snapshot_of(url, root) as store:
            assert dumped(await store.rows(Query(table))) == dumped(await live.rows(Query(table)))
            assert in_use(store)
    await live.close()
    (new,) = snapshots(root)
    assert new != old  # which is gone


async def test_the_database_answers_until_it_is_known_to_hold_the_same(url: str, root: Path, path: Path) -> None:
    async with answering(url, root):
        pass
    edit(path, "UPDATE scan SET nframes = 12345")
    store = SnapshotStore(SqlStore(url), Folder(root, "tested"))
    await store.start()
    assert not in_use(store)
    assert {row["nframes"] for row in (await store.rows(Query(t.scan)))[()]} == {12345}
    await store.settled()
    assert in_use(store)
    assert {row["nframes"] for row in (await store.rows(Query(t.scan)))[()]} == {12345}
    await store.close()


async def test_snapshots_of_another_database_stay(url: str, path: Path, root: Path, tmp_path: Path) -> None:
    other = Path(shutil.copy(path, tmp_path / "other.sqlite"))
    edit(other, "UPDATE scan SET nframes = nframes + 1")
    store = SnapshotStore(SqlStore(f"sqlite:///{other}"), Folder(root, "another"))
    await store.start()
    await store.settled()
    await store.close()
    async with answering(url, root):
        assert len(snapshots(root)) == 2


# --- what isn't as it was written -----------------------------------------------------------------


def truncated(folder: Path) -> None:
    os.truncate(folder / "scan_unit.arrow", 1000)


def flipped(folder: Path) -> None:
    """One bit, in the middle."""
    content = bytearray((folder / "scan_unit.arrow").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "scan_unit.arrow").write_bytes(content)


def swapped(folder: Path) -> None:
    """A file of another table, whose size and checksum the manifest is told."""
    manifest = orjson.loads((folder / "manifest.json").read_bytes())
    shutil.copy(folder / "oracle.arrow", folder / "scan_unit.arrow")
    manifest["tables"]["scan_unit"] = manifest["tables"]["oracle"]
    (folder / "manifest.json").write_bytes(orjson.dumps(manifest))


def foreign(folder: Path) -> None:
    (folder / "scan_unit.arrow").write_text("no arrow, but a text that somebody left here")


def missing(folder: Path) -> None:
    (folder / "oracle.arrow").unlink()


def emptied(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def garbled(folder: Path) -> None:
    (folder / "manifest.json").write_text("{")


def listed(folder: Path) -> None:
    (folder / "manifest.json").write_text("[1, 2]")


def of_other_data(folder: Path) -> None:
    manifest = orjson.loads((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_bytes(orjson.dumps({**manifest, "fingerprint": "0" * 16}))


def of_another_version(folder: Path) -> None:
    manifest = orjson.loads((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_bytes(orjson.dumps({**manifest, "layout": "0" * 16}))


def a_file_of_that_name(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("not even a folder")


DAMAGES = [
    *(truncated, flipped, swapped, foreign, missing, emptied, garbled, listed),
    *(of_other_data, of_another_version, a_file_of_that_name),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
async def test_a_damaged_snapshot_is_made_anew(
    url: str, root: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    async with answering(url, root):
        (folder,) = snapshots(root)
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    damage(folder)
    async with answering(url, root) as store:
        await answers_rightly(store)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == whole
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert all(folder.name in message for message in told)
    assert told


async def test_who_has_mapped_a_snapshot_keeps_it(url: str, root: Path, path: Path) -> None:
    async with answering(url, root) as first:
        edit(path, "UPDATE scan SET nframes = nframes + 1")
        async with answering(url, root):
            await answers_rightly(first)


def test_the_layout_names_the_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    before = written.layout()
    assert before == written.layout()
    monkeypatch.setattr(written, "FORMAT", written.FORMAT + 1)
    assert before != written.layout()


# --- builds that fail -----------------------------------------------------------------------------


async def falls_back(url: str, root: Path, caplog: pytest.LogCaptureFixture) -> str:
    """The database answers; what the log says."""
    async with snapshot_of(url, root) as store:
        assert not in_use(store)
        await answers_rightly(store)
        assert await store.fingerprint() == await content.fingerprint(store.live)
    (told,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert told.startswith("no snapshot, the database answers: ")
    return told


@pytest.mark.parametrize("place", ["nda.sqlite", "nda.sqlite/below", "/proc/none"])
async def test_a_folder_that_cannot_be_written(
    url: str, tmp_path: Path, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert place in await falls_back(url, tmp_path / place, caplog)


SMALL_FILES = """
import resource, sys
from gql_nda.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
sys.exit(main(sys.argv[1:]))
"""
"""A command for which no file grows beyond 4 kB, as on a full disk; a process of its own, or pytest's log was cut."""


def test_a_full_disk(url: str, root: Path) -> None:
    command = [sys.executable, "-c", SMALL_FILES, "snapshot", "--database", url, "--snapshot-folder", str(root)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert str(root) in done.stderr
    assert "Traceback" not in done.stderr
    assert snapshots(root) == []  # nothing takes space that is of no use


async def test_a_database_that_holds_what_nda_does_not(
    url: str, root: Path, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    edit(path, "UPDATE scan_unit SET um_x = 'far left' WHERE rowid = 1")
    async with snapshot_of(url, root) as store:
        assert not in_use(store)
    (told,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "scan_unit" in told


async def test_a_database_that_is_away_at_first(
    url: str, root: Path, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("gql_nda.stores.snapshot.store.AGAIN", 0.05)
    away = path.rename(path.with_name("away"))
    async with snapshot_of(url, root) as store:
        assert not in_use(store)
        assert "no snapshot yet" in caplog.text
        away.rename(path)
        async with asyncio.timeout(60):
            while not in_use(store):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await answers_rightly(store)


# --- builds that are killed, and several at once --------------------------------------------------


def command(url: str, root: Path) -> list[str]:
    gql_nda = Path(sys.executable).with_name("gql-nda")
    return [str(gql_nda), "snapshot", "--database", url, "--snapshot-folder", str(root)]


@pytest.fixture
def killed(url: str, root: Path) -> list[str]:
    """The names of the files that a build had made when it was killed."""
    process = subprocess.Popen(command(url, root), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(root.glob("*.building/field.arrow")) and time.monotonic() < deadline:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return [made.name for made in root.glob("*.building/*.arrow")]


async def test_a_killed_build_is_resumed(url: str, root: Path, killed: list[str], sqlite_store: SqlStore) -> None:
    assert 0 < len(killed) < len(TABLES)
    told = subprocess.run(command(url, root), capture_output=True, text=True, check=True).stdout
    assert f"{len(killed)} tables from a build that was stopped" in told
    (folder,) = snapshots(root)
    assert folder.name in told
    assert folder.name == await content.fingerprint(sqlite_store)


async def test_a_server_trusts_nothing_of_a_killed_build(url: str, root: Path, killed: list[str]) -> None:
    (half,) = root.glob("*.building")
    half.rename(root / "tested.building")
    (root / "tested.building" / "scan.arrow").write_bytes(b"half a file")
    async with answering(url, root) as store:
        await answers_rightly(store)
    assert not list(root.glob("*.building"))


async def test_what_was_read_before_rows_changed_is_never_used(url: str, root: Path, path: Path) -> None:
    """A build that goes on after its rows have changed makes a snapshot of no state of the database."""
    folder, live = Folder(root, "tested"), SqlStore(url)
    async with folder.locked():
        (root / "tested.building").mkdir()
        folder._keep("scan", await content.read(live, t.scan))
        edit(path, "UPDATE scan SET nframes = 12345")
        built = await folder.build(live, lambda *_: None, resume=True)
    assert built.kept == 1
    await live.close()
    async with answering(url, root) as store:
        assert {row["nframes"] for row in (await store.rows(Query(t.scan)))[()]} == {12345}
    assert [path.name for path in snapshots(root)] != [built.fingerprint]


def changing(url: str, path: Path, times: int) -> SqlStore:
    """A database whose scans and trials change together, so many times, while they are read: between the two."""
    live, left = SqlStore(url), iter(range(times))

    def change(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "FROM oracle" in statement and next(left, None) is not None:
            edit(path, "UPDATE scan SET nframes = nframes + 1000")
            edit(path, "UPDATE trial SET start_idx = start_idx + 1000")

    event.listen(live.engine.sync_engine, "before_cursor_execute", change)
    return live


async def test_rows_that_change_while_they_are_read_are_read_again(url: str, root: Path, path: Path) -> None:
    store = SnapshotStore(changing(url, path, 2), Folder(root, "tested"))
    await store.start()
    await store.settled()
    assert in_use(store)
    for table, column in ((t.scan, "nframes"), (t.trial, "start_idx")):
        now = [row[column] for row in (await store.rows(Query(table)))[()]]
        assert now == [row[column] + 2000 for row in REFERENCE.rows(Query(table))[()]]
    await store.close()


async def test_rows_that_never_rest_are_the_databases(
    url: str, root: Path, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = SnapshotStore(changing(url, path, 1000), Folder(root, "tested"))
    await store.start()
    await store.settled()
    assert not in_use(store)
    assert "rows change while they are read" in caplog.text
    await store.close()


async def test_several_build_at_once(url: str, root: Path) -> None:
    """Servers and the command, each in a process or store of its own: one snapshot comes of it."""
    processes = [subprocess.Popen(command(url, root), stdout=subprocess.DEVNULL) for _ in range(2)]
    stores = [SnapshotStore(SqlStore(url), Folder(root, "tested")) for _ in range(3)]
    for store in stores:
        await store.start()
    await asyncio.gather(*(store.settled() for store in stores))
    assert [await asyncio.to_thread(process.wait, 60) for process in processes] == [0, 0]
    for store in stores:
        assert in_use(store)
        await answers_rightly(store)
        await store.close()
    assert len(snapshots(root)) == 1


async def test_a_server_that_stops_while_it_builds(url: str, root: Path) -> None:
    store = SnapshotStore(SqlStore(url), Folder(root, "tested"))
    await store.start()
    await asyncio.sleep(0.05)
    await store.close()
    async with answering(url, root) as again:
        await answers_rightly(again)


def test_files_are_read_by_arrow_itself(url: str, root: Path) -> None:
    """Anyone can read them, with names that say what they are."""
    subprocess.run(command(url, root), stdout=subprocess.DEVNULL, check=True)
    table = pa.ipc.open_file(snapshots(root)[0] / "scan_unit.arrow").read_all()
    assert {"session", "um_x", "oracle.pearson", "area_membership.brain_area"} <= set(table.column_names)
    assert table.num_rows == len(REFERENCE.all(t.scan_unit))
