"""A headless Chromium, driven over its DevTools protocol (https://chromedevtools.github.io/devtools-protocol/)."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from tornado.websocket import WebSocketClientConnection, websocket_connect

KEYS = {"Tab": 9, "Enter": 13}


@dataclass
class Tab:
    """One page. ``events``: what it reported meanwhile."""

    loop: asyncio.AbstractEventLoop
    socket: WebSocketClientConnection
    events: list[dict[str, Any]] = field(default_factory=list)
    _number: int = 0

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """A command and its answer."""
        self._number += 1
        said = json.dumps({"id": self._number, "method": method, "params": params})
        heard = self.loop.run_until_complete(asyncio.wait_for(self._answer(said), 20))
        assert "error" not in heard, (method, heard)
        return dict(heard["result"])

    def visit(self, address: str) -> None:
        self.call("Page.navigate", url=address)
        self.settle()

    def settle(self) -> None:
        """Until the page is there."""
        self.until("document.readyState === 'complete'")

    def ask(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, (script, answer)
        return answer["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until the expression is true; a page that is being left answers nothing sensible."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                if self.ask(script):
                    return
            except AssertionError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"in vain: {script}")

    def press(self, key: str) -> None:
        code = KEYS[key]
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code,
                      **(text if kind == "keyDown" else {}))  # fmt: skip

    def type(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def resize(self, width: int, height: int) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=True)

    def close(self) -> None:
        """End Chromium. Told so it takes away what it keeps in /tmp, which it leaves where a signal ends it."""
        self.loop.run_until_complete(self._tell(json.dumps({"id": 0, "method": "Browser.close"})))

    async def _tell(self, said: str) -> None:
        await self.socket.write_message(said)

    async def _answer(self, said: str) -> dict[str, Any]:
        await self._tell(said)
        while True:
            message = await self.socket.read_message()
            assert message is not None, "Chromium has gone"
            heard = dict(json.loads(message))
            if heard.get("id") == self._number:
                return heard
            self.events.append(heard)


@contextmanager
def tab(folder: Path) -> Iterator[Tab]:
    """A tab of a Chromium of its own, that keeps its profile in the folder."""
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
               "--remote-allow-origins=*", f"--user-data-dir={folder}", "about:blank"]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    loop = asyncio.new_event_loop()
    try:
        socket = loop.run_until_complete(_connect(_address(folder)))
        page = Tab(loop, socket)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        try:
            yield page
        finally:
            page.close()
            process.wait(20)
    finally:
        process.kill()
        process.wait(20)
        loop.close()


async def _connect(address: str) -> WebSocketClientConnection:
    return await websocket_connect(address, max_message_size=1 << 24)


def _address(folder: Path) -> str:
    """The first tab's, once Chromium has written down its port."""
    for _ in range(400):
        try:
            port = (folder / "DevToolsActivePort").read_text().split()[0]
            tabs = httpx.get(f"http://127.0.0.1:{port}/json", trust_env=False).json()
            return str(next(one["webSocketDebuggerUrl"] for one in tabs if one["type"] == "page"))
        except (OSError, IndexError, StopIteration, httpx.HTTPError):
            time.sleep(0.05)
    raise RuntimeError((folder / "log").read_text())
