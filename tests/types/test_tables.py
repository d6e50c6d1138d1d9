"""Everything that nda holds can be reached: each column, and each relation both ways."""

from collections import Counter
from typing import Any

import pytest
from graphql import GraphQLEnumType, GraphQLObjectType, get_named_type
from sqlalchemy import Column, ForeignKeyConstraint, Integer, String, Table
from strawberry.types import get_object_definition

from gql_nda import tables as t
from gql_nda.schema import build_schema
from gql_nda.tables import TABLES, is_blob
from gql_nda.types.entity import ENTITIES, type_name
from gql_nda.types.fields import spec_of
from gql_nda.types.filters import _parents, scalars
from gql_nda.types.specs import (
    ArraySpec,
    ChildrenSpec,
    ColumnSpec,
    NamedSpec,
    PresenceSpec,
    RowSpec,
    SatelliteColumnSpec,
    UnionSpec,
)
from tests.support.client import Client

SCHEMA = build_schema()._schema

ENUMS = {"brain_area": "BrainArea", "mask_type": "MaskType", "type": "TrialType", "direction": "TransformDirection"}

HOME = {
    "scan_include": "scan",
    "raster_correction": "field",
    "mask_classification": "segmentation",
    "fluorescence": "segmentation",
    "unit_hash": "scan_unit",
    "area_membership": "scan_unit",
}
"""The tables that are no types of their own, and the one whose type shows what they hold."""


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def home(table: Table) -> Table:
    """The table whose type shows a table's columns."""
    return TABLES[HOME.get(table.name.lstrip("#"), table.name)]


def kind_of(table: Table) -> GraphQLObjectType:
    """The GraphQL type of a table that has one."""
    kind = SCHEMA.get_type(type_name(ENTITIES[table.name]))
    assert isinstance(kind, GraphQLObjectType)
    return kind


def specs(table: Table) -> dict[str, Any]:
    """What the fields of a table's type are, by their GraphQL names."""
    fields = get_object_definition(ENTITIES[table.name], strict=True).fields
    return {camel(f.graphql_name or f.python_name): spec_of(f) for f in fields}


def shown(column: Column[Any]) -> list[tuple[str, Any]]:
    """The fields of the column's home that show this very column."""
    told = {name: s for name, s in specs(home(column.table)).items() if not isinstance(s, UnionSpec)}
    return [(name, s) for name, s in told.items() if getattr(s, "column", None) is column]


def scalar(column: Column[Any]) -> str:
    """The GraphQL type of a column's values."""
    if column.name in ENUMS and column.table in (t.area_membership, t.mask_classification, t.trial, t.coregistration):
        return ENUMS[column.name]
    kind = getattr(column.type, "impl", column.type)
    return "Int" if isinstance(kind, Integer) else "String" if isinstance(kind, String) else "Float"


COLUMNS = [column for table in TABLES.values() for column in table.columns]
LINKS = [
    pytest.param(table, link, id=f"{name}-{link.referred_table.name}")
    for name, table in TABLES.items()
    for link in sorted(table.foreign_key_constraints, key=lambda link: link.referred_table.name)
]


def test_every_table_has_a_home() -> None:
    assert len(TABLES) == 29
    assert {name.lstrip("#") for name in ENTITIES} | HOME.keys() == TABLES.keys()
    assert not {name.lstrip("#") for name in ENTITIES} & HOME.keys()


def test_names_are_ndas_class_names() -> None:
    exceptions = {"scan_unit": "Unit", "segmentation": "Mask"}
    for name, cls in ENTITIES.items():
        assert type_name(cls) == exceptions.get(name, "".join(p.capitalize() for p in name.split("_")))


@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_column_is_a_field(column: Column[Any]) -> None:
    folded = home(column.table) is not column.table
    if folded and column.primary_key:
        assert column.name in home(column.table).columns  # the key of what it is folded into
        return
    if is_blob(column) and "array" not in column.info:
        field = kind_of(column.table).fields[camel(column.name)]
        assert (str(field.type), column.nullable) == ("Transform", True)
        return
    (name, spec), *others = shown(column)
    assert not others
    field = kind_of(home(column.table)).fields[name]
    if "array" in column.info:
        assert (type(spec), str(field.type)) == (ArraySpec, "NdArray")
    else:
        expected: type = ColumnSpec if not folded else NamedSpec if column.table is t.unit_hash else SatelliteColumnSpec
        assert type(spec) is expected
        demanded = not column.nullable and expected is not SatelliteColumnSpec
        assert str(field.type) == scalar(column) + ("!" if demanded else "")
    assert field.description == column.comment


