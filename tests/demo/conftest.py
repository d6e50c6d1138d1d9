"""The demo with traces that all tests share, read as plainly as possible."""

from pathlib import Path

import pytest

from .nda import Nda


@pytest.fixture(scope="session")
def nda(demo_path: Path) -> Nda:
    return Nda(demo_path)
