"""Points through a transform, as we move them."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from benchmarks.peers.transform import answered, points, solution
from gql_nda.science.transform import Transform, parse


@cache
def _transform() -> Transform:
    return parse(solution())


def answer(variables: Mapping[str, Any]) -> bytes:
    """The points moved."""
    return answered(_transform()(points(variables)).points)
