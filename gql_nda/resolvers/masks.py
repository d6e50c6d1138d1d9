"""Masks as pixels and contours, and the images that the masks of a field make."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import prod
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Column

from gql_nda import tables as t
from gql_nda.arrays.numbers import as_list, numeric
from gql_nda.context import Context
from gql_nda.errors import ArrayTooLarge, BadUserInput, BlobCorrupt, PublicError
from gql_nda.keys import format_key, parse_key
from gql_nda.loaders import Derived
from gql_nda.query import Key, Planned, Query, Row, by_key, down
from gql_nda.resolvers.computed import Computed
from gql_nda.resolvers.traces import PORTION
from gql_nda.science import masks as science
from gql_nda.science.masks import Sparse
from gql_nda.stores import located
from gql_nda.tables import Array

R = TypeVar("R")

FIELD = by_key(t.field)
MASK = by_key(t.segmentation)
OF_FIELD = down(t.field, t.segmentation)
PIXELS, WEIGHTS = t.segmentation.c.pixels, t.segmentation.c.weights

TOGETHER = 500
"""Masks of a page that are told at a time: of more than an operation may return no more than these are at hand."""

LABELS = Array(("y", "x"), "int32")
PLANES = Array(("mask", "y", "x"), "float32")


# --- pixels ----------------------------------------------------------------------------------------


Compute = Callable[[Sparse | str], Any]
"""What is told of a mask's pixels, or of why there are none."""

Stored = tuple[Row, Any, bytes | None, bytes | None]
"""A mask, its field or what went wrong in finding it, and the blobs of its pixels and weights."""


async def over_masks(masks: Sequence[Row], context: Context, compute: Compute) -> list[Any]:
    """What is computed of each mask's pixels; an error is a result and stays with its mask.

    Blobs are read in portions, once for all who ask at once, and decoded mask by mask in a thread.
    """

    async def batch(wanted: list[tuple[Derived, Compute]]) -> list[Any]:
        rows = {mask.row.key: mask.row for mask, _ in wanted}
        computes: dict[Key, list[Compute]] = defaultdict(list)
        for mask, asked in wanted:
            computes[mask.row.key].append(asked)
        found: dict[tuple[Key, Compute], Any] = {}
        for portion in await context.loaders.portions(list(rows), PIXELS, WEIGHTS, most=PORTION):
            read = partial(_read, [rows[key] for key in portion], context)
            found |= await context.cache.traces.run(read, partial(_computed, computes, context.limits.decoded_bytes))
        return [found[mask.row.key, asked] for mask, asked in wanted]

    return await context.loaders.shared("masks", batch).load_each([(Derived(mask), compute) for mask in masks])


async def _read(masks: Sequence[Row], context: Context) -> list[Stored]:
    """What is stored of masks."""
    keys, loaders, blobs = [mask.key for mask in masks], context.loaders, context.store.blobs
    fields, pixels, weights = await asyncio.gather(
        loaders.row(FIELD).load_each([mask.at(FIELD.on) for mask in masks]),
        loaders.ask(blobs, PIXELS, keys),
        loaders.ask(blobs, WEIGHTS, keys),
    )
    stored = zip(masks, fields, map(pixels.get, keys), map(weights.get, keys), strict=True)
    return list(stored)


def _computed(
    computes: Mapping[Key, Sequence[Compute]], most: int, read: Sequence[Stored]
) -> dict[tuple[Key, Compute], Any]:
    """The results of a portion, decoded one by one."""
    results: dict[tuple[Key, Compute], Any] = {}
    for mask, *stored in read:
        found = _caught(_sparse, most, mask, *stored)
        for compute in computes[mask.key]:
            results[mask.key, compute] = found if isinstance(found, BaseException) else _caught(compute, found)
    return results


def _caught(function: Callable[..., R], *arguments: Any) -> R | BaseException:
    try:
        return function(*arguments)
    except PublicError as error:
        error.__context__ = None  # its frames, as the error's own, hold what was decoded
        return error.with_traceback(None)
    except Exception as error:
        return error


