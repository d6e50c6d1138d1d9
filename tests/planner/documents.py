"""Random valid documents, made from the schema itself: no type and no field is named here without need.

A response key means one field with one list of arguments in all of a document, so that whatever is selected twice
can be merged. Keys and values come from a ``World``, so that most lookups and filters find something. Sizes are
kept small: an answer has a few hundred objects at most.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any, NamedTuple

import orjson
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    parse,
    print_ast,
)

from gql_nda.keys import decode_id
from tests.planner.world import World

Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType

FIELDS = 36
"""Fields of an operation, with fragments in place."""
DEPTH = 9
"""Fields nested in each other."""
ROWS = 400
"""Rows of nested connections: the product of their pages."""
PAGE = 100
"""Rows of a page when ``first`` is left out."""
FIRSTS = (3, 1, 0, 20, PAGE, None)


@dataclass(frozen=True)
class Case:
    """A document and how it is asked.

    ``afters`` are variables that are absent at first: once an answer has cursors, one of them (by ``pick``) is given.
    """

    text: str
    variables: Mapping[str, Any]
    operation: str | None = None
    afters: tuple[str, ...] = ()
    pick: int = 0

    def __repr__(self) -> str:
        named = f"operationName: {self.operation}\n" if self.operation else ""
        document = print_ast(parse(self.text))
        return f"\n{document}\n\nvariables: {orjson.dumps(self.variables).decode()}\n{named}on one line: {self.text}\n"


def document(world: World, schema: GraphQLSchema, seed: object, *, ordered: bool = True) -> Case:
    """The document of a seed. Unless ``ordered`` rows come by their keys: what a column can't hold has no order."""
    return _Writer(Random(f"{seed}"), world, schema, ordered).case()


class Bare(str):
    """Written without quotes: a variable, or a value of an enumeration."""

    __slots__ = ()


class Place(NamedTuple):
    """Where a selection stands: how deep it may go on, and how many objects it is made of."""

    depth: int
    parents: int


@dataclass
class Selected:
    """A selection, with what fragments must be known by: its size, and the variables that it uses."""

    text: str = ""
    fields: int = 0
    depth: int = 0
    growth: int = 1
    uses: frozenset[str] = frozenset()

    def __iadd__(self, other: "Selected") -> "Selected":
        self.text = f"{self.text} {other.text}".strip()
        self.fields += other.fields
        self.depth, self.growth = max(self.depth, other.depth), max(self.growth, other.growth)
        self.uses |= other.uses
        return self


class Fragment(NamedTuple):
    """A named fragment."""

    name: str
    kind: Composite
    body: Selected


class Variable(NamedTuple):
    """A variable's declaration, and its value in a mapping that is empty where it is absent."""

    declared: str
    given: dict[str, Any]


