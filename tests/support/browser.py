"""The receiver's page in a real browser: Chromium, headless, driven over its DevTools pipe (no driver, no network)."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import select
import shutil
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from cloud_sink.archive import Archive
from cloud_sink.mqtt import BrokerState
from cloud_sink.receiver import Accepted
from cloud_sink.simulator import SimulatedFleet
from cloud_sink.store import Store
from cloud_sink.web.app import Sources, make_app
from cloud_sink.web.live import Feed
from cloud_sink.web.server import Server, listen
from tests.support.waiting import until

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WITHIN_S = 30.0
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)


class Site:
    """The web side on a port, served from a thread, over a real database."""

    def __init__(self, folder: Path, names: tuple[str, ...] = (), **options: str) -> None:
        """`names`, `options`: as `make_app` has them."""
        self._names, self._options = names, options
        self._store = Store(folder / "sink.db")
        self.world = SimulatedFleet()
        self.camera = self.world.enrol("cam-one")
        self._receiver = self.world.receiver(self._store)
        self.port = 0
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Serve, at the port of before if there was one: with another feed, as another process has it."""
        self._listening = listen("127.0.0.1", self.port)
        self.port = self._listening.getsockname()[1]
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._up.wait(WITHIN_S)

    @property
    def listeners(self) -> int:
        """How many event streams are open."""
        return self.feed._listeners

    def __enter__(self) -> Site:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._store.close()
        self._listening.close()

    async def _serve(self) -> None:
        self._loop, self.feed = asyncio.get_running_loop(), Feed()
        sources = Sources(
            Archive(self._store.path),
            self.feed,
            lambda: BrokerState("connected", 1),
            lambda: ["cam-one"],
            lambda: self.world.now_ms,
        )
        self._server = Server(make_app(sources, self._names, **self._options))
        serving = asyncio.create_task(self._server.serve([self._listening]))
        await self._server.up.wait()
        self._up.set()
        await serving

    def stop(self) -> None:
        """End the server; open pages stay open."""
        if self._thread.is_alive():
            self._server.should_exit = True
            with suppress(RuntimeError):  # it has just ended
                self._loop.call_soon_threadsafe(self.feed.close)
            self._thread.join()

    def report(self, *events: Any) -> None:
        """A device reports, and the open pages are told."""
        for event in events:
            message = self.camera.seal(event)
            assert isinstance(self._receiver.handle(message.topic, message.sealed), Accepted)
        self._receiver.settle()
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self.feed.announce)


class StallingProxy:
    """A TCP proxy that can go deaf: what is connected stays connected and hears nothing more, new connections work.

    So a connection looks to both ends after a machine has slept or a wireless network was left.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._deaf: list[threading.Event] = []
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def stall(self) -> None:
        """Let everything that is connected hang."""
        for deaf in self._deaf:
            deaf.set()

    def close(self) -> None:
        """End all connections."""
        self._listening.close()
        for end in self._open:
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                deaf = threading.Event()
                self._deaf.append(deaf)
                self._open += [near, far]
                for source, goal in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(source, goal, deaf), daemon=True).start()

    @staticmethod
    def _carry(source: socket.socket, goal: socket.socket, deaf: threading.Event) -> None:
        with suppress(OSError):
            while part := source.recv(65536):
                if deaf.is_set():
                    return
                goal.sendall(part)
            if not deaf.is_set():
                goal.close()


class Page:
    """A browser, and the tab of it that is looked at. Remembers what the browser complained about."""

    def __init__(self, folder: Path) -> None:
        to_browser, self._commands = self._pipe()
        self._answers, from_browser = self._pipe()

        def place() -> None:  # Chromium reads its commands from descriptor 3 and answers on 4
            os.dup2(to_browser, 3)
            os.dup2(from_browser, 4)

        self._process = subprocess.Popen(
            [str(CHROMIUM), *FLAGS, f"--user-data-dir={folder}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=place,
            pass_fds=(3, 4),
        )
        os.close(to_browser)
        os.close(from_browser)
        self._received, self._number, self._session = b"", 0, ""
        self.complaints: list[str] = []
        self._targets: dict[str, str] = {}
        self.new_tab()

    def new_tab(self) -> str:
        """Open another tab and look at it."""
        self._session = ""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._targets[self._session] = target
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        return self._session

    def look_at(self, tab: str) -> None:
        """Bring a tab to the front."""
        self._session = tab
        self.ask("Page.bringToFront")

    def close_tab(self, tab: str) -> None:
        """Close a tab, as its cross does."""
        self._session = ""
        self.ask("Target.closeTarget", targetId=self._targets.pop(tab))

    @property
    def tab(self) -> str:
        """The tab that is looked at."""
        return self._session

    @staticmethod
    def _pipe() -> tuple[int, int]:
        """A pipe whose ends are not among the lowest descriptors."""
        ends = os.pipe()
        high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20) for end in ends]
        for end in ends:
            os.close(end)
        return high[0], high[1]

    def close(self) -> None:
        """End the browser."""
        os.close(self._commands)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._answers)

    def ask(self, method: str, **parameters: Any) -> Any:
        """One DevTools command, and its result."""
        self._number += 1
        command: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        give_up = time.monotonic() + WITHIN_S
        while time.monotonic() < give_up:
            message = self._next(give_up)
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]
        pytest.fail(f"{method}: no answer from the browser")

    def _next(self, give_up: float) -> Any:
        while b"\0" not in self._received:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, give_up - time.monotonic()))
            if not ready:
                pytest.fail("no answer from the browser")
            part = os.read(self._answers, 1 << 16)
            assert part, "the browser ended"
            self._received += part
        line, self._received = self._received.split(b"\0", 1)
        message = json.loads(line)
        match message:
            case {"method": "Log.entryAdded", "params": {"entry": {"level": "error" | "warning"} as entry}}:
                self.complaints.append(f"{entry['text']} {entry.get('url', '')}")
            case {"method": "Runtime.exceptionThrown", "params": {"exceptionDetails": details}}:
                self.complaints.append(str(details))
            case {"method": "Network.requestWillBeSent", "params": {"request": {"url": url}}}:
                if not url.startswith(("http://127.0.0.1:", "about:")):
                    self.complaints.append(f"went outside: {url}")
        return message

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        found = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, expression: str) -> Any:
        """Wait for a JavaScript expression to be true."""

        def what() -> str:
            return f"{expression} on the page that says {self.evaluate('document.body.innerText')!r}"

        return until(lambda: self.evaluate(expression), what=what, seconds=WITHIN_S)

    def open(self, address: str) -> None:
        """Go there and wait until the page listens for news."""
        self.ask("Page.navigate", url=address)
        self.until(f"location.href === {json.dumps(address)} && document.readyState === 'complete'")
        self.until("document.getElementById('live').textContent === 'Live'")

    def appear(self, *, width: int, dark: bool = False) -> None:
        """Set the window's width in pixels, and the colour scheme."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme, still])
