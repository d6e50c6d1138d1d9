"""The measure of a document: what graphql-core would collect, told without collecting it."""

from dataclasses import fields
from functools import cache

import pytest
from graphql import (
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_introspection_query,
    parse,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from gql_nda.errors import LimitExceeded
from gql_nda.limits import Limits, Measure, measure, modest

GENEROUS = Limits(fields=10**30, depth=10**6, directives=10**30)

# --- a plain reference -----------------------------------------------------------------------------


class Plain:
    """Counts with every fragment written out where it is spread, however often that is."""

    def __init__(self, document: DocumentNode) -> None:
        self.parts = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        self.operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]

    def largest(self) -> Measure:
        sizes = [self.definition(d) for d in [*self.operations, *self.parts.values()]]
        return Measure(*(max(size[i] for size in sizes) for i in range(3)))

    def definition(self, node: ExecutableDefinitionNode) -> Measure:
        variables = sum(len(v.directives or ()) for v in node.variable_definitions or ())
        fields, depth, directives = self.selections(node.selection_set)
        return Measure(fields, depth, directives + len(node.directives or ()) + variables)

    def selections(self, selected: SelectionSetNode | None) -> Measure:
        fields = depth = directives = 0
        for node in selected.selections if selected else ():
            below = self.below(node)
            own = isinstance(node, FieldNode)
            fields, depth = fields + own + below.fields, max(depth, own + below.depth)
            directives += len(node.directives or ()) + below.directives
        return Measure(fields, depth, directives)

    def below(self, node: object) -> Measure:
        match node:
            case FieldNode() | InlineFragmentNode():
                return self.selections(node.selection_set)
            case FragmentSpreadNode():
                return self.definition(self.parts[node.name.value])
        raise AssertionError(node)


# --- documents by chance ---------------------------------------------------------------------------

FRAGMENTS = 4
DIRECTIVES = st.sampled_from(["", "", " @a", " @a @b(c: [1])"])


