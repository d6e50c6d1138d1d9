"""Hunts for documents that are answered differently, and makes what it finds small."""

from collections.abc import Iterable

from tests.planner.agreement import Agreement, Disagreement
from tests.planner.documents import Case, document
from tests.planner.smaller import smallest
from tests.planner.world import World


async def hunt(agreement: Agreement, world: World, seeds: Iterable[object], *, ordered: bool = True) -> None:
    """Asks the documents of some seeds; raises the first Disagreement, made small."""
    schema = agreement.plain._schema
    for seed in seeds:
        case = document(world, schema, seed, ordered=ordered)
        try:
            await agreement.check(case)
        except Disagreement as found:
            raise await _smaller(found, agreement) from None
        except Exception as error:
            error.add_note(f"{seed}: {case!r}")
            raise


async def _smaller(found: Disagreement, agreement: Agreement) -> Disagreement:
    last = found

    async def fails(case: Case) -> bool:
        nonlocal last
        try:
            await agreement.compare(case)
        except Disagreement as smaller:
            last = smaller
            return True
        return False

    await smallest(found.case, agreement.plain._schema, fails)
    return last
