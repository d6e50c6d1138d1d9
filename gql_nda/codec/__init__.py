"""The DataJoint blob format: mYm and dj0 objects in a zlib envelope.

No other module knows those bytes. Whatever the bytes, reading them raises ``BlobCorrupt`` and nothing
else, in bounded time and memory: an array has at most ``LIMIT`` bytes (1 GiB, or what the caller
allows), anything else 32 MiB, about a million objects, and objects nest 32 deep at most.
"""

from gql_nda.codec.codes import LIMIT
from gql_nda.codec.decode import unpack, unpack_array
from gql_nda.codec.encode import pack
from gql_nda.codec.header import PEEK, Header, peek
from gql_nda.codec.objects import Cell, Struct
from gql_nda.codec.stream import ArrayStream, frames

__all__ = [
    "LIMIT",
    "PEEK",
    "ArrayStream",
    "Cell",
    "Header",
    "Struct",
    "frames",
    "pack",
    "peek",
    "unpack",
    "unpack_array",
]
