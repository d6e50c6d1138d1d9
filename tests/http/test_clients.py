"""Apollo Client and urql as they are, with their automatic persisted queries."""

import json
import subprocess
from pathlib import Path

from tools.npm import WEB, node


def test_persisted_queries(server: str) -> None:
    script = Path(__file__).with_name("clients.mjs")
    command = [str(node()), str(script), str(WEB), f"{server}/graphql"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert finished.returncode == 0, finished.stderr
    results = json.loads(finished.stdout.splitlines()[-1])
    assert list(results) == ["apollo POST", "apollo GET", "urql POST", "urql GET"]
    for client, (first, second) in results.items():
        assert first["data"] == second["data"] == {"scan": {"fps": 6.3009}}, client
        assert [request["query"] for request in first["requests"]] == [False, True], client
        assert [request["query"] for request in second["requests"]] == [False], client
        assert all(request["hash"] for request in first["requests"] + second["requests"]), client
        assert second["requests"][0]["method"] == client.split()[1]
        assert second["requests"][0]["status"] == 200
