"""GraphQL over HTTP as the specification has it: the audits of the npm package ``graphql-http``."""

import json
import subprocess
from pathlib import Path

from tools.npm import WEB, node

AUDITS = 61


def test_audits(server: str) -> None:
    script = Path(__file__).with_name("audits.mjs")
    command = [str(node()), str(script), str(WEB), f"{server}/graphql"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert finished.returncode == 0, finished.stderr
    results = json.loads(finished.stdout)
    assert [f"{r['status']}: {r['id']} {r['name']}: {r['reason']}" for r in results if r["status"] != "ok"] == []
    assert len(results) == AUDITS
