"""What GraphiQL's page is made of, besides our own files: ``gql_nda/http/static/built/``, not in git.

Copied from the npm packages in ``web/node_modules``; the examples are gathered into one file.
"""

import json
import shutil
from pathlib import Path
from typing import TypedDict

from tools.npm import ROOT, WEB

BUILT = ROOT / "gql_nda" / "http" / "static" / "built"
EXAMPLES = ROOT / "examples"

FILES = {
    "react.js": "react/umd/react.production.min.js",
    "react-dom.js": "react-dom/umd/react-dom.production.min.js",
    "graphiql.js": "graphiql/graphiql.min.js",
    "graphiql.LICENSE": "graphiql/LICENSE",
    "graphiql.css": "graphiql/graphiql.min.css",
    "explorer.js": "@graphiql/plugin-explorer/dist/index.umd.js",
    "explorer.css": "@graphiql/plugin-explorer/dist/style.css",
}
"""Files of the page by the npm packages' paths."""


class Example(TypedDict):
    """A runnable query: what it answers, its text and its variables as JSON text."""

    name: str
    title: str
    query: str
    variables: str


def build(target: Path = BUILT) -> None:
    """Write every file that the page asks for and git doesn't hold."""
    target.mkdir(parents=True, exist_ok=True)
    for name, source in FILES.items():
        shutil.copyfile(WEB / "node_modules" / source, target / name)
    (target / "examples.json").write_text(json.dumps(examples(EXAMPLES), indent=1) + "\n")


def examples(folder: Path) -> list[Example]:
    """The examples of a folder, in the order of their names."""
    return [_example(path) for path in sorted(folder.glob("*.graphql"))]


def _example(path: Path) -> Example:
    query = path.read_text()
    variables = path.with_suffix(".variables.json")
    return {
        "name": path.stem,
        "title": _title(query) or path.stem,
        "query": query,
        "variables": variables.read_text() if variables.exists() else "",
    }


def _title(query: str) -> str:
    """The comment that a query begins with, as one line."""
    words: list[str] = []
    for line in query.splitlines():
        if not line.startswith("#"):
            break
        words.append(line.lstrip("#").strip())
    return " ".join(words).strip()


if __name__ == "__main__":
    build()
