"""The conditions that a scan shows, with their repeats."""

from collections.abc import Awaitable, Sequence
from typing import NamedTuple

from gql_nda import tables as t
from gql_nda.context import Context
from gql_nda.errors import BadUserInput
from gql_nda.query import Query, Row, down
from gql_nda.resolvers.responses import Chosen
from gql_nda.resolvers.stimulus import CONDITIONS
from gql_nda.science.responses import repeats_of


class Shown(NamedTuple):
    """A condition, and the trials that showed it."""

    condition_hash: str
    type: str
    trial_idx: list[int]

    @property
    def repeats(self) -> int:
        """Number of trials."""
        return len(self.trial_idx)


TRIALS = down(t.scan, t.trial)
"""The trials of a scan."""


async def conditions(
    scans: Sequence[Row],
    context: Context,
    *,
    min_repeats: int = 1,
    type: str | None = None,  # noqa: A002
) -> list[list[Shown]]:
    """The conditions that each scan shows at least so often, in order of first showing."""
    if min_repeats < 1:
        raise BadUserInput(f"minRepeats: {min_repeats} is less than 1", argument="minRepeats")
    query = Query(TRIALS.table, TRIALS.on, tuple(scan.at(TRIALS.on) for scan in scans))
    found = await context.loaders.ask(context.store.rows, query)
    of = Chosen(type=type)
    shown = [_shown(of.of(found.get(scan.at(TRIALS.on), [])), min_repeats) for scan in scans]
    context.spend_values(sum(condition.repeats for conditions in shown for condition in conditions))
    return shown


def _shown(trials: list[Row], least: int) -> list[Shown]:
    repeats = repeats_of([trial["condition_hash"] for trial in trials], least)
    return [Shown(hash_, trials[at[0]]["type"], [trials[i]["trial_idx"] for i in at]) for hash_, at in repeats.items()]


def condition(shown: Shown, context: Context) -> Awaitable[Row | None] | None:
    """What was shown, if it is described. No coroutine: nobody may await it, where something beside it fails."""
    relation = CONDITIONS.get(shown.type)
    return context.loaders.row(relation).load((shown.condition_hash,)) if relation else None
