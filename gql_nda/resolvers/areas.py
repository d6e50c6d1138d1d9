"""Responses of brain areas to trials: means over units that stand for all of an area's."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gql_nda import tables as t
from gql_nda.arrays.numbers import as_list, finite
from gql_nda.context import Context
from gql_nda.errors import BadUserInput, LimitExceeded
from gql_nda.query import Key, Query, Ref, Row, up
from gql_nda.resolvers.responses import (
    FRAMES,
    AllMeans,
    Numbers,
    Psth,
    all_means,
    chosen,
    psth_numbers,
    psths,
    readable,
    spend,
)
from gql_nda.resolvers.traces import SCAN, Recording, recordings
from gql_nda.science.reasons import joined
from gql_nda.science.responses import Means, averaged

UNITS, MOST = 100, 1_000
"""Units of an area that are averaged: unless told otherwise, and at most."""

Units = NDArray[np.int32]
"""Units of a scan in order: (unit, 2), their numbers and delays (ms)."""

Members = dict[str, Units]
"""The units of each area of a scan."""

_AREA = Ref(t.area_membership.c.brain_area, (up(t.scan_unit, t.area_membership),))
_UNIT = [Ref(t.scan_unit.c[name]) for name in ("unit_id", "ms_delay")]


class AreaResponse(NamedTuple):
    """Mean response of ``n`` units of an area, of the ``units`` that it has."""

    brain_area: str
    mean: float | None
    sem: float | None
    n: int
    units: int
    reason: str | None = None


_NUMBERS = 4
"""Numbers of a response."""


async def area_responses(
    trials: Sequence[Row], context: Context, *, areas: Sequence[str] | None = None, units: int = UNITS
) -> list[list[AreaResponse] | BaseException]:
    """The response of each area to each trial: the mean over units of their mean over the trial's frames."""
    scans = list(dict.fromkeys(trial.at(SCAN.on) for trial in trials))
    members, rows = await _chosen(scans, context, areas, units)
    context.spend_values(sum(_NUMBERS * len(members[trial.at(SCAN.on)]) for trial in trials))
    found = await recordings(scans, context)
    means = {row.key: mean for row, mean in zip(rows, await all_means(rows, context), strict=True)}
    return await asyncio.to_thread(_told, trials, found, members, means, units)


class AreaPsth(NamedTuple):
    """Mean of units' mean responses to a condition, sample by sample; ``n`` units have the sample."""

    brain_area: str
    times: Numbers | None
    mean: Numbers | None
    sem: Numbers | None
    n: list[int] | None
    units: int
    reason: str | None = None


async def area_psths(
    scans: Sequence[Row],
    context: Context,
    *,
    condition_hash: str,
    areas: Sequence[str] | None = None,
    units: int = UNITS,
    align: str = FRAMES,
) -> list[list[AreaPsth]]:
    """The response of each area of each scan to a condition: the mean over units of their PSTHs."""
    keys = [scan.at(SCAN.on) for scan in scans]
    members, rows = await _chosen(keys, context, areas, units)
    of = chosen(context, condition_hash)
    known, count = await readable(scans, context), partial(psth_numbers, of, align)
    spend(scans, known, context, lambda recording: count(recording) * len(members[recording.scan.key]))
    by_unit = dict(zip([row.key for row in rows], await psths(rows, context, of, align), strict=True))
    told = await asyncio.to_thread(_psths, members, by_unit, units)
    return [told[key] for key in keys]


def _psths(
    members: Mapping[Key, Members], found: Mapping[Key, Psth | BaseException], units: int
) -> dict[Key, list[AreaPsth]]:
    return {
        scan: [
            _psth(area, [found[key] for key in _keys(scan, spaced(all_, units))], len(all_))
            for area, all_ in of.items()
        ]
        for scan, of in members.items()
    }


def _psth(area: str, found: Sequence[Psth | BaseException], units: int) -> AreaPsth:
    """The mean of an area's units, of so many."""
    known = [each for each in found if isinstance(each, Psth) and any(each.n or ())]
    unread = sum(isinstance(each, BaseException) for each in found)
    if not known:
        why = next((each.reason for each in found if isinstance(each, Psth)), None)
        why = why or "no unit of the area has a response"
        return AreaPsth(area, None, None, None, None, units, _reason(why, unread))
    times, (mean, sem, n) = (
        averaged(np.array([getattr(each, name) for each in known], float), axis=0) for name in ("times", "mean")
    )
    lists = as_list(times.mean), as_list(mean), as_list(sem), n.tolist()
    why = max((each.reason or "" for each in known), key=len)  # what is missing for all begins what one of them lacks
    return AreaPsth(area, *lists, units, _reason(why, unread))


def _reason(why: str | None, unread: int) -> str | None:
    return joined(why, f"{unread} of the units can't be read" if unread else None)