def _sparse(most: int, mask: Row, field: Any, pixels: bytes | None, weights: bytes | None) -> Sparse | str:
    """The pixels of a mask, or why there are none; raises what went wrong in reading.

    A field must not be so large that an image of it, which contours and labels need, has more than ``most`` bytes.
    """
    if isinstance(field, BaseException):
        raise field
    if field is None:
        return "the mask's field isn't stored"
    if pixels is None or weights is None:
        return "the mask's pixels aren't stored"
    indices, values = _decoded(PIXELS, pixels, mask.key, most), _decoded(WEIGHTS, weights, mask.key, most)
    if 8 * prod(_shape(field)) > most:
        message = f"decoded_bytes: an image of the field has more than {most} bytes"
        raise ArrayTooLarge(message, limit="decoded_bytes", maximum=most)
    try:
        return science.sparse(indices, values, *_shape(field))
    except ValueError as error:
        raise located(BlobCorrupt(str(error)), PIXELS, mask.key) from None


def _decoded(column: Column[Any], blob: bytes, key: Key, most: int) -> NDArray[Any]:
    try:
        return numeric(blob, most)
    except PublicError as error:
        raise located(error, column, key) from None


def _shape(field: Row) -> tuple[int, int]:
    """Height and width of a field (px)."""
    return field["px_height"], field["px_width"]


# --- footprints and contours -----------------------------------------------------------------------


class Footprint(NamedTuple):
    """The pixels of a mask, (pixel,) each."""

    rows: list[int] | None
    columns: list[int] | None
    weights: list[float | None] | None
    reason: str | None


class Line(NamedTuple):
    """A closed line, (point,) each."""

    rows: list[float]
    columns: list[float]


class Contour(NamedTuple):
    """Lines around the pixels that hold ``level`` of a mask's energy."""

    lines: list[Line] | None
    level: float
    reason: str | None


EMPTY = "the mask has no pixels"


async def footprints(masks: Sequence[Row], context: Context) -> list[Footprint | BaseException]:
    """The pixels of each mask."""
    return await _told(masks, context, _footprint, lambda footprint: 3 * len(footprint.rows or ()))


async def _told(
    masks: Sequence[Row], context: Context, compute: Callable[[Sparse | str], R], count: Callable[[R], int]
) -> list[R | BaseException]:
    """What is computed of each mask, so many numbers each: a few masks at a time, until they are too many."""
    told: list[R | BaseException] = []
    for start in range(0, len(masks), TOGETHER):
        found = await over_masks(masks[start : start + TOGETHER], context, compute)
        context.spend_values(sum(count(each) for each in found if not isinstance(each, BaseException)))
        told += found
    return told


def _footprint(mask: Sparse | str) -> Footprint:
    if isinstance(mask, str):
        return Footprint(None, None, None, mask)
    reason = None if len(mask.row) else EMPTY
    return Footprint(mask.row.tolist(), mask.column.tolist(), as_list(mask.weight), reason)


async def contours(masks: Sequence[Row], context: Context, *, level: float = 0.97) -> list[Contour | BaseException]:
    """The contours of each mask."""
    if not 0 < level < 1:
        raise BadUserInput(f"level: {level:g} is not between 0 and 1", argument="level")
    points = partial(_contour, level)
    return await _told(masks, context, points, lambda contour: sum(2 * len(line.rows) for line in contour.lines or ()))


def _contour(level: float, mask: Sparse | str) -> Contour:
    if isinstance(mask, str):
        return Contour(None, level, mask)
    lines = [Line(as_list(line[:, 0]), as_list(line[:, 1])) for line in science.contour(mask, level)]
    return Contour(lines, level, None if lines else _lineless(mask))


def _lineless(mask: Sparse) -> str:
    """Why a mask has no contour."""
    if not len(mask.row):
        return EMPTY
    if not (np.isfinite(mask.weight) & (mask.weight > 0)).any():
        return "no weight of the mask is above 0"
    return "one pixel alone holds more of the energy than the level"


# --- images ----------------------------------------------------------------------------------------


class DenseMasks(NamedTuple):
    """Masks as images: plane by plane those of ``mask_ids``."""

    mask_ids: list[int]
    masks: Computed


async def label_images(fields: Sequence[Row], context: Context) -> list[Computed]:
    """Which mask each pixel of each field belongs to: nothing is read yet."""
    return [_label_image(field, context) for field in fields]


def _label_image(field: Row, context: Context) -> Computed:
    path = f"field/{format_key(t.field, field.key)}/label_image"

    async def labels() -> NDArray[Any]:
        return await context.cache.one(("label_image", field.key), lambda: _labels(field, context))

    return Computed(path, _shape(field), LABELS, labels)


