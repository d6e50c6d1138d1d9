"""The narrow values of a whole store, and the transforms: read table by table, and named by a checksum."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

import polars as pl
from sqlalchemy import Table

from gql_nda.frames import frame
from gql_nda.query import Query, Ref
from gql_nda.stores import Store
from gql_nda.tables import TABLES, coregistration, key_names, narrow

PAGE = 5_000
"""Rows read at a time: a server that reads goes on answering."""


async def read(store: Store, table: Table) -> pl.DataFrame:
    """The narrow columns of all rows of a table, by primary key.

    Raises ValueError where a value isn't of its column's type: SQLite would let it in.
    """
    refs = list(map(Ref, narrow(table)))
    names, key = [ref.label for ref in refs], key_names(table)
    pages = [frame(refs, [])]
    query = Query(table, limit=PAGE)
    while True:
        page = (await _columns(store, query, refs)).select(names)
        pages.append(page)
        if len(page) < PAGE:
            return pl.concat(pages, rechunk=True)
        query = Query(table, limit=PAGE, after=page.select(key).row(-1))


async def _columns(store: Store, query: Query, refs: Sequence[Ref]) -> pl.DataFrame:
    try:
        return await store.columns(query, refs)
    except (TypeError, OverflowError, pl.exceptions.PolarsError) as error:
        raise ValueError(f"{query.table.name}: {str(error).splitlines()[0]}") from error


def checksum(rows: pl.DataFrame) -> bytes:
    """Names the values of a table's rows, in their order."""
    digest = blake2b(digest_size=16)
    for column in rows:
        digest.update(f"{column.name} {column.dtype} {len(column)}\n".encode())
        for part in _parts(column):
            digest.update(part)
    return digest.digest()


def _parts(column: pl.Series) -> Iterator[bytes | memoryview]:
    """A column's values as bytes, in which no two columns are alike."""
    values = column.drop_nulls()
    yield column.is_null().to_numpy().data
    if column.dtype == pl.String:
        yield values.str.len_bytes().to_numpy().data
        yield "".join(values).encode()
    else:
        yield values.to_numpy().data


async def solutions(store: Store) -> bytes:
    """Names the transforms to the electron-microscopy volume: positions are computed by them."""
    rows = (await store.rows(Query(coregistration))).get((), [])
    blobs = await store.blobs(coregistration.c.transform_solution, [row.key for row in rows])
    digest = blake2b(digest_size=16)
    for key, blob in sorted(blobs.items()):
        digest.update(f"{key} {len(blob)}".encode() + blob)
    return digest.digest()


def named(checksums: Mapping[str, bytes], transforms: bytes) -> str:
    """Names the values of all tables, and the transforms: their checksums by name."""
    digest = blake2b(transforms, digest_size=8)
    for table in TABLES.values():
        digest.update(table.name.encode() + checksums[table.name])
    return digest.hexdigest()


async def fingerprint(store: Store) -> str:
    """Names the data of a store: equal on every store that holds the same rows and transforms, less other blobs."""
    transforms = await solutions(store)
    return named({table.name: checksum(await read(store, table)) for table in TABLES.values()}, transforms)
