"""The page in a real browser: Chromium, headless, driven over its DevTools pipe (no driver and no network needed)."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import select
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from cloud_sink.archive import Archive
from cloud_sink.mqtt import BrokerState
from cloud_sink.receiver import Accepted
from cloud_sink.simulator import SimulatedFleet, health, verdict
from cloud_sink.store import Store
from cloud_sink.web.app import Sources, make_app
from cloud_sink.web.live import Feed
from cloud_sink.web.server import Server, listen
from tests.support.waiting import until

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium"),
    pytest.mark.slow,
]
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

# The lowest contrast (WCAG 2.2, 1.4.3) of any text on the page with its background, and the text that has it.
LOWEST_CONTRAST = """
(() => {
  const channel = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const rgba = (text) => text.match(/[\\d.]+/g).map(Number);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  let lowest = [99, ""];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join("");
    if (!text || element.closest("svg") || !element.checkVisibility()) continue;
    const [a, b] = [light(rgba(getComputedStyle(element).color)), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < lowest[0]) lowest = [ratio, text];
  }
  return lowest;
})()
"""


class WebSite:
    """The web side on a port, served from a thread, over a real database."""

    def __init__(self, folder: Path) -> None:
        self._store = Store(folder / "sink.db")
        self.world = SimulatedFleet()
        self.camera = self.world.enrol("cam-one")
        self._receiver = self.world.receiver(self._store)
        self._listening = listen("127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> WebSite:
        self._thread.start()
        self._up.wait(WITHIN_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._thread.join()
        self._store.close()
        self._listening.close()

    async def _serve(self) -> None:
        self._loop, self._feed = asyncio.get_running_loop(), Feed()
        sources = Sources(
            Archive(self._store.path),
            self._feed,
            lambda: BrokerState("connected", 1),
            lambda: ["cam-one"],
            lambda: self.world.now_ms,
        )
        self._server = Server(make_app(sources))
        serving = asyncio.create_task(self._server.serve([self._listening]))
        await self._server.up.wait()
        self._up.set()
        await serving

    def stop(self) -> None:
        """End the server; open pages stay open."""
        if self._thread.is_alive():
            self._server.should_exit = True
            self._loop.call_soon_threadsafe(self._feed.close)

    def report(self, *events: Any) -> None:
        """A device reports, and the open pages are told."""
        for event in events:
            message = self.camera.seal(event)
            assert isinstance(self._receiver.handle(message.topic, message.sealed), Accepted)
        self._receiver.settle()
        self._loop.call_soon_threadsafe(self._feed.announce)


class Page:
    """One tab. Remembers what the browser complained about."""

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
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

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


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    tab = Page(tmp_path_factory.mktemp("chromium"))
    yield tab
    tab.close()


@pytest.fixture
def site(tmp_path: Path, page: Page) -> Iterator[WebSite]:
    page.complaints.clear()
    page.appear(width=1366)
    with WebSite(tmp_path) as served:
        yield served
        page.ask("Page.navigate", url="about:blank")


def _drive() -> list[Any]:
    return [
        health("started"),
        verdict("VERIFIED"),
        verdict("CONTRADICTED", perceived_class_id=5, reasons=("perception_says_otherwise",)),
        verdict("FORGED", class_id=None, code=None, reasons=("code_signature_bad", "decoders_disagree")),
        verdict("MISSING", class_id=17, perceived_class_id=None, code=None, reasons=("registered_sign_not_seen",)),
        verdict("SUSPECT", class_id=None, code=None, reasons=("class_unstable", "class_flips")),
        verdict("UNVERIFIED", class_id=38, perceived_class_id=38, code=None, reasons=("perception_alone",)),
        health("tamper", "indicator", detail="case_opened"),
    ]


def test_a_verdict_appears_by_itself_and_stands_among_the_alerts(site: WebSite, page: Page) -> None:
    page.open(f"{site.address}/")
    page.evaluate("window.untouched = true")
    assert page.evaluate("document.querySelectorAll('.verdict').length") == 0
    site.report(verdict("CONTRADICTED", perceived_class_id=5, reasons=("perception_says_otherwise",)))
    page.until("document.querySelectorAll('.verdict').length === 1")
    page.until("document.querySelectorAll('.alert').length === 1")
    site.report(*(verdict() for _ in range(20)))
    page.until("document.querySelectorAll('.verdict').length === 21")
    assert page.evaluate("window.untouched"), "the page was loaded again"
    assert page.complaints == []


@pytest.mark.parametrize("target", ["/", "/alerts", "/verdicts/3", "/devices/cam-one"])
def test_no_page_offends_its_own_policy_or_asks_for_anything_outside(site: WebSite, page: Page, target: str) -> None:
    site.report(*_drive())
    page.open(site.address + target)
    assert page.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")
    assert page.evaluate(
        "[...document.querySelectorAll('svg.sign')].every((s) => s.getBoundingClientRect().width > 20)"
    )
    assert page.complaints == []


@pytest.mark.parametrize("width", [340, 768, 1280, 2560])
def test_every_page_fits_its_width(site: WebSite, page: Page, width: int) -> None:
    site.report(*_drive())
    page.appear(width=width)
    for target in ("/", "/alerts", "/verdicts/3", "/devices/cam-one"):
        page.open(site.address + target)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, target


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_has_the_contrast_that_a_projector_needs(site: WebSite, page: Page, dark: bool) -> None:
    site.report(*_drive())
    page.appear(width=1366, dark=dark)
    for target in ("/", "/alerts", "/verdicts/3", "/verdicts/4", "/devices/cam-one"):
        page.open(site.address + target)
        ratio, text = page.evaluate(LOWEST_CONTRAST)
        assert ratio >= 4.5, f"{target}: {text!r}"


def test_the_keyboard_keeps_its_place_when_news_arrive(site: WebSite, page: Page) -> None:
    site.report(*_drive())
    page.open(f"{site.address}/")
    page.evaluate("document.querySelector('.verdict .cover').focus()")
    place = page.evaluate("document.activeElement.getAttribute('href')")
    before = page.evaluate("document.querySelectorAll('.verdict').length")
    site.report(verdict())
    page.until(f"document.querySelectorAll('.verdict').length > {before}")
    assert page.evaluate("document.activeElement.getAttribute('href')") == place


def test_a_script_that_got_into_the_page_would_not_run(site: WebSite, page: Page) -> None:
    page.open(f"{site.address}/")
    refused = """(() => {
      try { document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.owned=1'>"); }
      catch (error) { return error.name; }
      return "it was let in";
    })()"""
    assert page.evaluate(refused) == "TypeError"
    assert page.evaluate("window.owned") is None


def test_a_page_whose_receiver_is_gone_says_so(site: WebSite, page: Page) -> None:
    page.open(f"{site.address}/")
    site.stop()
    page.until("document.getElementById('live').textContent.includes('away')")
