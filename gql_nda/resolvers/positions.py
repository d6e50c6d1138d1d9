"""Positions of units in the electron-microscopy volume by another transform than the best."""

from collections.abc import Sequence
from typing import Any

from gql_nda.context import Context
from gql_nda.query import Row


async def em_positions(units: Sequence[Row], context: Context, **chosen: Any) -> Sequence[Row | BaseException]:
    """Rows of ``em_position``, by the transform of an id, or the best of a version and a type."""
    raise NotImplementedError