@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_name_follows_from_the_columns(column: Column[Any]) -> None:
    if home(column.table) is column.table and (not is_blob(column) or "array" in column.info):
        (name, _), *_ = shown(column)
        assert name == ("fieldIdx" if column.name == "field" else camel(column.name))


def test_a_table_of_keys_alone_is_a_truth_value() -> None:
    assert isinstance(specs(t.scan)["included"], PresenceSpec)
    assert str(kind_of(t.scan).fields["included"].type) == "Boolean!"


def test_enums_hold_the_columns_very_values() -> None:
    for name, values in {
        "BrainArea": ["V1", "LM", "AL", "RL"],
        "MaskType": ["soma", "artifact"],
        "TrialType": ["stimulus.Clip", "stimulus.Monet2", "stimulus.Trippy"],
    }.items():
        kind = SCHEMA.get_type(name)
        assert isinstance(kind, GraphQLEnumType)
        assert [getattr(v.value, "value", v.value) for v in kind.values.values()] == values


# --- relations -------------------------------------------------------------------------------------


def upward(child: Table, parent: Table) -> list[str]:
    """Fields of a child's type that are the parent."""
    found = specs(child).items()
    return [name for name, s in found if isinstance(s, RowSpec) and s.relation.table is parent and not s.satellite]


def downward(parent: Table, child: Table) -> list[tuple[str, bool]]:
    """Fields of a parent's type that are its children, and whether they are many."""
    one = [(n, False) for n, s in specs(parent).items() if isinstance(s, RowSpec) and s.relation.table is child]
    many = [(n, True) for n, s in specs(parent).items() if isinstance(s, ChildrenSpec) and s.relation.table is child]
    return one + many


@pytest.mark.parametrize(("child", "link"), LINKS)
def test_relation_can_be_walked_both_ways(child: Table, link: ForeignKeyConstraint) -> None:
    here, there = home(child), home(link.referred_table)
    if here is there:
        return  # the child is shown within its parent: its columns are
    (up,), ((down, many),) = upward(here, there), downward(there, here)
    assert get_named_type(kind_of(here).fields[up].type) is kind_of(there)
    found = str(get_named_type(kind_of(there).fields[down].type))
    assert found == kind_of(here).name + ("Connection" if many else "")


@pytest.mark.parametrize(("child", "link"), LINKS)
async def test_walking_up_and_down_comes_back(child: Table, link: ForeignKeyConstraint, client: Client) -> None:
    here, there = home(child), home(link.referred_table)
    if here is there:
        return
    (up,), ((down, many),) = upward(here, there), downward(there, here)
    back = f"{down}(first: 10000) {{ nodes {{ id }} }}" if many else f"{down} {{ id }}"
    for row in await some(client, here):
        data = await client.data(
            f"query ($id: ID!) {{ node(id: $id) {{ ... on {kind_of(here).name} {{ {up} {{ {back} }} }} }} }}", id=row
        )
        found = data["node"][up][down]
        assert row in ([node["id"] for node in found["nodes"]] if many else [found["id"]])


WAYS = {
    "scan": "scans(first: 2) { nodes { id } }",
    "field": "scans(first: 2) { nodes { fields(first: 2) { nodes { id } } } }",
    "segmentation": "scans(first: 2) { nodes { fields(first: 1) { nodes { masks(first: 1) { nodes { id } } } } } }",
    "scan_unit": "units(first: 3) { nodes { id } }",
    "stack": "stacks { nodes { id } }",
    "trial": "scans(first: 2) { nodes { trials(first: 2) { nodes { id } } } }",
    "registration": "stacks { nodes { registrations(first: 2) { nodes { id } } } }",
    "coregistration": "stacks { nodes { coregistrations { nodes { id } } } }",
    **{
        name: f"units(first: 3) {{ nodes {{ {camel(name)} {{ id }} }} }}"
        for name in ("activity", "oracle", "stack_unit")
    },
    **{
        name: f"scans(first: 1) {{ nodes {{ fields(first: 2) {{ nodes {{ {camel(name)} {{ id }} }} }} }} }}"
        for name in ("motion_correction", "mean_intensity", "summary_images")
    },
    **{
        name: f"scans(first: 2) {{ nodes {{ {camel(name)} {{ id }} }} }}"
        for name in ("scan_times", "stimulus", "raw_manual_pupil", "manual_pupil", "raw_treadmill", "treadmill")
    },
}
"""A way from the root to some rows of each table that has a parent."""


