"""Shared vectors that the repository doesn't hold: real rows, and numbers made with upstream's code."""

import json
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parents[2].parent / "shared" / "data"


def golden(name: str) -> Any:
    """One shared JSON file; the test is skipped where it's absent."""
    path = DATA / name
    if not path.exists():
        pytest.skip("../shared/data is absent")
    return json.loads(path.read_text())
