"""The parts of a level: each is answered once for all its rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
from graphql.pyutils import Path

from gql_nda import apart
from gql_nda.loaders import Derived
from gql_nda.planner.batches import Batch as Rows
from gql_nda.planner.batches import Texts, owners, size
from gql_nda.planner.compile import name_of
from gql_nda.planner.nodes import Batch, Children, Delegated, Header, Named, Part
from gql_nda.planner.text import quoted
from gql_nda.query import Key, Planned, Row
from gql_nda.resolvers import arrays
from gql_nda.resolvers.arrays import ArrayRef
from gql_nda.types.arguments import plain

if TYPE_CHECKING:
    from gql_nda.planner.answer import Answer

Where = Callable[[int], Path]


async def answer(within: "Answer", part: Part, rows: Rows, where: Where) -> Texts:
    """The JSON of a part for each row; None where graphql-core must say it with its whole row."""
    match part:
        case Named():
            return _held(within, _names(part, rows))
        case Children():
            return await _children(within, part, owners(rows, part.site), where)
        case Header():
            return await _headers(within, part, owners(rows, part.site), where)
        case Batch():
            return await _batch(within, part, owners(rows, part.site), where)
        case Delegated(site):
            within.note.delegated[f"{site.selection.parent.name}.{name_of(site.selection)}"] += 1
            return await within.reference.executed(site.selection, owners(rows, site), where)


def _names(part: Named, rows: Rows) -> Texts:
    columns = rows.at([part.stored.label, *(ref.label for ref in part.site.refs)])
    return [quoted(part.spec.name(stored, tuple(key))) if key[0] is not None else "null" for stored, *key in columns]


def _held(within: "Answer", texts: Texts) -> Texts:
    """The texts, counted: too many bytes are refused."""
    within.context.hold(size(texts))
    return texts


async def _completed(within: "Answer", part: Part, rows: Sequence[Row | None], texts: Texts, where: Where) -> Texts:
    """The texts, with those that are missing by graphql-core."""
    if not (lacking := [i for i, text in enumerate(texts) if text is None]):
        return texts
    said = await within.reference.executed(part.site.selection, [rows[i] for i in lacking], lambda j: where(lacking[j]))
    for i, text in zip(lacking, said, strict=True):
        texts[i] = text
    return texts


# --- children --------------------------------------------------------------------------------------


async def _children(within: "Answer", part: Children, parents: Sequence[Row | None], where: Where) -> Texts:
    """The connection of each row; rows that are the same have the same, if no error names where it stands."""
    first: dict[Key, int] = {}
    for i, parent in enumerate(parents):
        if parent is not None:
            first.setdefault(parent.key, i)
    like = {i: first[parent.key] for i, parent in enumerate(parents) if parent is not None}
    plans, errors = await _plans(within, part, {i: parents[i] for i in first.values()}, where)
    told, alone = await _connections(within, part, plans, where)
    texts: Texts = ["null"] * len(parents)
    for i, j in like.items():
        texts[i] = told.get(j) if i == j or j not in alone else None
    _tell_again(within, [(j, i) for i, j in like.items() if i != j and texts[i] is not None], where)
    within.context.hold(size(texts) - size(list(told.values())))
    async for i in within.turnstile.through([i for i, j in like.items() if j in errors]):
        texts[i] = await within.reference.answered(part.site.selection, where(i), errors[like[i]])
    return await _completed(within, part, parents, texts, where)


async def _connections(
    within: "Answer", part: Children, plans: Mapping[int, Planned], where: Where
) -> tuple[dict[int, str | None], set[int]]:
    """The connections by row, and the rows whose connection holds errors, each of which names its place."""
    if not plans:
        return {}, set()
    paths = {i: where(i) for i in plans}
    before = len(within.reference.errors)
    found = await within.connections(part.plan, list(plans.values()), list(paths.values()))
    places = {tuple(path.as_list()): i for i, path in paths.items()}
    depth = len(next(iter(places)))
    erring = (tuple(error.path or ())[:depth] for error in within.reference.errors[before:])
    return dict(zip(plans, found, strict=True)), {places[place] for place in erring if place in places}


def _tell_again(within: "Answer", pairs: Sequence[tuple[int, int]], where: Where) -> None:
    """What is counted towards a limit counts for each row that shows it."""
    counts = {j: within.context.spent(where(j)) for j in dict(pairs)}
    for j, i in pairs:
        if counts[j]:
            within.context.spend_again(where(j), where(i))


async def _plans(
    within: "Answer", part: Children, parents: Mapping[int, Any], where: Where
) -> tuple[dict[int, Planned], dict[int, Exception]]:
    """What each parent's resolver returns, or raises: plans are alike but for the key, unless a cursor is given."""
    plans: dict[int, Planned] = {}
    errors: dict[int, Exception] = {}
    async for i, parent in within.turnstile.through(parents.items()):
        if (alike := next(iter(plans.values()), None)) is not None and alike.query.after is None:
            plans[i] = replace(alike, query=replace(alike.query, keys=(parent.at(part.spec.relation.on),)))
            continue
        try:
            plans[i] = within.reference.value(part.site.selection, parent, where(i))
        except Exception as error:
            within.note.fallbacks[type(error).__name__] += 1
            errors[i] = error
    return plans, errors


