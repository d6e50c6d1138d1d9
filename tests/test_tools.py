"""What installs and runs the project: locks, the node that is taken, what may be skipped."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tools import npm

ROOT = Path(__file__).parents[1]


def test_npm_lock_names_exact_versions_and_no_addresses() -> None:
    text = (ROOT / "web/package-lock.json").read_text()
    package = json.loads((ROOT / "web/package.json").read_text())
    locked = json.loads(text)["packages"]
    assert "://" not in text, "write it with python -m tools.npm relock"
    for name, version in {**package["dependencies"], **package["devDependencies"]}.items():
        assert locked[f"node_modules/{name}"]["version"] == version
    assert all("integrity" in entry for path, entry in locked.items() if path)


def test_constraints_pin_what_is_asked_for() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    pinned = {_plain(line.partition("==")[0]) for line in lines}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(name for extra in project["optional-dependencies"].values() for name in extra)]
    assert {_plain(re.split(r"[<>=\[]", name)[0]) for name in asked} <= pinned


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize(
    ("version", "taken"), [("v20.20.2", True), ("v24.0.0", True), ("v18.19.0", False), ("what?", False)]
)
def test_old_node_is_not_taken(version: str, taken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho '{version}'\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(npm, "_from_pypi", lambda: Path("pypi"))
    assert npm.node() == (tmp_path / "node" if taken else Path("pypi/bin/node"))


SKIPPED = "@pytest.mark.skip(reason={!r})\ndef test_skipped(): pass"


@pytest.mark.parametrize(
    ("test", "code"),
    [
        (SKIPPED.format("../shared/data is absent"), 0),
        (SKIPPED.format("no database"), 1),
        ("pytest.importorskip('no_such_module')", 1),
        ("@pytest.mark.xfail\ndef test_expected(): assert False", 0),
    ],
)
def test_only_absent_data_may_be_skipped(test: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_well.py").write_text("def test_well(): pass")
    (tmp_path / "test_other.py").write_text(f"import pytest\n{test}")
    command = [sys.executable, "-m", "pytest", "-p", "tests.support.skips", "-p", "no:asyncio", str(tmp_path)]
    finished = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert finished.returncode == code, finished.stdout
    assert ("must not be skipped" in finished.stdout) == bool(code)
