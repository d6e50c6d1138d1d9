"""The 29 tables of nda, the single source of truth: names, types, keys, descriptions, units.

Data only. DDL, GraphQL descriptions and nullability, array addresses, the order of an import and
``docs/tables.md`` derive from here. Tables stand in the order in which rows can be inserted.

Every foreign key of nda joins columns of equal names (DataJoint's natural join), so a relation is
named by the two tables and the columns they share.
"""

import math
from ctypes import c_float
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from sqlalchemy import (
    CHAR,
    DECIMAL,
    Boolean,
    Column,
    Double,
    Float,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    TypeDecorator,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

metadata = MetaData()


@dataclass(frozen=True, slots=True)
class Array:
    """What an array column is expected to hold; the blob's own header decides.

    ``dims`` names the axes, ``dtype`` is NumPy's name, ``unit`` that of the values (None for counts
    and codes).
    """

    dims: tuple[str, ...]
    dtype: str
    unit: str | None = None


class Float32(TypeDecorator[float]):
    """MySQL's FLOAT: a value or operand is rounded to float32 before it meets the column.

    A finite operand beyond float32's range stays as it is: it still compares as it should.
    """

    impl = Float
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: object) -> float | None:  # noqa: ARG002
        """Round one value to float32."""
        if value is None:
            return None
        rounded = single(value)
        return rounded if math.isfinite(rounded) else value


def single(value: float) -> float:
    """The nearest float32; infinite where float32 ends."""
    return c_float(value).value


def shortest(value: float) -> float:
    """The shortest decimal that reads back as the same float32; infinite where float32 ends."""
    with np.errstate(over="ignore"):
        return float(str(np.float32(value)))


def is_blob(column: Column[Any]) -> bool:
    """Whether a column holds bytes that are only read on purpose."""
    return isinstance(column.type, LargeBinary)


def narrow(table: Table) -> list[Column[Any]]:
    """The columns of a table that are no blobs: what a row holds."""
    return [c for c in table.columns if not is_blob(c)]


@cache
def key_names(table: Table) -> tuple[str, ...]:
    """Names of the primary key's columns, in order."""
    return tuple(c.name for c in table.primary_key)


_TINY = SmallInteger().with_variant(mysql.TINYINT(), "mysql", "mariadb")
_UNSIGNED = Integer().with_variant(mysql.INTEGER(unsigned=True), "mysql", "mariadb")
_LONGBLOB = LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")
_BLOB = LargeBinary().with_variant(mysql.BLOB(), "mysql", "mariadb")
_HASH = CHAR(20)


def _decimal(precision: int, scale: int) -> DECIMAL[Any]:
    """A DECIMAL column, read as a float: one numeric type for clients. SQLite would give 4.000 back as an integer."""
    return DECIMAL(precision, scale, asdecimal=False).with_variant(Double(), "sqlite")


def _column(
    name: str,
    kind: TypeEngine[Any] | type[TypeEngine[Any]],
    description: str,
    unit: str | None = None,
    **options: Any,
) -> Column[Any]:
    """A NOT NULL column, unless told otherwise; the unit ends its description."""
    comment = f"{description} ({unit})." if unit else f"{description}."
    return Column(name, kind, comment=comment, info={"unit": unit}, **{"nullable": False, **options})


def _key(name: str, kind: TypeEngine[Any] | type[TypeEngine[Any]], description: str) -> Column[Any]:
    """A column of the primary key: given by the experiment, never by the server."""
    return _column(name, kind, description, primary_key=True, autoincrement=False)


def _array(
    name: str,
    description: str,
    dims: tuple[str, ...],
    dtype: str,
    unit: str | None = None,
    kind: TypeEngine[Any] = _LONGBLOB,
) -> Column[Any]:
    """A column that holds a DataJoint blob of numbers."""
    column = _column(name, kind, description, unit)
    column.info["array"] = Array(dims, dtype, unit)
    return column


