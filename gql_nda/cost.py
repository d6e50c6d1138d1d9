"""How much an operation may return: a product along its lists, known before anything is fetched."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NamedTuple

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_introspection_type,
    is_list_type,
)
from strawberry.types.field import StrawberryField

from gql_nda.query import Relation
from gql_nda.types.aggregates import GroupsSpec
from gql_nda.types.fields import spec_of
from gql_nda.types.specs import ChildrenSpec, LookupSpec, RowSpec

Largest = Callable[[Relation], Awaitable[int]]

_PAGED = frozenset({"nodes", "edges", "missingKeys"})
"""Fields of a connection that are lists of its page's length; all others are one thing."""

_INTROSPECTED = 8
"""Length of most lists that tell of one type: its fields, their arguments."""


class Size(NamedTuple):
    """What a selection can return: rows of tables, and values of any kind."""

    rows: int
    values: int


class AnswerSize:
    """Measures what one operation can return, each list at its page size or its largest group, if that is less."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: dict[str, FragmentDefinitionNode],
        variables: dict[str, Any],
        page: int,
        groups: int,
        largest: Largest,
    ) -> None:
        """``variables`` are coerced, with their defaults; ``groups`` are most of all that an operation may have."""
        self._schema, self._fragments, self._variables = schema, fragments, variables
        self._page, self._groups, self._largest = page, groups, largest

    async def of(self, operation: OperationDefinitionNode) -> Size:
        """The most that the operation can return."""
        root = self._schema.get_root_type(operation.operation)
        return await self._below(operation.selection_set, root, 1) if root else Size(0, 0)

    async def _below(
        self, selected: SelectionSetNode | None, parent: GraphQLNamedType, parents: int, page: int = 1
    ) -> Size:
        """The size of a selection of so many objects; connections have so many rows on their page."""
        rows = values = 0
        for node, kind in self._fields(selected, parent):
            field = self._schema.get_field(kind, node.name.value) if is_composite_type(kind) else None
            values += parents
            if field is not None and node.selection_set:
                length = page if node.name.value in _PAGED else await self._length(node, field, kind)
                rows += parents * length if self._counts(field) else 0
                below = await self._objects(node.selection_set, field, parents, length)
                rows, values = rows + below.rows, values + below.values
        return Size(rows, values)

    async def _objects(self, selected: SelectionSetNode, field: GraphQLField, parents: int, length: int) -> Size:
        """The size of what is selected below a field: its objects, its page, or all groups that there can be."""
        spec, kind = _spec(field), get_named_type(field.type)
        if isinstance(spec, ChildrenSpec) and not is_list_type(get_nullable_type(field.type)):  # a connection
            return await self._below(selected, kind, parents, length)
        return await self._below(selected, kind, self._groups if isinstance(spec, GroupsSpec) else parents * length)

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

    async def _length(self, node: FieldNode, field: GraphQLField, kind: Any) -> int:
        """How many objects one field can be."""
        spec = _spec(field)
        given = {argument.name.value: self._value(argument.value) for argument in node.arguments or ()}
        if isinstance(spec, ChildrenSpec):
            return min(self._size(given), await self._largest(spec.relation))
        match _each(field):
            case Relation() as each:
                return await self._largest(each)
            case str(name):
                return _items(given.get(name), 1)
        if is_introspection_type(kind) and is_list_type(get_nullable_type(field.type)):
            return len(self._schema.type_map) if node.name.value == "types" else _INTROSPECTED
        return 1

    def _size(self, given: dict[str, Any]) -> int:
        first = given.get("first")
        return max(first, 0) if isinstance(first, int) else _items(given.get("keys"), self._page)

    def _value(self, node: Any) -> Any:
        if isinstance(node, VariableNode):
            return self._variables.get(node.name.value)
        return int(node.value) if isinstance(node, IntValueNode) else getattr(node, "values", None)

    @staticmethod
    def _counts(field: GraphQLField) -> bool:
        return isinstance(_spec(field), ChildrenSpec | RowSpec | LookupSpec)


def _declared(field: GraphQLField) -> StrawberryField | None:
    declared = (field.extensions or {}).get("strawberry-definition")
    return declared if isinstance(declared, StrawberryField) else None


def _spec(field: GraphQLField) -> Any:
    declared = _declared(field)
    return spec_of(declared) if declared is not None else None


def _items(given: Any, otherwise: int) -> int:
    """Length of a list that is given."""
    return len(given) if isinstance(given, list | tuple) else otherwise


def _each(field: GraphQLField) -> Relation | str | None:
    """The relation, or the argument, that a field has as many items as."""
    declared = _declared(field)
    return declared.metadata.get("each") if declared is not None else None
