"""What the machine is, and how busy it was with other things."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import psutil

from tools import npm


def described(database: str) -> list[str]:
    """One fact a line."""
    memory = psutil.virtual_memory().total / 2**30
    packages = ("graphql-core", "strawberry-graphql", "granian", "polars")
    node = subprocess.run([npm.node(), "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return [
        f"{os.cpu_count()} cores of {_processor()}, {memory:.0f} GiB, {platform.system()} {platform.release()}",
        f"Python {platform.python_version()}, MariaDB {database.split('-')[0]}, Node.js {node.removeprefix('v')}",
        ", ".join(f"{name} {version(name)}" for name in packages),
    ]


def load() -> str:
    """Processes that wanted to run in the last minute, five and fifteen."""
    return ", ".join(f"{value:.1f}" for value in os.getloadavg())


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
