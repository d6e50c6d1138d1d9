"""GraphiQL in a real browser, over a real server."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gql_nda.http.graphiql import STATIC, page
from tests.support.chromium import Page, chromium
from tests.support.client import Client
from tools.graphiql import EXAMPLES, FILES, examples

EXECUTE = "document.querySelector('.graphiql-execute-button')"
TABS = "document.querySelectorAll('.graphiql-tab').length"
FIRST = (STATIC / "first.graphql").read_text()


def editor(kind: str) -> str:
    return f"document.querySelector('.graphiql-{kind} .CodeMirror')?.CodeMirror"


def example(title: str) -> str:
    return f"[...document.querySelectorAll('.examples button')].find(it => it.textContent.includes({title!r}))"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Page]:
    with chromium(tmp_path) as page:
        yield page


@pytest.fixture
def graphiql(browser: Page, server: str) -> Page:
    browser.open(f"{server}/graphql")
    browser.wait(f"{editor('query-editor')}?.operationName")
    return browser


def run(browser: Page) -> dict[str, object]:
    """Press the button; the data of the answer. GraphiQL takes note of a new text a moment later."""
    browser.wait(f"(text => text.getValue().includes('query ' + text.operationName))({editor('query-editor')})")
    browser.click(EXECUTE)
    answer = json.loads(browser.wait(f"{editor('response')}.getValue()"))
    assert "errors" not in answer, answer
    data: dict[str, object] = answer["data"]
    return data


def assert_well(browser: Page, server: str) -> None:
    """Nothing was complained of, and no other machine was asked for anything."""
    assert browser.complaints == []
    assert browser.requests
    assert [url for url in browser.requests if not url.startswith(f"{server}/")] == []


async def test_first_query(sqlite_client: Client) -> None:
    data = await sqlite_client.data(FIRST)
    units = data["scan"]["units"]["nodes"]
    scores = [unit["oracle"]["pearson"] for unit in units]
    assert scores == sorted(scores, reverse=True)
    assert [len(unit["activity"]["trace"]["preview"]["max"]) for unit in units] == [20] * 3


def test_first_query_in_the_page(graphiql: Page, server: str, tmp_path: Path) -> None:
    assert '"pearson"' in json.dumps(run(graphiql))
    graphiql.screenshot(tmp_path / "first.png")
    assert_well(graphiql, server)


def test_example_takes_the_place_of_the_first_query(graphiql: Page, server: str) -> None:
    graphiql.click(example("All scans"))
    graphiql.wait(f"{editor('query-editor')}.getValue().includes('query Scans')")
    assert "scans" in run(graphiql)
    assert graphiql.evaluate(TABS) <= 1
    assert_well(graphiql, server)


def test_example_keeps_what_was_written(graphiql: Page, server: str) -> None:
    graphiql.evaluate(f"{editor('query-editor')}.setValue('{{ __typename }}')")
    graphiql.click(example("The fields of a scan"))
    assert json.loads(graphiql.wait(f"{editor('editor-tool')}.getValue()"))["scanIdx"] == 7
    assert "field" in run(graphiql)
    assert graphiql.evaluate(TABS) == 2
    assert_well(graphiql, server)


def test_explorer(graphiql: Page, server: str) -> None:
    graphiql.click("document.querySelector('button[aria-label$=\"GraphiQL Explorer\"]')")
    assert "totalCount" in graphiql.wait("document.querySelector('.graphiql-explorer-root')?.innerText")
    # The explorer can't show an argument that is a list of objects, and says so.
    graphiql.complaints = [it for it in graphiql.complaints if "arg mismatch" not in it]
    assert_well(graphiql, server)


def test_docs_tell_the_descriptions(graphiql: Page, server: str) -> None:
    graphiql.click("document.querySelector('button[aria-label*=\"Documentation\"]')")
    graphiql.click("[...document.querySelectorAll('.graphiql-doc-explorer-type-name')].find(a => a.text == 'Query')")
    shown = graphiql.wait("document.querySelector('.graphiql-doc-explorer-content').innerText")
    assert "Everything that can be asked" in shown
    assert_well(graphiql, server)


async def test_addresses_are_relative(sqlite_client: Client) -> None:
    html = (await sqlite_client.http.get("/graphql", headers={"accept": "text/html"})).text
    assert 'src="/' not in html
    assert 'href="/' not in html


async def test_files(sqlite_client: Client) -> None:
    for name in FILES:
        assert (await sqlite_client.http.get(f"/static/built/{name}")).status_code == 200


def test_missing_files_are_told(tmp_path: Path) -> None:
    assert "make install" in page(tmp_path)
    assert "make install" not in page()


def test_policy_is_sent(server: str) -> None:
    answer = httpx.get(f"{server}/graphql", headers={"accept": "text/html"})
    assert "script-src 'self';" in answer.headers["content-security-policy"]
    assert "http" not in answer.headers["content-security-policy"]


def test_examples_are_those_of_the_folder() -> None:
    built = json.loads((STATIC / "built" / "examples.json").read_text())
    assert built == examples(EXAMPLES), "run make install: examples were changed"


def test_example_without_comment_is_named_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "01-a.graphql").write_text("{ __typename }")
    (tmp_path / "02-b.graphql").write_text("# What\n#  it is.\n\n# no title\n{ __typename }")
    (tmp_path / "02-b.variables.json").write_text("{}")
    assert [(e["title"], e["variables"]) for e in examples(tmp_path)] == [("01-a", ""), ("What it is.", "{}")]