# --- which units -----------------------------------------------------------------------------------


async def _chosen(
    scans: list[Key], context: Context, areas: Sequence[str] | None, units: int
) -> tuple[dict[Key, Members], list[Row]]:
    """All units of the areas asked for, and those of them that are averaged."""
    if not 1 <= units <= MOST:
        raise BadUserInput(f"units: {units} is not from 1 to {MOST}", argument="units")
    members = dict(zip(scans, await _members(scans, context), strict=True))
    if areas is not None:
        wanted = dict.fromkeys(areas)
        members = {scan: {area: of.get(area, _NOBODY) for area in wanted} for scan, of in members.items()}
    rows = [row for scan, of in members.items() for all_ in of.values() for row in _rows(scan, spaced(all_, units))]
    _bound(len(rows), context)
    return members, rows


def spaced(units: Units, most: int) -> Units:
    """So many units at even steps: neighbours in order lie in one field, at one depth."""
    count = min(len(units), most)
    return units[np.arange(count) * len(units) // max(count, 1)]


_NOBODY: Units = np.zeros((0, 2), np.int32)


async def _members(scans: list[Key], context: Context) -> list[Members]:
    """The units of each area of scans, areas by name."""

    async def missing(keys: list[Key]) -> list[Members]:
        query = Query(t.scan_unit, SCAN.on, tuple(keys))
        rows = await context.loaders.ask(context.store.columns, query, (*_UNIT, _AREA))
        places = rows.drop_nulls(_AREA.label).partition_by(*SCAN.on, _AREA.label, maintain_order=True, as_dict=True)
        found: dict[Key, Members] = {key: {} for key in keys}
        for (*scan, area), units in sorted(places.items()):
            found[tuple(scan)][str(area)] = units.select(ref.label for ref in _UNIT).cast(pl.Int32).to_numpy()
        return list(found.values())

    return await context.cache.each("areas", scans, missing)


def _rows(scan: Key, units: Units) -> list[Row]:
    """Units as rows: of what else a unit has they know the delay alone."""
    place = dict(zip(SCAN.on, scan, strict=True))
    return [Row(t.scan_unit, {**place, "unit_id": unit, "ms_delay": delay}) for unit, delay in units.tolist()]


def _keys(scan: Key, units: Units) -> list[Key]:
    return [(*scan, unit) for unit in units[:, 0].tolist()]


def _bound(count: int, context: Context) -> None:
    """LIMIT_EXCEEDED if more traces must be read than a page has rows."""
    most = context.limits.page_max
    if count > most:
        message = f"page_max: {count} units' responses to average, at most {most}; take fewer units, areas or scans"
        raise LimitExceeded(message, limit="page_max", maximum=most)


def _told(
    trials: Sequence[Row],
    found: Mapping[Key, Recording | BaseException],
    members: Mapping[Key, Members],
    means: Mapping[Key, AllMeans | BaseException],
    units: int,
) -> list[list[AreaResponse] | BaseException]:
    """The areas' responses to each trial."""
    known = {scan: recording for scan, recording in found.items() if isinstance(recording, Recording)}
    areas = {scan: [_area(scan, area, all_, means, units) for area, all_ in members[scan].items()] for scan in known}
    places = {scan: {trial: at for at, trial in enumerate(of.column("trial_idx"))} for scan, of in known.items()}

    def of(trial: Row) -> list[AreaResponse] | BaseException:
        scan = trial.at(SCAN.on)
        match found.get(scan):
            case Recording():
                return [area.at(places[scan][trial["trial_idx"]]) for area in areas[scan]]
            case BaseException() as error:
                return error
        return []

    return [of(trial) for trial in trials]


class _Area(NamedTuple):
    """An area's mean response to every trial."""

    name: str
    responses: Means
    units: int
    unread: int

    def at(self, trial: int) -> AreaResponse:
        """The response to one of the trials."""
        n = int(self.responses.n[trial]) if len(self.responses.n) else 0
        mean, sem = (finite(column[trial]) if n else None for column in self.responses[:2])
        unknown = None if n else "no unit of the area has a response to the trial"
        return AreaResponse(self.name, mean, sem, n, self.units, _reason(unknown, self.unread))


_NOTHING = Means(np.zeros(0), np.zeros(0), np.zeros(0, np.int64))


def _area(scan: Key, name: str, all_: Units, means: Mapping[Key, AllMeans | BaseException], units: int) -> _Area:
    """The mean of an area's units."""
    found = [means[key] for key in _keys(scan, spaced(all_, units))]
    known = [each.mean for each in found if isinstance(each, AllMeans) and each.reason is None]
    responses = averaged(np.stack(known), axis=0) if known else _NOTHING
    return _Area(name, responses, len(all_), sum(isinstance(each, BaseException) for each in found))
