"""Validators of answers: a snapshot never changes, so what was answered from it once can be kept.

The database itself may be edited, and nobody would tell: what it answers is never said to be the same.

The strong ETag of an answer is a digest of all that it is made of: the operation, the media type, the address
that array hrefs begin with, the data (by its fingerprint) and the server (its code and its limits). So it is
known before anything is executed. RFC 9110 has it for GET; the answer to a POST says nothing of its address.
"""

from functools import cache
from hashlib import blake2b
from pathlib import Path

import orjson

import gql_nda
from gql_nda.dataset import Dataset
from gql_nda.http.requests import Operation
from gql_nda.settings import Settings

REVALIDATE = "private, no-cache"
"""To be kept, and asked about each time: the address of a query doesn't tell of which data it is."""

NEVER = "no-store"


class Tags:
    """ETags of a server's answers."""

    def __init__(self, dataset: Dataset, settings: Settings) -> None:
        self._dataset = dataset
        self._server = blake2b(_code() + repr((settings.limits, settings.dataset_version)).encode()).digest()

    def of(self, operation: Operation, media_type: str, base: str) -> str | None:
        """The ETag of the operation's answer; none where the data may change."""
        fingerprint = self._dataset.known_fingerprint()
        if fingerprint is None:
            return None
        try:
            asked = orjson.dumps((operation.name, operation.variables, media_type, base, fingerprint))
        except TypeError:  # nested so deep that the operation will be refused
            return None
        digest = blake2b(self._server + asked, digest_size=16)
        digest.update(operation.query.encode(errors="surrogatepass"))
        return f'"{digest.hexdigest()}"'


def matches(condition: str | None, tag: str) -> bool:
    """Whether an If-None-Match names the tag, be it as a weak one."""
    return condition is not None and tag in (part.strip().removeprefix("W/") for part in condition.split(","))


@cache
def _code() -> bytes:
    """The server's version, and a digest of its code: between releases the version stays."""
    digest = blake2b(gql_nda.__version__.encode())
    for path in sorted(Path(gql_nda.__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.digest()
