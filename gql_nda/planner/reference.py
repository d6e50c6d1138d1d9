"""graphql-core itself, for what a plan can't say: the same rows, errors and paths as without a plan."""

import asyncio
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from graphql import GraphQLError, GraphQLObjectType
from graphql.execution.executor import Executor
from graphql.execution.values import VariableValues, get_argument_values
from graphql.pyutils import Path, Undefined
from strawberry.types.arguments import convert_arguments

from gql_nda.context import Context
from gql_nda.planner.batches import Texts
from gql_nda.planner.nodes import Selection

Where = Callable[[int], Path]


class Reference:
    """Executes and completes by an executor that plans nothing, and collects errors in the operation's."""

    def __init__(self, executor: Executor[Any]) -> None:
        self._executor = executor

    @property
    def context(self) -> Context:
        """The request's."""
        context: Context = self._executor.context_value
        return context

    @property
    def errors(self) -> Sequence[GraphQLError]:
        """The errors collected so far."""
        return self._executor.collected_errors.errors

    def value(self, selected: Selection, source: Any, path: Path) -> Any:
        """What the resolver of a field returns, its arguments coerced; raises as it does."""
        resolve = selected.field.resolve
        assert resolve is not None
        return resolve(source, self._info(selected, path), **self.coerced(selected))

    def coerced(self, selected: Selection) -> dict[str, Any]:
        """The arguments of a field as its resolver gets them."""
        return coerced(selected, self._executor.variable_values)

    def arguments(self, selected: Selection) -> dict[str, Any]:
        """The arguments of a field as a function of ours takes them."""
        return arguments(selected, self._executor)

    async def executed(self, selected: Selection, sources: Sequence[Any], where: Where) -> Texts:
        """A field of each source; None where it is null and must not be."""
        begun = [self._begun(selected, source, where(i)) for i, source in enumerate(sources)]
        return list(await asyncio.gather(*begun))

    def _begun(self, selected: Selection, source: Any, path: Path) -> Any:
        """The field, begun at once, so that what many rows load is loaded together."""
        if source is None:
            return _ended("null")
        try:
            found = self._executor.execute_field(selected.parent, source, selected.details, path, None)
        except Exception:
            return _ended(None)
        return self._dumped(found)

    async def completed(self, kind: GraphQLObjectType, selected: Selection, path: Path, value: Any) -> str | None:
        """One object of a list, completed; None where an error nulls it."""
        info = self._info(selected, path)
        try:
            found = self._executor.complete_value(kind, selected.details, info, path, value, None)
        except Exception:
            return None
        return await self._dumped(found)

    async def row(self, kind: GraphQLObjectType, selected: Selection, path: Path, value: Any) -> Any:
        """An object that is all of a field, as data; raises the error that nulls it."""
        if value is None:
            return None
        info = self._info(selected, path)
        found = self._executor.complete_object_value(kind, selected.details, info, path, value, None)
        return await found if inspect.isawaitable(found) else found

    async def answered(self, selected: Selection, path: Path, value: Any) -> str | None:
        """A field whose resolver has returned a value, or raised an exception that stands for it."""
        executor, kind = self._executor, selected.field.type
        try:
            found = executor.complete_value(kind, selected.details, self._info(selected, path), path, value, None)
            return self._dump(await found if inspect.isawaitable(found) else found)
        except Exception as error:
            try:
                executor.handle_field_error(error, kind, selected.details, path)
            except Exception:
                return None
            return "null"

    async def _dumped(self, found: Any) -> str | None:
        try:
            return self._dump(await found if inspect.isawaitable(found) else found)
        except Exception:  # a located error on its way up: who asks re-runs what holds it
            return None

    def _dump(self, found: Any) -> str | None:
        if found is Undefined:
            return None
        text = orjson.dumps(found).decode()
        self.context.hold(len(text))
        return text

    def _info(self, selected: Selection, path: Path) -> Any:
        nodes = [details.node for details in selected.details]
        return self._executor.build_resolve_info(selected.field, nodes, selected.parent, path)


def coerced(selected: Selection, variables: VariableValues) -> dict[str, Any]:
    """The arguments of a field, by GraphQL name."""
    first = selected.details[0]
    return get_argument_values(selected.field, first.node, variables, first.fragment_variable_values)


def arguments(selected: Selection, executor: Executor[Any]) -> dict[str, Any]:
    """The arguments of a field of ours, as Strawberry gives them to its resolver."""
    schema: Any = executor.schema
    field, ours = selected.field.extensions["strawberry-definition"], schema._strawberry_schema
    given = coerced(selected, executor.variable_values)
    return convert_arguments(given, field.arguments, ours.schema_converter.scalar_registry, ours.config)


async def _ended(text: str | None) -> str | None:
    return text
