"""What the README tells a newcomer to run, runs."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from tests.support.client import Client
from tests.support.granian import granian

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """The README's code blocks in a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


async def test_the_first_query(sqlite_client: Client) -> None:
    (query,) = blocks("graphql")
    units = (await sqlite_client.data(query))["scan"]["units"]["nodes"]
    assert len(units) == 3
    assert all(len(unit["activity"]["trace"]["preview"]["x"]) == 20 for unit in units)


def test_the_notebook_cell(demo_path: Path, tmp_path: Path) -> None:
    (cell,) = blocks("python")
    with granian(f"sqlite:///{demo_path}", tmp_path / "log") as base:
        script = f"import matplotlib\nmatplotlib.use('Agg')\n{cell.replace('http://127.0.0.1:8000', base)}"
        done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "V1" in done.stdout
    with Image.open(tmp_path / "best-unit.png") as picture:
        assert np.asarray(picture.convert("L")).std() > 5  # something is drawn


def test_the_documents_that_it_links_to_exist() -> None:
    for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\((?!http)([^)#]+)", path.read_text()):
            assert (path.parent / link).exists(), f"{path.name}: {link}"
