"""ScanUnit (Unit), UnitHash, Activity, AreaMembership, Oracle, StackUnit."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from gql_nda import keys
from gql_nda import tables as t
from gql_nda.context import Context
from gql_nda.query import by_key
from gql_nda.resolvers import connections, positions
from gql_nda.science.transform import VOXEL_NM
from gql_nda.types.arguments import argument
from gql_nda.types.array import NdArray
from gql_nda.types.connection import Connection, Plan
from gql_nda.types.connectome import UnitConnectome
from gql_nda.types.entity import Node, derived, entity
from gql_nda.types.enums import BrainArea, MaskType
from gql_nda.types.fields import array, chosen, column, named, parent, same, satellite, scaled
from gql_nda.types.oracle import UnitOracle
from gql_nda.types.responses import UnitTrials
from gql_nda.types.tuning import UnitTuning

if TYPE_CHECKING:
    from gql_nda.types.field import Field
    from gql_nda.types.scan import Scan
    from gql_nda.types.segmentation import Mask
    from gql_nda.types.stack import Registration

_unit = t.scan_unit


@entity(_unit, name="Unit")
class Unit(Node, UnitConnectome, UnitOracle, UnitTrials, UnitTuning):
    """A mask with an activity trace."""

    session: int = column(_unit.c.session)
    scan_idx: int = column(_unit.c.scan_idx)
    unit_id: int = column(_unit.c.unit_id)
    str_key: str = named(_unit, t.unit_hash.c.str_key, keys.str_key)
    hash: str = named(_unit, t.unit_hash.c.hash, keys.unit_hash)
    field_idx: int = column(_unit.c.field)
    mask_id: int = column(_unit.c.mask_id)
    um_x: int = column(_unit.c.um_x)
    um_y: int = column(_unit.c.um_y)
    um_z: int = column(_unit.c.um_z)
    px_x: int = column(_unit.c.px_x)
    px_y: int = column(_unit.c.px_y)
    ms_delay: int = column(_unit.c.ms_delay)
    scan: Annotated["Scan", strawberry.lazy("gql_nda.types.scan")] | None = parent(_unit, t.scan)
    field: Annotated["Field", strawberry.lazy("gql_nda.types.field")] | None = parent(_unit, t.field)
    mask: Annotated["Mask", strawberry.lazy("gql_nda.types.segmentation")] | None = parent(_unit, t.segmentation)
    mask_type: MaskType | None = satellite(_unit, t.mask_classification.c.mask_type)
    brain_area: BrainArea | None = satellite(_unit, t.area_membership.c.brain_area)
    oracle: "Oracle | None" = satellite(_unit, t.oracle)
    stack_unit: "StackUnit | None" = satellite(_unit, t.stack_unit)
    em_position: "EmPosition | None" = chosen(
        _unit,
        t.em_position,
        positions.em_positions,
        argument("transform_id", int | None, "The transform to use, one from the stack to EM; else the best."),
        argument("version", str | None, "The version of the transform: phase2 or phase3; else the latest."),
        argument("type", str | None, "The type of the transform: spline or linear; else spline."),
    )
    activity: "Activity | None" = satellite(_unit, t.activity)
    fluorescence: NdArray | None = array(t.fluorescence.c.trace)
    times: NdArray | None = array(
        t.scan_times.c.frame_times,
        "When each sample of the unit's traces was taken: the scan's frame times plus the unit's delay (s).",
        delay=_unit.c.ms_delay,
    )


@entity(t.activity)
class Activity(Node):
    """Inferred spiking activity."""

    session: int = column(t.activity.c.session)
    scan_idx: int = column(t.activity.c.scan_idx)
    unit_id: int = column(t.activity.c.unit_id)
    trace: NdArray | None = array(t.activity.c.trace)
    unit: Unit | None = parent(t.activity, _unit)


@entity(t.oracle)
class Oracle(Node):
    """Reliability of a unit's responses."""

    session: int = column(t.oracle.c.session)
    scan_idx: int = column(t.oracle.c.scan_idx)
    unit_id: int = column(t.oracle.c.unit_id)
    trials: int = column(t.oracle.c.trials)
    pearson: float = column(t.oracle.c.pearson)
    unit: Unit | None = parent(t.oracle, _unit)


@entity(t.stack_unit)
class StackUnit(Node):
    """A unit's place in the stack."""

    stack_session: int = column(t.stack_unit.c.stack_session)
    stack_idx: int = column(t.stack_unit.c.stack_idx)
    session: int = column(t.stack_unit.c.session)
    scan_idx: int = column(t.stack_unit.c.scan_idx)
    field_idx: int = column(t.stack_unit.c.field)
    unit_id: int = column(t.stack_unit.c.unit_id)
    motor_x: float = column(t.stack_unit.c.motor_x)
    motor_y: float = column(t.stack_unit.c.motor_y)
    motor_z: float = column(t.stack_unit.c.motor_z)
    stack_x: float = column(t.stack_unit.c.stack_x)
    stack_y: float = column(t.stack_unit.c.stack_y)
    stack_z: float = column(t.stack_unit.c.stack_z)
    unit: Unit | None = parent(t.stack_unit, _unit)
    registration: Annotated["Registration", strawberry.lazy("gql_nda.types.stack")] | None = parent(
        t.stack_unit, t.registration
    )


_em = t.em_position


@strawberry.type(description="A position in nanometres.")
class Nanometres:
    """Value: a row of ``em_position``."""

    x: float | None = scaled(_em.c.em_x, VOXEL_NM[0], "Along x (nm).")
    y: float | None = scaled(_em.c.em_y, VOXEL_NM[1], "Along y (nm).")
    z: float | None = scaled(_em.c.em_z, VOXEL_NM[2], "Along z, across the sections (nm).")


@derived(_em, name="EmPosition")
class EmPosition:
    """A unit's place in the electron-microscopy volume."""

    x: float | None = column(_em.c.em_x)
    y: float | None = column(_em.c.em_y)
    z: float | None = column(_em.c.em_z)
    nm: Nanometres = same("The same position in nanometres: voxels are 4 x 4 x 40 nm.")
    transform_id: int | None = column(_em.c.em_transform_id)
    extrapolated: bool | None = column(_em.c.em_extrapolated)
    reason: str | None = column(_em.c.em_reason)


@strawberry.type(description="A key that no unit has.")
class MissingUnit:
    """Value: a key."""

    session: int = strawberry.field(description="The session asked for.")
    scan_idx: int = strawberry.field(description="The scan asked for.")
    unit_id: int = strawberry.field(description="The unit asked for.")
    str_key: str = strawberry.field(description="The key as text.")


@strawberry.type(description="One page of units.")
class UnitConnection(Connection[Unit]):
    """Value: ``gql_nda.query.Planned``."""

    @strawberry.field(description="Keys of `units(keys:)` that no unit has; empty for other connections.")
    async def missing_keys(plan: Plan, info: strawberry.Info[Context, None]) -> list[MissingUnit]:
        """Whatever `where` says of the units that exist."""
        missing = await connections.missing(plan, info.context)
        return [MissingUnit(session=s, scan_idx=i, unit_id=u, str_key=keys.str_key(s, i, u)) for s, i, u in missing]


UNITS = by_key(_unit)
"""Units by their primary key."""
