"""Keys as text: global ids, the addresses of arrays, and the names of units.

A key is written as its values joined by dots. Hashes, base64 in the database, are written in the
URL-safe alphabet.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any

from sqlalchemy import Integer, Table

from gql_nda.errors import BadUserInput

_URL_SAFE = str.maketrans("+/", "-_")
_STANDARD = str.maketrans("-_", "+/")
_INT32 = 2**31
_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,9}")


def encode64(data: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode64(text: str) -> bytes:
    """The bytes of ``encode64``; ValueError for anything else."""
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode64(data) != text:
        raise ValueError("not canonical base64url")
    return data


def format_key(table: Table, key: tuple[Any, ...]) -> str:
    """A primary key as text, ``4.7.1``."""
    parts = zip(table.primary_key, key, strict=True)
    return ".".join(str(v) if isinstance(c.type, Integer) else v.translate(_URL_SAFE) for c, v in parts)


def parse_key(table: Table, text: str) -> tuple[Any, ...]:
    """The primary key that ``format_key`` wrote; BAD_USER_INPUT names the table otherwise."""
    columns = list(table.primary_key)
    parts = text.split(".")
    if len(parts) != len(columns):
        names = ".".join(c.name for c in columns)
        raise BadUserInput(f"key: {text[:80]!r} is not of the form {names}", argument="key")
    return tuple(_parse(c.name, isinstance(c.type, Integer), p) for c, p in zip(columns, parts, strict=True))


def _parse(name: str, integer: bool, text: str) -> Any:
    if not integer:
        return text.translate(_STANDARD)
    if _NUMBER.fullmatch(text) and -_INT32 <= int(text) < _INT32:
        return int(text)
    raise BadUserInput(f"{name}: {text[:80]!r} is not a number as the key has it", argument=name)


def encode_id(type_name: str, table: Table, key: tuple[Any, ...]) -> str:
    """The global id of a row: opaque to clients, stable over versions."""
    return encode64(f"{type_name}:{format_key(table, key)}".encode())


def decode_id(text: str) -> tuple[str, str]:
    """The type's name and the key's text of a global id."""
    try:
        name, colon, key = decode64(text).decode().partition(":")
    except ValueError:
        colon = ""
    if not colon:
        raise BadUserInput(f"id: {text[:80]!r} is not an id of this server", argument="id")
    return name, key


# --- units -----------------------------------------------------------------------------------------

_UNIT_NAME = re.compile(r"([0-9]{2,5})_([0-9]{2,5})_([0-9]{6,9})")


def str_key(session: int, scan_idx: int, unit_id: int) -> str:
    """The name of a unit: session, scan and unit number, padded with zeros."""
    return f"{session:02}_{scan_idx:02}_{unit_id:06}"


def parse_str_key(text: str) -> tuple[int, int, int]:
    """The key of a unit from its name, as ``04_07_000001``."""
    if match := _UNIT_NAME.fullmatch(text):
        session, scan_idx, unit_id = map(int, match.groups())
        if str_key(session, scan_idx, unit_id) == text:
            return session, scan_idx, unit_id
    raise BadUserInput(f"strKey: {text[:80]!r} is not of the form 04_07_000001", argument="strKey")


def unit_hash(session: int, scan_idx: int, unit_id: int) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of a unit's key as Python's json writes it."""
    text = f'{{"session": {session}, "scan_idx": {scan_idx}, "unit_id": {unit_id}}}'
    return sha256(text.encode()).hexdigest()[:12]
