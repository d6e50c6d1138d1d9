"""Masks as pixels, contours and images: derived fields of Mask and Field."""

import strawberry

from gql_nda.resolvers import masks as derived
from gql_nda.types.arguments import argument
from gql_nda.types.array import NdArray
from gql_nda.types.fields import batch

REASON = "Why there is nothing; null where there is something."


@strawberry.type(description="The pixels of a mask: entry i of each list is of the same pixel.")
class MaskFootprint:
    """Value: ``gql_nda.resolvers.masks.Footprint``."""

    rows: list[int] | None = strawberry.field(description="Row of each pixel in the field's image, from 0 (px).")
    columns: list[int] | None = strawberry.field(description="Column of each pixel in the field's image, from 0 (px).")
    weights: list[float | None] | None = strawberry.field(description="Weight of each pixel; NaN is null.")
    reason: str | None = strawberry.field(description=REASON)


@strawberry.type(description="A closed line: its first point is its last.")
class ContourLine:
    """Value: ``gql_nda.resolvers.masks.Line``."""

    rows: list[float] = strawberry.field(
        description="Row of each point (px): whole numbers are the centres of pixels, counted from 0."
    )
    columns: list[float] = strawberry.field(description="Column of each point (px), as `rows`.")


@strawberry.type(description="Lines around the heaviest pixels of a mask that hold a share of its energy together.")
class MaskContour:
    """Value: ``gql_nda.resolvers.masks.Contour``."""

    lines: list[ContourLine] | None = strawberry.field(
        description="One line a part and one a hole; empty or null with a reason. At the field's edges a line runs up "
        "to a pixel outside it."
    )
    level: float = strawberry.field(description="The share of the energy, the sum of squared weights, within.")
    reason: str | None = strawberry.field(description="Why there is no line; null where there is one.")


@strawberry.type(description="Masks of a field as images of the whole field.")
class DenseMasks:
    """Value: ``gql_nda.resolvers.masks.DenseMasks``."""

    mask_ids: list[int] = strawberry.field(description="Number of the mask that each plane shows.")
    masks: NdArray | None = strawberry.field(
        description="Weight of each pixel, (mask, y, x), 0 outside the mask; of a pixel listed twice the last weight."
    )


@strawberry.type
class MaskPixels:
    """What is derived of one mask."""

    footprint: MaskFootprint | None = batch(derived.footprints, "The pixels of the mask by row and column.")
    contour: MaskContour | None = batch(
        derived.contours,
        "Outline of the mask: lines where the cumulative energy of its pixels, heaviest first, reaches a level.",
        argument("level", float | None, "Share of the energy inside, between 0 and 1.", 0.97),
    )


@strawberry.type
class FieldMasks:
    """What is derived of the masks of a field together."""

    label_image: NdArray | None = batch(
        derived.label_images,
        "Number of the mask that each pixel of the field belongs to, 0 for none: (y, x). Where masks overlap the one "
        "with the larger weight wins.",
    )
    dense_masks: DenseMasks | None = batch(
        derived.dense_masks,
        "Masks of the field as images. All masks of a large field are too many: choose some.",
        argument("mask_ids", list[int] | None, "Only these masks, in this order, each once; unless given, all."),
    )
