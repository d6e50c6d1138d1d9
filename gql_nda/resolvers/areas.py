"""Responses of brain areas to trials: means over units that stand for all of an area's."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gql_nda import tables as t
from gql_nda.arrays.numbers import as_list, finite
from gql_nda.context import Context
from gql_nda.errors import BadUserInput, LimitExceeded
from gql_nda.query import Key, Query, Ref, Relation, Row
from gql_nda.resolvers.responses import FRAMES, AllMeans, Numbers, Psth, all_means, chosen, plain, psths
from gql_nda.resolvers.traces import SCAN, Recording, recordings
from gql_nda.science.responses import Means, averaged
from gql_nda.tables import key_names

UNITS, MOST = 100, 1_000
"""Units of an area that are averaged: unless told otherwise, and at most."""

Ids = NDArray[np.int32]
Members = dict[str, Ids]
"""The units of each area of a scan, in order."""

_AREA = t.area_membership.c.brain_area
_UNIT = Relation(t.scan_unit, key_names(t.scan_unit))


class AreaResponse(NamedTuple):
    """Mean response of ``n`` units of an area, of the ``units`` that it has."""

    brain_area: str
    mean: float | None
    sem: float | None
    n: int
    units: int
    reason: str | None = None


async def area_responses(
    trials: Sequence[Row], context: Context, *, areas: Sequence[Any] | None = None, units: int = UNITS
) -> list[list[AreaResponse] | BaseException]:
    """The response of each area to each trial: the mean over units of their mean over the trial's frames."""
    scans = list(dict.fromkeys(trial.at(SCAN.on) for trial in trials))
    members, rows = await _chosen(scans, context, areas, units)
    found = await recordings(scans, context)
    means = {row.key: mean for row, mean in zip(rows, await all_means(rows, context), strict=True)}
    return await asyncio.to_thread(_told, trials, found, members, means, units)


class AreaPsth(NamedTuple):
    """Mean of units' mean responses to a condition, sample by sample; ``n`` units have the sample."""

    brain_area: str
    times: Numbers
    mean: Numbers
    sem: Numbers
    n: list[int]
    units: int
    reason: str | None = None


async def area_psths(
    scans: Sequence[Row],
    context: Context,
    *,
    condition_hash: str,
    areas: Sequence[Any] | None = None,
    units: int = UNITS,
    align: Any = FRAMES,
) -> list[list[AreaPsth]]:
    """The response of each area of each scan to a condition: the mean over units of their PSTHs."""
    keys = [scan.at(SCAN.on) for scan in scans]
    members, rows = await _chosen(keys, context, areas, units)
    known = [row for row in await context.loaders.row(_UNIT).load_many([row.key for row in rows]) if row is not None]
    found = await psths(known, context, chosen(context, condition_hash), plain(align))
    by_unit = {row.key: psth for row, psth in zip(known, found, strict=True)}
    told = await asyncio.to_thread(_psths, members, by_unit, units)
    context.spend_values(sum(3 * len(psth.n) for of in told.values() for psth in of))
    return [told[key] for key in keys]


def _psths(
    members: Mapping[Key, Members], found: Mapping[Key, Psth | BaseException], units: int
) -> dict[Key, list[AreaPsth]]:
    return {
        scan: [
            _psth(area, [found.get((*scan, u)) for u in spaced(ids, units).tolist()], ids) for area, ids in of.items()
        ]
        for scan, of in members.items()
    }


def _psth(area: str, found: Sequence[Psth | BaseException | None], ids: Ids) -> AreaPsth:
    """The mean of an area's units."""
    known = [each for each in found if isinstance(each, Psth) and each.n]
    unread = sum(isinstance(each, BaseException) for each in found)
    if not known:
        why = next((each.reason for each in found if isinstance(each, Psth)), None)
        return AreaPsth(area, [], [], [], [], len(ids), _reason(why or "no unit of the area has a response", unread))
    times, (mean, sem, n) = (
        averaged(np.array([getattr(each, name) for each in known], float), axis=0) for name in ("times", "mean")
    )
    lists = as_list(times.mean), as_list(mean), as_list(sem), n.tolist()
    return AreaPsth(area, *lists, len(ids), _reason(known[0].reason, unread))


def _reason(why: str | None, unread: int) -> str | None:
    return "; ".join(filter(None, (why, f"{unread} of the units can't be read" if unread else None))) or None


# --- which units -----------------------------------------------------------------------------------


async def _chosen(
    scans: list[Key], context: Context, areas: Sequence[Any] | None, units: int
) -> tuple[dict[Key, Members], list[Row]]:
    """All units of the areas asked for, and those of them that are averaged."""
    if not 1 <= units <= MOST:
        raise BadUserInput(f"units: {units} is not from 1 to {MOST}", argument="units")
    members = dict(zip(scans, await _members(scans, context), strict=True))
    if areas is not None:
        wanted = dict.fromkeys(map(plain, areas))
        members = {scan: {area: of.get(area, _NOBODY) for area in wanted} for scan, of in members.items()}
    rows = [row for scan, of in members.items() for ids in of.values() for row in _rows(scan, spaced(ids, units))]
    _bound(len(rows), context)
    return members, rows


def spaced(ids: Ids, most: int) -> Ids:
    """So many units at even steps: neighbours in order lie in one field, at one depth."""
    count = min(len(ids), most)
    return ids[np.arange(count) * len(ids) // max(count, 1)]


_NOBODY: Ids = np.zeros(0, np.int32)


async def _members(scans: list[Key], context: Context) -> list[Members]:
    """The units of each area of scans, areas by name."""

    async def missing(keys: list[Key]) -> list[Members]:
        query = Query(t.area_membership, SCAN.on, tuple(keys))
        rows = await context.loaders.ask(context.store.columns, query, (Ref(_AREA),))
        by_area = rows.drop_nulls(_AREA.name).group_by(*SCAN.on, _AREA.name, maintain_order=True).agg("unit_id")
        found: dict[Key, Members] = {key: {} for key in keys}
        for *scan, area, ids in by_area.sort(_AREA.name).iter_rows():
            found[tuple(scan)][area] = np.array(ids, np.int32)
        return list(found.values())

    return await context.cache.each("areas", scans, missing)


def _rows(scan: Key, ids: Ids) -> list[Row]:
    """Units as rows: their keys alone."""
    place = dict(zip(SCAN.on, scan, strict=True))
    return [Row(t.area_membership, {**place, "unit_id": unit}) for unit in ids.tolist()]


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
    areas = {
        scan: [_area(scan, area, ids, means, units) for area, ids in members[scan].items()]
        for scan, recording in found.items()
        if isinstance(recording, Recording)
    }

    def of(trial: Row) -> list[AreaResponse] | BaseException:
        scan = trial.at(SCAN.on)
        match found.get(scan):
            case Recording() as recording:
                at = recording.column("trial_idx").index(trial["trial_idx"])
                return [area.at(at) for area in areas[scan]]
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


def _area(scan: Key, name: str, ids: Ids, means: Mapping[Key, AllMeans | BaseException], units: int) -> _Area:
    """The mean of an area's units."""
    found = [means[(*scan, unit)] for unit in spaced(ids, units).tolist()]
    known = [each.mean for each in found if isinstance(each, AllMeans) and each.reason is None]
    responses = averaged(np.stack(known), axis=0) if known else _NOTHING
    return _Area(name, responses, len(ids), sum(isinstance(each, BaseException) for each in found))
