"""What is asked: nothing twice in a row, so that no answer comes from memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol, TypeAlias

from benchmarks.http import Connection
from gql_nda.demo.facts import RECORDINGS

PAGE = 5000
"""Units of query U's page, at full size."""

FULL = 169_000
"""Units of the demo at full size."""

SCANS = tuple(recording.key for recording in RECORDINGS)
"""Scans that the pages are taken from."""

Variables: TypeAlias = Mapping[str, Any]


class Asked(Protocol):
    """What can be asked over HTTP, and of processes that take variables only."""

    @property
    def variables(self) -> Variables:
        """The variables."""

    def send(self, connection: Connection) -> bytes:
        """The answer's body."""


@dataclass(frozen=True)
class Question:
    """An operation. For pages of a scan, ``after`` is a unit's number: our server's cursor takes its place."""

    query: str
    variables: Variables

    def send(self, connection: Connection) -> bytes:
        """Post it."""
        return connection.post(self.query, self.variables)


@dataclass(frozen=True)
class Download:
    """An address."""

    path: str
    variables: Variables = field(default_factory=dict)

    def send(self, connection: Connection) -> bytes:
        """Get it."""
        return connection.get(self.path)


SCALARS = ("unitId", "umX", "umY", "umZ", "pxX", "pxY", "msDelay")
SATELLITES = ("stackUnit { stackX stackY stackZ }", "oracle { pearson trials }", "brainArea")
_PAGE = """query U($session: Int!, $scanIdx: Int!, $first: Int!, $after: String) {{
  scan(session: $session, scanIdx: $scanIdx) {{ units(first: $first, after: $after) {{ nodes {{ {} }} }} }}
}}"""
_UNIT = """query One($session: Int!, $scanIdx: Int!, $unitId: Int!) {{
  unit(session: $session, scanIdx: $scanIdx, unitId: $unitId) {{ {} }}
}}"""


def page_size(units: int) -> int:
    """Query U's page in a demo of so many units: the same share of a scan as at full size."""
    return max(2, PAGE * units // FULL)


def offsets(units: int) -> range:
    """Units behind which pages begin: none of the pages runs over its scan's end."""
    step = max(1, page_size(units) // 10)
    return range(0, 5 * step, step)


def pages(units: int) -> Iterator[Question]:
    """Query U, from another scan, place and with its fields in another order each time."""
    starts = offsets(units)
    for i in count():
        session, scan_idx = SCANS[i % len(SCANS)]
        place = {"session": session, "scanIdx": scan_idx}
        window = {"first": page_size(units), "after": str(starts[i % len(starts)])}
        yield Question(_PAGE.format(selection(i)), {**place, **window})


def single_units(units: int, start: int = 0) -> Iterator[Question]:
    """One unit with its satellites, another one each time."""
    for i in count(start):
        yield Question(_UNIT.format(selection(i)), _key(i, units))


def tiny(units: int) -> Iterator[Question]:
    """Two numbers of one unit, another one each time."""
    for i in count():
        yield Question(_UNIT.format("pxX pxY"), _key(i, units))


def _key(i: int, units: int) -> Variables:
    session, scan_idx = SCANS[i % len(SCANS)]
    return {"session": session, "scanIdx": scan_idx, "unitId": 1 + i * 37 % page_size(units)}


def selection(turn: int) -> str:
    """All fields of query U, beginning with another one each turn."""
    return " ".join((*_turned(SCALARS, turn), *_turned(SATELLITES, turn)))


def _turned(fields: Sequence[str], turn: int) -> tuple[str, ...]:
    at = turn % len(fields)
    return (*fields[at:], *fields[:at])
