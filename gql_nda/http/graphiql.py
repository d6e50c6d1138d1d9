"""GraphiQL, from files of our own: the page asks no other machine for anything."""

from pathlib import Path

STATIC = Path(__file__).parent / "static"
"""Where ``make install`` puts GraphiQL's files."""

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


def page() -> str:
    """The page's HTML."""
    return (Path(__file__).parent / "graphiql.html").read_text()