# --- arrays ----------------------------------------------------------------------------------------

_INT32 = 2**31


async def _headers(within: "Answer", part: Header, rows: Sequence[Row | None], where: Where) -> Texts:
    """Headers are read for all rows at once; an array that can't be told of is left to graphql-core."""
    spec, context = part.spec, within.context
    keys = list(dict.fromkeys(owner.at(spec.on) for owner in rows if owner is not None))
    heads = await context.loaders.ask(context.store.heads, spec.column, keys)
    forms = {key: _form(within, selected) for key, selected in part.fields if selected and name_of(selected) == "href"}

    def told(owner: Row | None) -> str | None:
        head = heads.get(owner.at(spec.on)) if owner is not None else None
        if owner is None or head is None:
            return "null"
        try:
            array = spec.reference(owner, head, context)
            said = {key: _told(array, selected, forms.get(key), context) for key, selected in part.fields}
            return orjson.dumps(said).decode()
        except Exception:
            return None

    return await _completed(within, part, rows, _held(within, [told(owner) for owner in rows]), where)


def _form(within: "Answer", selected: Any) -> str:
    return str(plain(within.reference.coerced(selected).get("format")) or "npy")


def _told(array: ArrayRef, selected: Any, form: str | None, context: Any) -> Any:
    """One field of an array."""
    match name_of(selected) if selected else "__typename":
        case "shape":
            return [_int(length) for length in array.header.shape]
        case "dtype":
            return array.header.dtype
        case "unit":
            return array.expected.unit
        case "dims":
            return array.expected.dims
        case "nbytes":
            return _int(array.header.nbytes)
        case "href":
            return arrays.href(array, context, form or "npy")
    return "NdArray"


def _int(value: int) -> int:
    """A number that Int can hold."""
    if value >= _INT32:
        raise OverflowError(value)
    return value


# --- batches ---------------------------------------------------------------------------------------


async def _batch(within: "Answer", part: Batch, owners: Sequence[Row | None], where: Where) -> Texts:
    """The results of one call for all rows, each completed by graphql-core: they may be of any type."""
    rows = list({owner.key: owner for owner in owners if owner is not None}.values())
    results = dict(zip([row.key for row in rows], await _results(within, part, rows), strict=True))
    selected, texts = part.site.selection, list[str | None]()
    async for owner in within.turnstile.through(owners):
        at = len(texts)
        texts.append(await within.reference.answered(selected, where(at), results[owner.key]) if owner else "null")
    return texts


async def _results(within: "Answer", part: Batch, rows: Sequence[Row]) -> Sequence[Any]:
    """The results, loaded as graphql-core would load them; an error in the arguments is every row's."""
    try:
        loader = part.spec.loader(within.context, within.reference.arguments(part.site.selection))
    except Exception as error:
        return [error] * len(rows)
    if len(rows) > apart.PORTION:
        await within.turnstile.turn()  # all of a part are loaded together: they are one batch
    return await loader.load_each(list(map(Derived, rows)))
