"""Lists of numbers, counted towards what one operation may return."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from gql_nda.context import Context
from gql_nda.errors import ArrayTooLarge

R = TypeVar("R")


def spent(results: Iterable[R | BaseException], context: Context, count: Callable[[R], int]) -> list[R | BaseException]:
    """The results of rows in order, each with so many numbers: what would be too many is that row's error."""

    def one(result: R | BaseException) -> R | BaseException:
        try:
            context.spend_values(0 if isinstance(result, BaseException) else count(result))
        except ArrayTooLarge as error:
            return error
        return result

    return [one(result) for result in results]
