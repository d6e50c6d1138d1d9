"""The parts of a level: each is answered once for all its rows."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
from graphql.pyutils import Path

from gql_nda.loaders import Derived
from gql_nda.planner.batches import Batch as Rows
from gql_nda.planner.batches import Texts, owners
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
            return _names(part, rows)
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


# --- children --------------------------------------------------------------------------------------


async def _children(within: "Answer", part: Children, parents: Sequence[Row | None], where: Where) -> Texts:
    """The connection of each row; rows that are the same have the same, if no error names where it stands."""
    first: dict[Key, int] = {}
    for i, parent in enumerate(parents):
        if parent is not None:
            first.setdefault(parent.key, i)
    errors = within.reference.errors
    texts = await _connections(within, part, [(parents[i], where(i)) for i in first.values()])
    by_key = dict(zip(first, texts, strict=True))
    alike = within.reference.errors == errors
    return [
        "null" if parent is None else by_key[parent.key] if alike or first[parent.key] == i else None
        for i, parent in enumerate(parents)
    ]


async def _connections(within: "Answer", part: Children, parents: Sequence[tuple[Any, Path]]) -> Texts:
    if not parents:
        return []
    plans = _plans(within, part, parents)
    good = [i for i, plan in enumerate(plans) if plan is not None]
    found = await within.connections(part.plan, [plans[i] for i in good], [parents[i][1] for i in good]) if good else []
    texts: Texts = [None] * len(plans)
    for i, text in zip(good, found, strict=True):
        texts[i] = text
    return texts


def _plans(within: "Answer", part: Children, parents: Sequence[tuple[Any, Path]]) -> list[Any]:
    """What each parent's resolver returns, None where it raises: alike but for the key, unless a cursor is given."""

    def resolved(parent: Row, path: Path) -> Planned | None:
        try:
            planned: Planned = within.reference.value(part.site.selection, parent, path)
        except Exception as error:
            within.note.fallbacks[type(error).__name__] += 1
            return None
        return planned

    first = resolved(*parents[0])
    if first is None or first.query.after is not None or len(parents) == 1:
        return [first, *(resolved(*parent) for parent in parents[1:])]
    on = part.spec.relation.on
    return [replace(first, query=replace(first.query, keys=(parent.at(on),))) for parent, _ in parents]


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

    texts = [told(owner) for owner in rows]
    strange = [i for i, text in enumerate(texts) if text is None]
    said = await within.reference.executed(part.site.selection, [rows[i] for i in strange], lambda j: where(strange[j]))
    for i, text in zip(strange, said, strict=True):
        texts[i] = text
    return texts


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
    selected, answered = part.site.selection, within.reference.answered
    return [
        await answered(selected, where(i), results[owner.key]) if owner else "null" for i, owner in enumerate(owners)
    ]


async def _results(within: "Answer", part: Batch, rows: Sequence[Row]) -> Sequence[Any]:
    """The results, loaded as graphql-core would load them; an error in the arguments is every row's."""
    try:
        loader = part.spec.loader(within.context, within.reference.arguments(part.site.selection))
    except Exception as error:
        return [error] * len(rows)
    return await loader.load_each(list(map(Derived, rows)))