def _table(name: str, description: str, *columns: Column[Any], parents: tuple[Table, ...] = ()) -> Table:
    """A table whose foreign keys refer to its parents' primary keys by equal names."""
    keys = [[c.name for c in parent.primary_key] for parent in parents]
    links = [
        ForeignKeyConstraint(names, [f"{parent.name}.{n}" for n in names])
        for parent, names in zip(parents, keys, strict=True)
    ]
    return Table(name, metadata, *columns, *links, comment=description)


def _scan_key() -> list[Column[Any]]:
    return [
        _key("session", SmallInteger, "Number of the imaging session, one a day"),
        _key("scan_idx", SmallInteger, "Number of the scan within its session"),
    ]


def _field_key() -> list[Column[Any]]:
    return [*_scan_key(), _key("field", SmallInteger, "Number of the field within its scan, from 1")]


def _mask_key() -> list[Column[Any]]:
    return [*_field_key(), _key("mask_id", SmallInteger, "Number of the mask within its field, from 1")]


def _unit_key() -> list[Column[Any]]:
    return [*_scan_key(), _key("unit_id", Integer, "Number of the unit within its scan, from 1")]


def _stack_key() -> list[Column[Any]]:
    return [
        _key("stack_session", SmallInteger, "Number of the session in which the stack was taken"),
        _key("stack_idx", SmallInteger, "Number of the stack within its session"),
    ]


def _condition_key() -> list[Column[Any]]:
    return [_key("condition_hash", _HASH, "Hash of the stimulus condition, 20 characters of base64")]


# --- scan ----------------------------------------------------------------------------------------

scan = _table(
    "scan",
    "One two-photon recording of the mouse's visual cortex: several depths, imaged in turn.",
    *_scan_key(),
    _column("nframes", Integer, "Number of frames recorded at each depth"),
    _column("nfields", _TINY, "Number of fields imaged, over all depths"),
    _column("fps", Float32, "Nominal frame rate of each field; the true one follows from the frame times", "Hz"),
)

scan_include = _table(
    "#scan_include",
    "The scans that passed quality control and are meant for analysis.",
    *_scan_key(),
    parents=(scan,),
)

# --- field ---------------------------------------------------------------------------------------

field = _table(
    "field",
    "One imaged rectangle of cortex at one depth.",
    *_field_key(),
    _column("px_width", SmallInteger, "Width of the image", "px"),
    _column("px_height", SmallInteger, "Height of the image", "px"),
    _column("um_width", Float32, "Width of the imaged rectangle", "um"),
    _column("um_height", Float32, "Height of the imaged rectangle", "um"),
    _column("field_x", Float32, "x of the field's centre in the motor frame, before registration", "um"),
    _column("field_y", Float32, "y of the field's centre in the motor frame, before registration", "um"),
    _column("field_z", Float32, "Depth of the field below the surface of the cortex", "um"),
    parents=(scan,),
)

raster_correction = _table(
    "raster_correction",
    "Correction of the shift between lines scanned leftwards and rightwards.",
    *_field_key(),
    _column("raster_phase", Float32, "Phase between the two directions of the resonant mirror", "rad"),
    parents=(field,),
)

motion_correction = _table(
    "motion_correction",
    "Correction of the sideways motion of the brain, frame by frame.",
    *_field_key(),
    _array("y_shifts", "Vertical shift taken from each frame", ("frame",), "float64", "px"),
    _array("x_shifts", "Horizontal shift taken from each frame", ("frame",), "float64", "px"),
    _column("y_std", Float32, "Standard deviation of the vertical shifts", "px"),
    _column("x_std", Float32, "Standard deviation of the horizontal shifts", "px"),
    parents=(field,),
)

scan_times = _table(
    "scan_times",
    "When the frames of a scan were taken.",
    *_scan_key(),
    _array(
        "frame_times",
        "Time of each frame at the first depth, counted from the first frame, on the stimulus clock",
        ("frame",),
        "float64",
        "s",
    ),
    _column("ndepths", SmallInteger, "Number of depths imaged in turn"),
    parents=(scan,),
)

