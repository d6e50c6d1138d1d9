"""Units and fields as clients name them: a unit by three numbers, or by one text."""

from typing import Any

import strawberry
from strawberry import UNSET

from gql_nda.errors import BadUserInput
from gql_nda.keys import parse_str_key
from gql_nda.query import Key
from gql_nda.types.arguments import at_once

UNIT_WAYS: dict[str, tuple[Any, str]] = {
    "session": (int, "The unit's session."),
    "scan_idx": (int, "The unit's scan."),
    "unit_id": (int, "The unit's number."),
    "str_key": (str, "The key as text: 04_07_000001."),
}
"""How a unit is named: its three numbers, or its name."""


@at_once
@strawberry.input(description="The key of a unit: its three numbers, or strKey.")
class UnitKey:
    """One whole key."""

    session: int | None = strawberry.field(default=UNSET, description=UNIT_WAYS["session"][1])
    scan_idx: int | None = strawberry.field(default=UNSET, description=UNIT_WAYS["scan_idx"][1])
    unit_id: int | None = strawberry.field(default=UNSET, description=UNIT_WAYS["unit_id"][1])
    str_key: str | None = strawberry.field(default=UNSET, description=UNIT_WAYS["str_key"][1])

    @property
    def key(self) -> Key:
        """The primary key that it gives."""
        return unit_key(self.session, self.scan_idx, self.unit_id, self.str_key)


def unit_key(session: int | None, scan_idx: int | None, unit_id: int | None, str_key: str | None) -> Key:
    """One whole key of a unit, however it was given."""
    numbers = (session, scan_idx, unit_id)
    given = [number for number in numbers if isinstance(number, int)]
    if isinstance(str_key, str) and not given:
        return parse_str_key(str_key)
    if str_key in (UNSET, None) and len(given) == len(numbers):
        return tuple(given)
    raise BadUserInput("unit: give session, scanIdx and unitId, or strKey alone", argument="unit")


@at_once
@strawberry.input(description="The key of a field.")
class FieldKey:
    """One whole key."""

    session: int = strawberry.field(description="The field's session.")
    scan_idx: int = strawberry.field(description="The field's scan.")
    field_idx: int = strawberry.field(description="The field's number.")

    @property
    def key(self) -> Key:
        """The primary key that it gives."""
        return self.session, self.scan_idx, self.field_idx
