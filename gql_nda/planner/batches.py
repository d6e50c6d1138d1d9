"""The rows of a level: a few as dictionaries, many as a frame; both give the same JSON."""

from collections.abc import Sequence
from typing import Protocol

import orjson
import polars as pl

from gql_nda.planner import text, values
from gql_nda.planner.nodes import Level, Site
from gql_nda.query import Key, Row
from gql_nda.tables import key_names

Texts = list[str | None]
"""The JSON of each row, None where it couldn't be said."""

Slots = dict[str, Texts]
"""The JSON of a level's parts, by label."""


def size(texts: Texts) -> int:
    """Length of all texts."""
    return sum(len(text) for text in texts if text is not None)


class Batch(Protocol):
    """Rows of one table, with what stands beside them under its labels."""

    def __len__(self) -> int:
        """Number of rows."""

    def at(self, labels: Sequence[str], indices: Sequence[int] | None = None) -> list[Key]:
        """The values of some columns, of all rows or of some."""

    def render(self, level: Level, slots: Slots) -> Texts:
        """The JSON of each row, with that of its parts."""

    def cause(self, level: Level, index: int) -> str | None:
        """The first field that couldn't be said of a row; None where a part had no JSON."""


class Few:
    """Rows as dictionaries."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def at(self, labels: Sequence[str], indices: Sequence[int] | None = None) -> list[Key]:
        """The values of some columns."""
        rows = self._rows if indices is None else [self._rows[i] for i in indices]
        return [row.at(labels) for row in rows]

    def render(self, level: Level, slots: Slots) -> Texts:
        """The JSON of each row."""
        for label, texts in slots.items():
            for row, json in zip(self._rows, texts, strict=True):
                row[label] = json
        return [_rendered(level, row) for row in self._rows]

    def cause(self, level: Level, index: int) -> str | None:
        """The first field that couldn't be said of a row."""
        try:
            values.level(level)(self._rows[index])
        except values.Unsaid:
            return None
        except Exception as error:
            return f"{level.type.name}: {str(error) or type(error).__name__}"
        return None


_JSON = "{}"
"""The column of what is rendered."""


class Many:
    """Rows as a frame."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return self._rows.height

    def at(self, labels: Sequence[str], indices: Sequence[int] | None = None) -> list[Key]:
        """The values of some columns."""
        rows = self._rows.select(labels)
        return (rows if indices is None else rows[list(indices)]).rows()

    def render(self, level: Level, slots: Slots) -> Texts:
        """The JSON of each row."""
        rows = text.legible(self._rows)
        rows = rows.with_columns([pl.Series(label, texts, pl.String) for label, texts in slots.items()])
        # not ``select``: of constants alone it would make one row
        rendered: Texts = rows.with_columns(text.level(level).alias(_JSON))[_JSON].to_list()
        return rendered

    def cause(self, level: Level, index: int) -> str | None:
        """The first field that couldn't be said of a row."""
        row = dict(zip(self._rows.columns, self._rows.row(index), strict=True))
        row |= {part.site.label: "null" for part in level.parts}
        return Few([Row(level.table, row)]).cause(level, 0)


def owners(rows: Batch, site: Site) -> list[Row | None]:
    """The rows that a part belongs to, with the columns that it needs; where its key is null there is none."""
    key = site.names.index(key_names(site.table)[0])
    return [
        Row(site.table, dict(zip(site.names, record, strict=True))) if record[key] is not None else None
        for record in rows.at([ref.label for ref in site.refs])
    ]


def _rendered(level: Level, row: Row) -> str | None:
    try:
        return orjson.dumps(values.level(level)(row)).decode()
    except Exception:  # whatever the value is, graphql-core tells what is wrong with it
        return None
