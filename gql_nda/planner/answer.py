"""Answers a plan: rows level by level, their parts first, put together as JSON."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from graphql.pyutils import Path

from gql_nda.apart import Turnstile, apart
from gql_nda.context import Context, Planning
from gql_nda.planner import connections, parts
from gql_nda.planner.batches import Batch, Few, Slots, Texts, size
from gql_nda.planner.nodes import ConnectionPlan, Level, Part
from gql_nda.planner.reference import Reference
from gql_nda.query import Key, Planned, Row, by_key
from gql_nda.tables import key_names

if TYPE_CHECKING:
    from gql_nda.planner.connections import Pages

Place = Callable[[int], Path]
"""Where the response holds the row of an index."""


class Answer:
    """Answers plans within one request. What a plan can't say is None: its caller has graphql-core say it."""

    def __init__(self, context: Context, reference: Callable[[], Reference]) -> None:
        self.context, self._reference = context, reference
        self.turnstile = Turnstile()

    @cached_property
    def reference(self) -> Reference:
        """graphql-core, made when it is first needed."""
        return self._reference()

    @property
    def note(self) -> Planning:
        """How the request was executed."""
        return self.context.planning

    async def row(self, level: Level, key: Key, path: Path) -> str | None:
        """The row of a primary key: ``null`` where there is none."""
        row = await self.context.loaders.beside(by_key(level.table), level.refs, key)
        if row is None:
            return "null"
        rows = Few([Row(row.table, row)])
        texts = await self._texts(level, rows, lambda _: path)
        self._count(level, rows, texts)
        return texts[0]

    async def rows(self, level: Level, rows: Batch, place: Place) -> Texts:
        """The JSON of each row; rows that the plan can't say are completed by graphql-core."""
        return await self._whole(level, rows, place, await self._texts(level, rows, place))

    async def lists(self, level: Level, pages: "Pages", place: Place) -> Texts:
        """The JSON of each page's list: put together where its rows were, which are still in the cache there."""
        rows = pages.rows

        def rendered(slots: Slots) -> tuple[Texts, Texts]:
            texts = rows.render(level, slots)
            return texts, pages.lists(texts)

        slots = await self._slots(level, rows, place)
        texts, lists = await apart(len(rows), rendered, slots)
        self.replace(slots.values(), lists)
        return lists if None not in lists else pages.lists(await self._whole(level, rows, place, texts))

    async def _whole(self, level: Level, rows: Batch, place: Place, texts: Texts) -> Texts:
        """The texts, with those that are missing by graphql-core."""
        if None in texts:
            self._count(level, rows, texts)
            missing = [i for i, text in enumerate(texts) if text is None]
            keys = rows.at(key_names(level.table), missing)
            found = (self._completed(level, key, place(i)) for key, i in zip(keys, missing, strict=True))
            for i, text in zip(missing, await asyncio.gather(*found), strict=True):
                texts[i] = text
        return texts

    async def connections(self, plan: ConnectionPlan, planned: Sequence[Planned], paths: Sequence[Path]) -> Texts:
        """The JSON of connections that differ only in their parents' keys."""
        return await connections.answer(self, plan, planned, paths)

    async def _completed(self, level: Level, key: Key, path: Path) -> str | None:
        row = await self.context.loaders.row(by_key(level.table)).load(key)
        return await self.reference.completed(level.type, level.selection, path, row)

    async def _texts(self, level: Level, rows: Batch, place: Place) -> Texts:
        slots = await self._slots(level, rows, place)
        texts = await apart(len(rows), rows.render, level, slots)
        self.replace(slots.values(), texts)
        return texts

    def replace(self, held: Iterable[Texts], texts: Texts) -> None:
        """Note that texts have been put together of others, or will be: too many bytes are refused."""
        self.context.hold(size(texts) - sum(map(size, held)))

    async def _slots(self, level: Level, rows: Batch, place: Place) -> Slots:
        """The JSON of the level's parts."""
        if not level.parts:
            return {}
        answers = await asyncio.gather(*(self._part(part, rows, place) for part in level.parts))
        return {part.site.label: texts for part, texts in zip(level.parts, answers, strict=True)}

    async def _part(self, part: Part, rows: Batch, place: Place) -> Texts:
        def where(index: int) -> Path:
            path = place(index)
            for key, type_name in part.site.trail:
                path = path.add_key(key, type_name)
            return path

        try:
            return await parts.answer(self, part, rows, where)
        except Exception as error:  # graphql-core meets it as well, and tells each row's error where it stands
            self.note.fallbacks[type(error).__name__] += 1
            return [None] * len(rows)

    def _count(self, level: Level, rows: Batch, texts: Texts) -> None:
        """Note why rows weren't said: a failed part has noted it already."""
        for i, text in enumerate(texts):
            if text is None and (cause := rows.cause(level, i)):
                self.note.fallbacks[cause] += 1
