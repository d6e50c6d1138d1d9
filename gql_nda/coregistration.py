"""The transforms between a stack and the electron-microscopy volume: which is meant, and what it does to points."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from numpy.typing import ArrayLike

from gql_nda.codec import unpack
from gql_nda.errors import BadUserInput, BlobCorrupt
from gql_nda.science import transform
from gql_nda.science.transform import Moved, Transform

TO_EM, TO_STACK = "2PEM", "EM2P"
"""The directions, as nda's Coregistration has them: from the stack, and from the EM volume."""

_MOVE = {TO_EM: transform.stack_to_em, TO_STACK: transform.em_to_stack}

R = TypeVar("R", bound=Mapping[str, Any])
"""A row of Coregistration, without its blobs."""


def applicable(row: Mapping[str, Any]) -> bool:
    """Whether it is known how to apply a row's transform: its direction, and its version's frames."""
    return row["direction"] in _MOVE and row["version"] in transform.VERSIONS


@dataclass(frozen=True)
class Coregistered:
    """A transform that is ready to be applied; ``um_height`` is its stack's, along whose y axis it turns round."""

    transform_id: int
    version: str
    direction: str
    transform: Transform
    um_height: float

    def __call__(self, points: ArrayLike) -> Moved:
        """Points (n, 3) moved: from um of the stack to EM voxels, or back. No two transforms are inverses."""
        return _MOVE[self.direction](self.transform, self.version, points, self.um_height)


def read(row: Mapping[str, Any], um_height: float, solution: bytes) -> Coregistered:
    """The transform of a row and of its ``transform_solution``; BLOB_CORRUPT if that is none of a known kind."""
    try:
        if not applicable(row):
            raise ValueError(f"{row['version']} {row['direction']} is of no known kind")
        parsed = transform.parse(unpack(solution))
    except ValueError as error:
        raise BlobCorrupt(f"holds no transform: {error}") from None
    return Coregistered(row["transform_id"], row["version"], row["direction"], parsed, um_height)


def choose(
    rows: Iterable[R],
    direction: str | None = None,
    *,
    transform_id: int | None = None,
    version: str | None = None,
    kind: str | None = None,
) -> R | None:
    """The transform that is meant: that of an id, or the best of a version, a direction and a kind.

    The best is of the latest version; a spline, which is what was published, before any other; the one with the
    least id. What isn't applicable counts for none. None if there are no transforms at all; BAD_USER_INPUT if there
    are, but none such.
    """
    known = sorted(filter(applicable, rows), key=_rank, reverse=True)
    # the direction last: clients don't always give it, and an error names the first
    wanted = {"transform_id": transform_id, "version": version, "transform_type": kind, "direction": direction}
    asked = {name: value for name, value in wanted.items() if value is not None}
    found = [row for row in known if all(row[name] == value for name, value in asked.items())]
    if known and not found:
        what = ", ".join(f"{_NAMES[name]} {_CALLED.get(value, value)!s:.40}" for name, value in asked.items())
        raise BadUserInput(f"no transform of {what}; there are {_told(known)}", argument=_NAMES[next(iter(asked))])
    return found[0] if found else None


_NAMES = {"direction": "direction", "transform_id": "transformId", "version": "version", "transform_type": "type"}
"""What clients call the columns."""

_CALLED: dict[object, str] = {TO_EM: "TWO_P_TO_EM", TO_STACK: "EM_TO_TWO_P"}
"""What they call the directions."""


def _rank(row: Mapping[str, Any]) -> tuple[str, bool, int]:
    return row["version"], row["transform_type"] == "spline", -row["transform_id"]


def _told(rows: Sequence[Mapping[str, Any]]) -> str:
    told = (f"{r['transform_id']} {r['version']} {_CALLED[r['direction']]} {r['transform_type']}" for r in rows[:20])
    return "; ".join(told)
