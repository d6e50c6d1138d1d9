"""What stands before an execution: documents parsed, measured and validated, and a limit on what comes back."""

import sys
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

from graphql import (
    ArgumentNode,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    Node,
    OperationDefinitionNode,
    get_operation_ast,
    get_variable_values,
    parse,
    validate,
)
from sqlalchemy.exc import SQLAlchemyError
from strawberry.extensions import SchemaExtension

from gql_nda.context import Context
from gql_nda.cost import AnswerSize, Size
from gql_nda.dataset import Dataset
from gql_nda.document import variables
from gql_nda.errors import LimitExceeded, PublicError
from gql_nda.limits import Limits, measure, modest
from gql_nda.query import Relation


class Prepared(NamedTuple):
    """A document, what validation finds wrong with it, and how much its operations were found to return."""

    document: DocumentNode
    errors: list[GraphQLError]
    sizes: "Sizes"


class Documents:
    """Documents by their text, parsed, measured and validated; the least recently used one is dropped."""

    _LONGEST = 64 << 10
    """Characters of a text that is worth remembering."""

    def __init__(self, limits: Limits, most: int) -> None:
        self.limits, self._most = limits, most
        self._known: OrderedDict[str, Prepared] = OrderedDict()

    def get(self, schema: Any, text: str) -> Prepared:
        """The document and its validation errors; raises when it can't be parsed or is too large."""
        known = self._known.get(text)
        if known is not None:
            self._known.move_to_end(text)
            return known
        document = self._parse(text)
        measure(document, self.limits)
        prepared = Prepared(document, _invalid(schema, document), Sizes(document))
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
    """Guards operations that Strawberry executes."""

    _prepared: Prepared

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def on_parse(self) -> Iterator[None]:
        """Parse, measure and validate at once: what is known is taken as it is."""
        execution = self.execution_context
        self._prepared = self._documents.get(execution.schema._schema, execution.query or "")
        execution.graphql_document = self._prepared.document
        yield

    def on_validate(self) -> Iterator[None]:
        """What validation found; of several operations one must be named."""
        execution, (document, errors, _) = self.execution_context, self._prepared
        unnamed = execution._provided_operation_name is None and get_operation_ast(document) is None
        execution.pre_execution_errors = [*errors, *([GraphQLError(UNNAMED)] if unnamed else [])]
        yield

    async def on_execute(self) -> AsyncIterator[None]:
        """Look at the variables, then count what the operation can return."""
        operation = get_operation_ast(self._prepared.document, self.execution_context.operation_name)
        if operation is not None:
            await self._check(operation)
        yield

    async def _check(self, operation: OperationDefinitionNode) -> None:
        """Refuse variables that are too large, and an operation that can return too much."""
        execution, context = self.execution_context, self.execution_context.context
        schema, given = execution.schema._schema, execution.variables or {}
        modest(given, context.limits if isinstance(context, Context) else self._documents.limits)
        values = get_variable_values(schema, operation.variable_definitions or (), given, max_errors=1)
        if isinstance(context, Context) and not isinstance(values, list):  # else the execution says what is wrong
            await self._prepared.sizes.check(schema, operation, values.coerced, context)


UNNAMED = "operationName: the document has several operations; name one"


class Sizes:
    """How much the operations of a document can return, by the lengths that their variables ask for."""

    _MOST = 64

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        self._variables = tuple(variables(document, _is_length))
        self._known: dict[tuple[Any, ...], Size] = {}

    async def check(
        self, schema: GraphQLSchema, operation: OperationDefinitionNode, given: dict[str, Any], context: Context
    ) -> None:
        """Refuse an operation that can return too much; ``given`` are its variables, coerced."""
        lengths = [_length(given.get(name)) for name in self._variables]
        key = (id(operation), context.dataset, context.limits.page_default, context.limits.groups, *lengths)
        size, error = self._known.get(key), None
        if size is None:
            size, error = await self._measured(schema, operation, given, context)
            if error is None and len(self._known) < self._MOST:
                self._known[key] = size
        for limit, count, of in (("objects", size.rows, "rows"), ("values", size.values, "values")):
            most = getattr(context.limits, limit)
            if count > most:
                message = f"{limit}: the operation can return {count} {of}, at most {most}"
                raise error or LimitExceeded(message, limit=limit, maximum=most)

    async def _measured(
        self, schema: GraphQLSchema, operation: OperationDefinitionNode, given: dict[str, Any], context: Context
    ) -> tuple[Size, Exception | None]:
        """The most that the operation can return; less is known where the store couldn't tell of a group."""
        groups, limits = _Groups(context.dataset), context.limits
        counter = AnswerSize(schema, self._fragments, given, limits.page_default, limits.groups, groups.largest)
        return await counter.of(operation), groups.error


def _is_length(node: Node) -> bool:
    return isinstance(node, ArgumentNode) and node.name.value in ("first", "keys", "units")


def _length(value: Any) -> int | None:
    """What a variable says of a list's length."""
    if isinstance(value, list | tuple):
        return len(value)
    return value if isinstance(value, int) else None


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
