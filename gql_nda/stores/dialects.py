"""What MySQL/MariaDB and SQLite do differently, as data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from sqlalchemy import (
    URL,
    Double,
    LargeBinary,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    not_,
    type_coerce,
)
from sqlalchemy.sql import ColumnElement

from gql_nda.tables import Float32, single

Expression = ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long, in seconds, each step may take."""

    connect: float = 2.0
    statement: float = 10.0
    pool: float = 3.0

    @property
    def read(self) -> float:
        """How long the client waits for a statement: the server gives up first and says so."""
        return self.statement + 1


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kind of database.

    ``exact`` makes text compare by code point; ``operand`` is a value it can be compared with.
    ``double`` selects a FLOAT or DECIMAL as a double with all its digits, whatever the protocol.
    ``single`` is a FLOAT as float32 holds it, where the database holds FLOAT as it was written.
    ``functions`` are those of ours that its statements call, by name.
    ``unions`` is the most SELECTs one statement may join, ``parameters`` the most it may take.
    ``watched``: whether the server can freeze apart from us. ``timeouts`` are the codes of errors that
    mean a statement's deadline has passed.
    """

    exact: Callable[[Expression], Expression]
    operand: Callable[[str], Expression]
    double: Callable[[Expression], Expression]
    prepare: Callable[[URL], URL]
    connect_args: Callable[[Deadlines], dict[str, Any]]
    session: Callable[[Deadlines], list[str]]
    unions: int
    parameters: int
    watched: bool
    timeouts: frozenset[int] = frozenset()
    single: Callable[[Expression], Expression] | None = None
    functions: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)


def _mysql_session(deadlines: Deadlines) -> list[str]:
    """Read-only sessions with a deadline of the server's own: each server reads only its comment."""
    seconds, milliseconds = deadlines.statement, int(deadlines.statement * 1000)
    return [
        "SET SESSION TRANSACTION READ ONLY",
        "SET SESSION time_zone = '+00:00'"
        f" /*M!100101 , SESSION max_statement_time = {seconds} */"
        f" /*!50708 , SESSION max_execution_time = {milliseconds} */",
    ]


def _mysql_connect(deadlines: Deadlines) -> dict[str, Any]:
    """The binary protocol (a statement cache) reads numbers faster; the driver leaves it when it has to.

    No read_timeout: the driver would keep it by asyncio.wait_for, which swallows a cancellation on Python 3.11.
    """
    return {
        "charset": "utf8mb4",
        "connect_timeout": deadlines.connect,
        "stmt_cache_size": 200,
    }


def _sqlite_read_only(url: URL) -> URL:
    """The same file, opened read-only."""
    path = url.database or ""
    if path.startswith("file:"):
        return url
    return url.set(database=f"file:{quote(path)}", query={"mode": "ro", "uri": "true"})


def _sqlite_single(column: Expression) -> Expression:
    """A FLOAT, which SQLite holds as a double, as float32.

    Dekker's and Veltkamp's split tells what has 24 bits already; ours is called for what hasn't alone, since a call
    waits for Python's interpreter, which others may hold.
    """
    high = column * literal_column("536870913.0")
    ranged = func.abs(column).between(literal_column("1.2e-38"), literal_column("3.4028234663852886e38"))
    held = and_(ranged, high - (high - column) == column)
    return type_coerce(
        case((and_(column != literal_column("0"), not_(held)), func.single(column)), else_=column), Float32
    )


def _single(value: Any) -> Any:
    """A value as float32 holds it; SQLite lets texts in, too."""
    return single(value) if isinstance(value, float) else value


_MAX_STATEMENT_TIME_EXCEEDED, _MAX_EXECUTION_TIME_EXCEEDED, _INTERRUPTED = 1969, 3024, 1317

_UNIONS = 128
"""SQLite takes 500. SQLAlchemy compiles a union in 1 ms a page, before anything is sent: several statements of
one width, compiled once, are quicker than a wide one."""

MYSQL = Dialect(
    # A latin1 column is compared as the UTF-8 its characters are written in, blanks included.
    exact=lambda column: cast(func.convert(column.op("USING")(literal_column("utf8mb4"))), LargeBinary),
    operand=lambda text: literal(text.encode(), LargeBinary),
    # The text protocol rounds FLOAT to 6 digits. The driver takes it, and says nothing, whenever the server
    # refuses to prepare a statement: at 65,535 parameters, or 16,382 statements of all its clients.
    double=lambda column: column.op("+", return_type=Double())(literal_column("0e0")),
    prepare=lambda url: url.set(drivername="mysql+asyncmy"),
    connect_args=_mysql_connect,
    session=_mysql_session,
    unions=_UNIONS,
    parameters=65_535,
    watched=True,
    timeouts=frozenset({_MAX_STATEMENT_TIME_EXCEEDED, _MAX_EXECUTION_TIME_EXCEEDED, _INTERRUPTED}),
)

SQLITE = Dialect(
    exact=lambda column: column,
    operand=lambda text: literal(text, String),
    double=lambda column: column,
    prepare=lambda url: _sqlite_read_only(url.set(drivername="sqlite+aiosqlite")),
    connect_args=lambda deadlines: {"timeout": deadlines.connect},
    session=lambda _: ["PRAGMA query_only = 1", "PRAGMA mmap_size = 1073741824"],
    unions=_UNIONS,
    parameters=32_766,
    watched=False,
    single=_sqlite_single,
    functions={"single": _single},
)

DIALECTS = {"mysql": MYSQL, "mariadb": MYSQL, "sqlite": SQLITE}
