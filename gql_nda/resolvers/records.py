"""Lists of plain values: thousands of them take no thousands of resolvers."""

from typing import TypeVar

T = TypeVar("T")


class Records(list[T]):
    """Objects whose attributes are JSON already, just as their fields show them: none is NaN, each fits its type."""
