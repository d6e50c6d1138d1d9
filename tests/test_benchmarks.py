"""Every benchmark runs, at a tiny size: peers answer alike, lines are told. What it takes is ``make bench``'s."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import soak
from benchmarks.bench import Bench, benching, expect_equal
from benchmarks.candidates import FLOOR, PAGES
from benchmarks.cases import CASES
from benchmarks.database import Databases, databases
from benchmarks.measure import Effort, Series, same
from benchmarks.peers.ours import LIVE
from benchmarks.table import Line, at_least, at_most, markdown
from benchmarks.workload import Question, offsets, page_size, pages
from gql_nda.demo.facts import ALL_MASKS, RECORDINGS

NODE = Path(__file__).parents[1] / "benchmarks" / "node"
UNITS = 160
ONCE = Effort(runs=1, seconds=0, most=1, least=1)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    with databases(tmp_path_factory.mktemp("bench") / "mariadb", UNITS, UNITS) as found:
        yield found


@pytest.fixture(scope="module")
def bench(found: Databases) -> Iterator[Bench]:
    with benching(found, ONCE) as bench:
        yield bench


@pytest.mark.parametrize("name", CASES)
def test_benchmark_runs(bench: Bench, name: str) -> None:
    lines = command.run(bench, [name])
    assert lines
    assert all(line.figure or line.note.startswith(("pending", "not run")) for line in lines)
    assert len(markdown(lines).splitlines()) == len(lines) + 2


def test_query_u_is_compared_with_every_peer(bench: Bench) -> None:
    lines = command.run(bench, ["query-u"])
    assert {line.against for line in lines if line.figure} == {peer.name for peer in PAGES}
    assert sum(line.promise is not None for line in lines) == 6


def test_soak_runs(found: Databases) -> None:
    lines = list(soak.run(found, seconds=4, requests=80))
    assert {line.verdict for line in lines if line.unit == "wrong answers"} == {"met"}


def test_who_answers_otherwise_is_not_measured(bench: Bench) -> None:
    class Wrong:
        def ask(self, question: object) -> tuple[bytes, float]:
            return b'{"data": {"scan": null}}', 0.0

        def cpu(self) -> float:
            return 0.0

    servers = {FLOOR.name: bench.start(FLOOR), "wrong": Wrong()}
    with pytest.raises(RuntimeError, match="wrong answers otherwise"):
        expect_equal(servers, [next(pages(UNITS))], FLOOR.name)


def test_pages_are_not_empty_and_turn(bench: Bench) -> None:
    asked = [question for question, _ in zip(pages(UNITS), range(100), strict=False)]
    assert len({(q.query, *q.variables.values()) for q in asked}) == len(asked)
    nodes = json.loads(bench.start(LIVE).ask(asked[3])[0])["data"]["scan"]["units"]["nodes"]
    assert len(nodes) == page_size(UNITS)


def test_at_full_size_no_page_runs_over_its_scans_end() -> None:
    assert max(offsets(ALL_MASKS)) + page_size(ALL_MASKS) <= min(r.units for r in RECORDINGS)


def test_an_error_is_told(bench: Bench) -> None:
    with pytest.raises(RuntimeError, match="nothing"):
        bench.start(LIVE).data("{ nothing }")
    with pytest.raises(RuntimeError, match="404"):
        bench.start(LIVE).running.connection.get("/arrays/activity/1.2.3/trace")


def test_an_unknown_benchmark_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["query-x"]) == 2
    assert "query-x" in capsys.readouterr().err


def test_same_is_exact_but_for_six_digits_of_floats() -> None:
    assert same({"a": [0.0463732, None]}, {"a": [0.046373162, None]})
    assert not same({"a": [0.0463]}, {"a": [0.0464]})
    assert not same({"a": 1}, {"a": 1, "b": 2})
    assert not same([1], [1, 1])
    assert not same(None, 0.5)
    assert not same(2, 1)


def test_a_promise_is_judged_by_the_median_and_shown_with_the_worst() -> None:
    slower = Series((1.0, 2.0, 9.0))
    assert Line("w", figure=slower, promise=at_most(2)).verdict == "met"
    assert Line("w", figure=slower, promise=at_most(1.9)).verdict == "MISSED"
    assert Line("w", figure=slower, promise=at_least(3)).verdict == "MISSED"
    assert "2 (9) x" in Line("w", figure=slower).cells()
    assert Series((1.0, 2.0, 9.0), more_is_better=True).worst == 1.0


def test_npm_lock_names_exact_versions_and_no_addresses() -> None:
    text = (NODE / "package-lock.json").read_text()
    locked = json.loads(text)["packages"]
    assert "://" not in text, "write it with python -m tools.npm --in benchmarks/node relock"
    for name, version in json.loads((NODE / "package.json").read_text())["dependencies"].items():
        assert locked[f"node_modules/{name}"]["version"] == version


def test_peers_are_pinned() -> None:
    lines = (NODE.parent / "requirements.txt").read_text().splitlines()
    assert all(re.fullmatch(r"#.*|[\w.-]+==[\w.]+", line) for line in lines)


def test_questions_of_scans_are_understood_as_cursors(bench: Bench) -> None:
    page = next(question for question in pages(UNITS) if question.variables["after"] != "0")
    understood = bench.start(LIVE).understood(page)
    assert isinstance(understood, Question)
    assert understood.variables["after"] not in (None, page.variables["after"])
