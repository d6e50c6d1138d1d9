"""The forms in which an array leaves the server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from io import BytesIO
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gql_nda.codec import ArrayStream, Header, unpack_array
from gql_nda.errors import ArrayTooLarge, BadUserInput

Pieces = AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Format:
    """A media type.

    ``size`` is the length of the body where it is known from the header alone; ``write`` takes the
    header, the blob, the most decoded bytes, and what to add to every value. ``whole`` takes an array at hand.
    """

    name: str
    media_type: str
    accepts: Callable[[Header], bool]
    size: Callable[[Header], int | None]
    write: Callable[[Header, Pieces, int, float], Pieces]
    whole: Callable[[Header, NDArray[Any]], bytes]


def npy_header(header: Header) -> bytes:
    """NumPy's own header; DataJoint keeps arrays in column-major order, and so may NumPy."""
    out = BytesIO()
    description = {
        "descr": np.lib.format.dtype_to_descr(np.dtype(header.dtype)),
        "fortran_order": len(header.shape) > 1,
        "shape": header.shape,
    }
    np.lib.format.write_array_header_1_0(out, description)
    return out.getvalue()


async def _write_npy(header: Header, pieces: Pieces, limit: int, shift: float) -> Pieces:
    """The bytes of the blob as they are, behind NumPy's header, with bounded memory."""
    if _whole(header, shift):
        blob = b"".join([piece async for piece in pieces])
        yield await asyncio.to_thread(_converted, header, blob, limit, shift)
        return
    stream, start = ArrayStream(header), npy_header(header)
    async for piece in pieces:
        for part in stream.feed(piece):
            yield start + part
            start = b""
    stream.close()
    if start:
        yield start


def _whole(header: Header, shift: float) -> bool:
    """Whether an array is not the blob's own bytes, but converted from them, all at once."""
    return bool(shift) or not header.streamable


def _converted(header: Header, blob: bytes, limit: int, shift: float) -> bytes:
    values = unpack_array(blob, limit=limit)
    return _npy(header, (values + shift).astype(values.dtype) if shift else values)


def _npy(header: Header, values: NDArray[Any]) -> bytes:
    return npy_header(header) + values.tobytes(order="F")


async def _write_png(header: Header, pieces: Pieces, limit: int, _shift: float) -> Pieces:
    """A grey picture: see :func:`_drawn`."""
    blob = b"".join([piece async for piece in pieces])
    yield await asyncio.to_thread(lambda: _drawn(header, unpack_array(blob, limit=limit)))


def _drawn(_header: Header, values: NDArray[Any]) -> bytes:
    """A grey picture: of whole numbers, labels say, it holds the numbers; others are stretched over 8 bits."""
    whole = np.uint8 if values.dtype.itemsize == 1 else np.uint16
    grey, out = values.astype(whole) if _countable(values) else _stretched(values), BytesIO()
    Image.fromarray(np.ascontiguousarray(grey)).save(out, "PNG")
    return out.getvalue()


def _countable(values: NDArray[Any]) -> bool:
    return values.dtype.kind in "iu" and bool(values.min() >= 0 and values.max() < 2**16)


def _stretched(values: NDArray[Any]) -> NDArray[np.uint8]:
    """The least finite value is black, the largest white, what isn't finite black."""
    values = values.astype(np.float64)
    finite = np.isfinite(values)
    values = np.where(finite, values, 0.0) / 2  # halved, so that no difference overflows
    low = values[finite].min() if finite.any() else 0.0
    span = (values[finite].max() - low if finite.any() else 0.0) or 1.0
    return np.where(finite, (values - low) / span * 255, 0).round().astype(np.uint8)


_REAL = frozenset("biuf")


def _is_picture(header: Header) -> bool:
    return len(header.shape) == 2 and prod(header.shape) > 0 and np.dtype(header.dtype).kind in _REAL


NPY = Format(
    "npy",
    "application/x-npy",
    accepts=lambda _: True,
    size=lambda header: len(npy_header(header)) + header.nbytes,
    write=_write_npy,
    whole=_npy,
)
PNG = Format("png", "image/png", accepts=_is_picture, size=lambda _: None, write=_write_png, whole=_drawn)

FORMATS = {form.name: form for form in (NPY, PNG)}


def fitting(name: str, header: Header, decoded_bytes: int, shift: float = 0.0) -> Format:
    """The format of that name, if the array can take it; else an error that says which can."""
    form = FORMATS.get(name)
    if form is None or not form.accepts(header):
        possible = ", ".join(f.name for f in FORMATS.values() if f.accepts(header))
        message = f"format: an array of shape {list(header.shape)} comes as {possible}, not as {name[:20]!r}"
        raise BadUserInput(message, argument="format")
    if header.nbytes > decoded_bytes and (form.size(header) is None or _whole(header, shift)):
        message = f"decoded_bytes: {header.nbytes} bytes are too many to convert; only npy, as it is, is streamed"
        raise ArrayTooLarge(message, limit="decoded_bytes", maximum=decoded_bytes)
    return form
