"""graphql-core's executor, planning: it takes connections and rows by key, and leaves all else as it is."""

import inspect
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from copy import copy
from functools import cached_property
from typing import Any, ClassVar

import orjson
from graphql import DirectiveNode, GraphQLObjectType, GraphQLResolveInfo, Node, get_named_type
from graphql.execution.collect_fields import FieldDetails
from graphql.pyutils import Path
from sqlalchemy import Table
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gql_nda.context import Context
from gql_nda.document import variables
from gql_nda.loaders import Lookup
from gql_nda.planner import leaves, records
from gql_nda.planner.answer import Answer
from gql_nda.planner.compile import Compiler, object_type, spec_for
from gql_nda.planner.nodes import Selection
from gql_nda.planner.reference import Reference, arguments
from gql_nda.query import Planned, Row, by_key
from gql_nda.resolvers.records import Records
from gql_nda.types.entity import ENTITIES, type_name
from gql_nda.types.specs import LookupSpec

log = logging.getLogger(__name__)

Details = list[FieldDetails]


class Plans:
    """Compiled plans; the least recently used one is dropped."""

    def __init__(self, most: int = 512) -> None:
        self._most = most
        self._known: OrderedDict[tuple[Any, ...], tuple[Any, Any]] = OrderedDict()

    def get(self, key: tuple[Any, ...], owner: Any, make: Callable[[], Any]) -> Any:
        """What was made for the key; it lives as long as its owner, whose identity is part of the key."""
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known[1]
        made = make()
        self._known[key] = (owner, made)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return made


_LEAST = 2
"""Bytes of a number and its comma, at least."""

_OWN = ("_plain", "_answer", "async_helpers")
"""What an executor holds that holds the executor."""