mean_intensity = _table(
    "mean_intensity",
    "Mean brightness of a field over time.",
    *_field_key(),
    _array("intensities", "Mean over all pixels of each frame", ("frame",), "float64"),
    parents=(field,),
)

summary_images = _table(
    "summary_images",
    "Pictures that sum up the recording of a field.",
    *_field_key(),
    _array("correlation", "Mean correlation of each pixel with its eight neighbours", ("y", "x"), "float64"),
    _array("average", "Brightness of each pixel averaged over the frames", ("y", "x"), "float64"),
    parents=(field,),
)

# --- segmentation --------------------------------------------------------------------------------

segmentation = _table(
    "segmentation",
    "One mask: the weighted pixels of a field whose fluorescence belongs together.",
    *_mask_key(),
    _array(
        "pixels",
        "Pixels of the mask as 1-based indices into the field's image, counted down the columns",
        ("pixel",),
        "int64",
    ),
    _array("weights", "Weight of each pixel of the mask", ("pixel",), "float32"),
    parents=(field,),
)

fluorescence = _table(
    "fluorescence",
    "Fluorescence of a mask before spikes were inferred.",
    *_mask_key(),
    _array("trace", "Weighted fluorescence of the mask in each frame", ("frame",), "float32"),
    parents=(segmentation,),
)

mask_classification = _table(
    "mask_classification",
    "What a mask shows, as classified by its shape.",
    *_mask_key(),
    _column("mask_type", String(16), "Kind of the mask: soma or artifact"),
    parents=(segmentation,),
)

# --- unit ----------------------------------------------------------------------------------------

scan_unit = _table(
    "scan_unit",
    "One unit: a mask with an activity trace, numbered within its scan. A neuron imaged in two fields or "
    "scans is two units.",
    *_unit_key(),
    _column("field", SmallInteger, "Number of the field that holds the unit's mask"),
    _column("mask_id", SmallInteger, "Number of the unit's mask within its field"),
    _column("um_x", SmallInteger, "x of the centroid in the motor frame, before registration", "um"),
    _column("um_y", SmallInteger, "y of the centroid in the motor frame, before registration", "um"),
    _column("um_z", SmallInteger, "Depth of the centroid below the surface of the cortex", "um"),
    _column("px_x", SmallInteger, "x of the centroid in the field's image, from 0", "px"),
    _column("px_y", SmallInteger, "y of the centroid in the field's image, from 0", "px"),
    _column("ms_delay", SmallInteger, "Time from the start of a frame to the scan of the unit's centroid", "ms"),
    parents=(scan, fluorescence),
)

unit_hash = _table(
    "unit_hash",
    "Names of a unit that are unique over all scans.",
    *_unit_key(),
    _column("hash", String(64), "First 12 hexadecimal digits of the SHA-256 of the unit's key as JSON"),
    _column("str_key", String(64), "Session, scan and unit number, padded with zeros: 04_07_000001"),
    parents=(scan_unit,),
)

activity = _table(
    "activity",
    "Spiking activity of a unit, inferred from its fluorescence.",
    *_unit_key(),
    _array("trace", "Deconvolved activity in each frame", ("frame",), "float32"),
    parents=(scan_unit,),
)

area_membership = _table(
    "area_membership",
    "The visual area that a unit lies in.",
    *_unit_key(),
    _column("brain_area", CHAR(10), "Visual area: V1, LM, AL or RL"),
    parents=(scan_unit,),
)

oracle = _table(
    "oracle",
    "How reliably a unit responds to repeated natural movies.",
    *_unit_key(),
    _column("trials", Integer, "Number of trials the score was computed from"),
    _column("pearson", Float32, "Oracle score: correlation of each response with the mean of its other repeats"),
    parents=(scan_unit,),
)

# --- stack ---------------------------------------------------------------------------------------

