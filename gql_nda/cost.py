"""How many rows an operation may return: a product along its lists, known before anything is fetched."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)
from strawberry.types.field import StrawberryField

from gql_nda.query import Relation
from gql_nda.types.fields import ChildrenSpec, LookupSpec, RowSpec, spec_of

Largest = Callable[[Relation], Awaitable[int]]


class ObjectCount:
    """Counts the rows of one operation, each list at its page size or its largest group, if that is less."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: dict[str, FragmentDefinitionNode],
        variables: dict[str, Any],
        page: int,
        largest: Largest,
    ) -> None:
        self._schema, self._fragments, self._variables = schema, fragments, variables
        self._page, self._largest = page, largest

    async def of(self, operation: OperationDefinitionNode) -> int:
        """The most rows that the operation can return."""
        root = self._schema.get_root_type(operation.operation)
        return await self._below(operation.selection_set, root, 1) if root else 0

    async def _below(self, selected: SelectionSetNode | None, parent: GraphQLObjectType, parents: int) -> int:
        total = 0
        for node, kind in self._fields(selected, parent):
            field = getattr(kind, "fields", {}).get(node.name.value)
            if field is not None:
                rows = parents * await self._rows(node, field)
                counted = rows if self._counts(field) else 0
                total += counted + await self._below(node.selection_set, get_named_type(field.type), rows)
        return total

    def _fields(self, selected: SelectionSetNode | None, parent: Any) -> Iterator[tuple[FieldNode, Any]]:
        for node in selected.selections if selected else ():
            match node:
                case FieldNode():
                    yield node, parent
                case InlineFragmentNode():
                    yield from self._fields(node.selection_set, self._type(node, parent))
                case FragmentSpreadNode():
                    fragment = self._fragments[node.name.value]
                    yield from self._fields(fragment.selection_set, self._type(fragment, parent))

    def _type(self, node: InlineFragmentNode | FragmentDefinitionNode, parent: Any) -> Any:
        condition = node.type_condition
        return self._schema.get_type(condition.name.value) if condition else parent

    async def _rows(self, node: FieldNode, field: GraphQLField) -> int:
        spec = _spec(field)
        if not isinstance(spec, ChildrenSpec):
            return 1
        arguments = {argument.name.value: argument.value for argument in node.arguments or ()}
        return min(self._size(arguments), await self._largest(spec.relation))

    def _size(self, arguments: dict[str, Any]) -> int:
        first = self._value(arguments.get("first"))
        if isinstance(first, int):
            return max(first, 0)
        keys = arguments.get("keys")
        listed = (
            self._variables.get(keys.name.value) if isinstance(keys, VariableNode) else getattr(keys, "values", None)
        )
        return len(listed) if isinstance(listed, list | tuple) else self._page

    def _value(self, node: Any) -> Any:
        if isinstance(node, VariableNode):
            return self._variables.get(node.name.value)
        return int(node.value) if isinstance(node, IntValueNode) else getattr(node, "values", None)

    @staticmethod
    def _counts(field: GraphQLField) -> bool:
        return isinstance(_spec(field), ChildrenSpec | RowSpec | LookupSpec)


def _spec(field: GraphQLField) -> Any:
    declared = (field.extensions or {}).get("strawberry-definition")
    return spec_of(declared) if isinstance(declared, StrawberryField) else None
