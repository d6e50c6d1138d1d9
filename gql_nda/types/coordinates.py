"""Points in the frames of nda: transforms, grids and outlines of fields, and the units near a point."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from gql_nda import tables as t
from gql_nda.context import Context
from gql_nda.query import Relation, down
from gql_nda.resolvers import coordinates as derived
from gql_nda.resolvers import nearby
from gql_nda.resolvers import transforms as moves
from gql_nda.types.arguments import argument, at_once
from gql_nda.types.array import NdArray
from gql_nda.types.enums import CoordinateFrame, TransformDirection
from gql_nda.types.fields import batch, called, listed

if TYPE_CHECKING:
    from gql_nda.types.stack import Coregistration
    from gql_nda.types.unit import Unit

Info = strawberry.Info[Context, None]


@at_once
@strawberry.input(description="A point of a frame, in the frame's unit.")
class PointInput:
    """Three numbers."""

    x: float = strawberry.field(description="Along x.")
    y: float = strawberry.field(description="Along y.")
    z: float = strawberry.field(description="Along z.")


@strawberry.type(description="A point that was taken to another frame, in that frame's unit.")
class TransformedPoint:
    """Value: ``gql_nda.resolvers.transforms.Placed``."""

    x: float | None = strawberry.field(description="Along x; null where the transform tells nothing so far away.")
    y: float | None = strawberry.field(description="Along y; null where x is.")
    z: float | None = strawberry.field(description="Along z; null where x is.")
    extrapolated: bool | None = strawberry.field(
        description="Whether it lies outside the landmarks that the transform was fitted to: there it may be hundreds "
        "of um off. Null where there is no transform, or none with landmarks."
    )


# --- fields ----------------------------------------------------------------------------------------

_TRANSFORM_ID = "Number of the transform to EM that was used: the latest spline; null in the other frames."


@strawberry.type(description="Points all over a field, as registration places it: rows run along y, columns along x.")
class FieldGrid:
    """Value: ``gql_nda.resolvers.coordinates.FieldGrid``."""

    points: NdArray | None = strawberry.field(
        description="The points, (row, column, 3): x, y, z in the frame's unit. NaN where the transform tells nothing."
    )
    extrapolated: NdArray | None = strawberry.field(
        description="1 for each point outside the landmarks that the transform was fitted to, else 0, (row, column): "
        "there it may be hundreds of um off. Null in the other frames."
    )
    transform_id: int | None = strawberry.field(description=_TRANSFORM_ID)
    reason: str | None = strawberry.field(description="Why there is no grid; null where there is one.")


@strawberry.type(
    description="The outline of a field, as registration places it: a polygon along the outer edges of its pixels."
)
class FieldOutline:
    """Value: ``gql_nda.resolvers.coordinates.FieldOutline``."""

    points: list[TransformedPoint] | None = strawberry.field(
        description="Its points in turn, from the corner of the first pixel along x; the first isn't said again."
    )
    transform_id: int | None = strawberry.field(description=_TRANSFORM_ID)
    reason: str | None = strawberry.field(description="Why there is no outline; null where there is one.")


_FRAME = argument("frame", CoordinateFrame | None, "The frame of the points.", CoordinateFrame.STACK)


@strawberry.type
class FieldCoordinates:
    """Where a field lies."""

    grid: FieldGrid | None = batch(
        derived.grids,
        "Points all over the field, as registration places it, centred on it. EM's are the stack's, taken through its "
        "latest spline: at most 10,000 of them in one operation.",
        _FRAME,
        argument(
            "resolution_um",
            float | None,
            "Distance of points along x and y (um), 0.001 or more; else the field's own pixels are taken.",
        ),
        argument("stride", int | None, "Take every so many points, along x and y, from 1.", 1),
    )
    outline: FieldOutline | None = batch(
        derived.outlines,
        "The outline of the field, as registration places it.",
        _FRAME,
        argument(
            "points",
            int | None,
            "Points of each edge, its first corner among them: more let it follow the bends of a transform to EM.",
            1,
        ),
    )


# --- root ------------------------------------------------------------------------------------------


@strawberry.type(description="A unit near a point.")
class NearbyUnit:
    """Value: ``gql_nda.resolvers.nearby.NearbyUnit``."""

    distance_um: float = strawberry.field(description="Its distance from the point (um), in EM too.")
    position: TransformedPoint = strawberry.field(description="Where it stands in the frame, in the frame's unit.")

    @strawberry.field(description="The unit.")
    def unit(
        near: strawberry.Parent[nearby.NearbyUnit], info: Info
    ) -> Annotated["Unit", strawberry.lazy("gql_nda.types.unit")] | None:
        """Not fetched yet."""
        return info.context.loaders.lookup(nearby.UNIT, near.key)  # type: ignore[return-value]


_VERSION = argument("version", str | None, "Its version: phase2 or phase3.")
_DIRECTION = argument("direction", TransformDirection | None, "Its direction.")
_KIND = argument("kind", str | None, "Its type: spline or linear.", graphql_name="type")
_STACK = (
    argument("stack_session", int | None, "The stack's session; else the first stack is meant."),
    argument("stack_idx", int | None, "The stack's number; else the first stack is meant."),
)


@strawberry.type
class CoordinatesQuery:
    """Root fields."""

    transforms: list[Annotated["Coregistration", strawberry.lazy("gql_nda.types.stack")]] | None = listed(
        down(t.stack, t.coregistration),
        moves.listed,
        "The transforms between a stack and the electron-microscopy volume, by their numbers: all, or those of a "
        "version, a direction and a type. Null where there is no stack.",
        _VERSION,
        _DIRECTION,
        _KIND,
        *_STACK,
    )
    transform_points: list[TransformedPoint] | None = called(
        moves.transformed,
        "Points taken through a transform, in their order: from um of the stack, counted from its corner, to voxels of "
        "4 x 4 x 40 nm of the EM volume, or back. The transform is that of an id, or the best of what is said of it: "
        "of the latest version, a spline before others; unless direction or id say so, it leads to EM. The two "
        "directions are fits of their own: a point taken there and back comes to lie some um away, or hundreds where "
        "it is extrapolated. Null where there is no transform.",
        argument("points", list[PointInput], "At most 10,000 points in one operation."),
        argument("transform_id", int | None, "Its number."),
        _VERSION,
        _DIRECTION,
        _KIND,
        *_STACK,
    )
    units_near: list[NearbyUnit] | None = listed(
        Relation(t.scan_unit, ()),
        nearby.units_near,
        "The units of a stack near a point, the nearest first; of those equally far the one of the lower key. A unit "
        "stands where it was registered to the stack, as its stackUnit, and in EM where the stack's best transform "
        "takes it, as its emPosition; units without a place aren't found.",
        argument("point", PointInput, "The point, in the frame's unit: in EM voxels, else um."),
        argument("frame", CoordinateFrame, "The frame of the point."),
        argument("radius", float, "How far away units may stand (um, in EM too), above 0."),
        argument("first", int | None, "Most units: 100 unless told, at most 10,000."),
        argument("session", int | None, "Only units of this session."),
        argument("scan_idx", int | None, "Only units of scans of this number."),
        *_STACK,
    )
