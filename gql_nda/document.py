"""What a document says of its variables."""

from collections.abc import Callable, Iterator
from typing import Any

from graphql import Node, VariableNode


def variables(node: Node, within: Callable[[Node], bool]) -> frozenset[str]:
    """Names of the variables that stand within nodes of some kind, anywhere below a node."""
    return frozenset(_names(node, within, inside=False))


def _names(value: Any, within: Callable[[Node], bool], *, inside: bool) -> Iterator[str]:
    if isinstance(value, VariableNode):
        if inside:
            yield value.name.value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _names(item, within, inside=inside)
    elif isinstance(value, Node):
        inside = inside or within(value)
        for name in value.keys:
            if name != "loc":
                yield from _names(getattr(value, name), within, inside=inside)