stack = _table(
    "stack",
    "A structural volume of the same cortex, in which the fields of all scans are located.",
    *_stack_key(),
    _column("motor_z", Float32, "Depth of the stack's centre in the motor frame", "um"),
    _column("motor_y", Float32, "y of the stack's centre in the motor frame", "um"),
    _column("motor_x", Float32, "x of the stack's centre in the motor frame", "um"),
    _column("px_depth", SmallInteger, "Number of slices", "px"),
    _column("px_height", SmallInteger, "Height of a slice", "px"),
    _column("px_width", SmallInteger, "Width of a slice", "px"),
    _column("um_depth", Float32, "Depth of the volume", "um"),
    _column("um_height", Float32, "Height of the volume", "um"),
    _column("um_width", Float32, "Width of the volume", "um"),
    _column("surf_z", Float32, "Depth of the surface of the cortex in the motor frame", "um"),
)

registration = _table(
    "registration",
    "Affine location of a field in the stack: motor = a (x, y) + reg, for (x, y) um from the field's centre.",
    *_stack_key(),
    *_field_key(),
    _column("a11", Float32, "Change of motor x along the field's x"),
    _column("a21", Float32, "Change of motor y along the field's x"),
    _column("a31", Float32, "Change of motor z along the field's x"),
    _column("a12", Float32, "Change of motor x along the field's y"),
    _column("a22", Float32, "Change of motor y along the field's y"),
    _column("a32", Float32, "Change of motor z along the field's y"),
    _column("reg_x", Float32, "Motor x of the field's centre", "um"),
    _column("reg_y", Float32, "Motor y of the field's centre", "um"),
    _column("reg_z", Float32, "Motor z of the field's centre", "um"),
    _column("score", Float32, "Correlation of the field's image with the stack at that location"),
    _array("reg_field", "The slice of the stack that the field was found to show", ("y", "x"), "float32"),
    parents=(stack, field),
)

coregistration = _table(
    "coregistration",
    "A transform between the stack and the electron-microscopy volume.",
    *_stack_key(),
    _key("transform_id", Integer, "Number of the transform"),
    _column("version", String(256), "Release of the transform: phase3, or the deprecated phase2"),
    _column("direction", String(16), "From which volume to which: 2PEM or EM2P"),
    _column("transform_type", String(16), "Kind of the transform: spline, or the more rigid linear"),
    _column("transform_args", _LONGBLOB, "Settings the transform was fitted with", nullable=True),
    _column("transform_solution", _LONGBLOB, "Fitted stages of the transform", nullable=True),
    parents=(stack,),
)

stack_unit = _table(
    "stack_unit",
    "Position of a unit in the stack, by the registration of its field.",
    *_stack_key(),
    *_field_key(),
    _key("unit_id", Integer, "Number of the unit within its scan, from 1"),
    _column("motor_x", Float32, "x of the centroid in the motor frame", "um"),
    _column("motor_y", Float32, "y of the centroid in the motor frame", "um"),
    _column("motor_z", Float32, "z of the centroid in the motor frame", "um"),
    _column("stack_x", Float32, "x of the centroid from the stack's corner", "um"),
    _column("stack_y", Float32, "y of the centroid from the stack's corner", "um"),
    _column("stack_z", Float32, "z of the centroid from the stack's corner", "um"),
    parents=(registration, scan_unit),
)

# --- stimulus ------------------------------------------------------------------------------------

stimulus = _table(
    "stimulus",
    "What the mouse saw during a scan, resampled to one picture a frame.",
    *_scan_key(),
    _array("movie", "Grey level of the screen at each frame", ("y", "x", "frame"), "uint8"),
    parents=(scan,),
)

