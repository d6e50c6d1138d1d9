"""The electron-microscopy volume around units and fields: views in Neuroglancer."""

from enum import Enum

import strawberry
from strawberry.scalars import JSON
from strawberry.types.arguments import StrawberryArgument

from gql_nda.resolvers import connectome as derived
from gql_nda.types.arguments import argument
from gql_nda.types.fields import batch, called
from gql_nda.types.keys import FieldKey, UnitKey


@strawberry.enum(description="Where a link leads: both read the same states, and need no login for these.")
class NeuroglancerSite(Enum):
    """Names in ``gql_nda.connectome.neuroglancer.SITES``."""

    SPELUNKER = strawberry.enum_value("spelunker", description="spelunker.cave-explorer.org, of CAVE.")
    NEUROGLANCER_DEMO = strawberry.enum_value(
        "neuroglancer-demo", description="neuroglancer-demo.appspot.com, Neuroglancer's own."
    )


@strawberry.type(description="A unit or a field that can't be shown in the electron-microscopy volume.")
class MissingMark:
    """Value: ``gql_nda.resolvers.connectome.Missing``."""

    key: str = strawberry.field(
        description="A unit's strKey, 04_07_000001; a field's session, scan and number joined by dots, 4.7.1."
    )
    reason: str = strawberry.field(description="Why it isn't shown.")


@strawberry.type(
    description="A view of the electron-microscopy volume: its images, and over them segments, outlines of fields and "
    "points where units are. What is extrapolated stands in a layer of its own, in another colour: it may be hundreds "
    "of um off. All marks are seen when the view opens."
)
class NeuroglancerView:
    """Value: ``gql_nda.resolvers.connectome.View``."""

    state: JSON = strawberry.field(
        description="Neuroglancer's state. Positions are voxels of 4 x 4 x 40 nm; the id of a unit is its strKey."
    )
    url: str = strawberry.field(
        description="A link that opens the state: it holds all of it, 170 characters for a unit. Nobody is asked for "
        "anything before it is opened."
    )
    missing: list[MissingMark] = strawberry.field(
        description="Units and fields that were asked for and have no place in the volume: they aren't in the view."
    )


_BESIDE: tuple[StrawberryArgument, ...] = (
    argument("segments", list[str] | None, "Segments to show: root ids of that version, as text."),
    argument("version", int | None, "The materialization version of the segmentation: 1300.", 1300),
    argument("nuclei", list[str] | None, "Nuclei to show: nucleus ids, as text."),
    argument("site", NeuroglancerSite | None, "Where the link leads.", NeuroglancerSite.SPELUNKER),
)
_EDGES = argument(
    "points",
    int | None,
    "Points of each edge of a field's outline, from 1: more let it follow the bends of the transform.",
    derived.POINTS,
)


@strawberry.type
class UnitConnectome:
    """A unit in the volume."""

    neuroglancer: NeuroglancerView | None = batch(
        derived.of_units, "A view of the electron-microscopy volume that shows where the unit is.", *_BESIDE
    )


@strawberry.type
class FieldConnectome:
    """A field in the volume."""

    neuroglancer: NeuroglancerView | None = batch(
        derived.of_fields,
        "A view of the electron-microscopy volume that shows the outline of the field.",
        argument("units", bool | None, "Whether the units of the field are shown, too.", False),
        argument("first", int | None, "Only so many units, by their numbers; unless given, all, or it is refused."),
        _EDGES,
        *_BESIDE,
    )


@strawberry.type
class ConnectomeQuery:
    """Root fields."""

    neuroglancer: NeuroglancerView | None = called(
        derived.of_keys,
        "One view of the electron-microscopy volume that shows units, outlines of fields, or segments: at most 1,000 "
        "points and segments together.",
        argument("units", list[UnitKey] | None, "The units to show, each once."),
        argument("fields", list[FieldKey] | None, "The fields to show, each once."),
        _EDGES,
        *_BESIDE,
    )
