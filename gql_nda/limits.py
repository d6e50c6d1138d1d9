"""What a request may cost, and the linear measure of a document.

The measure walks every fragment once, whatever refers to it, so that a document whose fragments fan
out to 2^60 fields is refused in milliseconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, NoReturn

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableDefinitionNode,
)

from gql_nda.errors import LimitExceeded


def _limit(default: int, description: str) -> int:
    value: int = field(default=default, metadata={"description": description})
    return value


@dataclass(frozen=True, slots=True)
class Limits:
    """Every limit with its default; each is a setting of the same name."""

    tokens: int = _limit(4_000, "Most tokens of a document.")
    fields: int = _limit(500, "Most fields of a document, with every fragment in place.")
    depth: int = _limit(16, "Most fields nested in each other.")
    directives: int = _limit(100, "Most directives of a document, with every fragment in place.")
    input_depth: int = _limit(32, "Most lists and objects nested in each other, in variables and arguments.")
    input_values: int = _limit(50_000, "Most values in an operation's variables, those within lists and objects too.")
    page_default: int = _limit(100, "Rows of a page for which `first` isn't given.")
    page_max: int = _limit(10_000, "Most rows of a page.")
    keys: int = _limit(10_000, "Most keys of `units(keys:)`.")
    correlated_units: int = _limit(500, "Most units of `activityCorrelation`.")
    objects: int = _limit(
        100_000, "Most rows an operation may return: the product along its lists of page size or largest group."
    )
    values: int = _limit(
        2_000_000,
        "Most values an operation may return: the product of its rows and the fields asked of each.",
    )
    comparisons: int = _limit(200, "Most filters and comparisons in a `where`.")
    joins: int = _limit(20, "Most relations that a `where` reaches over.")
    list_values: int = _limit(1_000, "Most values of an `in` or `notIn`.")
    groups: int = _limit(10_000, "Most groups in one operation.")
    bins: int = _limit(1_000, "Most bins of a histogram, and percentiles asked for at once.")
    array_values: int = _limit(10_000, "Most array values of one `values` or points of one `preview`.")
    operation_values: int = _limit(1_000_000, "Most values of arrays, histograms and percentiles in one operation.")
    answer_bytes: int = _limit(64 << 20, "Most bytes of an answer, as JSON.")
    points: int = _limit(
        10_000, "Most points that one operation may take through transforms, corners of outlines, and marks of links."
    )
    link_points: int = _limit(1_000, "Most points, corners of outlines and segments that one Neuroglancer link shows.")
    decoded_bytes: int = _limit(64 << 20, "Largest array, in decoded bytes, that is read as a whole: not streamed.")
    blob_bytes: int = _limit(1 << 30, "Largest array, in decoded bytes, that is read at all.")


class Measure(NamedTuple):
    """Size of a selection with every fragment in place."""

    fields: int
    depth: int
    directives: int


_NOTHING = Measure(0, 0, 0)

_NESTING = 100
"""Fields and fragments within each other that are followed; what is nested deeper is taken for too deep."""


def measure(document: DocumentNode, limits: Limits) -> Measure:
    """The largest operation of a document; LIMIT_EXCEEDED names the first limit that it breaks.

    Fields are counted as they would be executed, fragments expanded; depth counts nested fields.
    """
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    measurer = _Measurer(fragments, limits)
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    sizes = [measurer.operation(d) for d in operations]
    # Fragments that nothing uses are validated all the same, each at its own cost.
    sizes += [measurer.fragment(name, 0) for name in fragments]
    largest = Measure(*(max((size[i] for size in sizes), default=0) for i in range(3)))
    for name, value in largest._asdict().items():
        most = getattr(limits, name)
        if value > most:
            _refuse(name, f"the document has more than {most}", most)
    return largest


class _Measurer:
    """Sizes of selections, each fragment's computed once. A cycle is left to validation."""

    def __init__(self, fragments: dict[str, FragmentDefinitionNode], limits: Limits) -> None:
        self._fragments, self._limits = fragments, limits
        self._known: dict[str, Measure] = {}

    def operation(self, operation: OperationDefinitionNode) -> Measure:
        size = self.selections(operation.selection_set, 0)
        own = _directives(operation) + sum(_directives(d) for d in operation.variable_definitions or ())
        return size._replace(directives=size.directives + own)

    def fragment(self, name: str, nesting: int) -> Measure:
        if name not in self._known:
            self._known[name] = _NOTHING
            if (found := self._fragments.get(name)) is not None:
                size = self.selections(found.selection_set, nesting)
                self._known[name] = size._replace(directives=size.directives + _directives(found))
        return self._known[name]

    def selections(self, selected: SelectionSetNode, nesting: int) -> Measure:
        fields, deepest, directives = 0, 0, 0
        if nesting > max(_NESTING, 4 * self._limits.depth):  # don't follow them down the stack
            return Measure(1, self._limits.depth + 1, 0)
        for size in self._each(selected, nesting):
            fields, directives = fields + size.fields, directives + size.directives
            deepest = max(deepest, size.depth)
        return Measure(fields, deepest, directives)

    def _each(self, selected: SelectionSetNode, nesting: int) -> Iterator[Measure]:
        for node in selected.selections:
            own = _directives(node)
            match node:
                case FieldNode():
                    modest([argument.value for argument in node.arguments or ()], self._limits)
                    below = self.selections(node.selection_set, nesting + 1) if node.selection_set else _NOTHING
                    yield Measure(1 + below.fields, 1 + below.depth, own + below.directives)
                case InlineFragmentNode():
                    below = self.selections(node.selection_set, nesting + 1)
                    yield below._replace(directives=own + below.directives)
                case FragmentSpreadNode():
                    below = self.fragment(node.name.value, nesting + 1)
                    yield below._replace(directives=own + below.directives)


def _directives(
    node: SelectionNode | OperationDefinitionNode | FragmentDefinitionNode | VariableDefinitionNode,
) -> int:
    return len(node.directives or ())


def modest(value: object, limits: Limits) -> int:
    """Number of values in variables or literals; LIMIT_EXCEEDED when they nest too deep or are too many.

    Walks without recursion.
    """
    level: list[object] = [value]
    count = 0
    for _ in range(limits.input_depth + 1):
        level = [child for item in level for child in _children(item)]
        count += len(level)
        if count > limits.input_values:
            _refuse("input_values", f"more than {limits.input_values} values in variables", limits.input_values)
        if not level:
            break
    else:
        _refuse("input_depth", f"values are nested deeper than {limits.input_depth}", limits.input_depth)
    return count


def _refuse(limit: str, message: str, most: int) -> NoReturn:
    raise LimitExceeded(f"{limit}: {message}", limit=limit, maximum=most)


def _children(item: object) -> list[object]:
    match item:
        case dict():
            return list(item.values())
        case list() | tuple():
            return list(item)
        case ListValueNode():
            return list(item.values)
        case ObjectValueNode():
            return [field.value for field in item.fields]
    return []
