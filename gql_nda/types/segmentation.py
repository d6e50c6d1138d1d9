"""Segmentation (Mask), MaskClassification, Fluorescence."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from gql_nda import tables as t
from gql_nda.types.array import NdArray
from gql_nda.types.entity import Node, entity
from gql_nda.types.enums import MaskType
from gql_nda.types.fields import array, column, parent, satellite
from gql_nda.types.masks import MaskPixels

if TYPE_CHECKING:
    from gql_nda.types.field import Field
    from gql_nda.types.unit import Unit

_mask = t.segmentation


@entity(_mask, name="Mask")
class Mask(Node, MaskPixels):
    """The pixels of one cell, or of what was taken for one."""

    session: int = column(_mask.c.session)
    scan_idx: int = column(_mask.c.scan_idx)
    field_idx: int = column(_mask.c.field)
    mask_id: int = column(_mask.c.mask_id)
    mask_type: MaskType | None = satellite(_mask, t.mask_classification.c.mask_type)
    pixels: NdArray | None = array(_mask.c.pixels)
    weights: NdArray | None = array(_mask.c.weights)
    fluorescence: NdArray | None = array(t.fluorescence.c.trace)
    field: Annotated["Field", strawberry.lazy("gql_nda.types.field")] | None = parent(_mask, t.field)
    unit: Annotated["Unit", strawberry.lazy("gql_nda.types.unit")] | None = parent(
        _mask, t.scan_unit, "The unit that the mask is.", on=t.key_names(_mask)
    )
