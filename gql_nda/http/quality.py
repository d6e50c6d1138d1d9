"""What a client would rather have: the weights in Accept and Accept-Encoding."""

import re

_WEIGHT = re.compile(r"q\s*=\s*([01](?:\.[0-9]{0,3})?)")


def weights(header: str) -> dict[str, float]:
    """The weight of each thing that a header names, in lower case and in the header's order: 0 is not to be had."""
    found: dict[str, float] = {}
    for part in header.lower().split(","):
        name, *parameters = (each.strip() for each in part.split(";"))
        found.setdefault(name, next((float(q[1]) for q in map(_WEIGHT.fullmatch, parameters) if q), 1.0))
    return found
