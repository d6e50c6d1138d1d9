"""Where fields lie: grids over them and their outlines, in any frame."""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gql_nda import tables as t
from gql_nda.arrays.numbers import shortest
from gql_nda.context import Context
from gql_nda.coregistration import TO_EM, Coregistered
from gql_nda.errors import ArrayTooLarge, BadUserInput, LimitExceeded, PublicError
from gql_nda.keys import format_key, parse_key
from gql_nda.query import Row, by_key, up
from gql_nda.resolvers.computed import At, Computed, number, whole
from gql_nda.resolvers.transforms import Placed, chosen, placed, stacks
from gql_nda.science import coordinates
from gql_nda.science.coordinates import Grid
from gql_nda.science.transform import Moved
from gql_nda.stores.transforms import STACK, Stacked
from gql_nda.tables import Array

Floats = NDArray[np.float64]

FIELD = by_key(t.field)

EM = "EM"
UNITS = {"MOTOR": "um", "STACK": "um", EM: "voxels of 4 x 4 x 40 nm"}
"""The frames, and the units of their coordinates."""

# --- fields in frames ------------------------------------------------------------------------------

UNREGISTERED = "the field isn't registered to a stack"
NO_TRANSFORM = "the field's stack has no transform to the electron-microscopy volume"


@dataclass(frozen=True)
class Plane:
    """A registered field: its size, where it lies, its stack, and what leads from there to EM, if that is asked for."""

    size_px: Sequence[float]
    size_um: Sequence[float]
    matrix: Floats
    origin: Sequence[float]
    stack_centre: Sequence[float]
    stack_um: Sequence[float]
    transform: Coregistered | None

    @property
    def transform_id(self) -> int | None:
        """Number of the transform."""
        return self.transform.transform_id if self.transform else None

    def carried(self, offsets: Floats, frame: str) -> Moved:
        """Offsets (n, 2) from the centre of the field (um) as points (n, 3) of a frame."""
        motor = coordinates.motor_um(offsets, self.matrix, self.origin)
        if frame == "MOTOR":
            return Moved(motor, None)
        stack = coordinates.motor_to_stack(motor, self.stack_centre, self.stack_um)
        return self.transform(stack) if self.transform else Moved(stack, None)


Located = Plane | str | BaseException
"""A field's plane, why it has none, or why that can't be told."""


async def _planes(fields: Sequence[Row], frame: str, context: Context) -> list[Located]:
    """Where each field lies."""
    loader = context.loaders.row(up(t.field, t.registration))
    registrations = await loader.load_many([field.at(FIELD.on) for field in fields])
    known = {of.stack.key: of for of in await stacks(context)}
    to_em = {key: await _to_em(of, context) for key, of in known.items()} if frame == EM else {}

    def plane(field: Row, registration: Row | None) -> Located:
        of = known.get(registration.at(STACK)) if registration is not None else None
        if registration is None or of is None:
            return UNREGISTERED
        found = to_em.get(of.stack.key)
        if isinstance(found, BaseException):
            return found
        if nothing := _flat(field):
            return nothing
        return NO_TRANSFORM if frame == EM and found is None else _plane(field, registration, of, found)

    return [plane(*pair) for pair in zip(fields, registrations, strict=True)]


def _flat(field: Row) -> str | None:
    """Which of a field's sizes is none."""
    sizes = {name: field[name] for name in ("px_width", "px_height", "um_width", "um_height")}
    lost = next((name for name, size in sizes.items() if not 0 < size < math.inf), None)
    return f"the field's {lost} is {sizes[lost]:g}" if lost else None


async def _to_em(of: Stacked, context: Context) -> Coregistered | BaseException | None:
    """The transform of a stack; that it is corrupt is no matter of other stacks."""
    try:
        return await chosen(of, context, direction=TO_EM)
    except PublicError as error:
        return error


def _plane(field: Row, registration: Row, of: Stacked, transform: Coregistered | None) -> Plane:
    return Plane(
        field.at(("px_width", "px_height")),
        _shown(field, "um_width", "um_height"),
        coordinates.registration_matrix(*_shown(registration, "a11", "a21", "a31", "a12", "a22", "a32")),
        _shown(registration, "reg_x", "reg_y", "reg_z"),
        _shown(of.stack, "motor_x", "motor_y", "motor_z"),
        _shown(of.stack, "um_width", "um_height", "um_depth"),
        transform,
    )


def _shown(row: Row, *names: str) -> tuple[float, ...]:
    """Columns in their shortest decimals, as clients are shown them: what they work out lies where ours does."""
    return tuple(shortest(value) for value in row.at(names))


# --- grids -----------------------------------------------------------------------------------------


class FieldGrid(NamedTuple):
    """The grid of a field by reference, or why there is none."""

    points: Computed | None = None
    extrapolated: Computed | None = None
    transform_id: int | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Asked:
    """How a grid is asked for."""

    frame: str
    resolution_um: float | None
    stride: int

    @property
    def query(self) -> Mapping[str, str]:
        """As an address says it."""
        resolution = {} if self.resolution_um is None else {"resolutionUm": repr(self.resolution_um)}
        return {"frame": self.frame, **resolution, "stride": str(self.stride)}


