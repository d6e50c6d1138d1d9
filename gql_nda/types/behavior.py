"""RawManualPupil, ManualPupil, RawTreadmill, Treadmill."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from gql_nda import tables as t
from gql_nda.types.array import NdArray
from gql_nda.types.entity import Node, entity
from gql_nda.types.fields import array, column, parent, satellite

if TYPE_CHECKING:
    from gql_nda.types.scan import Scan

_raw_pupil, _pupil, _raw_treadmill, _treadmill = t.raw_manual_pupil, t.manual_pupil, t.raw_treadmill, t.treadmill


@entity(_raw_pupil)
class RawManualPupil(Node):
    """The pupil on the camera's clock."""

    session: int = column(_raw_pupil.c.session)
    scan_idx: int = column(_raw_pupil.c.scan_idx)
    pupil_min_r: NdArray | None = array(_raw_pupil.c.pupil_min_r)
    pupil_maj_r: NdArray | None = array(_raw_pupil.c.pupil_maj_r)
    pupil_x: NdArray | None = array(_raw_pupil.c.pupil_x)
    pupil_y: NdArray | None = array(_raw_pupil.c.pupil_y)
    pupil_times: NdArray | None = array(_raw_pupil.c.pupil_times)
    scan: Annotated["Scan", strawberry.lazy("gql_nda.types.scan")] | None = parent(_raw_pupil, t.scan)
    manual_pupil: "ManualPupil | None" = satellite(_raw_pupil, _pupil)


@entity(_pupil)
class ManualPupil(Node):
    """The pupil at the frames of the scan."""

    session: int = column(_pupil.c.session)
    scan_idx: int = column(_pupil.c.scan_idx)
    pupil_min_r: NdArray | None = array(_pupil.c.pupil_min_r)
    pupil_maj_r: NdArray | None = array(_pupil.c.pupil_maj_r)
    pupil_x: NdArray | None = array(_pupil.c.pupil_x)
    pupil_y: NdArray | None = array(_pupil.c.pupil_y)
    scan: Annotated["Scan", strawberry.lazy("gql_nda.types.scan")] | None = parent(_pupil, t.scan)
    raw_manual_pupil: RawManualPupil | None = parent(_pupil, _raw_pupil)


@entity(_raw_treadmill)
class RawTreadmill(Node):
    """The treadmill on its own clock."""

    session: int = column(_raw_treadmill.c.session)
    scan_idx: int = column(_raw_treadmill.c.scan_idx)
    treadmill_velocity: NdArray | None = array(_raw_treadmill.c.treadmill_velocity)
    treadmill_timestamps: NdArray | None = array(_raw_treadmill.c.treadmill_timestamps)
    scan: Annotated["Scan", strawberry.lazy("gql_nda.types.scan")] | None = parent(_raw_treadmill, t.scan)
    treadmill: "Treadmill | None" = satellite(_raw_treadmill, _treadmill)


@entity(_treadmill)
class Treadmill(Node):
    """The treadmill at the frames of the scan."""

    session: int = column(_treadmill.c.session)
    scan_idx: int = column(_treadmill.c.scan_idx)
    treadmill_velocity: NdArray | None = array(_treadmill.c.treadmill_velocity)
    scan: Annotated["Scan", strawberry.lazy("gql_nda.types.scan")] | None = parent(_treadmill, t.scan)
    raw_treadmill: RawTreadmill | None = parent(_treadmill, _raw_treadmill)