@dataclass
class _Writer:
    """Writes one document."""

    random: Random
    world: World
    schema: GraphQLSchema
    ordered: bool = True
    left: int = FIELDS
    hint: str = ""
    meanings: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    fragments: dict[str, Fragment] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    afters: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    # --- chance -----------------------------------------------------------------------------------

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def one(self, items: Sequence[Any]) -> Any:
        return self.random.choice(items)

    # --- the document -----------------------------------------------------------------------------

    def case(self) -> Case:
        several = self.chance(10)
        root = self.schema.query_type
        assert root is not None
        operations = [self.operation(name, root) for name in (("First", "Second") if several else ("",))]
        chosen = self.one(operations)
        text = " ".join([text for _, text in operations] + [_definition(each) for each in self.fragments.values()])
        given = {key: value for each in self.variables.values() for key, value in each.given.items()}
        afters = tuple(name for name in self.afters if f"${name}:" in chosen[1])
        pick = self.random.randrange(50) if afters else 0
        return Case(text, given, chosen[0] or None, afters, pick)

    def operation(self, name: str, root: GraphQLObjectType) -> tuple[str, str]:
        self.left = FIELDS
        body = self.selection(root, Place(DEPTH, 1))
        declared = ", ".join(self.variables[used].declared for used in self.variables if used in body.uses)
        variables = f" ({declared})" if declared else ""
        return name, f"query {name}{variables} {{ {body.text} }}"

    # --- selections -------------------------------------------------------------------------------

    def selection(self, kind: Composite, place: Place) -> Selected:
        body = Selected()
        for _ in range(1 + self.random.randrange(6)):
            if not body.text or self.left > 0:
                body += self.part(kind, place)
        return body

    def part(self, kind: Composite, place: Place) -> Selected:
        """A field; of an abstract type mostly a fragment on another."""
        roll, abstract = self.random.randrange(100), not isinstance(kind, GraphQLObjectType)
        if roll < 5 or (abstract and (roll < 12 or not place.depth)):
            return self.typename(kind)
        if place.depth and (roll < 15 or (abstract and roll < 80)):
            return self.inline(kind, place)
        if place.depth and self.left > 0 and (roll < 25 or isinstance(kind, GraphQLUnionType)):
            return self.spread(kind, place)
        return self.field(kind, place)  # type: ignore[arg-type]

    def typename(self, kind: Composite) -> Selected:
        key = self.key("__typename", "String!", "", kind)
        return self.directed(Selected(f"{_alias(key, '__typename')}", 1, 1))

    def field(self, kind: GraphQLObjectType | GraphQLInterfaceType, place: Place) -> Selected:
        fitting = {name: is_leaf_type(get_named_type(f.type)) for name, f in kind.fields.items() if self.fits(f, place)}
        objects = [name for name, leaf in fitting.items() if not leaf]
        objects += 3 * [
            name for name in objects if isinstance(get_named_type(kind.fields[name].type), GraphQLUnionType)
        ]
        if not fitting:
            return self.typename(kind)
        name = self.one(objects if objects and self.chance(35) else list(fitting))
        self.left -= 1
        field, before = kind.fields[name], self._uses()
        arguments, count = self.arguments(field, place)
        key = self.key(name, str(field.type), arguments, kind)
        head = Selected(f"{_alias(key, name)}{arguments}", 1, 1, count, self._uses() - before)
        named = get_named_type(field.type)
        head = self.directed(head)
        if not is_leaf_type(named):
            below = self.selection(named, Place(place.depth - 1, place.parents * count))
            grown = max(1, count) * below.growth
            below = Selected(f"{{ {below.text} }}", below.fields, below.depth + 1, grown, below.uses)
            head += below
        return head

    def fits(self, field: GraphQLField, place: Place) -> bool:
        """Whether there is room for a field."""
        if is_leaf_type(get_named_type(field.type)):
            return True
        return place.depth > 1 and self.left > 2 and ("first" not in field.args or place.parents < ROWS)

    def inline(self, kind: Composite, place: Place) -> Selected:
        related = _related(self.schema, kind.name)
        on = self.hint if self.hint in related and self.chance(40) else self.one(["", *related])
        within: Any = self.schema.type_map[on] if on else kind
        body = self.selection(within, Place(place.depth - 1, place.parents))
        head = self.directed(Selected(f"... on {on}" if on else "..."))
        head += Selected(f"{{ {body.text} }}", body.fields, body.depth, body.growth, body.uses)
        return head

    def spread(self, kind: Composite, place: Place) -> Selected:
        """A named fragment: one that was written for another place, or a new one."""
        related = _related(self.schema, kind.name)
        known = [f for f in self.fragments.values() if f.kind.name in related and self.has_room(f, place)]
        if known and self.chance(60):
            fragment = self.one(known)
            self.left -= fragment.body.fields
        else:
            fragment = self.fragment(self.one(related), Place(place.depth - 1, place.parents))
        body = fragment.body
        head = self.directed(Selected(f"...{fragment.name}"))
        return Selected(head.text, body.fields, body.depth, body.growth, body.uses | head.uses)

    def has_room(self, fragment: Fragment, place: Place) -> bool:
        body = fragment.body
        return body.fields <= self.left and body.depth < place.depth and body.growth * place.parents <= ROWS

    def fragment(self, on: str, place: Place) -> Fragment:
        kind: Any = self.schema.type_map[on]
        body = self.selection(kind, place)
        fragment = Fragment(f"F{len(self.fragments)}", kind, body)
        self.fragments[fragment.name] = fragment
        return fragment

    def directed(self, part: Selected) -> Selected:
        """A part that may be skipped, or not be included."""
        for directive in ("skip", "include"):
            if self.chance(5):
                before = self._uses()
                condition = render(self.tree(GraphQLNonNull(self.schema.type_map["Boolean"]), "if"))
                part += Selected(f"@{directive}(if: {condition})", uses=self._uses() - before)
        return part

    def key(self, name: str, kind: str, arguments: str, parent: Composite) -> str:
        """A response key: the name itself, one that already means this, another field's name, or a new one."""
        meaning = (name, kind, arguments)
        known = [key for key, meant in self.meanings.items() if meant == meaning]
        if self.chance(8):
            others = list(getattr(parent, "fields", {})) or ["other"]
            wanted = self.one([f"{name}_{len(self.meanings)}", self.one(others), f"_{len(self.meanings)}Z"])
        else:
            wanted = known[0] if known else name
        if self.meanings.setdefault(wanted, meaning) == meaning:
            return str(wanted)
        fresh = known[0] if known else f"{name}_{len(self.meanings)}"
        self.meanings[fresh] = meaning
        return fresh

    # --- arguments --------------------------------------------------------------------------------

    def _uses(self) -> frozenset[str]:
        """The variables used so far; a difference of two tells what was used between them."""
        return frozenset(self.used)

    def arguments(self, field: GraphQLField, place: Place) -> tuple[str, int]:
        """The arguments as text, and how many rows they let through for each parent."""
        given: dict[str, Any] = {}
        count = 1
        key = self.key_of(get_named_type(field.type).name, field.args)
        for name, argument in field.args.items():
            if name in key:
                given[name] = self.lifted(argument.type, name, key[name])
            elif name == "first":
                given[name], count = self.first(argument, place, given.get("keys"))
            elif name == "after":
                given[name] = self.after()
            elif name == "orderBy" and not self.ordered:
                continue
            elif isinstance(argument.type, GraphQLNonNull) or self.chance(35):
                given[name] = self.tree(argument.type, name)
        written = ", ".join(f"{name}: {render(value)}" for name, value in given.items() if value is not ...)
        return f"({written})" if written else "", count

    def first(self, argument: GraphQLArgument, place: Place, keys: Any) -> tuple[Any, int]:
        if self.chance(3):
            return self.one([-1, 10_001, -(2**31)]), 1
        keyed = len(keys) if isinstance(keys, list) else PAGE
        sizes = [first for first in FIRSTS if (keyed if first is None else first) * place.parents <= ROWS]
        size = self.one(sizes)
        if size is None and not self.chance(20):
            return ..., keyed
        return self.lifted(argument.type, "first", size), keyed if size is None else size

    def after(self) -> Any:
        if self.chance(2):
            return self.one(["garbage", "", "WyJhIl0"])
        if not self.chance(25):
            return ...
        name = f"v{len(self.variables)}"
        self.variables[name] = Variable(f"${name}: String", {})
        self.afters.append(name)
        self.used.add(name)
        return Bare(f"${name}")

    # --- values -----------------------------------------------------------------------------------

    def tree(self, kind: Any, name: str, depth: int = 2, *, literal: bool = False) -> Any:
        """A value of an input type; parts of it may be variables unless it must be ``literal``."""
        if not literal and self.chance(12):
            return self.lifted(kind, name, self.tree(kind, name, depth, literal=True), surely=True)
        if isinstance(kind, GraphQLNonNull):
            kind = kind.of_type
        elif self.chance(2):
            return None
        if isinstance(kind, GraphQLList):
            items = [self.tree(kind.of_type, name, depth, literal=literal) for _ in range(self.random.randrange(4))]
            return items + items[:1] if self.chance(10) else items
        if isinstance(kind, GraphQLEnumType):
            return Bare(self.one(list(kind.values)))
        if isinstance(kind, GraphQLInputObjectType):
            return self.input(kind, name, depth, literal=literal)
        return self.leaf(kind.name, name)

    def lifted(self, kind: Any, name: str, value: Any, *, surely: bool = False) -> Any:
        """A value as it is, or by a variable: given, a default, or a default that something else is given for."""
        if not surely and not self.chance(20):
            return value
        variable = f"v{len(self.variables)}"
        self.variables[variable] = Variable("", {})  # its name is taken
        default, given = "", {variable: value}
        if value is not None and self.chance(40):
            default = f" = {render(value)}"
            given = {} if self.chance(60) else {variable: None} if self.chance(10) else given
        optional = kind.of_type if isinstance(kind, GraphQLNonNull) and default else kind
        if value is None and self.chance(30):
            given = {}
        self.variables[variable] = Variable(f"${variable}: {optional}{default}", given)
        self.used.add(variable)
        return Bare(f"${variable}")

    def input(self, kind: GraphQLInputObjectType, name: str, depth: int, *, literal: bool) -> dict[str, Any]:
        """An object: a whole key where there is one, all required fields, and a few others."""
        if key := self.key_of(kind.name.removesuffix("Key"), kind.fields):
            return key
        compares = "eq" in kind.fields  # its operands are values of the field that it is given for
        fields = {n: each for n, each in kind.fields.items() if depth or not _recursive(each.type)}
        chosen = {n for n, each in fields.items() if isinstance(each.type, GraphQLNonNull)}
        plain = [n for n in fields if n not in chosen]
        chosen |= {self.one(plain) for _ in range(1 + self.chance(25))} if plain else set()
        return {
            n: self.tree(each.type, name if compares else n, depth - _recursive(each.type), literal=literal)
            for n, each in fields.items()
            if n in chosen
        }

    def key_of(
        self, entity: str, fields: Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField]
    ) -> dict[str, Any]:
        """The key of an entity, if these fields can hold one: mostly one that is there."""
        known = self.world.keys.get(entity)
        if not known or not set(known[0]) <= set(fields):
            return {}
        if "strKey" in fields and self.chance(25):
            return {"strKey": self.leaf("String", "strKey")}
        key = dict(self.one(known))
        if self.chance(10):
            key[self.one(list(key))] = self.one([0, -99, 2**31 - 1])
        if "strKey" in fields and self.chance(3):
            del key[self.one(list(key))]
        return key

    def leaf(self, kind: str, name: str) -> Any:
        match kind:
            case "Boolean":
                return self.chance(50)
            case "ID":
                found = self.one(self.world.ids)
                self.hint = decode_id(found)[0]  # a fragment on this type applies
                return "none" if self.chance(4) else found
            case "String":
                return self.one([*self.world.values.get(name, []), "", "a%", 'quo"te', "\u00e9"])
        found = [value for value in self.world.values.get(name, []) if isinstance(value, int | float)]
        numbers = found or [1, 2, 3, 5, 20, -3, 0]
        if kind == "Float":
            return float(self.one([*numbers, 0.1, 1e300]))
        return int(self.one(numbers))


