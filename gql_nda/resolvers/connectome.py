"""Views of the electron-microscopy volume that show units and fields, as Neuroglancer takes them."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from gql_nda import tables as t
from gql_nda.connectome.neuroglancer import Marks, link, state
from gql_nda.context import Context
from gql_nda.errors import BadUserInput, LimitExceeded
from gql_nda.keys import format_key, str_key
from gql_nda.query import Key, Planned, Query, Relation, Row, down
from gql_nda.resolvers.connections import page_size
from gql_nda.resolvers.coordinates import EM, FIELD, FieldOutline, outlines
from gql_nda.stores.positions import PLACE

POINTS = 4
"""Points of each edge of an outline: enough to follow the bends of a transform."""

OF_FIELD: Relation = down(t.field, t.scan_unit)

COLOURS = {
    "fields": "#00ccff",
    "fields, extrapolated": "#6666ff",
    "units": "#ffcc00",
    "units, extrapolated": "#ff3333",
}
"""The layers of marks, from the lowest."""

FARTHEST = 1e9
"""Where the last marks are seen (voxels): a transform may put a point anywhere, and Neuroglancer shows float32."""

FAR = "its place is too far outside the volume to be seen"


class Keyed(Protocol):
    """A key as a client gives it."""

    @property
    def key(self) -> Key:
        """The primary key."""


class Mark(NamedTuple):
    """A unit or a field: its layer, and where it is (EM voxels): a point, or the corners of an outline."""

    layer: str
    key: str
    description: str
    shape: Any


class Missing(NamedTuple):
    """A unit or a field that can't be shown, and why."""

    key: str
    reason: str


Found = Mark | Missing


@dataclass(frozen=True)
class View:
    """What is to be seen, and where it opens."""

    state: dict[str, Any]
    site: str
    missing: Sequence[Missing]

    @property
    def url(self) -> str:
        """A link that holds the state."""
        return link(self.state, self.site)


@dataclass(frozen=True)
class Beside:
    """What a view shows besides marks, and where it opens."""

    site: str
    segments: Sequence[str] | None
    nuclei: Sequence[str] | None
    version: int

    @property
    def count(self) -> int:
        """Number of segments of both kinds."""
        return len(self.segments or ()) + len(self.nuclei or ())

    def view(self, found: Iterable[Found]) -> View:
        """The view of all that was found."""
        every = list(found)
        marks = [mark for mark in every if isinstance(mark, Mark)]
        layers = [_layer(name, [mark for mark in marks if mark.layer == name]) for name in COLOURS]
        shown = [layer for layer in layers if layer.ids]
        made = state(shown, segments=self.segments, nuclei=self.nuclei, version=self.version)
        return View(made, self.site, [missing for missing in every if isinstance(missing, Missing)])


def _layer(name: str, marks: Sequence[Mark]) -> Marks:
    ids, descriptions = [mark.key for mark in marks], [mark.description for mark in marks]
    return Marks(name, COLOURS[name], ids, descriptions, [mark.shape for mark in marks])


# --- fields of units, of fields and of the root ----------------------------------------------------


async def of_units(units: Sequence[Row], context: Context, **asked: Any) -> list[View]:
    """A view for each unit."""
    beside = _beside(**asked)
    _room(context, 1 + beside.count)
    _spend(context, len(units) * (1 + beside.count))
    found = await _units([unit.key for unit in units], context)
    return await asyncio.to_thread(lambda: [beside.view([unit]) for unit in found])


async def of_fields(
    fields: Sequence[Row],
    context: Context,
    *,
    units: bool = False,
    first: int | None = None,
    points: int = POINTS,
    **asked: Any,
) -> list[View | BaseException]:
    """A view for each field: its outline and, if asked for, its units, all or the first of them."""
    beside = _beside(**asked)
    first = None if first is None else page_size(first, context.limits, 0)
    room = _room(context, 4 * points + beside.count)
    _spend(context, len(fields) * beside.count)
    outlined = await _fields(fields, context, points)
    inside = await _inside(fields, context, room, first) if units else [list[Found]() for _ in fields]

    def view(outline: Found | BaseException, units: list[Found] | BaseException) -> View | BaseException:
        if isinstance(outline, BaseException):
            return outline
        return units if isinstance(units, BaseException) else beside.view([outline, *units])

    return await asyncio.to_thread(lambda: list(map(view, outlined, inside)))


async def of_keys(
    context: Context,
    *,
    units: Sequence[Keyed] = (),
    fields: Sequence[Keyed] = (),
    points: int = POINTS,
    **asked: Any,
) -> View:
    """One view of the units and fields of some keys."""
    beside = _beside(**asked)
    if not (units or fields or beside.count):
        raise BadUserInput("units: nothing to show; give units, fields, segments or nuclei", argument="units")
    unit_keys, field_keys = (list(dict.fromkeys(given.key for given in keys)) for keys in (units, fields))
    _room(context, len(unit_keys) + 4 * points * len(field_keys) + beside.count)
    _spend(context, len(unit_keys) + beside.count)
    found = [*await _listed(field_keys, context, points), *await _units(unit_keys, context)]
    return await asyncio.to_thread(beside.view, found)


