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
    def name(self: Whole) -> str:
        """Of the store."""
        return self.name

    @strawberry.field(description="Version of the dataset's release, if the server was told.")
    def version(self: Whole) -> str | None:
        """A setting."""
        return self.version

    @strawberry.field(
        description="Names the data: a checksum of all rows. It changes with any value outside of arrays; "
        "edits inside arrays are out of its scope."
    )
    async def fingerprint(self: Whole) -> str | None:
        """Computed once."""
        return await self.fingerprint()

    @strawberry.field(description="How to cite the data.")
    def citation(self: Whole) -> str:
        """The consortium's publication."""
        return dataset.CITATION

    @strawberry.field(description="Number of rows of each table.")
    async def row_counts(self: Whole) -> list[RowCount] | None:
        """Counted once."""
        return [RowCount(table=name, rows=rows) for name, rows in (await self.counts()).items()]

    @strawberry.field(description="What a request may ask for at most.")
    def limits(self: Whole, info: Info) -> list[Limit]:
        """Settings of the server."""
        return [Limit(name=k, maximum=v) for k, v in dataclasses.asdict(info.context.limits).items()]
