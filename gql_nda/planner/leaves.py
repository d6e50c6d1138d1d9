"""Lists of numbers that are complete as they are: graphql-core would look at each for microseconds, to change none."""

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any

from graphql import is_list_type, is_non_null_type

NONE = type(None)
_INT32 = 2**31


def complete(kind: Any, value: Any) -> bool:
    """Whether a list, however nested, is what graphql-core makes of it; no promise if not."""
    if type(value) is not list:
        return False
    item = kind.of_type
    inner = item.of_type if is_non_null_type(item) else item
    nullable = item is inner
    if is_list_type(inner):
        return all((nullable and one is None) or complete(inner, one) for one in value)
    check = _CHECKS.get(getattr(inner, "name", ""))
    return check is not None and _all(check, value, nullable=nullable)


def count(value: Any) -> int:
    """Number of numbers in a list, however nested."""
    first = next((one for one in value if one is not None), None)
    return sum(count(one) for one in value if one is not None) if type(first) is list else len(value)


Check = tuple[type, Callable[[Sequence[Any]], bool]]


def _all(check: Check, values: list[Any], *, nullable: bool) -> bool:
    """Whether all values are of the type, and stand the test; None may be among them if ``nullable``."""
    kind, holds = check
    kinds = set(map(type, values))
    if not kinds <= {kind, NONE} or (NONE in kinds and not nullable):
        return False
    return holds([value for value in values if value is not None] if NONE in kinds else values)


def _finite(values: Sequence[float]) -> bool:
    return all(map(isfinite, values))


def _small(values: Sequence[int]) -> bool:
    return not values or (min(values) >= -_INT32 and max(values) < _INT32)


_CHECKS: dict[str, Check] = {"Float": (float, _finite), "Int": (int, _small)}
