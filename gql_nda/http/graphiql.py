"""GraphiQL, from files of our own: the page asks no other machine for anything."""

from pathlib import Path

STATIC = Path(__file__).parent / "static"
"""The page's files; ``make install`` puts GraphiQL's own, which git doesn't hold, into ``built``."""

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # CodeMirror sets styles on elements
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

PAGE_HEADERS = {"content-security-policy": _POLICY, "vary": "Accept", "x-content-type-options": "nosniff"}


def page(static: Path = STATIC) -> str:
    """The page's HTML, or a page that says how to get GraphiQL's files."""
    # The examples are written last: where they are, everything is.
    installed = (static / "built" / "examples.json").exists()
    return (Path(__file__).parent / ("graphiql.html" if installed else "missing.html")).read_text()
