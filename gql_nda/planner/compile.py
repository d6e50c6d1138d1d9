"""From what graphql-core collects below a field to a plan."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLObjectType,
    GraphQLScalarType,
    get_named_type,
    is_non_null_type,
)
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.executor import Executor
from sqlalchemy import Table
from strawberry.types.field import StrawberryField

from gql_nda.frames import once
from gql_nda.planner import nodes as n
from gql_nda.query import Ref, Relation, up
from gql_nda.tables import key_names, narrow
from gql_nda.types.entity import ENTITIES, IdSpec, type_name
from gql_nda.types.fields import spec_of
from gql_nda.types.specs import (
    ArraySpec,
    BatchSpec,
    ChildrenSpec,
    ChosenRowSpec,
    ColumnSpec,
    NamedSpec,
    PresenceSpec,
    RowSpec,
    SameSpec,
    SatelliteColumnSpec,
    ScaledSpec,
    UnionSpec,
)

Details = list[FieldDetails]
Collected = Iterator[tuple[str, n.Selection | None]]

HEADER = frozenset({"shape", "dtype", "unit", "dims", "nbytes", "href"})
"""Fields of an array that its header tells."""


class Compiler:
    """Compiles selections of one operation, as its variables include and skip them."""

    def __init__(self, executor: Executor[Any]) -> None:
        self._executor = executor

    def connection(self, kind: GraphQLObjectType, details: Details, table: Table) -> n.ConnectionPlan:
        """The plan of a connection over a table."""
        fields = tuple((key, self._of_connection(kind, found, table)) for key, found in self._below(kind, details))
        levels = [level for _, node in fields for level in _levels(node)]
        paged = bool(levels) or any(isinstance(node, n.PageInfo | n.Edges) for _, node in fields)
        return n.ConnectionPlan(kind, table, fields, once(ref for level in levels for ref in level.refs), paged)

    def level(self, kind: GraphQLObjectType, selection: n.Selection, table: Table) -> n.Level:
        """The plan of rows of a table."""
        compiling = _Level(self)
        fields = compiling.fields(kind, selection.details, (), table, ())
        return n.Level(kind, selection, table, fields, tuple(compiling.parts), once(compiling.refs))

    def _below(self, kind: GraphQLObjectType, details: Details) -> Collected:
        """The fields selected of an object by response key; None is ``__typename``."""
        for key, found in self._executor.collect_subfields(kind, details).grouped_field_set.items():
            field = kind.fields.get(found[0].node.name.value)
            yield key, n.Selection(kind, field, found) if field is not None else None

    def _of_connection(self, kind: GraphQLObjectType, selected: n.Selection | None, table: Table) -> Any:
        if selected is None:
            return n.Constant(kind.name)
        match name_of(selected):
            case "nodes":
                return self.level(object_type(selected), selected, table)
            case "edges":
                edge = object_type(selected)
                return n.Edges(
                    tuple((k, self._of_edge(edge, s, table)) for k, s in self._below(edge, selected.details))
                )
            case "pageInfo":
                info = object_type(selected)
                below = self._below(info, selected.details)
                return n.PageInfo(tuple((key, name_of(s) if s else "__typename") for key, s in below))
            case "totalCount":
                return n.Count()
        return selected

    def _of_edge(self, edge: GraphQLObjectType, selected: n.Selection | None, table: Table) -> Any:
        if selected is None:
            return n.Constant(edge.name)
        return n.Cursor() if name_of(selected) == "cursor" else self.level(object_type(selected), selected, table)


class _Level:
    """Compiles one level: collects its parts, and the columns that it needs."""

    def __init__(self, compiler: Compiler) -> None:
        self._compiler = compiler
        self.parts: list[n.Part] = []
        self.refs: list[Ref] = []

    def fields(
        self,
        kind: GraphQLObjectType,
        details: Details,
        path: tuple[Relation, ...],
        table: Table,
        trail: tuple[tuple[str, str], ...],
    ) -> n.Fields:
        """The nodes of an object that is a row of ``table``, reached over ``path``."""
        return tuple(
            (key, self._node(found, path, table, (*trail, (key, kind.name))) if found else n.Constant(kind.name))
            for key, found in self._compiler._below(kind, details)
        )

    def _node(self, selected: n.Selection, path: Any, table: Table, trail: Any) -> n.Node:
        match spec_for(selected):
            case ColumnSpec(column):
                return self._scalar(selected, self._need(Ref(column, path)))
            case ScaledSpec(column, factor):
                return replace(self._scalar(selected, self._need(Ref(column, path))), factor=factor)
            case SameSpec():
                present = self._need(Ref(next(iter(table.primary_key)), path))
                return n.Beside(present, self.fields(object_type(selected), selected.details, path, table, trail))
            case SatelliteColumnSpec(relation, column):
                return self._scalar(selected, self._need(Ref(column, (*path, relation))))
            case PresenceSpec() as spec:
                return n.Presence(self._need(Ref(spec.ref.column, (*path, *spec.ref.path))))
            case IdSpec():
                key = tuple(self._need(Ref(column, path)) for column in table.primary_key)
                return n.GlobalId(type_name(ENTITIES[table.name]), table, key)
            case ChosenRowSpec(computed=computed) if selected.details[0].node.arguments:
                return self._part(computed, selected, path, table, trail)
            case RowSpec(relation):
                return self._beside(object_type(selected), selected, (*path, relation), trail)
            case UnionSpec(column, options):
                return self._choice(selected, self._need(Ref(column, path)), options, path, trail)
            case spec:
                return self._part(spec, selected, path, table, trail)

    def _scalar(self, selected: n.Selection, ref: Ref) -> n.Scalar:
        kind = get_named_type(selected.field.type)
        assert isinstance(kind, GraphQLScalarType | GraphQLEnumType)
        return n.Scalar(ref, kind, not is_non_null_type(selected.field.type))

    def _beside(self, kind: GraphQLObjectType, selected: n.Selection, path: Any, trail: Any) -> n.Beside:
        there = path[-1].table
        present = self._need(Ref(next(iter(there.primary_key)), path))
        return n.Beside(present, self.fields(kind, selected.details, path, there, trail))

    def _choice(self, selected: n.Selection, ref: Ref, options: Any, path: Any, trail: Any) -> n.Choice:
        schema = self._compiler._executor.schema
        besides = []
        for value, relation in options.items():
            kind = schema.get_type(type_name(ENTITIES[relation.table.name]))
            assert isinstance(kind, GraphQLObjectType)
            besides.append((value, self._beside(kind, selected, (*path, relation), trail)))
        return n.Choice(ref, tuple(besides))

    def _part(self, spec: Any, selected: n.Selection, path: Any, table: Table, trail: Any) -> n.Slot:
        """A part: its columns are needed, its JSON will stand in its slot."""

        def site(*names: str) -> n.Site:
            return n.Site(f"§{len(self.parts)}", path, table, names, trail, selected)

        whole = [column.name for column in narrow(table)]
        part: n.Part
        match spec:
            case ChildrenSpec():
                plan = self._compiler.connection(object_type(selected), selected.details, spec.relation.table)
                part = n.Children(site(*key_names(table)), spec, plan)
            case ArraySpec() if fields := self._header(selected):
                part = n.Header(site(*whole), spec, fields)
            case NamedSpec():
                stored = self._need(Ref(spec.column, (*path, up(table, spec.relation.table))))
                part = n.Named(site(*key_names(table)), spec, stored)
            case BatchSpec():
                part = n.Batch(site(*whole), spec)
            case _:
                part = n.Delegated(site(*whole))
        for ref in part.site.refs:
            self._need(ref)
        self.parts.append(part)
        return n.Slot(part.site.label)

    def _header(self, selected: n.Selection) -> tuple[tuple[str, Any], ...]:
        """The fields asked of an array, if its header tells them all."""
        below = list(self._compiler._below(object_type(selected), selected.details))
        return tuple(below) if all(s is None or name_of(s) in HEADER for _, s in below) else ()

    def _need(self, ref: Ref) -> Ref:
        self.refs.append(ref)
        return ref


def _levels(node: Any) -> list[n.Level]:
    """The levels of a connection's field: of its nodes, or of its edges'."""
    if isinstance(node, n.Edges):
        return [part for _, part in node.fields if isinstance(part, n.Level)]
    return [node] if isinstance(node, n.Level) else []


def name_of(selected: n.Selection) -> str:
    """The field's name."""
    return selected.details[0].node.name.value


def object_type(selected: n.Selection) -> Any:
    """The type of the objects that a field holds."""
    return get_named_type(selected.field.type)


def spec_for(selected: n.Selection) -> Any:
    """The spec of the field."""
    declared = (selected.field.extensions or {}).get("strawberry-definition")
    return spec_of(declared) if isinstance(declared, StrawberryField) else None
