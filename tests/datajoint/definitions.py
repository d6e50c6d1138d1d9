"""The 29 tables as DataJoint declares them: a second telling of nda, apart from ``gql_nda.tables``.

Written from the facts of the release (keys, types, parents), so that what the real package makes of
them in a real server is a check of ``gql_nda.tables`` and of everything that is built on it.
"""


class Manual:
    """A table whose rows come from outside; its MySQL name has no prefix."""

    definition: str


class Lookup(Manual):
    """A table of what is known beforehand; its MySQL name begins with ``#``."""


# --- scan ----------------------------------------------------------------------------------------


class Scan(Manual):
    definition = """
    session  : smallint
    scan_idx : smallint
    ---
    nframes  : int
    nfields  : tinyint
    fps      : float
    """


class ScanInclude(Lookup):
    definition = """
    -> Scan
    """


class Field(Manual):
    definition = """
    -> Scan
    field     : smallint
    ---
    px_width  : smallint
    px_height : smallint
    um_width  : float
    um_height : float
    field_x   : float
    field_y   : float
    field_z   : float
    """


class RasterCorrection(Manual):
    definition = """
    -> Field
    ---
    raster_phase : float
    """


class MotionCorrection(Manual):
    definition = """
    -> Field
    ---
    y_shifts : longblob
    x_shifts : longblob
    y_std    : float
    x_std    : float
    """


class ScanTimes(Manual):
    definition = """
    -> Scan
    ---
    frame_times : longblob
    ndepths     : smallint
    """


class MeanIntensity(Manual):
    definition = """
    -> Field
    ---
    intensities : longblob
    """


class SummaryImages(Manual):
    definition = """
    -> Field
    ---
    correlation : longblob
    average     : longblob
    """


# --- segmentation --------------------------------------------------------------------------------


class Segmentation(Manual):
    definition = """
    -> Field
    mask_id : smallint
    ---
    pixels  : longblob
    weights : longblob
    """


class Fluorescence(Manual):
    definition = """
    -> Segmentation
    ---
    trace : longblob
    """


class MaskClassification(Manual):
    definition = """
    -> Segmentation
    ---
    mask_type : varchar(16)
    """


# --- unit ----------------------------------------------------------------------------------------


class ScanUnit(Manual):
    definition = """
    -> Scan
    unit_id  : int
    ---
    -> Fluorescence
    um_x     : smallint
    um_y     : smallint
    um_z     : smallint
    px_x     : smallint
    px_y     : smallint
    ms_delay : smallint
    """


class UnitHash(Manual):
    definition = """
    -> ScanUnit
    ---
    hash    : varchar(64)
    str_key : varchar(64)
    """


class Activity(Manual):
    definition = """
    -> ScanUnit
    ---
    trace : longblob
    """


class AreaMembership(Manual):
    definition = """
    -> ScanUnit
    ---
    brain_area : char(10)
    """


class Oracle(Manual):
    definition = """
    -> ScanUnit
    ---
    trials  : int
    pearson : float
    """


# --- stack ---------------------------------------------------------------------------------------


class Stack(Manual):
    definition = """
    stack_session : smallint
    stack_idx     : smallint
    ---
    motor_z   : float
    motor_y   : float
    motor_x   : float
    px_depth  : smallint
    px_height : smallint
    px_width  : smallint
    um_depth  : float
    um_height : float
    um_width  : float
    surf_z    : float
    """


class Registration(Manual):
    definition = """
    -> Stack
    -> Field
    ---
    a11       : float
    a21       : float
    a31       : float
    a12       : float
    a22       : float
    a32       : float
    reg_x     : float
    reg_y     : float
    reg_z     : float
    score     : float
    reg_field : longblob
    """


class Coregistration(Manual):
    definition = """
    -> Stack
    transform_id : int
    ---
    version                 : varchar(256)
    direction               : varchar(16)
    transform_type          : varchar(16)
    transform_args=null     : longblob
    transform_solution=null : longblob
    """


class StackUnit(Manual):
    definition = """
    -> Registration
    -> ScanUnit
    ---
    motor_x : float
    motor_y : float
    motor_z : float
    stack_x : float
    stack_y : float
    stack_z : float
    """


# --- stimulus ------------------------------------------------------------------------------------


class Stimulus(Manual):
    definition = """
    -> Scan
    ---
    movie : longblob
    """


class Trial(Manual):
    definition = """
    -> Stimulus
    trial_idx        : smallint
    ---
    type             : varchar(16)
    start_idx        : int unsigned
    end_idx          : int unsigned
    start_frame_time : double
    end_frame_time   : double
    stim_times       : longblob
    condition_hash   : char(20)
    """


class Clip(Manual):
    definition = """
    condition_hash   : char(20)
    ---
    movie_name       : char(250)
    duration         : decimal(7,3)
    clip             : longblob
    short_movie_name : char(15)
    fps              : float
    """


class Monet2(Manual):
    definition = """
    condition_hash  : char(20)
    ---
    fps             : decimal(6,3)
    duration        : decimal(6,3)
    rng_seed        : double
    blue_green_saturation=0.000 : decimal(4,3)
    pattern_width   : smallint
    pattern_aspect  : float
    temp_kernel     : varchar(16)
    temp_bandwidth  : decimal(4,2)
    ori_coherence   : decimal(4,2)
    ori_fraction    : float
    ori_mix         : float
    n_dirs          : smallint
    speed           : float
    directions      : longblob
    onsets          : blob
    movie           : longblob
    """


class Trippy(Manual):
    definition = """
    condition_hash     : char(20)
    ---
    fps                : decimal(6,3)
    rng_seed           : double
    packed_phase_movie : longblob
    tex_ydim           : smallint
    tex_xdim           : smallint
    duration           : float
    xnodes             : tinyint
    ynodes             : tinyint
    up_factor          : tinyint
    temp_freq          : float
    temp_kernel_length : smallint
    spatial_freq       : float
    movie              : longblob
    """


# --- behavior ------------------------------------------------------------------------------------


class RawManualPupil(Manual):
    definition = """
    -> Scan
    ---
    pupil_min_r : longblob
    pupil_maj_r : longblob
    pupil_x     : longblob
    pupil_y     : longblob
    pupil_times : longblob
    """


class ManualPupil(Manual):
    definition = """
    -> RawManualPupil
    ---
    pupil_min_r : longblob
    pupil_maj_r : longblob
    pupil_x     : longblob
    pupil_y     : longblob
    """


class RawTreadmill(Manual):
    definition = """
    -> Scan
    ---
    treadmill_velocity   : longblob
    treadmill_timestamps : longblob
    """


class Treadmill(Manual):
    definition = """
    -> RawTreadmill
    ---
    treadmill_velocity : longblob
    """


DEFINED: dict[str, type[Manual]] = {
    cls.__name__: cls for cls in list(globals().values()) if isinstance(cls, type) and "definition" in vars(cls)
}
"""The 29 classes by name, parents before children."""
