"""What the differential tests share."""

from pathlib import Path

import pytest

from tests.planner.world import World


@pytest.fixture(scope="session")
def world(demo_path: Path) -> World:
    """What the demo holds."""
    return World(demo_path)
