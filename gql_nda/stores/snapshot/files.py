"""The files of a snapshot: one Arrow file a table, and a manifest by which they are checked before they are mapped.

What isn't exactly what was written, whole and by this version, is unusable: nothing is repaired.
"""

from collections.abc import Mapping
from hashlib import blake2b, file_digest
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pyarrow as pa

from gql_nda.frames import schema
from gql_nda.stores.snapshot.wide import held
from gql_nda.tables import HELD

FORMAT = 1
"""Of the files; to be raised when the same columns are written in another way."""

MANIFEST = "manifest.json"

Wide = Mapping[str, pa.Table]
"""The wide frames of all tables, by the table's name, each in one batch of mapped memory."""


class Unusable(Exception):
    """A snapshot that isn't what was written; says why."""


def layout() -> str:
    """Names the columns of all tables: a snapshot of other columns is of no use."""
    described = [(table.name, *schema(held(table)).items()) for table in HELD.values()]
    return blake2b(repr((FORMAT, described)).encode(), digest_size=8).hexdigest()


def write(path: Path, frame: pl.DataFrame) -> dict[str, Any]:
    """Write a frame as one batch; what the manifest says of it. Texts are views, which Polars maps as they are."""
    table = frame.rechunk().to_arrow(compat_level=pl.CompatLevel.newest())
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    return {"rows": frame.height, "bytes": path.stat().st_size, "checksum": _checksum(path)}


def seal(folder: Path, fingerprint: str, database: str, tables: Mapping[str, dict[str, Any]]) -> None:
    """Write the manifest, after everything else."""
    manifest = {"layout": layout(), "fingerprint": fingerprint, "database": database, "tables": tables}
    (folder / MANIFEST).write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2))


def database_of(folder: Path) -> str | None:
    """The database of which a folder holds a snapshot, or says so."""
    try:
        told = orjson.loads((folder / MANIFEST).read_bytes())["database"]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return told if isinstance(told, str) else None


def opened(folder: Path, fingerprint: str) -> Wide:
    """The tables of a snapshot, mapped. Raises Unusable, and FileNotFoundError where there is none at all."""
    folder.lstat()
    try:
        manifest = orjson.loads((folder / MANIFEST).read_bytes())
        if manifest["layout"] != layout():
            raise Unusable("it is of another version")
        if manifest["fingerprint"] != fingerprint:
            raise Unusable("it is of other data")
        return {table.name: _mapped(folder, name, manifest["tables"][name]) for name, table in HELD.items()}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise Unusable(f"{type(error).__name__}: {error}") from error


def _mapped(folder: Path, name: str, told: Mapping[str, Any]) -> pa.Table:
    path = folder / f"{name}.arrow"
    if path.stat().st_size != told["bytes"] or _checksum(path) != told["checksum"]:
        raise Unusable(f"{path.name} isn't as it was written")
    table = mapped(path)
    expected = pl.DataFrame(schema=schema(held(HELD[name]))).to_arrow(compat_level=pl.CompatLevel.newest()).schema
    if table.schema != expected or table.num_rows != told["rows"]:
        raise Unusable(f"{path.name} holds other columns")
    return table


def mapped(path: Path) -> pa.Table:
    """A file's table, in mapped memory: many processes share it, and it is read when it is first used."""
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, lambda: blake2b(digest_size=16)).hexdigest()
