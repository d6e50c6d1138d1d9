"""A real server for the tests that need one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.granian import granian


@pytest.fixture(scope="session")
def server(demo_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server over the demo in SQLite."""
    with granian(f"sqlite:///{demo_path}", tmp_path_factory.mktemp("server") / "log") as address:
        yield address
