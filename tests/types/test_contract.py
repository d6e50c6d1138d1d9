"""The names that others rely on, with the types they were promised."""

from pathlib import Path

import pytest
from graphql import (
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    Undefined,
    UnionTypeDefinitionNode,
    is_required_argument,
    is_required_input_field,
    parse,
    print_ast,
)

from gql_nda.schema import build_schema

SCHEMA = build_schema()._schema
CONTRACT = parse((Path(__file__).parent / "contract.graphql").read_text()).definitions

_WITH_FIELDS = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode | InputObjectTypeDefinitionNode
PROMISES = [
    (kind.name.value, field)
    for kind in CONTRACT
    if isinstance(kind, _WITH_FIELDS)
    for field in kind.fields or ()
    if isinstance(field, FieldDefinitionNode | InputValueDefinitionNode)
]


def _argument(node: InputValueDefinitionNode) -> tuple[str, str | None]:
    return print_ast(node.type), print_ast(node.default_value) if node.default_value else None


def _arguments(field: GraphQLField) -> dict[str, tuple[str, str | None]]:
    found = {}
    for name, argument in field.args.items():
        default = argument.default_value
        given = default is not Undefined
        found[name] = str(argument.type), str(getattr(default, "name", default)) if given else None
    return found


@pytest.mark.parametrize(
    ("owner", "promised"),
    [
        pytest.param(
            owner,
            field,
            id=f"{owner}.{field.name.value}",
        )
        for owner, field in PROMISES
    ],
)
def test_field_is_as_promised(owner: str, promised: FieldDefinitionNode | InputValueDefinitionNode) -> None:
    kind = SCHEMA.get_type(owner)
    field = getattr(kind, "fields", {})[promised.name.value]
    assert str(field.type) == print_ast(promised.type)
    if isinstance(promised, FieldDefinitionNode):
        assert _arguments(field) == {a.name.value: _argument(a) for a in promised.arguments or ()}


@pytest.mark.parametrize(
    "promised", [k for k in CONTRACT if isinstance(k, EnumTypeDefinitionNode)], ids=lambda k: k.name.value
)
def test_enum_has_the_promised_values(promised: EnumTypeDefinitionNode) -> None:
    kind = SCHEMA.get_type(promised.name.value)
    assert isinstance(kind, GraphQLEnumType)
    assert list(kind.values) == [value.name.value for value in promised.values or ()]


def test_unions_and_interfaces_hold_what_they_promise() -> None:
    for kind in CONTRACT:
        if isinstance(kind, UnionTypeDefinitionNode):
            assert {str(t) for t in getattr(SCHEMA.get_type(kind.name.value), "types", ())} == {
                t.name.value for t in kind.types or ()
            }
        elif isinstance(kind, ObjectTypeDefinitionNode):
            found = {str(t) for t in getattr(SCHEMA.get_type(kind.name.value), "interfaces", ())}
            assert {t.name.value for t in kind.interfaces or ()} <= found


def test_there_is_nothing_to_write() -> None:
    assert SCHEMA.query_type is not None
    assert SCHEMA.query_type.name == "Query"
    assert SCHEMA.mutation_type is None
    assert SCHEMA.subscription_type is None


def test_root_fields_are_nullable_so_that_one_failure_is_alone() -> None:
    assert SCHEMA.query_type is not None
    demanded = [name for name, field in SCHEMA.query_type.fields.items() if str(field.type).endswith("!")]
    assert demanded == ["dataset"]


def test_all_connections_are_alike() -> None:
    arguments = {"where": "{}Filter", "orderBy": "[{}Order!]", "first": "Int", "after": "String"}
    connections = {name[: -len("Connection")] for name in SCHEMA.type_map if name.endswith("Connection")}
    assert connections == {
        "Scan",
        "Field",
        "Unit",
        "Mask",
        "Trial",
        "Stack",
        "Registration",
        "Coregistration",
        "StackUnit",
    }
    for owner, kind in SCHEMA.type_map.items():
        for name, field in getattr(kind, "fields", {}).items():
            one = str(field.type).removesuffix("Connection")
            if f"{owner}.{name}" == "ActivityCorrelation.units":  # which are those asked for
                assert not field.args
            elif one in connections and str(field.type) != one:
                given = {a: str(field.args[a].type) for a in arguments}
                assert given == {a: t.format(one) for a, t in arguments.items()}, f"{owner}.{name}"
                assert not any(is_required_argument(a) for a in field.args.values())


def test_no_filter_asks_for_anything() -> None:
    for name, kind in SCHEMA.type_map.items():
        if name.endswith("Filter"):
            fields: dict[str, GraphQLInputField] = getattr(kind, "fields", {})
            assert not any(is_required_input_field(f) or f.default_value is not Undefined for f in fields.values()), (
                name
            )
