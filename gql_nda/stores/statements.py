"""Queries as SQL that MySQL 5.7, MariaDB and SQLite accept: no CTE, no window function, no LATERAL."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    DECIMAL,
    Column,
    FromClause,
    LargeBinary,
    Select,
    String,
    Table,
    and_,
    bindparam,
    exists,
    false,
    func,
    literal_column,
    not_,
    null,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.sql.expression import CompoundSelect

from gql_nda.query import And, Compare, Key, Not, Or, Order, Predicate, Query, Ref, Relation, refs_of
from gql_nda.stores import HEAD
from gql_nda.stores.dialects import Dialect, Expression
from gql_nda.tables import Float32, key_names

T = TypeVar("T")

LARGEST_LIST = 1024
"""Most keys in one IN-list."""


def padded(items: Sequence[T], largest: int = LARGEST_LIST) -> Iterator[Sequence[T]]:
    """Pieces of at most ``largest`` items, each filled up with its last item to 1, 2, 4 ... items.

    Each length is a prepared statement of its own, so there must be few lengths.
    """
    for start in range(0, len(items), largest):
        piece = items[start : start + largest]
        size = 1 << (len(piece) - 1).bit_length()
        yield [*piece, *[piece[-1]] * (size - len(piece))]


class Prepared(NamedTuple):
    """A statement as the driver takes it."""

    text: str
    parameters: tuple[Any, ...]


class Statements:
    """Builds the statements of one dialect; ``engine`` compiles those that are built once and sent often."""

    def __init__(self, dialect: Dialect, engine: Any) -> None:
        self.dialect, self._engine = dialect, engine
        self._everything = lru_cache(256)(self._all)
        self._prepared = lru_cache(256)(self._compiled)

    def one(self, query: Query, refs: Sequence[Ref]) -> Prepared:
        """Some columns of the row of one key of numbers: SQLAlchemy takes longer to build it than all else takes."""
        return Prepared(self._prepared(query.table, query.on, tuple(refs)), query.keys[0])

    def _compiled(self, table: Table, on: tuple[str, ...], refs: tuple[Ref, ...]) -> str:
        query = Query(table, on)
        statement = self._all(query, refs).where(*(table.c[name] == bindparam(f"k{i}") for i, name in enumerate(on)))
        return str(statement.compile(dialect=self._engine.dialect))

    def rows(self, query: Query, refs: Sequence[Ref]) -> Select[Any]:
        """Some columns of the rows of all keys of a query; the limit holds for them together."""
        return self._of(self._everything(_shape(query), tuple(refs)), query, query.keys, query.limit)

    def pages(
        self, query: Query, keys: Sequence[Key], limits: Sequence[int], refs: Sequence[Ref]
    ) -> Select[Any] | CompoundSelect[Any]:
        """One page for each key: a union of limited selects reads little more than it returns."""
        everything = self._everything(_shape(query), tuple(refs))
        pages = [self._of(everything, query, (key,), limit) for key, limit in zip(keys, limits, strict=True)]
        if len(pages) == 1:
            return pages[0]
        return union_all(*(select(page.subquery(f"p{i}")) for i, page in enumerate(pages)))

    def _all(self, query: Query, refs: tuple[Ref, ...]) -> Select[Any]:
        """The rows of any key, all of them."""
        sources = _Sources(query, refs)
        order = query.ordering if query.limit is not None else ()
        chosen = [self._shown(ref, sources).label(ref.label) for ref in refs]
        statement = select(*chosen).select_from(sources.joined).where(*self._filter(query, sources))
        if query.after is not None:
            statement = statement.where(self._after(query.ordering, query.after, sources))
        return statement.order_by(*(term for o in order for term in self._order(o, sources, query)))

    def _of(self, statement: Select[Any], query: Query, keys: Sequence[Key], limit: int | None) -> Select[Any]:
        """Those rows that some keys have, up to a limit."""
        if query.on:
            statement = statement.where(self._among([query.table.c[name] for name in query.on], keys))
        return statement if limit is None else statement.limit(limit)

    def unions(self, query: Query) -> int:
        """The most pages, a power of two, that one statement can join: each repeats the filter's operands."""
        page = 2 * len(query.on) + 2 + len(query.ordering) + _operands(query.where) + len(query.after or ()) ** 2
        room = max(1, self.dialect.parameters // page)
        return min(self.dialect.unions, 1 << (room.bit_length() - 1))

    def counts(self, query: Query) -> Select[Any]:
        """Number of rows of each key."""
        sources = _Sources(query)
        group = [query.table.c[name] for name in query.on]
        statement = select(*group, func.count().label("n")).select_from(sources.joined)
        statement = statement.where(*self._filter(query, sources)).group_by(*group)
        return self._of(statement, query, query.keys, None)

    def largest(self, relation: Relation) -> Select[Any]:
        """Number of rows of the largest group."""
        group = [self._exact(relation.table.c[name]) for name in relation.on]
        sizes = select(func.count().label("n")).select_from(relation.table).group_by(*group).subquery("sizes")
        return select(func.max(sizes.c.n).label("n"))

    def heads(self, column: Column[Any], keys: Sequence[Key]) -> Select[Any]:
        """Key, first bytes and length of some blobs."""
        head = func.substr(column, 1, HEAD, type_=LargeBinary).label("head")
        return self._by_key(column, keys, head, func.length(column).label("size"))

    def blobs(self, column: Column[Any], keys: Sequence[Key]) -> Select[Any]:
        """Key and bytes of some blobs. Key columns come first: asyncmy loses rows whose first is >= 16 MiB."""
        return self._by_key(column, keys, column.label("blob"))

    def chunk(self, column: Column[Any], key: Key, start: int, size: int) -> Select[Any]:
        """``size`` bytes of one blob."""
        return self._by_key(column, [key], func.substr(column, start + 1, size, type_=LargeBinary).label("blob"))

    def _by_key(self, column: Column[Any], keys: Sequence[Key], *chosen: Expression) -> Select[Any]:
        table: Any = column.table
        return select(*table.primary_key, *chosen).where(
            self._among([table.c[n] for n in key_names(table)], keys), column.is_not(null())
        )

    def _among(self, columns: list[Column[Any]], keys: Sequence[Key]) -> Expression:
        """The columns equal one of the keys; texts by the database's collation, for its index, then exactly."""
        among = _in(columns, keys)
        if not any(isinstance(c.type, String) for c in columns):
            return among
        operand = self.dialect.operand
        exact = [tuple(operand(v) if isinstance(v, str) else v for v in key) for key in keys]
        return and_(among, _in([self._exact(c) for c in columns], exact))

    def _exact(self, column: Column[Any]) -> Expression:
        return self.dialect.exact(column) if isinstance(column.type, String) else column

    def _filter(self, query: Query, sources: "_Sources") -> Iterator[Expression]:
        if query.where is not None:
            yield self._predicate(query.where, sources)

    def _shown(self, ref: Ref, sources: "_Sources") -> Expression:
        column = sources[ref]
        return self.dialect.double(column) if isinstance(ref.column.type, Float32 | DECIMAL) else column

    def _single(self, ref: Ref, column: Expression) -> Expression:
        """A column as it is compared: a FLOAT as float32 holds it."""
        round_off = self.dialect.single if isinstance(ref.column.type, Float32) else None
        return column if round_off is None else round_off(column)

    def _predicate(self, predicate: Predicate, sources: "_Sources") -> Expression:
        match predicate:
            case And(parts):
                return and_(true(), *(self._predicate(p, sources) for p in parts))
            case Or(parts):
                return or_(false(), *(self._predicate(p, sources) for p in parts))
            case Not(part):
                return not_(self._predicate(part, sources).self_group())
            case Compare():
                return self._compare(predicate, sources)

    def _compare(self, compare: Compare, sources: "_Sources") -> Expression:
        column, op, value = sources[compare.ref], compare.op, compare.value
        if op == "isNull":
            return column.is_(null()) if value else column.is_not(null())
        if compare.ref.textual:
            return self._compare_text(column, op, value)
        return _OPERATORS[op](self._single(compare.ref, column), list(value) if isinstance(value, tuple) else value)

    def _compare_text(self, column: Expression, op: str, value: Any) -> Expression:
        exact, operand = self.dialect.exact(column), self.dialect.operand
        if op == "startsWith":
            prefix = operand(value)
            return func.substr(exact, 1, func.length(prefix)) == prefix
        return _OPERATORS[op](exact, [operand(v) for v in value] if isinstance(value, tuple) else operand(value))

    def _order(self, order: Order, sources: "_Sources", query: Query) -> Iterator[Expression]:
        column = sources[order.ref]
        if order.ref.column.primary_key and not order.ref.textual and not _begins_key(query):
            # MySQL would rather read all of the scan in the primary key's order than find a key's rows and sort them.
            column = column + literal_column("0")
        if order.ref.nullable:
            yield column.is_(null())
        exact = self.dialect.exact(column) if order.ref.textual else self._single(order.ref, column)
        yield exact.desc() if order.descending else exact.asc()

    def _after(self, ordering: Sequence[Order], values: Key, sources: "_Sources") -> Expression:
        """Rows behind a position: those beyond it in the first column that differs."""
        alternatives: list[Expression] = []
        same: list[Expression] = []
        for order, value in zip(ordering, values, strict=True):
            alternatives.append(and_(*same, self._beyond(order, value, sources)))
            op: Any = ("isNull", True) if value is None else ("eq", value)
            same.append(self._compare(Compare(order.ref, *op), sources))
        return or_(false(), *alternatives)

    def _beyond(self, order: Order, value: Any, sources: "_Sources") -> Expression:
        if value is None:
            return false()
        beyond = self._compare(Compare(order.ref, "lt" if order.descending else "gt", value), sources)
        return or_(beyond, sources[order.ref].is_(null())) if order.ref.nullable else beyond


# Of no values, too, NULL is neither one nor none: a column compared with itself is false or true, or unknown.
_OPERATORS: dict[str, Callable[[Expression, Any], Expression]] = {
    "eq": lambda column, value: column == value,
    "ne": lambda column, value: column != value,
    "in": lambda column, values: column.in_(values) if values else column != column,
    "notIn": lambda column, values: column.not_in(values) if values else column == column,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
}


def _shape(query: Query) -> Query:
    """The query less its keys, and of its limit only whether it has one."""
    return replace(query, keys=(), limit=None if query.limit is None else 0)


def _in(columns: Sequence[Expression], keys: Sequence[Key]) -> Expression:
    """The columns equal one of the keys."""
    if len(keys) == 1:
        return and_(*(c == v for c, v in zip(columns, keys[0], strict=True)))
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    return tuple_(*columns).in_(keys)


def _begins_key(query: Query) -> bool:
    """Whether the rows of a key lie together in the order of the primary key."""
    return set(key_names(query.table)[: len(query.on)]) == set(query.on)


class _Sources:
    """The query's table and what its order and predicate reach from it, each joined once."""

    def __init__(self, query: Query, shown: Sequence[Ref] = ()) -> None:
        self.table = query.table
        self.joined: FromClause = query.table
        self.aliases: dict[tuple[Relation, ...], FromClause] = {(): query.table}
        for ref in [*(o.ref for o in query.order), *refs_of(query.where), *shown]:
            path: tuple[Relation, ...] = ()
            for step in ref.path:
                path = self._join(path, step)

    def _join(self, path: tuple[Relation, ...], step: Relation) -> tuple[Relation, ...]:
        longer = (*path, step)
        if longer not in self.aliases:
            # numbered, not named by their path: MySQL takes 64 characters
            here, there = self.aliases[path], step.table.alias(f"{step.table.name}_{len(self.aliases)}")
            self.aliases[longer] = there
            matches = [there.c[n] == here.c[n] for n in step.on]
            if beside := [n for n in key_names(step.table) if n not in step.on]:
                matches.append(_is_first(there, step, beside))
            self.joined = self.joined.outerjoin(there, and_(*matches))
        return longer

    def __getitem__(self, ref: Ref) -> Expression:
        return self.aliases[ref.path].c[ref.column.name]


def _is_first(row: FromClause, step: Relation, beside: Sequence[str]) -> Expression:
    """No row of the relation has a smaller key: where there are two stacks, units are those of the first."""
    other = step.table.alias(f"{row.name}_before")  # type: ignore[attr-defined]
    same: list[Expression] = [other.c[n] == row.c[n] for n in step.on]
    before = or_(
        *(and_(*(other.c[m] == row.c[m] for m in beside[:i]), other.c[n] < row.c[n]) for i, n in enumerate(beside))
    )
    return not_(exists().where(*same, before))


def _operands(predicate: Predicate | None) -> int:
    """The most parameters that a predicate takes; a text can take two."""
    match predicate:
        case And(parts) | Or(parts):
            return sum(map(_operands, parts))
        case Not(part):
            return _operands(part)
        case Compare(_, _, value):
            return 2 * len(value) if isinstance(value, tuple) else 2
        case None:
            return 0
