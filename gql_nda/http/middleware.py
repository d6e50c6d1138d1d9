"""Pure ASGI middleware: the proxies' word."""

from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send


class Proxies:
    """Believes X-Forwarded-Proto and X-Forwarded-Host of trusted proxies, for absolute addresses."""

    def __init__(self, app: ASGIApp, trusted: Sequence[str]) -> None:
        self._app, self._trusted = app, frozenset(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on the request as the proxy was asked."""
        client = scope.get("client") or ("",)
        if scope["type"] == "http" and ("*" in self._trusted or client[0] in self._trusted):
            scope = _forwarded(scope)
        await self._app(scope, receive, send)


def _forwarded(scope: Scope) -> Scope:
    headers = dict(scope["headers"])
    host = headers.get(b"x-forwarded-host", b"").split(b",")[0].strip()
    proto = headers.get(b"x-forwarded-proto", b"").split(b",")[0].strip().decode("latin-1")
    prefix = headers.get(b"x-forwarded-prefix", b"").decode("latin-1").strip().rstrip("/")
    changed = dict(scope)
    if host:
        changed["headers"] = [(b"host", host), *((k, v) for k, v in scope["headers"] if k != b"host")]
    if proto in ("http", "https"):
        changed["scheme"] = proto
    if prefix.startswith("/"):
        changed["app_root_path"] = prefix
    return changed