# --- text ------------------------------------------------------------------------------------------


def render(value: Any) -> str:
    """A value as GraphQL writes it."""
    if isinstance(value, Bare):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {render(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(render, value)) + "]"
    return orjson.dumps(value).decode()


def _alias(key: str, name: str) -> str:
    return name if key == name else f"{key}: {name}"


def _definition(fragment: Fragment) -> str:
    return f"fragment {fragment.name} on {fragment.kind.name} {{ {fragment.body.text} }}"


# --- types -----------------------------------------------------------------------------------------


def _possible(schema: GraphQLSchema, kind: Any) -> Iterator[str]:
    if isinstance(kind, GraphQLObjectType):
        yield kind.name
    else:
        yield from (each.name for each in schema.get_possible_types(kind))


@cache
def _related(schema: GraphQLSchema, name: str) -> list[str]:
    """The types that some objects of a type have, itself first: conditions of fragments."""
    possible = set(_possible(schema, schema.type_map[name]))
    others = {other: set(_possible(schema, each)) for other, each in schema.type_map.items() if _selectable(each)}
    return [name, *(other for other, found in others.items() if other != name and found & possible)]


def _selectable(kind: Any) -> bool:
    return isinstance(kind, Composite) and not kind.name.startswith("__")


def _recursive(kind: Any) -> bool:
    """Whether an input type leads to others like it: a filter within a filter."""
    named = get_named_type(kind)
    return isinstance(named, GraphQLInputObjectType) and any(
        isinstance(get_named_type(each.type), GraphQLInputObjectType) for each in named.fields.values()
    )
