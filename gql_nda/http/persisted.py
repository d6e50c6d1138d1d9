"""Automatic persisted queries, as Apollo has them (version 1): a client names a document by its hash.

A document that the server doesn't know is asked for, and sent with its hash once. What is kept is bounded,
and only what has been executed is kept: nobody can fill it with noise.
"""

from collections import OrderedDict
from dataclasses import replace
from hashlib import sha256

from gql_nda.errors import PublicError
from gql_nda.http.requests import Operation, Refused


class Unknown(PublicError):
    """The server doesn't know the document: it is to be sent. The message is the protocol's."""

    code = "PERSISTED_QUERY_NOT_FOUND"


class NotSupported(PublicError):
    """The server keeps no documents: they are to be sent without a hash. The message is the protocol's."""

    code = "PERSISTED_QUERY_NOT_SUPPORTED"


class PersistedQueries:
    """Documents by their SHA-256; beyond ``most`` or ``most_bytes`` the least recently used are dropped."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._known: OrderedDict[str, str] = OrderedDict()
        self._bytes = 0

    def completed(self, operation: Operation) -> Operation:
        """The operation with its document; raises when that isn't known, or isn't the hash's."""
        if operation.sha256 is None:
            return operation
        if self._most == 0:
            raise NotSupported("PersistedQueryNotSupported")
        if operation.query:
            return _checked(operation)
        if operation.sha256 not in self._known:
            raise Unknown("PersistedQueryNotFound")
        self._known.move_to_end(operation.sha256)
        return replace(operation, query=self._known[operation.sha256])

    def keep(self, operation: Operation) -> None:
        """Remember the document of an operation that has been executed, if it is to be."""
        size = len(operation.query.encode())
        if operation.sha256 is None or operation.sha256 in self._known or size > self._most_bytes:
            return
        self._known[operation.sha256] = operation.query
        self._bytes += size
        while len(self._known) > self._most or self._bytes > self._most_bytes:
            self._bytes -= len(self._known.popitem(last=False)[1].encode())


def _checked(operation: Operation) -> Operation:
    if sha256(operation.query.encode(errors="surrogatepass")).hexdigest() != operation.sha256:
        raise Refused(400, "extensions.persistedQuery.sha256Hash: not the hash of the query.")
    return operation
