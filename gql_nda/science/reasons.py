"""Why results are missing, in words a client may read: one text, or none, for each."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Reasons = list[str | None]
"""One entry a unit: None where nothing is missing."""


def reasons(count: int, *causes: tuple[ArrayLike, str]) -> Reasons:
    """The texts of the causes that hold, joined: ``count`` entries.

    A cause is a condition, (count,) or one for all, and its text.
    """
    held = [(np.broadcast_to(np.asarray(mask, bool), count), text) for mask, text in causes]
    return [_joined(held, i) for i in range(count)]


def _joined(held: list[tuple[NDArray[np.bool_], str]], i: int) -> str | None:
    return "; ".join(text for mask, text in held if mask[i]) or None
