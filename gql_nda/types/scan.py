"""Scan, ScanInclude, ScanTimes."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from gql_nda import tables as t
from gql_nda.resolvers import scan as derived
from gql_nda.types.array import NdArray
from gql_nda.types.connection import Connection
from gql_nda.types.entity import Node, entity
from gql_nda.types.epochs import ScanBehavior
from gql_nda.types.fields import array, batch, children, column, parent, present, satellite
from gql_nda.types.responses import ScanConditions

if TYPE_CHECKING:
    from gql_nda.types.behavior import ManualPupil, RawManualPupil, RawTreadmill, Treadmill
    from gql_nda.types.field import Field
    from gql_nda.types.stimulus import Stimulus, Trial
    from gql_nda.types.unit import UnitConnection

_scan = t.scan


@entity(_scan)
class Scan(Node, ScanBehavior, ScanConditions):
    """One two-photon recording."""

    session: int = column(_scan.c.session)
    scan_idx: int = column(_scan.c.scan_idx)
    nframes: int = column(_scan.c.nframes)
    nfields: int = column(_scan.c.nfields)
    fps: float = column(_scan.c.fps)
    included: bool = present(_scan, t.scan_include, "Whether the scan passed quality control: ScanInclude.")
    depths: list[float] | None = batch(derived.depths, "The distinct depths of the scan's fields, in order (um).")
    scan_times: "ScanTimes | None" = satellite(_scan, t.scan_times)
    stimulus: Annotated["Stimulus", strawberry.lazy("gql_nda.types.stimulus")] | None = satellite(_scan, t.stimulus)
    raw_manual_pupil: Annotated["RawManualPupil", strawberry.lazy("gql_nda.types.behavior")] | None = satellite(
        _scan, t.raw_manual_pupil
    )
    manual_pupil: Annotated["ManualPupil", strawberry.lazy("gql_nda.types.behavior")] | None = satellite(
        _scan, t.manual_pupil
    )
    raw_treadmill: Annotated["RawTreadmill", strawberry.lazy("gql_nda.types.behavior")] | None = satellite(
        _scan, t.raw_treadmill
    )
    treadmill: Annotated["Treadmill", strawberry.lazy("gql_nda.types.behavior")] | None = satellite(_scan, t.treadmill)
    fields: Connection[Annotated["Field", strawberry.lazy("gql_nda.types.field")]] | None = children(
        _scan, t.field, "The fields of the scan."
    )
    units: Annotated["UnitConnection", strawberry.lazy("gql_nda.types.unit")] | None = children(
        _scan, t.scan_unit, "The units of the scan."
    )
    trials: Connection[Annotated["Trial", strawberry.lazy("gql_nda.types.stimulus")]] | None = children(
        _scan, t.trial, "The trials of the scan, in order."
    )


@entity(t.scan_times)
class ScanTimes(Node):
    """When the frames were taken."""

    session: int = column(t.scan_times.c.session)
    scan_idx: int = column(t.scan_times.c.scan_idx)
    ndepths: int = column(t.scan_times.c.ndepths)
    frame_times: NdArray | None = array(t.scan_times.c.frame_times)
    mean_rate: float | None = batch(
        derived.mean_rate, "Measured frame rate: the mean of 1 / (time between successive frames) (Hz)."
    )
    scan: Scan | None = parent(t.scan_times, _scan)
