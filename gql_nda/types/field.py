"""Field, RasterCorrection, MotionCorrection, MeanIntensity, SummaryImages."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from gql_nda import tables as t
from gql_nda.types.array import NdArray
from gql_nda.types.connection import Connection
from gql_nda.types.connectome import FieldConnectome
from gql_nda.types.coordinates import FieldCoordinates
from gql_nda.types.entity import Node, entity
from gql_nda.types.fields import array, children, column, parent, satellite
from gql_nda.types.masks import FieldMasks

if TYPE_CHECKING:
    from gql_nda.types.scan import Scan
    from gql_nda.types.segmentation import Mask
    from gql_nda.types.stack import Registration
    from gql_nda.types.unit import UnitConnection

_field = t.field


@entity(_field)
class Field(Node, FieldConnectome, FieldCoordinates, FieldMasks):
    """One imaged rectangle of cortex."""

    session: int = column(_field.c.session)
    scan_idx: int = column(_field.c.scan_idx)
    field_idx: int = column(_field.c.field)
    px_width: int = column(_field.c.px_width)
    px_height: int = column(_field.c.px_height)
    um_width: float = column(_field.c.um_width)
    um_height: float = column(_field.c.um_height)
    field_x: float = column(_field.c.field_x)
    field_y: float = column(_field.c.field_y)
    field_z: float = column(_field.c.field_z)
    scan: Annotated["Scan", strawberry.lazy("gql_nda.types.scan")] | None = parent(_field, t.scan)
    raster_phase: float | None = satellite(_field, t.raster_correction.c.raster_phase)
    motion_correction: "MotionCorrection | None" = satellite(_field, t.motion_correction)
    mean_intensity: "MeanIntensity | None" = satellite(_field, t.mean_intensity)
    summary_images: "SummaryImages | None" = satellite(_field, t.summary_images)
    registration: Annotated["Registration", strawberry.lazy("gql_nda.types.stack")] | None = satellite(
        _field, t.registration
    )
    masks: Connection[Annotated["Mask", strawberry.lazy("gql_nda.types.segmentation")]] | None = children(
        _field, t.segmentation, "The masks of the field."
    )
    units: Annotated["UnitConnection", strawberry.lazy("gql_nda.types.unit")] | None = children(
        _field, t.scan_unit, "The units whose masks lie in the field."
    )


@entity(t.motion_correction)
class MotionCorrection(Node):
    """Shifts of a field's frames."""

    session: int = column(t.motion_correction.c.session)
    scan_idx: int = column(t.motion_correction.c.scan_idx)
    field_idx: int = column(t.motion_correction.c.field)
    y_shifts: NdArray | None = array(t.motion_correction.c.y_shifts)
    x_shifts: NdArray | None = array(t.motion_correction.c.x_shifts)
    y_std: float = column(t.motion_correction.c.y_std)
    x_std: float = column(t.motion_correction.c.x_std)
    field: Field | None = parent(t.motion_correction, _field)


@entity(t.mean_intensity)
class MeanIntensity(Node):
    """Brightness of a field."""

    session: int = column(t.mean_intensity.c.session)
    scan_idx: int = column(t.mean_intensity.c.scan_idx)
    field_idx: int = column(t.mean_intensity.c.field)
    intensities: NdArray | None = array(t.mean_intensity.c.intensities)
    field: Field | None = parent(t.mean_intensity, _field)


@entity(t.summary_images)
class SummaryImages(Node):
    """Pictures of a field."""

    session: int = column(t.summary_images.c.session)
    scan_idx: int = column(t.summary_images.c.scan_idx)
    field_idx: int = column(t.summary_images.c.field)
    correlation: NdArray | None = array(t.summary_images.c.correlation)
    average: NdArray | None = array(t.summary_images.c.average)
    field: Field | None = parent(t.summary_images, _field)
