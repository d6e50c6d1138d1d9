"""Every setting, with its default and what it does.

A setting is read from the environment (``GQL_NDA_PORT``, ``GQL_NDA_LIMITS__DEPTH``) or from a flag of
``gql-nda serve`` (``--port``, ``--limits-depth``), which wins. ``docs/settings.md`` is made from here.
"""

from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from gql_nda.limits import Limits
from gql_nda.stores.dialects import Deadlines
from gql_nda.stores.snapshot import Folder, database_name

PREFIX = "GQL_NDA_"


class Settings(BaseSettings):
    """Settings of a server."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", validate_default=True
    )

    database: SecretStr = Field(
        SecretStr("sqlite:///.cache/demo.sqlite"),
        description="Where the rows are, as SQLAlchemy's URL: mysql://user:password@host/microns_phase3_nda, or "
        "sqlite:///file.",
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    workers: int = Field(1, ge=1, description="Number of worker processes.")
    pool: int = Field(10, ge=1, description="Most database connections of a worker.")
    connect_timeout: float = Field(2.0, gt=0, description="Seconds to wait for a database connection to be made.")
    statement_timeout: float = Field(10.0, gt=0, description="Seconds that one SQL statement may take.")
    pool_timeout: float = Field(
        3.0, gt=0, description="Seconds to wait for a connection to become free; for an SQLite file statement_timeout."
    )
    operation_timeout: float = Field(20.0, gt=0, description="Seconds that one GraphQL operation may take.")
    operations: int = Field(64, ge=1, description="Operations a worker runs at once; more get 503 and Retry-After.")
    streams: int = Field(16, ge=1, description="Array downloads a worker serves at once; more get 503.")
    body_bytes: int = Field(1 << 20, ge=1, description="Largest request body in bytes; a larger one gets 413.")
    body_timeout: float = Field(10.0, gt=0, description="Seconds in which a request body must have arrived.")
    cached_documents: int = Field(256, ge=0, description="Parsed and validated documents that a worker remembers.")
    persisted_queries: int = Field(
        1000, ge=0, description="Documents a worker keeps for clients that name them by a hash; 0 switches this off."
    )
    persisted_bytes: int = Field(8 << 20, ge=0, description="Most bytes of these documents, together.")
    derived_bytes: int = Field(
        64 << 20,
        ge=0,
        description="Most bytes of derived values that a worker keeps: tuning, transforms, trees.",
    )
    compression: bool = Field(True, description="Whether answers are gzipped for clients that take it.")
    cors_origins: list[str] = Field([], description="Origins whose pages may call the server, as JSON; * is any.")
    public_url: str | None = Field(
        None, description="Address under which clients reach the server, for the hrefs of arrays; else the request's."
    )
    trusted_proxies: list[str] = Field(
        [],
        description="Proxies whose X-Forwarded-Proto, -Host and -Prefix are believed: addresses as JSON; * is any.",
    )
    snapshot: bool = Field(
        True, description="Whether rows are answered from files mapped into memory, without SQL, once these are built."
    )
    snapshot_folder: str = Field(".cache/snapshots", min_length=1, description="Where these files are kept.")
    dataset_version: str | None = Field(None, description="Version of the dataset's release, shown by `dataset`.")
    graphiql: bool = Field(True, description="Whether /graphql shows GraphiQL to a browser.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe messages to log: debug, info, warning or error."
    )
    limits: Limits = Field(default_factory=Limits, description="Limits of a request.")

    @property
    def deadlines(self) -> Deadlines:
        """Deadlines of the store."""
        return Deadlines(self.connect_timeout, self.statement_timeout, self.pool_timeout)

    @property
    def snapshots(self) -> Folder:
        """The snapshots of the database."""
        return Folder(Path(self.snapshot_folder), database_name(self.database.get_secret_value()))


def described() -> list[tuple[str, str, Any, str]]:
    """Every setting: name, environment variable, default and description."""
    rows = []
    for name, field in Settings.model_fields.items():
        if name == "limits":
            continue
        default = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
        rows.append((name, PREFIX + name.upper(), default, field.description or ""))
    for limit in fields(Limits):
        env = f"{PREFIX}LIMITS__{limit.name.upper()}"
        rows.append((f"limits_{limit.name}", env, limit.default, limit.metadata["description"]))
    return rows
