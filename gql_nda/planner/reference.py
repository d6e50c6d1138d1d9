"""graphql-core itself, for what a plan can't say: the same rows, errors and paths as without a plan."""

import asyncio
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from graphql import GraphQLObjectType
from graphql.execution.executor import Executor
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path, Undefined

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
    def errors(self) -> int:
        """Number of errors collected so far."""
        return len(self._executor.collected_errors.errors)

    def value(self, selected: Selection, source: Any, path: Path) -> Any:
        """What the resolver of a field returns, its arguments coerced; raises as it does."""
        executor, first = self._executor, selected.details[0]
        arguments = self.arguments(selected)
        info = executor.build_resolve_info(selected.field, [d.node for d in selected.details], selected.parent, path)
        resolve = selected.field.resolve
        assert resolve is not None, first
        return resolve(source, info, **arguments)

    def arguments(self, selected: Selection) -> dict[str, Any]:
        """The coerced arguments of a field."""
        executor, first = self._executor, selected.details[0]
        return get_argument_values(selected.field, first.node, executor.variable_values, first.fragment_variable_values)

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
        return _dumped(found)

    async def completed(self, kind: GraphQLObjectType, selected: Selection, path: Path, value: Any) -> str | None:
        """One object of a list, completed; None where an error nulls it."""
        info = self._info(selected, path)
        try:
            found = self._executor.complete_value(kind, selected.details, info, path, value, None)
        except Exception:
            return None
        return await _dumped(found)

    async def answered(self, selected: Selection, path: Path, value: Any) -> str | None:
        """A field whose resolver has returned a value, or raised an exception that stands for it."""
        executor, kind = self._executor, selected.field.type
        try:
            found = executor.complete_value(kind, selected.details, self._info(selected, path), path, value, None)
            return _dump(await found if inspect.isawaitable(found) else found)
        except Exception as error:
            try:
                executor.handle_field_error(error, kind, selected.details, path)
            except Exception:
                return None
            return "null"

    def _info(self, selected: Selection, path: Path) -> Any:
        nodes = [details.node for details in selected.details]
        return self._executor.build_resolve_info(selected.field, nodes, selected.parent, path)


async def _ended(text: str | None) -> str | None:
    return text


async def _dumped(found: Any) -> str | None:
    try:
        return _dump(await found if inspect.isawaitable(found) else found)
    except Exception:  # a located error on its way up: who asks re-runs what holds it
        return None


def _dump(found: Any) -> str | None:
    return None if found is Undefined else orjson.dumps(found).decode()
