"""A page in a headless Chromium, driven by its DevTools protocol over two pipes: no driver, no library.

Messages are JSON, ended by a NUL byte: Chromium reads them from descriptor 3 and writes to 4.
"""

import base64
import json
import os
import select
import subprocess
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless",
    "--no-sandbox",  # the sandbox takes no root, whom tests may run as
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",  # the browser's own requests, to its maker
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)

SIZE = (1280, 800)


class Page:
    """One page: what it asked for and what it complained of is noted."""

    def __init__(self, pipe: "Pipe") -> None:
        self._pipe = pipe
        self.requests: list[str] = []
        self.complaints: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        pipe.session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        width, height = SIZE
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def call(self, method: str, **parameters: Any) -> Any:
        """The result of one command."""
        number = self._pipe.send(method, parameters)
        while True:
            message = self._pipe.receive()
            if message.get("id") == number:
                assert "error" not in message, (method, message)
                return message["result"]
            self._note(message.get("method", ""), message.get("params", {}))

    def open(self, address: str) -> None:
        """Go to an address."""
        self.call("Page.navigate", url=address)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, expression: str, seconds: float = 60) -> Any:
        """The value of an expression, as soon as it is true."""
        deadline = time.monotonic() + seconds
        while not (value := self.evaluate(expression)):
            assert time.monotonic() < deadline, (expression, self.complaints, self.evaluate("document.body.innerText"))
            time.sleep(0.05)
        return value

    def click(self, element: str) -> None:
        """Press the mouse on the middle of the element that an expression gives."""
        self.wait(f"Boolean({element})")
        box = self.evaluate(f"(({element}).scrollIntoViewIfNeeded(), ({element}).getBoundingClientRect().toJSON())")
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def screenshot(self, path: Path) -> None:
        """Write the page as it looks, as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def _note(self, event: str, about: dict[str, Any]) -> None:
        match event:
            case "Network.requestWillBeSent" if not about["request"]["url"].startswith("data:"):
                self.requests.append(about["request"]["url"])
            case "Log.entryAdded" if about["entry"]["level"] in ("error", "warning"):
                self.complaints.append(about["entry"]["text"])
            case "Runtime.consoleAPICalled" if about["type"] in ("error", "warning", "assert"):
                self.complaints.append(str([argument.get("value") for argument in about["args"]]))
            case "Runtime.exceptionThrown":
                self.complaints.append(str(about["exceptionDetails"]))


class Pipe:
    """Messages to and from a browser."""

    def __init__(self, writing: int, reading: int, seconds: float = 60) -> None:
        self._writing, self._reading, self._seconds = writing, reading, seconds
        self._pending, self._complete, self._sent = b"", deque[bytes](), 0
        self.session: str | None = None

    def send(self, method: str, parameters: dict[str, Any]) -> int:
        """Send a command; the number that its answer carries."""
        self._sent += 1
        message = {"id": self._sent, "method": method, "params": parameters}
        if self.session is not None:
            message["sessionId"] = self.session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        return self._sent

    def receive(self) -> dict[str, Any]:
        """The next message."""
        while not self._complete:
            ready, _, _ = select.select([self._reading], [], [], self._seconds)
            part = os.read(self._reading, 1 << 16) if ready else b""
            assert part, "Chromium doesn't answer"
            *complete, self._pending = (self._pending + part).split(b"\0")
            self._complete.extend(complete)
        message: dict[str, Any] = json.loads(self._complete.popleft())
        return message


@contextmanager
def chromium(folder: Path) -> Iterator[Page]:
    """A page of a new Chromium, ended with the block; its profile is in an empty folder."""
    their_reading, writing = os.pipe()
    reading, their_writing = os.pipe()
    # Chromium has its ends as descriptors 3 and 4; the shell puts them there.
    shell = ["bash", "-c", f'exec "$@" 3<&{their_reading} 4>&{their_writing}', "chromium"]
    with (folder / "chromium.log").open("wb") as log:
        process = subprocess.Popen(
            [*shell, "chromium", *FLAGS, f"--user-data-dir={folder / 'profile'}"],
            pass_fds=(their_reading, their_writing),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    os.close(their_reading)
    os.close(their_writing)
    try:
        yield Page(Pipe(writing, reading))
    finally:
        os.close(writing)  # Chromium ends when its pipe does
        os.close(reading)
        process.terminate()
        process.wait(30)