# --- what is asked for -----------------------------------------------------------------------------


def _beside(
    *,
    site: str = "spelunker",
    segments: Sequence[str] | None = None,
    nuclei: Sequence[str] | None = None,
    version: int = 1300,
) -> Beside:
    """What arguments ask for, checked: BAD_USER_INPUT names the one that is no good."""
    beside = Beside(site, segments, nuclei, version)
    alone: dict[str, dict[str, Any]] = {
        "version": {"segments": (), "version": version},
        "segments": {"segments": segments},
        "nuclei": {"nuclei": nuclei},
    }
    for argument, given in alone.items():
        try:
            state(**given)
        except ValueError as error:
            raise BadUserInput(f"{argument}: {error}", argument=argument) from None
    return beside


def _room(context: Context, count: int) -> int:
    """For how many points more there is room in a link; LIMIT_EXCEEDED if there are too many already."""
    most = context.limits.link_points
    if count > most:
        message = f"link_points: {count} points and segments, at most {most} go into a link; show fewer"
        raise LimitExceeded(message, limit="link_points", maximum=most)
    return most - count


def _spend(context: Context, count: int) -> None:
    context.spend_points(count, "ask for fewer views, or one of many units")


# --- where units and fields are --------------------------------------------------------------------


async def _units(keys: Sequence[Key], context: Context) -> list[Found]:
    """The places of units, as ``emPosition`` tells them."""
    places = await context.loaders.row(PLACE).load_many(keys)
    return [_unit(*each) for each in zip(keys, places, strict=True)]


def _unit(key: Key, place: Row | None) -> Found:
    if place is None:
        return Missing(str_key(*key), "there is no such unit")
    session, scan_idx, unit_id = key
    description = f"session {session} scan {scan_idx} unit {unit_id}"
    mark = Mark("units", str_key(*key), description, place.at(("em_x", "em_y", "em_z")))
    return _seen(mark, place["em_extrapolated"], place["em_reason"])


def _seen(mark: Mark, extrapolated: object, reason: str | None) -> Found:
    """A mark in its layer, unless there is a reason that it can't be seen."""
    if reason is None and not (np.abs(np.asarray(mark.shape, float)) <= FARTHEST).all():
        reason = FAR
    if reason is not None:
        return Missing(mark.key, reason)
    return mark._replace(layer=f"{mark.layer}, extrapolated") if extrapolated else mark


async def _inside(
    fields: Sequence[Row], context: Context, most: int, first: int | None
) -> Sequence[list[Found] | BaseException]:
    """The units of each field, all or the first; LIMIT_EXCEEDED is a field's with more of them than ``most``."""
    queries = (Query(t.scan_unit, OF_FIELD.on, (field.key,)) for field in fields)
    count = most if first is None else min(first, most)
    pages = await asyncio.gather(*(context.loaders.page(Planned(query, first=count)) for query in queries))
    fits = [count == first or not page.more for page in pages]
    keys = [unit.key for page, fit in zip(pages, fits, strict=True) if fit for unit in page.rows]
    _spend(context, len(keys))
    found = dict(zip(keys, await _units(keys, context), strict=True))
    return [
        [found[unit.key] for unit in page.rows] if fit else _too_many(context)
        for page, fit in zip(pages, fits, strict=True)
    ]


def _too_many(context: Context) -> LimitExceeded:
    most = context.limits.link_points
    message = f"link_points: the field has more units than go into a link of at most {most} points; choose by first"
    return LimitExceeded(message, limit="link_points", maximum=most)


async def _listed(keys: Sequence[Key], context: Context, points: int) -> list[Found]:
    """The outlines of the fields of some keys; raises what is wrong with one."""
    rows = dict(zip(keys, await context.loaders.row(FIELD).load_many(keys), strict=True))
    there = [row for row in rows.values() if row is not None]
    found: dict[Key, Found] = {key: Missing(format_key(t.field, key), "there is no such field") for key in keys}
    for row, outline in zip(there, await _fields(there, context, points) if there else [], strict=True):
        if isinstance(outline, BaseException):
            raise outline
        found[row.key] = outline
    return list(found.values())


async def _fields(fields: Sequence[Row], context: Context, points: int) -> list[Found | BaseException]:
    """The outlines of fields, as ``outline`` tells them."""
    found = await outlines(fields, context, frame=EM, points=points)
    return [_field(*each) for each in zip(fields, found, strict=True)]


def _field(field: Row, outline: FieldOutline | BaseException) -> Found | BaseException:
    if isinstance(outline, BaseException):
        return outline
    key, (session, scan_idx, number) = format_key(t.field, field.key), field.key
    points = outline.points or []
    description = f"session {session} scan {scan_idx} field {number}"
    mark = Mark("fields", key, description, [(point.x, point.y, point.z) for point in points])
    return _seen(mark, any(point.extrapolated for point in points), outline.reason)
