"""Makes a failing document smaller, as long as it fails: selections, arguments and directives are left out."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

from graphql import (
    REMOVE,
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    ObjectFieldNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    VariableNode,
    parse,
    print_ast,
    strip_ignored_characters,
    validate,
    visit,
)
from graphql.language import Visitor

from tests.planner.documents import Case

REMOVABLE = FieldNode | InlineFragmentNode | FragmentSpreadNode | DirectiveNode | ArgumentNode | ObjectFieldNode


async def smallest(case: Case, schema: GraphQLSchema, fails: Callable[[Case], Awaitable[bool]]) -> Case:
    """A case that fails, too, of which nothing can be left out without it passing."""
    while True:
        for smaller in _smaller(case, schema):
            if await fails(smaller):
                case = smaller
                break
        else:
            return case


def _smaller(case: Case, schema: GraphQLSchema) -> Iterator[Case]:
    """The valid cases that are one step smaller, those with much left out first."""
    document = parse(case.text, no_location=True)
    changes = [*_removed(document, case), *_spliced(document), *_renamed(document)]
    for target, put in sorted(changes, key=lambda change: -len(print_ast(change[0]))):
        changed = _tidied(visit(document, _Change(target, put)))
        text = strip_ignored_characters(print_ast(changed))
        if text != strip_ignored_characters(case.text) and not _hollow(changed) and not validate(schema, changed):
            yield _fitting(replace(case, text=text))
    for name in case.variables:
        yield replace(case, variables={key: value for key, value in case.variables.items() if key != name})


class _Change(Visitor):
    """Puts something in a node's place."""

    def __init__(self, target: Node, put: Any) -> None:
        super().__init__()
        self._target, self._put = target, put

    def enter(self, node: Node, *_: Any) -> Any:
        return self._put if node is self._target else None


class _Nodes(Visitor):
    """Collects a document's nodes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Node] = []

    def enter(self, node: Node, *_: Any) -> None:
        self.found.append(node)


def nodes(document: Node) -> list[Node]:
    """All nodes of a document."""
    collected = _Nodes()
    visit(document, collected)
    return collected.found


def _hollow(document: DocumentNode) -> bool:
    """Whether something is selected of which nothing is selected."""
    return any(isinstance(node, SelectionSetNode) and not node.selections for node in nodes(document))


def _removed(document: DocumentNode, case: Case) -> Iterator[tuple[Node, Any]]:
    for node in nodes(document):
        other = isinstance(node, OperationDefinitionNode) and node.name and node.name.value != case.operation
        if isinstance(node, REMOVABLE) or other:
            yield node, REMOVE


def _spliced(document: DocumentNode) -> Iterator[tuple[Node, Any]]:
    """Selection sets with a fragment's own selections in its place."""
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    for node in nodes(document):
        for i, part in enumerate(node.selections if isinstance(node, SelectionSetNode) else ()):
            if isinstance(part, FragmentSpreadNode):
                fragment = fragments[part.name.value]
                inline = InlineFragmentNode(
                    type_condition=fragment.type_condition,
                    directives=part.directives,
                    selection_set=fragment.selection_set,
                )
                yield node, _selecting(node, i, [inline])
            elif isinstance(part, InlineFragmentNode):
                yield node, _selecting(node, i, part.selection_set.selections)


def _selecting(node: Any, index: int, put: Any) -> SelectionSetNode:
    return SelectionSetNode(selections=(*node.selections[:index], *put, *node.selections[index + 1 :]))


def _renamed(document: DocumentNode) -> Iterator[tuple[Node, Any]]:
    for node in nodes(document):
        if isinstance(node, FieldNode) and node.alias:
            yield node, replace(node, alias=None)


def _tidied(document: DocumentNode) -> DocumentNode:
    """The document without what nothing refers to."""
    while True:
        found = nodes(document)
        spread = {node.name.value for node in found if isinstance(node, FragmentSpreadNode)}
        declared = {id(node.variable) for node in found if isinstance(node, VariableDefinitionNode)}
        used = {node.name.value for node in found if isinstance(node, VariableNode) and id(node) not in declared}
        for node in found:
            fragment = isinstance(node, FragmentDefinitionNode) and node.name.value not in spread
            variable = isinstance(node, VariableDefinitionNode) and node.variable.name.value not in used
            if fragment or variable:
                document = visit(document, _Change(node, REMOVE))
                break
        else:
            return document


def _fitting(case: Case) -> Case:
    """The case without values that its document doesn't ask for."""
    document = parse(case.text)
    declared = {node.variable.name.value for node in nodes(document) if isinstance(node, VariableDefinitionNode)}
    operations = [d.name.value for d in document.definitions if isinstance(d, OperationDefinitionNode) and d.name]
    return replace(
        case,
        variables={name: value for name, value in case.variables.items() if name in declared},
        operation=case.operation if len(operations) > 1 or case.operation in operations else None,
        afters=tuple(name for name in case.afters if name in declared),
    )
