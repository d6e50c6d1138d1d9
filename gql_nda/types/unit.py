"""ScanUnit (Unit), UnitHash, Activity, AreaMembership, Oracle, StackUnit."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from gql_nda import keys
from gql_nda import tables as t
from gql_nda.context import Context
from gql_nda.query import Relation
from gql_nda.resolvers import connections
from gql_nda.types.array import NdArray
from gql_nda.types.connection import Connection, Plan
from gql_nda.types.entity import Node, entity
from gql_nda.types.enums import BrainArea, MaskType
from gql_nda.types.fields import array, column, named, parent, satellite

if TYPE_CHECKING:
    from gql_nda.types.field import Field
    from gql_nda.types.scan import Scan
    from gql_nda.types.segmentation import Mask
    from gql_nda.types.stack import Registration

_unit = t.scan_unit


@entity(_unit, name="Unit")
class Unit(Node):
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


UNITS = Relation(_unit, t.key_names(_unit))
"""Units by their primary key."""
