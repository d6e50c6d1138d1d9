"""What Strawberry's peers have in common: the types beside a unit, and its view, writing with orjson."""

from enum import Enum

import orjson
import strawberry
from strawberry.asgi import GraphQL


@strawberry.enum
class BrainArea(Enum):
    """A visual area."""

    V1 = "V1"
    LM = "LM"
    AL = "AL"
    RL = "RL"


@strawberry.type
class StackUnit:
    """A unit's place in the stack."""

    stack_x: float
    stack_y: float
    stack_z: float


@strawberry.type
class Oracle:
    """A unit's reliability."""

    pearson: float
    trials: int


class App(GraphQL[None, None]):
    """Strawberry's own view, writing with orjson."""

    def encode_json(self, data: object) -> bytes:
        """The answer's bytes."""
        return orjson.dumps(data)