trial = _table(
    "trial",
    "One presentation of one stimulus condition.",
    *_scan_key(),
    _key("trial_idx", SmallInteger, "Number of the trial within its scan, from 0"),
    _column("type", String(16), "Kind of the condition: stimulus.Clip, stimulus.Monet2 or stimulus.Trippy"),
    _column("start_idx", _UNSIGNED, "Index of the first frame of the trial"),
    _column("end_idx", _UNSIGNED, "Index of the last frame of the trial, inclusive"),
    _column("start_frame_time", Double, "Time of the first flip, counted from the first frame of the scan", "s"),
    _column("end_frame_time", Double, "Time of the last flip, counted from the first frame of the scan", "s"),
    _array(
        "stim_times",
        "Time of every flip, counted from the first frame of the scan",
        ("row", "flip"),
        "float64",
        "s",
    ),
    _column("condition_hash", _HASH, "Hash of the condition shown"),
    parents=(stimulus,),
)

clip = _table(
    "clip",
    "A natural or rendered movie clip.",
    *_condition_key(),
    _column("movie_name", CHAR(250), "Name of the movie the clip was cut from"),
    _column("duration", _decimal(7, 3), "Duration of the clip", "s"),
    _array("clip", "Grey level of the clip", ("frame", "y", "x"), "float64"),
    _column("short_movie_name", CHAR(15), "Class of the movie: Cinematic, sports1m or Rendered"),
    _column("fps", Float32, "Frame rate of the clip", "Hz"),
)

monet2 = _table(
    "monet2",
    "Filtered noise with coherent motion, in a direction that changes over the trial.",
    *_condition_key(),
    _column("fps", _decimal(6, 3), "Frame rate of the movie", "Hz"),
    _column("duration", _decimal(6, 3), "Duration of the movie", "s"),
    _column("rng_seed", Double, "Seed of the random noise"),
    _column(
        "blue_green_saturation",
        _decimal(4, 3),
        "Colour saturation: 0 is grey, 1 is pure blue and green",
        server_default="0.000",
    ),
    _column("pattern_width", SmallInteger, "Width of the noise pattern", "px"),
    _column("pattern_aspect", Float32, "Width of the pattern over its height"),
    _column("temp_kernel", String(16), "Kernel of the temporal filter"),
    _column("temp_bandwidth", _decimal(4, 2), "Bandwidth of the temporal filter", "Hz"),
    _column("ori_coherence", _decimal(4, 2), "Coherence of the orientation; 1 is unoriented noise"),
    _column("ori_fraction", Float32, "Fraction of the time in which the noise is oriented"),
    _column("ori_mix", Float32, "Share of the oriented noise in the mix"),
    _column("n_dirs", SmallInteger, "Number of directions shown"),
    _column("speed", Float32, "Speed of the motion in units of the pattern's width per second"),
    _array("directions", "Direction of each segment of the trial", ("row", "direction"), "float64", "deg"),
    _array(
        "onsets",
        "Onset of each segment, counted from the start of the trial",
        ("row", "direction"),
        "float64",
        "s",
        kind=_BLOB,
    ),
    _array("movie", "Grey level of the movie", ("y", "x", "channel", "frame"), "uint8"),
)

trippy = _table(
    "trippy",
    "Cosine of a smoothly drifting random phase.",
    *_condition_key(),
    _column("fps", _decimal(6, 3), "Frame rate of the movie", "Hz"),
    _column("rng_seed", Double, "Seed of the random phase"),
    _array(
        "packed_phase_movie",
        "Phase on the coarse nodes, before it was upsampled",
        ("node", "t"),
        "float64",
        "rad",
    ),
    _column("tex_ydim", SmallInteger, "Height of the texture", "px"),
    _column("tex_xdim", SmallInteger, "Width of the texture", "px"),
    _column("duration", Float32, "Duration of the movie", "s"),
    _column("xnodes", _TINY, "Number of phase nodes along x"),
    _column("ynodes", _TINY, "Number of phase nodes along y"),
    _column("up_factor", _TINY, "Factor by which the nodes were upsampled"),
    _column("temp_freq", Float32, "Highest temporal frequency of the phase", "Hz"),
    _column("temp_kernel_length", SmallInteger, "Length of the temporal filter", "frames"),
    _column("spatial_freq", Float32, "Spatial frequency of the pattern"),
    _array("movie", "Grey level of the movie", ("y", "x", "frame"), "uint8"),
)

