"""The Docker files against the code: no Docker engine is needed, and none was used."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.routing import Route

from gql_nda.http.app import build_app
from gql_nda.settings import Settings, described
from gql_nda.stores.sql import SqlStore

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
PACKET = "--max-allowed-packet=1073741824"


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} +(.*)$", DOCKERFILE, re.MULTILINE)


def copied() -> list[str]:
    """What the Dockerfile takes from the checkout."""
    return [path for line in instructions("COPY") if "--from" not in line for path in shlex.split(line)[:-1]]


def variables(service: dict[str, Any]) -> dict[str, str]:
    return dict(entry.partition("=")[::2] for entry in service["environment"])


@pytest.mark.parametrize("path", copied())
def test_what_is_copied_exists(path: str) -> None:
    assert (ROOT / path).exists()
    assert f"!{path}" in (ROOT / ".dockerignore").read_text().splitlines()


def test_everything_that_the_build_reads_is_copied() -> None:
    assert {"gql_nda", "pyproject.toml", "constraints.txt", "README.md"} <= set(copied())  # pip install .
    assert {"tools", "examples", "web/package-lock.json", "web/.npmrc"} <= set(copied())  # python -m tools.graphiql


def test_image_runs_as_nobody_in_particular() -> None:
    (user,) = instructions("USER")
    assert user not in ("root", "0")
    assert DOCKERFILE.rindex("USER") < DOCKERFILE.rindex("CMD [")
    assert instructions("FROM")[-1] == "python:3.12-slim"


def test_command_and_port() -> None:
    assert instructions("CMD")[-1] == '["gql-nda", "serve", "--host", "0.0.0.0"]'
    port = str(Settings.model_fields["port"].default)
    assert instructions("EXPOSE") == [port]
    assert SERVICES["server"]["ports"] == [f"127.0.0.1:{port}:{port}"]


def test_snapshots_are_kept_where_the_user_may_write() -> None:
    (place,) = instructions("VOLUME")
    assert f"GQL_NDA_SNAPSHOT_FOLDER={place}" in instructions("ENV")
    assert f"install --directory --owner gql-nda {place}" in DOCKERFILE
    assert SERVICES["server"]["volumes"] == [f"snapshots:{place}"]


def test_health_is_asked_of_a_route() -> None:
    (check,) = instructions("HEALTHCHECK")
    (path,) = re.findall(r"http://127\.0\.0\.1:8000(/\w+)", check)
    routes = build_app(Settings(), SqlStore("sqlite://")).routes
    assert path in {route.path for route in routes if isinstance(route, Route)}


def test_server_is_given_settings_only() -> None:
    given = variables(SERVICES["server"])
    assert set(given) <= {variable for _, variable, _, _ in described()}
    assert given["GQL_NDA_DATABASE"].endswith("@database/microns_phase3_nda}")


@pytest.mark.parametrize("name", ["public", "dump"])
def test_databases(name: str) -> None:
    service = SERVICES[name]
    assert service["profiles"] == [name]
    assert service["command"].split() == [PACKET, "--default-authentication-plugin=mysql_native_password"]
    assert "database" in service["networks"]["default"]["aliases"]
    assert "--host=127.0.0.1" in service["healthcheck"]["test"]
    assert SERVICES["server"]["depends_on"][name] == {"condition": "service_healthy", "required": False}


def test_dump_is_imported_by_a_client_that_takes_it() -> None:
    volumes = [volume.rsplit(":", 2) for volume in SERVICES["dump"]["volumes"][1:]]
    assert {target for _, target, _ in volumes} == {
        "/etc/mysql/conf.d/client.cnf",
        "/docker-entrypoint-initdb.d/nda.sql",
    }
    assert {mode for _, _, mode in volumes} == {"ro"}
    assert "max_allowed_packet = 2147483648" in (ROOT / "docker/client.cnf").read_text()
    assert SERVICES["dump"]["image"] == "mysql:5.7"


def test_no_secret() -> None:
    assert SERVICES["dump"]["environment"]["MYSQL_ROOT_PASSWORD"] == "${NDA_PASSWORD:-}"
    assert "${NDA_PASSWORD:?" in variables(SERVICES["server"])["GQL_NDA_DATABASE"]
    assert "\nNDA_PASSWORD=\n" in (ROOT / ".env.example").read_text()
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()