@cache
def selections(spreadable: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Some selections; only the named fragments are spread, so that there is no cycle."""
    leaf = st.builds("{}{}".format, st.sampled_from(["a", "b", "c: a", "d(e: {f: 1})"]), DIRECTIVES)
    if spreadable:
        leaf |= st.builds("...{}{}".format, st.sampled_from(spreadable), DIRECTIVES)
    return st.recursive(
        leaf,
        lambda inner: st.builds(
            "{}{} {{ {} }}".format,
            st.sampled_from(["a", "b: a", "...", "... on T"]),
            DIRECTIVES,
            st.lists(inner, min_size=1, max_size=3).map(" ".join),
        ),
        max_leaves=6,
    )


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Operations and fragments, each of which spreads only those after it."""
    names = tuple(f"F{i}" for i in range(draw(st.integers(0, FRAGMENTS))))
    parts = [
        f"fragment {name} on T{draw(DIRECTIVES)} {{ {draw(selections(names[i + 1 :]))} }}"
        for i, name in enumerate(names)
    ]
    parts += [
        f"query {name}($v: T{draw(DIRECTIVES)}){draw(DIRECTIVES)} {{ {draw(selections(names))} }}"
        for name in draw(st.sampled_from(["Q", "QP"]))
    ]
    return "\n".join(draw(st.permutations(parts)))


@settings(max_examples=300)
@given(documents())
def test_measure_is_that_of_the_expanded_document(text: str) -> None:
    document = parse(text)
    assert measure(document, GENEROUS) == Plain(document).largest()


@settings(max_examples=25)
@given(documents(), st.sampled_from(Measure._fields))
def test_limit_is_the_most_that_passes(text: str, limit: str) -> None:
    document = parse(text)
    size = getattr(Plain(document).largest(), limit)
    measure(document, Limits(**{"fields": 10**6, "depth": 10**3, "directives": 10**6} | {limit: size}))
    if size:
        with pytest.raises(LimitExceeded, match=f"{limit}: ") as refused:
            measure(document, Limits(**{"fields": 10**6, "depth": 10**3, "directives": 10**6} | {limit: size - 1}))
        assert refused.value.extensions == {"code": "LIMIT_EXCEEDED", "limit": limit, "maximum": size - 1}


# --- documents on purpose --------------------------------------------------------------------------


def fan_out(levels: int) -> str:
    parts = [f"fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} }}" for i in range(levels)]
    return "\n".join(["{ ...F0 }", *parts, f"fragment F{levels} on Query {{ __typename }}"])


def test_fan_out_is_counted_and_not_walked() -> None:
    assert measure(parse(fan_out(60)), Limits(fields=2**60)).fields == 2**60
    with pytest.raises(LimitExceeded, match="fields: "):
        measure(parse(fan_out(60)), Limits())


@pytest.mark.parametrize(
    "text",
    [
        "{ a ...F } fragment F on T { b ...G } fragment G on T { c ...F }",
        "{ ...F } fragment F on T { a { ...F } }",
        "{ a ...Missing }",
    ],
)
def test_what_only_validation_can_judge_is_measured_without_end(text: str) -> None:
    assert measure(parse(text), Limits()).fields <= 3


def test_unused_fragment_counts_like_an_operation() -> None:
    with pytest.raises(LimitExceeded, match="fields: "):
        measure(parse("{ a } fragment F on T { " + "a " * 501 + "}"), Limits())


@pytest.mark.parametrize("opening", ["a{", "...{", "...on T{", "a:b{"])
def test_long_way_down_is_refused_without_recursion(opening: str) -> None:
    with pytest.raises(LimitExceeded, match="depth: "):
        measure(parse("{" + opening * 150 + "a" + "}" * 151), Limits())


def test_long_way_down_through_fragments_is_refused_without_recursion() -> None:
    chain = "\n".join(f"fragment F{i} on T {{ a {{ ...F{i + 1} }} }}" for i in range(600))
    with pytest.raises(LimitExceeded, match="depth: "):
        measure(parse(f"{{ ...F0 }} {chain} fragment F600 on T {{ a }}"), Limits())


def test_standard_introspection_is_within_the_limits() -> None:
    text = get_introspection_query(
        descriptions=True,
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    )
    size = measure(parse(text, max_tokens=Limits().tokens), Limits())
    assert size.fields > 200  # it is large: less would mean that something isn't counted
    assert size.depth > 10


# --- values ----------------------------------------------------------------------------------------


def nested(depth: int) -> object:
    value: object = 1
    for i in range(depth):
        value = [value] if i % 2 else {"and": value}
    return value


def test_values_nest_so_deep_and_no_deeper() -> None:
    modest(nested(32), Limits())
    with pytest.raises(LimitExceeded, match="input_depth: "):
        modest(nested(33), Limits())
    with pytest.raises(LimitExceeded, match="input_depth: "):
        modest(nested(100_000), Limits())


@pytest.mark.parametrize("value", [[1] * 11, [[1] * 5, [2] * 4], {str(i): i for i in range(11)}, [{"a": 1}] * 6])
def test_values_are_counted_wherever_they_are(value: object) -> None:
    modest(value, Limits(input_values=12))
    with pytest.raises(LimitExceeded, match="input_values: "):
        modest(value, Limits(input_values=10))


def test_literals_nest_so_deep_and_no_deeper() -> None:
    def filtered(depth: int) -> DocumentNode:
        return parse("{ units(where: " + "{not: " * depth + "{}" + "}" * depth + ") { totalCount } }")

    measure(filtered(31), Limits())
    with pytest.raises(LimitExceeded, match="input_depth: "):
        measure(filtered(32), Limits())


def test_every_limit_is_described_and_positive() -> None:
    for limit in fields(Limits):
        assert limit.metadata["description"].endswith(".")
        assert getattr(Limits(), limit.name) > 0