# --- behavior ------------------------------------------------------------------------------------

raw_manual_pupil = _table(
    "raw_manual_pupil",
    "The pupil as tracked by the eye camera, on the camera's own clock.",
    *_scan_key(),
    _array("pupil_min_r", "Minor radius of the pupil; NaN where it wasn't seen", ("sample",), "float64", "px"),
    _array("pupil_maj_r", "Major radius of the pupil; NaN where it wasn't seen", ("sample",), "float64", "px"),
    _array(
        "pupil_x",
        "x of the pupil's centre in the camera image; NaN where unseen",
        ("sample",),
        "float64",
        "px",
    ),
    _array(
        "pupil_y",
        "y of the pupil's centre in the camera image; NaN where unseen",
        ("sample",),
        "float64",
        "px",
    ),
    _array(
        "pupil_times",
        "Time of each sample, counted from the first frame of the scan; may be negative or start with NaN",
        ("sample",),
        "float64",
        "s",
    ),
    parents=(scan,),
)

manual_pupil = _table(
    "manual_pupil",
    "The pupil resampled to the frames of the scan.",
    *_scan_key(),
    _array("pupil_min_r", "Minor radius of the pupil at each frame", ("frame",), "float64", "px"),
    _array("pupil_maj_r", "Major radius of the pupil at each frame", ("frame",), "float64", "px"),
    _array("pupil_x", "x of the pupil's centre at each frame", ("frame",), "float64", "px"),
    _array("pupil_y", "y of the pupil's centre at each frame", ("frame",), "float64", "px"),
    parents=(raw_manual_pupil,),
)

raw_treadmill = _table(
    "raw_treadmill",
    "Speed of the treadmill the mouse runs on, on its own clock.",
    *_scan_key(),
    _array("treadmill_velocity", "Velocity of the treadmill", ("sample",), "float64", "cm/s"),
    _array(
        "treadmill_timestamps",
        "Time of each sample, counted from the first frame of the scan; may be negative or start with NaN",
        ("sample",),
        "float64",
        "s",
    ),
    parents=(scan,),
)

treadmill = _table(
    "treadmill",
    "Speed of the treadmill resampled to the frames of the scan.",
    *_scan_key(),
    _array("treadmill_velocity", "Velocity of the treadmill at each frame", ("frame",), "float64", "cm/s"),
    parents=(raw_treadmill,),
)

TABLES: dict[str, Table] = {t.name.lstrip("#"): t for t in metadata.tables.values()}
"""The 29 tables by the name used in addresses: MySQL's, without the ``#`` of lookup tables."""

# --- derived ---------------------------------------------------------------------------------------

em_position = Table(
    "em_position",
    MetaData(),
    *_unit_key(),
    _column("em_transform_id", SmallInteger, "Number of the transform that gave the position", nullable=True),
    _column("em_x", Double, "Position in the electron-microscopy volume along x", "voxels of 4 nm", nullable=True),
    _column("em_y", Double, "Position in the electron-microscopy volume along y", "voxels of 4 nm", nullable=True),
    _column("em_z", Double, "Position in the electron-microscopy volume along z", "voxels of 40 nm", nullable=True),
    _column(
        "em_extrapolated",
        Boolean,
        "Whether the unit lies outside the landmarks that the transform was fitted to: there it may be hundreds of um "
        "off; null where the transform has no landmarks",
        nullable=True,
    ),
    _column("em_reason", String(200), "Why there is no position; null where there is one", nullable=True),
    ForeignKeyConstraint(key_names(scan_unit), list(scan_unit.primary_key)),
    comment="A unit's position in the electron-microscopy volume, by the latest spline from its stack; "
    "it is some micrometres off.",
)

DERIVED: dict[str, Table] = {str(em_position.name): em_position}
"""Tables that no database holds: a row for each unit, computed from others."""

HELD: dict[str, Table] = TABLES | DERIVED
"""What a snapshot holds."""
