"""The runnable examples."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "examples"


@dataclass(frozen=True)
class Example:
    """A document with its variables."""

    name: str
    text: str
    variables: dict[str, Any]


def load(path: Path) -> Example:
    """One example."""
    beside = path.with_suffix(".variables.json")
    return Example(path.stem, path.read_text(), json.loads(beside.read_text()) if beside.exists() else {})


EXAMPLES = {path.stem: load(path) for path in sorted(FOLDER.glob("*.graphql"))}
