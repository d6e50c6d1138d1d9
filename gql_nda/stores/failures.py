"""What a database's errors mean to clients."""

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gql_nda.errors import StoreUnavailable, Timeout
from gql_nda.stores.dialects import Dialect
from gql_nda.stores.watchdog import AWAY

_CONNECTING = frozenset({1040, 1044, 1045, 1049, 2002, 2003, 2005, 2006, 2013})
"""Errors of a connection that could not be made or was lost: too many, denied, unknown, away."""


def public(error: Exception, dialect: Dialect) -> Exception:
    """The error a client may see, or the error itself when it is none of the database's moods."""
    if isinstance(error, PoolTimeout):
        return StoreUnavailable("no connection to the database became free in time")
    if isinstance(error, TimeoutError) or code(error) in dialect.timeouts:
        return Timeout("a statement took longer than its deadline")
    if isinstance(error, DBAPIError) and (error.connection_invalidated or _connecting(error)):
        return StoreUnavailable(AWAY)
    return error


def code(error: Exception) -> int | None:
    """The server's number of an error."""
    arguments = getattr(getattr(error, "orig", None), "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else None


def _connecting(error: DBAPIError) -> bool:
    return code(error) in _CONNECTING or "unable to open database file" in str(error.orig)
