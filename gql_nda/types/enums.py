"""Enumerations: columns whose texts are few and known."""

from enum import Enum

import strawberry
from sqlalchemy import Column

from gql_nda import tables as t


@strawberry.enum(description="A visual area of the mouse's cortex.")
class BrainArea(Enum):
    """Values of area_membership.brain_area."""

    V1 = strawberry.enum_value("V1", description="Primary visual cortex.")
    LM = strawberry.enum_value("LM", description="Lateromedial area.")
    AL = strawberry.enum_value("AL", description="Anterolateral area.")
    RL = strawberry.enum_value("RL", description="Rostrolateral area.")


@strawberry.enum(description="What a mask shows.")
class MaskType(Enum):
    """Values of mask_classification.mask_type."""

    SOMA = strawberry.enum_value("soma", description="The soma of a neuron.")
    ARTIFACT = strawberry.enum_value("artifact", description="Anything else.")


@strawberry.enum(description="The kind of stimulus that a trial showed.")
class TrialType(Enum):
    """Values of trial.type."""

    CLIP = strawberry.enum_value("stimulus.Clip", description="A movie clip.")
    MONET2 = strawberry.enum_value("stimulus.Monet2", description="Filtered noise with coherent motion.")
    TRIPPY = strawberry.enum_value("stimulus.Trippy", description="A drifting random phase pattern.")


@strawberry.enum(description="Which way to sort. NULL comes last either way.")
class OrderDirection(Enum):
    """Direction of an order."""

    ASC = strawberry.enum_value("ASC", description="Smallest first.")
    DESC = strawberry.enum_value("DESC", description="Largest first.")


@strawberry.enum(description="The form in which an array is downloaded.")
class ArrayFormat(Enum):
    """Names in ``gql_nda.arrays.formats.FORMATS``."""

    NPY = strawberry.enum_value("npy", description="NumPy's own format: exact, any shape.")
    PNG = strawberry.enum_value(
        "png",
        description="A grey picture of a two-dimensional array: of whole numbers up to 65,535 "
        "it holds the numbers; others run from the least value, black, to the largest, white.",
    )


@strawberry.enum(description="Where behaviour at the frames of a scan comes from.")
class BehaviorSource(Enum):
    """Ways to bring behaviour to the frames."""

    SYNCHRONISED = strawberry.enum_value(
        "synchronised", description="ManualPupil and Treadmill, as the database holds them."
    )
    RESAMPLED = strawberry.enum_value(
        "resampled",
        description="RawManualPupil and RawTreadmill, brought to the frames here as the laboratory's pipeline does: a "
        "Hamming low-pass of two seconds, cut off at half the frame rate, then linear interpolation. A NaN spreads "
        "over the two seconds; outside the recording all is NaN.",
    )


@strawberry.enum(description="Whether the pupil was found in a frame.")
class PupilState(Enum):
    """States of the pupil at a frame."""

    VALID = strawberry.enum_value("valid", description="Both radii and the place of the pupil are known.")
    LOST = strawberry.enum_value("lost", description="One of them at least is NaN.")


@strawberry.enum(description="Which way a transform leads. The two ways are fits of their own, no inverses.")
class TransformDirection(Enum):
    """Values of coregistration.direction."""

    TWO_P_TO_EM = strawberry.enum_value("2PEM", description="From the two-photon stack to the EM volume.")
    EM_TO_TWO_P = strawberry.enum_value("EM2P", description="From the EM volume to the two-photon stack.")


@strawberry.enum(description="A frame of coordinates.")
class CoordinateFrame(Enum):
    """Names in ``gql_nda.resolvers.coordinates.UNITS``."""

    MOTOR = strawberry.enum_value("MOTOR", description="The microscope's motor (um), after registration.")
    STACK = strawberry.enum_value("STACK", description="Position from the corner of the stack (um).")
    EM = strawberry.enum_value("EM", description="The electron-microscopy volume: voxels of 4 x 4 x 40 nm.")


ENUMS: dict[Column[object], type[Enum]] = {
    t.area_membership.c.brain_area: BrainArea,
    t.coregistration.c.direction: TransformDirection,
    t.mask_classification.c.mask_type: MaskType,
    t.trial.c.type: TrialType,
}
"""The enumeration of a column, where it has one."""