async def grids(
    fields: Sequence[Row],
    context: Context,
    *,
    frame: str = "STACK",
    resolution_um: float | None = None,
    stride: int = 1,
) -> Sequence[FieldGrid | BaseException]:
    """Points all over each field."""
    asked = Asked(frame, resolution_um, stride)
    planes = await _planes(fields, asked.frame, context)
    return [_grid(field, plane, asked, context) for field, plane in zip(fields, planes, strict=True)]


def _grid(field: Row, plane: Located, asked: Asked, context: Context) -> FieldGrid | BaseException:
    if isinstance(plane, BaseException):
        return plane
    if isinstance(plane, str):
        return FieldGrid(reason=plane)
    try:
        laid = _Laid(field, plane, _measured(plane, asked, context), asked, context)
    except PublicError as error:
        return error
    move = plane.transform
    flags = laid.array("grid_extrapolated", _FLAGS, _flags) if move and move.transform.hull else None
    return FieldGrid(laid.array("grid", _POINTS[asked.frame], _points), flags, plane.transform_id)


def _points(moved: Moved) -> NDArray[Any]:
    return moved.points


def _flags(moved: Moved) -> NDArray[Any]:
    return np.asarray(moved.extrapolated, np.uint8)


_POINTS = {frame: Array(("row", "column", "xyz"), "float64", unit) for frame, unit in UNITS.items()}
_FLAGS = Array(("row", "column"), "uint8")


def _measured(plane: Plane, asked: Asked, context: Context) -> Grid:
    """The grid over a field: what is wrong with it is found before any point is made."""
    try:
        grid = coordinates.grid(plane.size_px, plane.size_um, asked.resolution_um, asked.stride)
    except ValueError as error:
        argument = "stride" if asked.stride < 1 else "resolutionUm"
        raise BadUserInput(f"{argument}: {error}", argument=argument) from None
    limits, count = context.limits, math.prod(grid.shape)
    instead = "use stride or resolutionUm"
    if count * _POINT > limits.decoded_bytes:
        message = f"decoded_bytes: the grid has {count * _POINT} bytes, at most {limits.decoded_bytes} are computed"
        raise ArrayTooLarge(f"{message}; {instead}", limit="decoded_bytes", maximum=limits.decoded_bytes)
    if asked.frame == EM and count > limits.points:
        message = f"points: the grid has {count} points, at most {limits.points} are computed; {instead}"
        raise LimitExceeded(message, limit="points", maximum=limits.points)
    return grid


_POINT = 24
"""Bytes of a point."""


@dataclass(frozen=True)
class _Laid:
    """A grid that lies over a field; its points are made when they are read."""

    field: Row
    plane: Plane
    grid: Grid
    asked: Asked
    context: Context

    def array(self, name: str, expected: Array, part: Callable[[Moved], NDArray[Any]]) -> Computed:
        """An array of the grid, by reference: whatever is read of it, its points are moved once."""
        shape = (*self.grid.shape, 3)[: len(expected.dims)]
        table = f"field/{format_key(t.field, self.field.key)}"
        return Computed(f"{table}/{name}", shape, expected, self._moved, self.asked.query, f"{table}/grid", part)

    async def _moved(self) -> Moved:
        """The points and what is known of them; those of EM are counted."""

        async def counted() -> Grid:
            if self.asked.frame == EM:
                self.context.spend_points(math.prod(self.grid.shape), "use stride or resolutionUm")
            return self.grid

        frame, carried = self.asked.frame, self.plane.carried
        return await self.context.cache.large.run(counted, lambda grid: carried(grid.offsets().reshape(-1, 2), frame))


def _at(name: str) -> At:
    """Finds an array of a field's grid by its address."""

    async def found(key: str, query: Mapping[str, str], context: Context) -> Computed | None:
        field = await context.loaders.row(FIELD).load(parse_key(t.field, key))
        frame, stride, resolution = query.get("frame", "STACK"), whole(query, "stride"), number(query, "resolutionUm")
        if frame not in UNITS:
            raise BadUserInput(f"frame: {frame[:40]!r} is none of {', '.join(UNITS)}", argument="frame")
        if field is None:
            return None
        stride = 1 if stride is None else stride
        (grid,) = await grids([field], context, frame=frame, resolution_um=resolution, stride=stride)
        if isinstance(grid, BaseException):
            raise grid
        array: Computed | None = getattr(grid, name)
        return array

    return found


GRID, GRID_EXTRAPOLATED = _at("points"), _at("extrapolated")

# --- outlines --------------------------------------------------------------------------------------


class FieldOutline(NamedTuple):
    """The outline of a field, or why there is none."""

    points: list[Placed] | None = None
    transform_id: int | None = None
    reason: str | None = None


async def outlines(
    fields: Sequence[Row], context: Context, *, frame: str = "STACK", points: int = 1
) -> Sequence[FieldOutline | BaseException]:
    """The corners of each field, and points on the edges between them."""
    if points < 1:
        raise BadUserInput(f"points: an edge has 1 point or more, not {points}", argument="points")
    context.spend_points(4 * points * len(fields), "give an outline fewer points")
    planes = await _planes(fields, frame, context)
    return await asyncio.to_thread(lambda: [_outline(plane, frame, points) for plane in planes])


def _outline(plane: Located, frame: str, points: int) -> FieldOutline | BaseException:
    if isinstance(plane, str):
        return FieldOutline(reason=plane)
    if isinstance(plane, BaseException):
        return plane
    corners = placed(plane.carried(coordinates.outline_um(plane.size_um, points), frame))
    return FieldOutline(corners, plane.transform_id)
