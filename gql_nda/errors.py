"""The errors a client may see, each with its code.

Whatever else is raised while a request is answered is unforeseen: it is masked as
``INTERNAL_SERVER_ERROR`` and logged under a reference id.
"""


class PublicError(Exception):
    """An error whose message and details are written for the client.

    ``details`` are shown beside the code in ``extensions``; they never hold secrets.
    """

    code = "INTERNAL_SERVER_ERROR"

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    @property
    def extensions(self) -> dict[str, object]:
        """The ``extensions`` of the GraphQL error: the code and the details."""
        return {"code": self.code, **self.details}


class BadUserInput(PublicError):
    """An argument, key, cursor or slice that makes no sense; the message names it."""

    code = "BAD_USER_INPUT"


class LimitExceeded(PublicError):
    """A request larger than a documented limit; the message names the limit."""

    code = "LIMIT_EXCEEDED"


class ArrayTooLarge(PublicError):
    """More array values asked for in one answer than GraphQL should carry."""

    code = "ARRAY_TOO_LARGE"


class BlobCorrupt(PublicError):
    """Bytes that are no valid DataJoint blob, or whose header promises too much."""

    code = "BLOB_CORRUPT"

    def within(self, table: str, column: str, key: dict[str, object]) -> "BlobCorrupt":
        """The same error, told where the blob lies."""
        where = " ".join(f"{name}={value}" for name, value in key.items())
        message = f"{table}.{column} of {where}: {self.message}"
        return BlobCorrupt(message, table=table, column=column, key=key)


class StoreUnavailable(PublicError):
    """The database can't be reached, or doesn't answer."""

    code = "STORE_UNAVAILABLE"


class Timeout(PublicError):
    """An operation or a statement took longer than its deadline."""

    code = "TIMEOUT"
