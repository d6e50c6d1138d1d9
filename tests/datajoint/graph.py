"""How the graph names what DataJoint names, told apart from ``gql_nda.types``; and rows fetched by it."""

from base64 import urlsafe_b64encode
from typing import Any

from tests.datajoint.nda import Nda
from tests.datajoint.rows import Row
from tests.support.client import Client

TYPES = {"ScanUnit": "Unit", "Segmentation": "Mask"}
"""GraphQL types that are not named as their class."""

FLAT = {
    "RasterCorrection": "Field",
    "MaskClassification": "Segmentation",
    "Fluorescence": "Segmentation",
    "UnitHash": "ScanUnit",
    "AreaMembership": "ScanUnit",
}
"""Classes without a type of their own: their columns are fields of another class's type."""

NAMES = {"field": "fieldIdx", ("Fluorescence", "trace"): "fluorescence"}
"""Fields that are not named as their column in camel case."""

TRANSFORMS = ("transform_args", "transform_solution")

_ARRAY = "{ shape dtype nbytes href values(stop: 20) }"
_TRANSFORM = "{ name stages { name order axis nchunks controlPoints } }"


def field(name: str, column: str) -> str:
    """The GraphQL field of a column."""
    head, *rest = column.split("_")
    return NAMES.get((name, column)) or NAMES.get(column) or head + "".join(map(str.capitalize, rest))


def holder(name: str) -> str:
    """The class whose type shows the columns of a class."""
    return FLAT.get(name, name)


def arrays(nda: Nda, name: str) -> list[str]:
    """The array columns of a class."""
    return [n for n, a in nda.heading(name).items() if a.is_blob and n not in TRANSFORMS]


async def rows(client: Client, nda: Nda, name: str) -> list[tuple[Row, Row]]:
    """Every row that DataJoint fetches of a class, beside its columns as the server answers for its key."""
    keys, shown = nda.key_names(holder(name)), _selection(nda, name)
    kind = TYPES.get(holder(name), holder(name))
    query = f"query($id: ID!) {{ node(id: $id) {{ id ... on {kind} {{ {shown} }} }} }}"
    found = []
    for row in nda.fetch(name):
        key = [row[n] for n in keys]
        node = (await client.data(query, id=global_id(kind, *key)))["node"]
        assert node.pop("id") == global_id(kind, *key)
        found.append((row, {column: node[field(name, column)] for column in row}))
    return found


def global_id(kind: str, *key: Any) -> str:
    """What ``node`` finds a row by."""
    text = ".".join(str(value).replace("+", "-").replace("/", "_") for value in key)
    return urlsafe_b64encode(f"{kind}:{text}".encode()).decode().rstrip("=")


def _selection(nda: Nda, name: str) -> str:
    shown = []
    for column, attribute in nda.heading(name).items():
        below = _TRANSFORM if column in TRANSFORMS else _ARRAY if attribute.is_blob else ""
        shown.append(f"{field(name, column)} {below}")
    return " ".join(shown)