async def _labels(field: Row, context: Context) -> NDArray[np.int32]:
    query = Query(t.segmentation, OF_FIELD.on, (field.key,))
    masks = (await context.loaders.ask(context.store.rows, query)).get(field.key, [])
    ids = [mask["mask_id"] for mask in masks]
    shape = _shape(field)

    def labels(pixels: Sequence[Sparse]) -> NDArray[np.int32]:
        return science.label_image(ids, pixels, *shape).astype(np.int32)

    return await context.cache.large.run(lambda: _all(masks, context), labels)


async def _all(masks: Sequence[Row], context: Context) -> list[Sparse]:
    """The pixels of masks, none of which may be damaged."""
    found = await over_masks(masks, context, _or_nothing)
    for mask in found:
        if isinstance(mask, BaseException):
            raise mask
    return found


def _or_nothing(mask: Sparse | str) -> Sparse:
    return science.sparse([], [], 0, 0) if isinstance(mask, str) else mask


async def dense_masks(
    fields: Sequence[Row], context: Context, *, mask_ids: Sequence[int] | None = None
) -> list[DenseMasks | BaseException]:
    """Masks of each field as images, those of some ids or all: which ones is known, no pixel is read yet."""
    asked = (_dense_masks(field, context, mask_ids) for field in fields)
    return await asyncio.gather(*asked, return_exceptions=True)


async def _dense_masks(field: Row, context: Context, mask_ids: Sequence[int] | None) -> DenseMasks:
    most, plane = context.limits.decoded_bytes, 4 * max(prod(_shape(field)), 1)
    ids = None if mask_ids is None else tuple(dict.fromkeys(mask_ids))
    masks = await _page(field, context, ids, most // plane)
    if masks is None:
        message = f"decoded_bytes: a mask has {plane} bytes; choose at most {most // plane} of the field's by maskIds"
        raise ArrayTooLarge(message, limit="decoded_bytes", maximum=most)
    context.spend_values(len(masks))
    return DenseMasks([mask["mask_id"] for mask in masks], _planes(field, context, masks, ids))


async def _page(field: Row, context: Context, ids: tuple[int, ...] | None, most: int) -> list[Row] | None:
    """The masks of some ids, or all of a field; None if they are more than that."""
    if ids is None:
        page = await context.loaders.page(Planned(Query(t.segmentation, OF_FIELD.on, (field.key,)), first=most))
        return None if page.more else page.rows
    if len(ids) > most:
        return None
    masks = await context.loaders.row(MASK).load_many([(*field.key, id_) for id_ in ids])
    if absent := [id_ for id_, mask in zip(ids, masks, strict=True) if mask is None]:
        message = f"maskIds: field {format_key(t.field, field.key)} has no mask {absent[0]}"
        raise BadUserInput(message, argument="maskIds")
    return [mask for mask in masks if mask is not None]


def _planes(field: Row, context: Context, masks: Sequence[Row], ids: tuple[int, ...] | None) -> Computed:
    async def compute() -> NDArray[np.float32]:
        shape = _shape(field)
        return await context.cache.large.run(lambda: _all(masks, context), lambda pixels: science.dense(pixels, *shape))

    path = f"field/{format_key(t.field, field.key)}/dense_masks"
    query = {} if ids is None else {"maskIds": ",".join(map(str, ids))}
    return Computed(path, (len(masks), *_shape(field)), PLANES, compute, query)


# --- addresses -------------------------------------------------------------------------------------


async def label_image_at(key: str, _query: Mapping[str, str], context: Context) -> Computed | None:
    """The label image of an address."""
    field = await context.loaders.row(FIELD).load(parse_key(t.field, key))
    return None if field is None else _label_image(field, context)


async def dense_masks_at(key: str, query: Mapping[str, str], context: Context) -> Computed | None:
    """The dense masks of an address, all or those of ``maskIds``."""
    field = await context.loaders.row(FIELD).load(parse_key(t.field, key))
    return None if field is None else (await _dense_masks(field, context, _ids(query.get("maskIds")))).masks


def _ids(text: str | None) -> list[int] | None:
    """The ids that an address names, None where it names none."""
    if text is not None and not re.fullmatch(r"([0-9]{1,9}(,[0-9]{1,9})*)?", text, re.ASCII):
        raise BadUserInput(f"maskIds: {text[:40]!r} are no numbers joined by commas", argument="maskIds")
    return None if text is None else [int(number) for number in text.split(",") if number]