async def some(client: Client, table: Table) -> list[str]:
    """The ids of some rows."""
    found = list(ids(await client.data(f"{{ {WAYS[table.name]} }}")))
    assert found
    return found


def ids(answer: Any) -> list[str]:
    match answer:
        case {"id": str(one)}:
            return [one]
        case dict():
            return [i for child in answer.values() for i in ids(child)]
        case list():
            return [i for child in answer for i in ids(child)]
    return []


# --- descriptions ----------------------------------------------------------------------------------

OURS = {name: kind for name, kind in SCHEMA.type_map.items() if not name.startswith("__")}
BUILT_IN = {"String", "Int", "Float", "Boolean", "ID"}


@pytest.mark.parametrize("name", sorted(OURS.keys() - BUILT_IN))
def test_all_is_described(name: str) -> None:
    kind: Any = OURS[name]
    undescribed = [] if kind.description else [name]
    for field_name, field in getattr(kind, "fields", {}).items():
        undescribed += [] if field.description else [f"{name}.{field_name}"]
        arguments = getattr(field, "args", {}).items()
        undescribed += [f"{name}.{field_name}({a}:)" for a, argument in arguments if not argument.description]
    values = kind.values.items() if isinstance(kind, GraphQLEnumType) else ()
    undescribed += [f"{name}.{v}" for v, value in values if not value.description]
    assert not undescribed


# --- filters ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [cls.__table__ for cls in ENTITIES.values()], ids=str)
def test_no_name_in_a_filter_hides_another(table: Table) -> None:
    names = Counter(name for name, _ in [*scalars(table), *_parents(table)])
    assert [name for name, count in names.items() if count > 1] == []
    assert not names.keys() & {"and", "or", "not"}


def expected(table: Table) -> set[str]:
    """The names in a table's filter: its own scalars, those beside it, its parents."""
    own = {name for name, s in specs(table).items() if isinstance(s, ColumnSpec)}
    beside = [s.relation.table for s in specs(table).values() if isinstance(s, RowSpec) and s.satellite]
    flat = {camel(c.name) for b in beside for c in b.columns if not c.primary_key and not is_blob(c)}
    folded = {n for n, s in specs(table).items() if isinstance(s, SatelliteColumnSpec | NamedSpec | PresenceSpec)}
    parents = {n for n, s in specs(table).items() if isinstance(s, RowSpec) and not s.satellite}
    return own | flat | folded | parents | {"and", "or", "not"}


@pytest.mark.parametrize("name", sorted(n for n in OURS if f"{n}Connection" in OURS))
def test_filter_offers_every_scalar_beside_and_above(name: str) -> None:
    table = next(cls.__table__ for cls in ENTITIES.values() if type_name(cls) == name)
    assert set(getattr(OURS[f"{name}Filter"], "fields", {})) == expected(table)


@pytest.mark.parametrize("name", sorted(n for n in OURS if f"{n}Connection" in OURS))
def test_order_offers_every_scalar(name: str) -> None:
    table = next(cls.__table__ for cls in ENTITIES.values() if type_name(cls) == name)
    kind = OURS[f"{name}OrderField"]
    assert isinstance(kind, GraphQLEnumType)
    offered = {value.lower().replace("_", "") for value in kind.values}
    parents = {n for n, s in specs(table).items() if isinstance(s, RowSpec) and not s.satellite}
    filters = getattr(OURS[f"{name}Filter"], "fields", {})
    truths = {n for n, field in filters.items() if str(field.type) == "BooleanFilter"}
    assert offered == {n.lower() for n in expected(table) - parents - truths - {"and", "or", "not"}}
