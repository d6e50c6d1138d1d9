"""Stack, Registration, Coregistration."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from gql_nda import tables as t
from gql_nda.resolvers import stack as derived
from gql_nda.types.array import NdArray
from gql_nda.types.connection import Connection
from gql_nda.types.entity import Node, entity
from gql_nda.types.enums import TransformDirection
from gql_nda.types.fields import array, batch, children, column, parent

if TYPE_CHECKING:
    from gql_nda.types.field import Field
    from gql_nda.types.unit import StackUnit

_stack, _registration, _coregistration = t.stack, t.registration, t.coregistration


@entity(_stack)
class Stack(Node):
    """A structural volume."""

    stack_session: int = column(_stack.c.stack_session)
    stack_idx: int = column(_stack.c.stack_idx)
    motor_z: float = column(_stack.c.motor_z)
    motor_y: float = column(_stack.c.motor_y)
    motor_x: float = column(_stack.c.motor_x)
    px_depth: int = column(_stack.c.px_depth)
    px_height: int = column(_stack.c.px_height)
    px_width: int = column(_stack.c.px_width)
    um_depth: float = column(_stack.c.um_depth)
    um_height: float = column(_stack.c.um_height)
    um_width: float = column(_stack.c.um_width)
    surf_z: float = column(_stack.c.surf_z)
    registrations: Connection["Registration"] | None = children(
        _stack, _registration, "Where the fields of all scans lie in the stack."
    )
    coregistrations: Connection["Coregistration"] | None = children(
        _stack, _coregistration, "The transforms between the stack and the electron-microscopy volume."
    )


@entity(_registration)
class Registration(Node):
    """A field's place in the stack."""

    stack_session: int = column(_registration.c.stack_session)
    stack_idx: int = column(_registration.c.stack_idx)
    session: int = column(_registration.c.session)
    scan_idx: int = column(_registration.c.scan_idx)
    field_idx: int = column(_registration.c.field)
    a11: float = column(_registration.c.a11)
    a21: float = column(_registration.c.a21)
    a31: float = column(_registration.c.a31)
    a12: float = column(_registration.c.a12)
    a22: float = column(_registration.c.a22)
    a32: float = column(_registration.c.a32)
    reg_x: float = column(_registration.c.reg_x)
    reg_y: float = column(_registration.c.reg_y)
    reg_z: float = column(_registration.c.reg_z)
    score: float = column(_registration.c.score)
    reg_field: NdArray | None = array(_registration.c.reg_field)
    stack: Stack | None = parent(_registration, _stack)
    field: Annotated["Field", strawberry.lazy("gql_nda.types.field")] | None = parent(_registration, t.field)
    stack_units: Connection[Annotated["StackUnit", strawberry.lazy("gql_nda.types.unit")]] | None = children(
        _registration, t.stack_unit, "The places of the field's units in the stack."
    )


@strawberry.type(description="One stage of a transform; stages are applied in order.")
class TransformStage:
    """Value: ``gql_nda.resolvers.stack.Stage``."""

    name: str = strawberry.field(description="Kind of the stage: PolynomialModel, ChunkedModel or SplineModel.")
    order: int | None = strawberry.field(description="Order of a polynomial.")
    axis: int | None = strawberry.field(description="Axis along which a chunked stage is cut: 0 x, 1 y, 2 z.")
    nchunks: int | None = strawberry.field(description="Number of chunks of a chunked stage.")
    control_points: int | None = strawberry.field(description="Number of control points of a spline.")


@strawberry.type(description="A transform as it was fitted: a list of stages.")
class Transform:
    """Value: ``gql_nda.resolvers.stack.Transform``."""

    name: str | None = strawberry.field(description="Name of the whole.")
    stages: list[TransformStage] = strawberry.field(description="The stages, in the order they are applied.")


@entity(_coregistration)
class Coregistration(Node):
    """A transform between two volumes."""

    stack_session: int = column(_coregistration.c.stack_session)
    stack_idx: int = column(_coregistration.c.stack_idx)
    transform_id: int = column(_coregistration.c.transform_id)
    version: str = column(_coregistration.c.version)
    direction: TransformDirection = column(_coregistration.c.direction)
    transform_type: str = column(_coregistration.c.transform_type)
    transform_args: Transform | None = batch(
        derived.arguments, "The stages the transform was fitted with; null where none are stored."
    )
    transform_solution: Transform | None = batch(derived.solutions, "The fitted stages; null where none are stored.")
    stack: Stack | None = parent(_coregistration, _stack)
