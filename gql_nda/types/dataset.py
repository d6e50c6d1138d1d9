"""The dataset as a whole."""

import dataclasses

import strawberry

from gql_nda import dataset
from gql_nda.context import Context

Info = strawberry.Info[Context, None]
Whole = strawberry.Parent[dataset.Dataset]


@strawberry.type(description="Number of rows of a table.")
class RowCount:
    """One table."""

    table: str = strawberry.field(description="Name of the table in the database.")
    rows: int = strawberry.field(description="Number of rows.")


@strawberry.type(description="A limit that requests must keep; its name is that of its setting.")
class Limit:
    """One setting."""

    name: str = strawberry.field(description="Name of the limit.")
    maximum: float = strawberry.field(description="The most that is allowed.")


@strawberry.type(description="The dataset that is served.")
class Dataset:
    """Value: ``gql_nda.dataset.Dataset``."""

    @strawberry.field(description="Name of the database.")
    def name(whole: Whole) -> str:
        """Of the store."""
        return whole.name

    @strawberry.field(description="Version of the dataset's release, if the server was told.")
    def version(whole: Whole) -> str | None:
        """A setting."""
        return whole.version

    @strawberry.field(
        description="Names the data: a checksum of all rows. It changes with any value outside of arrays; "
        "edits inside arrays are out of its scope."
    )
    async def fingerprint(whole: Whole) -> str | None:
        """Computed once."""
        return await whole.fingerprint()

    @strawberry.field(description="How to cite the data.")
    def citation(whole: Whole) -> str:
        """The consortium's publication."""
        return dataset.CITATION

    @strawberry.field(description="Number of rows of each table.")
    async def row_counts(whole: Whole) -> list[RowCount] | None:
        """Counted once."""
        return [RowCount(table=name, rows=rows) for name, rows in (await whole.counts()).items()]

    @strawberry.field(description="What a request may ask for at most.")
    def limits(whole: Whole, info: Info) -> list[Limit]:
        """Settings of the server."""
        return [Limit(name=k, maximum=v) for k, v in dataclasses.asdict(info.context.limits).items()]
