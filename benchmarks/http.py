"""A client that costs little: one connection kept open, blocking, nothing parsed but the body's length."""

import json
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

_PIECE = 1 << 18


class Connection:
    """HTTP/1.1 over one socket, one request after another."""

    def __init__(self, address: str) -> None:
        url = urlsplit(address)
        self._host, self._place = url.netloc, (str(url.hostname), url.port)
        self._open()

    def _open(self) -> None:
        self._socket = socket.create_connection(self._place, timeout=120)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._left = bytearray()

    def wait_at_most(self, seconds: float) -> None:
        """From now on, TimeoutError when nothing comes for so long."""
        self._socket.settimeout(seconds)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def get(self, path: str) -> bytes:
        """The body at a path."""
        return self.send(f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode())

    def post(self, query: str, variables: Mapping[str, Any], path: str = "/graphql") -> bytes:
        """A GraphQL operation's answer."""
        return self.send(graphql_request(self._host, query, variables, path))

    def send(self, request: bytes) -> bytes:
        """The body of the answer to a whole request. RuntimeError for any status but 200."""
        try:
            head = self._asked(request)
        except ConnectionError:  # kept open for longer than the server wants to
            self.close()
            self._open()
            head = self._asked(request)
        status, *lines = head.lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        body = self._chunks() if headers.get("transfer-encoding") == "chunked" else self._sized(headers)
        if status.split()[1] != "200":
            raise RuntimeError(f"{status}: {body[:500].decode(errors='replace')}")
        return body

    def _asked(self, request: bytes) -> str:
        """Send the request; the answer's head."""
        self._socket.sendall(request)
        return self._until(b"\r\n\r\n").decode("latin-1")

    def _sized(self, headers: Mapping[str, str]) -> bytes:
        return self._exactly(int(headers["content-length"]))

    def _chunks(self) -> bytes:
        return b"".join(iter(self._chunk, b""))

    def _chunk(self) -> bytes:
        size = int(self._until(b"\r\n"), 16)
        piece = self._exactly(size + 2)
        return piece[:-2]

    def _until(self, end: bytes) -> bytes:
        while (at := self._left.find(end)) < 0:
            self._left += self._received()
        found = bytes(self._left[:at])
        del self._left[: at + len(end)]
        return found

    def _exactly(self, size: int) -> bytes:
        while len(self._left) < size:
            self._left += self._received()
        found = bytes(self._left[:size])
        del self._left[:size]
        return found

    def _received(self) -> bytes:
        piece = self._socket.recv(_PIECE)
        if not piece:
            raise ConnectionError("the server has closed the connection")
        return piece


def graphql_request(host: str, query: str, variables: Mapping[str, Any], path: str = "/graphql") -> bytes:
    """The bytes of a POST."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    lines = (f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Type: application/json", f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode() + body


def data(body: bytes) -> Any:
    """The data of an answer. RuntimeError when there are errors."""
    answer = json.loads(body)
    if answer.get("errors"):
        raise RuntimeError(str(answer["errors"])[:500])
    return answer["data"]
