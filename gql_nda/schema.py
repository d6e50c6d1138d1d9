"""The schema, how an operation on it is answered, and what clients see of errors."""

import asyncio
import inspect
import logging
import secrets
from collections.abc import Iterable
from typing import Any

import strawberry
from graphql import DocumentNode, ExecutionResult, GraphQLError, OperationDefinitionNode, get_operation_ast
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from gql_nda.context import Context
from gql_nda.errors import PublicError
from gql_nda.guard import UNNAMED, Documents, Guard
from gql_nda.limits import Limits, modest
from gql_nda.planner.executor import PlanningExecutor, Plans, planning
from gql_nda.types.aggregates import bound
from gql_nda.types.entity import ENTITIES, Node
from gql_nda.types.root import Query

log = logging.getLogger(__name__)

LONG = 1_000
"""Values of variables that take a few ms."""


class Schema(strawberry.Schema):
    """The nda graph. Errors are logged by ``public``, not one by one with the whole query."""

    documents: Documents

    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        """The fields of a type, its own before those of mixins; a connection's aggregates are made of its entity."""
        first = (Node, type_definition.origin)
        fields = sorted(type_definition.fields, key=lambda field: field.origin not in first)
        return [bound(field, type_definition) for field in fields]

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing: what a client did wrong is no matter for the log."""

    async def answer(
        self, text: str, variables: dict[str, Any] | None, name: str | None, context: Context
    ) -> ExecutionResult:
        """What ``execute`` answers to a query, guarded alike, in a third of its time for a small one.

        Raises NoSuchOperation and NotAQuery, which concern HTTP's status.
        """
        try:
            prepared = self.documents.get(self._schema, text)
            operation = _named(prepared.document, name)
            if prepared.errors or operation is None:
                return ExecutionResult(None, prepared.errors or [GraphQLError(UNNAMED)])
            given = modest(variables, context.limits)
            executor = self._executor(prepared.document, variables, name, context)
            if given > LONG:
                await asyncio.sleep(0)  # to coerce them took long enough: others may go before they are converted
            if isinstance(executor, list):
                return ExecutionResult(None, executor)
            await prepared.sizes.check(self._schema, operation, executor.variable_values.coerced, context)
            return await context.unless_refused(_executed(executor))
        except (NoSuchOperation, NotAQuery):
            raise
        except GraphQLError as error:
            return ExecutionResult(None, [error])
        except Exception as error:  # ours, or what nobody foresaw: ``public`` tells them apart
            return ExecutionResult(None, [GraphQLError(str(error), original_error=error)])

    async def execute(self, *args: Any, **kwargs: Any) -> Any:
        """Strawberry's, by which an operation can be refused, too."""
        executed, context = super().execute(*args, **kwargs), kwargs.get("context_value")
        if not isinstance(context, Context):
            return await executed
        try:
            return await context.unless_refused(executed)
        except PublicError as error:
            return ExecutionResult(None, [GraphQLError(error.message, original_error=error)])

    def _executor(
        self, document: DocumentNode, variables: dict[str, Any] | None, name: str | None, context: Context
    ) -> Any:
        """An executor of the operation, or what is wrong with its variables."""
        build: Any = self.execution_context_class.build
        return build(self._schema, document, None, context, variables, name)


class NoSuchOperation(Exception):
    """The document has no operation of that name."""


class NotAQuery(Exception):
    """The operation is a mutation or a subscription."""


async def _executed(executor: Any) -> ExecutionResult:
    """The answer of an executor, which is freed with it; so is what a refused operation has made by then."""
    try:
        result = executor.execute_operation()
        answered: ExecutionResult = await result if inspect.isawaitable(result) else result
    finally:
        if isinstance(executor, PlanningExecutor):
            executor.close()
    return answered


def _named(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    """The operation to execute; None where it isn't said which of several."""
    operation = get_operation_ast(document, name)
    if operation is None and (name is not None or not _operations(document)):
        raise NoSuchOperation
    if operation is not None and operation.operation.value != "query":
        raise NotAQuery(operation.operation.value)
    return operation


def _operations(document: DocumentNode) -> bool:
    return any(isinstance(definition, OperationDefinitionNode) for definition in document.definitions)


def build_schema(limits: Limits | None = None, cached_documents: int = 256, *, planned: bool = True) -> Schema:
    """The schema with every entity in it; it remembers documents that it has parsed and validated.

    Unless ``planned``, graphql-core executes all by itself: the same answers, later.
    """
    documents = Documents(limits or Limits(), cached_documents)
    schema = Schema(
        Query,
        types=list(ENTITIES.values()),
        config=StrawberryConfig(),
        extensions=[lambda: Guard(documents)],
        execution_context_class=planning(Plans(2 * cached_documents)) if planned else None,
    )
    schema.documents = documents
    return schema


def public(errors: Iterable[GraphQLError]) -> list[dict[str, Any]]:
    """The errors of an answer as the client may see them.

    Our own errors and those of the document come as they are, with a code; whatever else went wrong is
    masked, and logged under a reference id that the client sees: once, however many fields it cost.
    """
    references: dict[int, str] = {}
    told = [(error, _public(error, references)) for error in errors]
    for error, _ in told:
        _forget(error)
    return [formatted for _, formatted in told]


def _forget(error: BaseException | None) -> None:
    """Drop the tracebacks: what their frames hold would stay until the collector looks, 100 MB of a large answer."""
    while error is not None and error.__traceback__ is not None:
        error.__traceback__ = None
        error = getattr(error, "original_error", None) or error.__cause__ or error.__context__


def _public(error: GraphQLError, references: dict[int, str]) -> dict[str, Any]:
    cause: BaseException | None = error.original_error
    # Beneath the error of a field, one without a place in the document is of data that its type can't hold.
    while isinstance(cause, GraphQLError) and (cause.nodes or cause.original_error or not error.path):
        cause = cause.original_error
    formatted: dict[str, Any] = dict(error.formatted)
    if isinstance(cause, PublicError):
        formatted["extensions"] = cause.extensions
    elif cause is None:
        # What graphql-core still finds wrong with a valid document is a variable.
        formatted["extensions"] = {"code": "BAD_USER_INPUT", **(error.extensions or {})}
    else:
        formatted["message"] = "An unforeseen error; the server's log has it under the reference."
        formatted["extensions"] = {"code": "INTERNAL_SERVER_ERROR", "reference": _logged(cause, error, references)}
    return formatted


def _logged(cause: BaseException, error: GraphQLError, references: dict[int, str]) -> str:
    """The reference id of a cause; of a database's error the driver's part is logged, not all of the SQL."""
    if id(cause) not in references:
        references[id(cause)] = secrets.token_hex(6)
        statement = str(getattr(cause, "statement", None) or "")[:500]
        told = getattr(cause, "orig", None) or cause
        log.error("unforeseen error %s at %s %s", references[id(cause)], error.path, statement, exc_info=told)
    return references[id(cause)]