class TellingExecutor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's own way, but for lists that are told as they are."""

    def complete_list_value(
        self,
        return_type: Any,
        field_details_list: Details,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Numbers and plain records as they are; any other list as ever."""
        if leaves.complete(return_type, result):
            if isinstance(self.context_value, Context):
                self.context_value.tell_lists(_LEAST * leaves.count(result))
            return result[:]  # whoever gets the data may change it, and not what the cache holds
        if isinstance(result, Records) and isinstance(self.context_value, Context):
            selected = self.collect_subfields(get_named_type(return_type), field_details_list).grouped_field_set
            if (text := records.told(return_type, selected, result)) is not None:
                self.context_value.tell_lists(len(text))
                return self._given(text)
        return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)

    def _given(self, text: str) -> Any:
        """JSON as the context wants it: as it is for HTTP, as data for anyone else."""
        if text == "null":
            return None
        return orjson.Fragment(text) if self.context_value.fragments else orjson.loads(text)


class PlanningExecutor(TellingExecutor):
    """Answers by plans where it can; what a plan can't say it has graphql-core say."""

    plans: ClassVar[Plans]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._awaitable = self.is_awaitable
        self.is_awaitable = self._waits  # type: ignore[assignment]

    @cached_property
    def _plain(self) -> Any:
        """The same operation, without plans: errors are collected together."""
        plain: Any = copy(self)
        plain.__class__, plain.is_awaitable = TellingExecutor, self._awaitable
        return plain

    @cached_property
    def _answer(self) -> Answer:
        return Answer(self.context_value, lambda: Reference(self._plain))

    def close(self) -> None:
        """Let go of itself: rows and errors of a large answer needn't wait for the collector."""
        for each in (vars(self).get("_plain", self), self):
            for name in _OWN:
                vars(each).pop(name, None)
        self.is_awaitable = self._awaitable

    def _waits(self, value: Any) -> Any:
        """A lookup is no awaitable yet: its plan tells what to fetch."""
        return type(value) is not Lookup and self._awaitable(value)

    # --- where graphql-core executes and completes --------------------------------------------------

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_details_list: Details,
        path: Path,
        position_context: Any,
    ) -> Any:
        """A row by key needs no resolver: its arguments are its key."""
        field = parent_type.fields.get(field_details_list[0].node.name.value)
        if field is not None and path.prev is None and isinstance(self.context_value, Context):
            selected = Selection(parent_type, field, field_details_list)
            if isinstance(spec := spec_for(selected), LookupSpec):
                return self._looked_up(spec, selected, path)
        return super().execute_field(parent_type, source, field_details_list, path, position_context)

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_details_list: Details,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """A connection or a row is answered by a plan; any other object as ever."""
        arguments = (return_type, field_details_list, info, path)
        if isinstance(self.context_value, Context):
            match result:
                case Planned():
                    return self._connection(*arguments, result)
                case Lookup(relation=relation, key=key):
                    return self._row(return_type, _selection(info, field_details_list), path, relation.table, key)
                case Row(table=table, key=key):
                    return self._row(return_type, _selection(info, field_details_list), path, table, key)
        return super().complete_object_value(*arguments, result, position_context)

    def complete_abstract_value(
        self,
        return_type: Any,
        field_details_list: Details,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """The type of a lookup is that of its table's rows."""
        if isinstance(result, Lookup):
            kind: Any = self.schema.get_type(type_name(ENTITIES[result.relation.table.name]))
            return self.complete_object_value(kind, field_details_list, info, path, result, position_context)
        return super().complete_abstract_value(return_type, field_details_list, info, path, result, position_context)

    def _given(self, text: str) -> Any:
        """As ever, and counted: what isn't planned takes its part in a plan's texts."""
        self.context_value.tell(len(text))
        return super()._given(text)

    # --- plans ------------------------------------------------------------------------------------

    async def _connection(
        self, kind: GraphQLObjectType, details: Details, info: GraphQLResolveInfo[Any], path: Path, planned: Planned
    ) -> Any:
        table = planned.query.table

        async def answer() -> str | None:
            plan = self._plan(kind, details, table, lambda compiler: compiler.connection(kind, details, table))
            return (await self._answer.connections(plan, [planned], [path]))[0]

        text = await self._tried(answer())
        if text is not None:
            return self._given(text)
        return await _settled(self._plain.complete_object_value(kind, details, info, path, planned, None))

    async def _looked_up(self, spec: LookupSpec, selected: Selection, path: Path) -> Any:
        try:
            key = spec.key(arguments(selected, self))
            return await self._row(object_type(selected), selected, path, spec.relation.table, key)
        except Exception as error:
            self.handle_field_error(error, selected.field.type, selected.details, path)

    async def _row(
        self, kind: GraphQLObjectType, selected: Selection, path: Path, table: Table, key: tuple[Any, ...]
    ) -> Any:
        async def answer() -> str | None:
            level = self._plan(kind, selected.details, table, lambda compiler: compiler.level(kind, selected, table))
            return await self._answer.row(level, key, path)

        text = await self._tried(answer())
        if text is not None:
            return self._given(text)
        row = await self.context_value.loaders.row(by_key(table)).load(key)
        return await self._answer.reference.row(kind, selected, path, row)

    def _plan(self, kind: GraphQLObjectType, details: Details, table: Table, make: Callable[[Compiler], Any]) -> Any:
        """The plan of a selection, as this operation's variables include and skip its parts."""
        operation = self.operation
        names = self.plans.get((id(operation),), operation, self._conditions)
        given = self.variable_values.coerced
        conditions = tuple(given.get(name) for name in names)
        nodes = [id(detail.node) for detail in details]
        return self.plans.get((kind.name, table.name, conditions, *nodes), details, lambda: make(Compiler(self)))

    def _conditions(self) -> tuple[str, ...]:
        """Names of the variables that include or skip parts of the document."""
        nodes = (self.operation, *self.fragment_definitions.values())
        return tuple(sorted({name for node in nodes for name in variables(node, _is_directive)}))

    async def _tried(self, answer: Awaitable[str | None]) -> str | None:
        """A plan's answer; whatever went wrong, in compiling too, graphql-core tells where, or does better."""
        note = self.context_value.planning
        try:
            text = await answer
        except Exception as error:
            note.fallbacks[type(error).__name__] += 1
            log.debug("a plan failed", exc_info=True)
            return None
        note.planned += text is not None
        return text


def _selection(info: GraphQLResolveInfo[Any], details: Details) -> Selection:
    """The field that is being completed."""
    return Selection(info.parent_type, info.parent_type.fields[info.field_name], details)


async def _settled(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def _is_directive(node: Node) -> bool:
    return isinstance(node, DirectiveNode)


def planning(plans: Plans) -> type[PlanningExecutor]:
    """An executor class that remembers its plans in ``plans``."""
    return type("Planning", (PlanningExecutor,), {"plans": plans})
