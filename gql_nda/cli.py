"""The command ``gql-nda``."""

import argparse
import asyncio
import os
import socket
import sys
from functools import partial
from pathlib import Path

from granian import Granian
from granian.constants import Interfaces
from pydantic import ValidationError
from sqlalchemy import URL, Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from gql_nda import demo
from gql_nda.check import Finding, check
from gql_nda.errors import PublicError
from gql_nda.schema import build_schema
from gql_nda.settings import PREFIX, Settings, described
from gql_nda.stores.snapshot import Built
from gql_nda.stores.sql import SqlStore, parse_address
from gql_nda.tables import metadata


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code tells whether it succeeded."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except (PublicError, OSError, ValueError, SQLAlchemyError) as error:
        told = getattr(error, "orig", None) or error
        reason = getattr(error.__cause__, "orig", None)
        print(f"gql-nda: {told}{f': {reason}' if reason else ''}", file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gql-nda", description="A GraphQL server over the functional database nda.")
    commands = parser.add_subparsers(required=True, metavar="command")
    serve = commands.add_parser("serve", help="serve a database", description="Serve a database over GraphQL.")
    _setting_flags(serve)
    serve.set_defaults(run=_serve)
    checking = commands.add_parser("check", help="say what of nda a database lacks, or holds otherwise")
    _setting_flags(checking, only=("database",))
    checking.set_defaults(run=_check)
    snapshot = commands.add_parser("snapshot", help="build the files from which a database's rows are served")
    _setting_flags(snapshot, only=("database", "snapshot_folder"))
    snapshot.set_defaults(run=_snapshot)
    making = commands.add_parser("demo", help="build the demo dataset, into a file or another database")
    making.add_argument("target", help="a file, or mysql://user:password@host/database, which must be empty")
    making.add_argument(
        "--units", type=int, default=600, help="units, at least one for each of 146 fields (default: 600)"
    )
    making.add_argument("--no-traces", action="store_true", help="leave out what is large: for benchmarks")
    making.set_defaults(run=_demo)
    printing = commands.add_parser("schema", help="print the schema")
    printing.set_defaults(run=_schema)
    return parser


def _setting_flags(parser: argparse.ArgumentParser, only: tuple[str, ...] = ()) -> None:
    for name, variable, default, description in described():
        if not only or name in only:
            flag = f"--{name.replace('_', '-')}"
            text = f"{description} [{variable}; default: {default}]".replace("%", "%%")
            parser.add_argument(flag, dest=variable, metavar="X", help=text)
            if isinstance(default, bool):
                no = f"--no-{name.replace('_', '-')}"
                parser.add_argument(no, dest=variable, action="store_const", const="false", help=f"{flag} false")


def _settings(options: argparse.Namespace) -> Settings:
    """The settings: flags win over the environment, in which workers find them again."""
    for variable, value in vars(options).items():
        if variable.startswith(PREFIX) and value is not None:
            os.environ[variable] = value
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise SystemExit(f"gql-nda: setting {name}: {first['msg']}") from None


def _serve(options: argparse.Namespace) -> int:
    settings = _settings(options)
    _expect_database(settings.database.get_secret_value())
    _expect_port(settings.host, settings.port)
    print(f"GraphiQL: http://{settings.host}:{settings.port}/graphql", flush=True)
    Granian(
        "gql_nda.http.app:create",
        factory=True,
        interface=Interfaces.ASGI,
        address=settings.host,
        port=settings.port,
        workers=settings.workers,
        log_level=settings.log_level,  # type: ignore[arg-type]
        websockets=False,
        respawn_failed_workers=True,  # else the end of one is the server's
    ).serve()
    return 0


def _expect_database(url: str) -> None:
    """Say at once what is wrong with the address; a server that is away may still come."""
    address = parse_address(url)
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file():
        raise FileNotFoundError(f"no such file: {address.database} (`gql-nda demo {address.database}` builds the demo)")
    SqlStore(url)


def _expect_port(host: str, port: int) -> None:
    """Say when the port is taken: Granian would share it, and each server get some of the requests."""
    with socket.create_server((host, port)):
        pass


def _check(options: argparse.Namespace) -> int:
    settings = _settings(options)
    store = SqlStore(settings.database.get_secret_value(), deadlines=settings.deadlines)

    async def run() -> list[Finding]:
        try:
            return await check(store)
        finally:
            await store.close()

    findings = asyncio.run(run())
    for finding in findings:
        print(f"{finding.severity:8}{finding.message}")
    return int(any(finding.severity == "error" for finding in findings))


def _snapshot(options: argparse.Namespace) -> int:
    settings = _settings(options)
    url = settings.database.get_secret_value()
    _expect_database(url)
    store, folder = SqlStore(url, deadlines=settings.deadlines), settings.snapshots

    async def run() -> Built:
        try:
            async with folder.locked():
                return await folder.build(store, partial(_progress, "snapshot"), resume=True)
        finally:
            await store.close()

    built = asyncio.run(run())
    kept = f", {built.kept} tables from a build that was stopped" if built.kept else ""
    print(f"\rsnapshot: {built.folder}, {built.bytes / 1e6:.0f} MB{kept}" + " " * 30, flush=True)
    return 0


def _demo(options: argparse.Namespace) -> int:
    traces = not options.no_traces
    if "://" in options.target:
        asyncio.run(_fill(parse_address(options.target).set(drivername="mysql+asyncmy"), options.units, traces))
        print()
        return 0
    path = Path(options.target)
    path.parent.mkdir(parents=True, exist_ok=True)
    if demo.current(path, options.units, traces):
        return 0
    demo.build(path, options.units, traces, progress=partial(_progress, "demo dataset"))
    print(f"\rdemo dataset: {path}, {path.stat().st_size / 1e6:.0f} MB" + " " * 30, flush=True)
    return 0


async def _fill(address: URL, units: int, traces: bool) -> None:
    """The demo in an empty database of MySQL or MariaDB."""

    def write(connection: Connection) -> None:
        metadata.create_all(connection)
        demo.write(demo.rows(units, traces), connection, partial(_progress, "demo dataset"))

    engine = create_async_engine(address)
    async with engine.begin() as connection:
        await connection.run_sync(write)
    await engine.dispose()


def _progress(what: str, step: str, done: float) -> None:
    print(f"\r{what}: {done:4.0%} {step:<30}", end="", flush=True)


def _schema(_options: argparse.Namespace) -> int:
    print(build_schema().as_str())
    return 0
