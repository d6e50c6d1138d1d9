"""The schema, and how an operation on it is guarded: limits before validation, masks on errors."""

import logging
import secrets
import sys
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    get_operation_ast,
    get_variable_values,
    parse,
    validate,
)
from sqlalchemy.exc import SQLAlchemyError
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from gql_nda.context import Context
from gql_nda.cost import AnswerSize
from gql_nda.dataset import Dataset
from gql_nda.errors import LimitExceeded, PublicError
from gql_nda.limits import Limits, measure, modest
from gql_nda.planner.executor import Plans, planning
from gql_nda.query import Relation
from gql_nda.types.entity import ENTITIES
from gql_nda.types.root import Query

log = logging.getLogger(__name__)


class Schema(strawberry.Schema):
    """The nda graph. Errors are logged by ``public``, not one by one with the whole query."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing: what a client did wrong is no matter for the log."""


def build_schema(limits: Limits | None = None, cached_documents: int = 256, *, planned: bool = True) -> Schema:
    """The schema with every entity in it; it remembers documents that it has parsed and validated.

    Unless ``planned``, graphql-core executes all by itself: the same answers, later.
    """
    documents = Documents(limits or Limits(), cached_documents)
    return Schema(
        Query,
        types=list(ENTITIES.values()),
        config=StrawberryConfig(),
        extensions=[lambda: Guard(documents)],
        execution_context_class=planning(Plans(2 * cached_documents)) if planned else None,
    )


class Documents:
    """Documents by their text, parsed, measured and validated; the least recently used one is dropped."""

    _LONGEST = 64 << 10
    """Characters of a text that is worth remembering."""

    def __init__(self, limits: Limits, most: int) -> None:
        self.limits, self._most = limits, most
        self._known: OrderedDict[str, tuple[DocumentNode, list[GraphQLError]]] = OrderedDict()

    def get(self, schema: Any, text: str) -> tuple[DocumentNode, list[GraphQLError]]:
        """The document and its validation errors; raises when it can't be parsed or is too large."""
        known = self._known.get(text)
        if known is not None:
            self._known.move_to_end(text)
            return known
        document = self._parse(text)
        measure(document, self.limits)
        prepared = document, _invalid(schema, document)
        if len(text) <= self._LONGEST:
            self._known[text] = prepared
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        return prepared

    def _parse(self, text: str) -> DocumentNode:
        try:
            return parse(text, max_tokens=self.limits.tokens)
        except GraphQLSyntaxError as error:
            for limit, message in _TOO_LARGE.items():
                if message in error.message:
                    most = getattr(self.limits, limit)
                    said = f"{limit}: the document has more than {most}"
                    raise LimitExceeded(said, limit=limit, maximum=most) from None
            error.extensions = {"code": "GRAPHQL_PARSE_FAILED"}
            raise


_TOO_LARGE = {"tokens": "Document contains more than", "depth": "nested too deeply"}
"""What graphql-core's parser says of a document that breaks a limit."""


_MESSAGE = 500
"""Characters of a validation error: a name or number in it can be as long as the document."""


def _invalid(schema: Any, document: DocumentNode) -> list[GraphQLError]:
    """What validation finds wrong with a document: the client's mistakes, whatever they led to."""
    errors = validate(schema, document)
    for error in errors:
        error.message, error.original_error = error.message[:_MESSAGE], None
        error.extensions = {"code": "GRAPHQL_VALIDATION_FAILED"}
    return errors


class Guard(SchemaExtension):
    """Prepares documents, and refuses an operation that asks for too many rows."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._errors: list[GraphQLError] = []

    def on_parse(self) -> Iterator[None]:
        """Parse, measure and validate at once: what is known is taken as it is."""
        execution = self.execution_context
        schema = execution.schema._schema
        execution.graphql_document, self._errors = self._documents.get(schema, execution.query or "")
        yield

    def on_validate(self) -> Iterator[None]:
        """What validation found; of several operations one must be named."""
        execution = self.execution_context
        execution.pre_execution_errors = self._errors
        assert execution.graphql_document is not None
        if execution._provided_operation_name is None and get_operation_ast(execution.graphql_document) is None:
            message = "operationName: the document has several operations; name one"
            execution.pre_execution_errors = [*self._errors, GraphQLError(message)]
        yield

    async def on_execute(self) -> AsyncIterator[None]:
        """Look at the variables, then count what the operation can return."""
        execution = self.execution_context
        document, context = execution.graphql_document, execution.context
        assert document is not None
        operation = get_operation_ast(document, execution.operation_name)
        modest(execution.variables, self._documents.limits)
        if isinstance(context, Context) and isinstance(operation, OperationDefinitionNode):
            await self._refuse_many(document, operation, context)
        yield

    async def _refuse_many(self, document: DocumentNode, operation: OperationDefinitionNode, context: Context) -> None:
        schema, limits = self.execution_context.schema._schema, context.limits
        given = self.execution_context.variables or {}
        variables = get_variable_values(schema, operation.variable_definitions or (), given, max_errors=1)
        if isinstance(variables, list):
            return  # the execution finds them wrong, too, and says so
        fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        groups = _Groups(context.dataset)
        counter = AnswerSize(schema, fragments, variables.coerced, limits.page_default, groups.largest)
        size = await counter.of(operation)
        for limit, count, of in (("objects", size.rows, "rows"), ("values", size.values, "values")):
            most = getattr(limits, limit)
            if count > most:
                message = f"{limit}: the operation can return {count} {of}, at most {most}"
                raise groups.error or LimitExceeded(message, limit=limit, maximum=most)


class _Groups:
    """Sizes of relations' largest groups; ``error`` is why one of them couldn't be told."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self.error: Exception | None = None

    async def largest(self, relation: Relation) -> int:
        """Rows of the largest group; what a store can't tell now fails the fields that ask it, not all."""
        try:
            return await self._dataset.largest(relation)
        except (PublicError, SQLAlchemyError) as error:
            self.error = error
            return sys.maxsize


def public(errors: Iterable[GraphQLError]) -> list[dict[str, Any]]:
    """The errors of an answer as the client may see them.

    Our own errors and those of the document come as they are, with a code; whatever else went wrong is
    masked, and logged under a reference id that the client sees: once, however many fields it cost.
    """
    references: dict[int, str] = {}
    return [_public(error, references) for error in errors]


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
