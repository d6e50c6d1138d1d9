"""Why results are missing, in words a client may read: one text, or none, for each."""

import numpy as np
from numpy.typing import ArrayLike

Reasons = list[str | None]
"""One entry a unit: None where nothing is missing."""


def joined(*texts: str | None) -> str | None:
    """The texts that there are, as one; None without any."""
    return "; ".join(filter(None, texts)) or None


def reasons(count: int, *causes: tuple[ArrayLike, str]) -> Reasons:
    """The texts of the causes that hold, joined: ``count`` entries.

    A cause is a condition, (count,) or one for all, and its text.
    """
    held = [(np.broadcast_to(np.asarray(mask, bool), count), text) for mask, text in causes]
    return [joined(*(text for mask, text in held if mask[i])) for i in range(count)]
