"""The page in a real browser: it keeps itself up to date, in many tabs, and offends no policy of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud_sink.simulator import health, verdict
from demo.broker import free_port
from tests.support.browser import CHROMIUM, Page, Site, StallingProxy
from tests.support.nginx import needs_nginx, nginx
from tests.support.waiting import until

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium"),
    pytest.mark.slow,
]
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


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    tab = Page(tmp_path_factory.mktemp("chromium"))
    yield tab
    tab.close()


@pytest.fixture
def site(tmp_path: Path, page: Page) -> Iterator[Site]:
    page.complaints.clear()
    page.appear(width=1366)
    with Site(tmp_path) as served:
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


def test_a_verdict_appears_by_itself_and_stands_among_the_alerts(site: Site, page: Page) -> None:
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
def test_no_page_offends_its_own_policy_or_asks_for_anything_outside(site: Site, page: Page, target: str) -> None:
    site.report(*_drive())
    page.open(site.address + target)
    assert page.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")
    assert page.evaluate(
        "[...document.querySelectorAll('svg.sign')].every((s) => s.getBoundingClientRect().width > 20)"
    )
    assert page.complaints == []


@pytest.mark.parametrize("width", [340, 768, 1280, 2560])
def test_every_page_fits_its_width(site: Site, page: Page, width: int) -> None:
    site.report(*_drive())
    page.appear(width=width)
    for target in ("/", "/alerts", "/verdicts/3", "/devices/cam-one"):
        page.open(site.address + target)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, target


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_has_the_contrast_that_a_projector_needs(site: Site, page: Page, dark: bool) -> None:
    site.report(*_drive())
    page.appear(width=1366, dark=dark)
    for target in ("/", "/alerts", "/verdicts/3", "/verdicts/4", "/devices/cam-one"):
        page.open(site.address + target)
        ratio, text = page.evaluate(LOWEST_CONTRAST)
        assert ratio >= 4.5, f"{target}: {text!r}"


def test_an_alert_is_acknowledged_by_a_button_and_the_other_pages_hear_of_it(site: Site, page: Page) -> None:
    site.report(*_drive())
    first, second = page.tab, page.new_tab()
    for tab in (first, second):
        page.look_at(tab)
        page.open(f"{site.address}/")
    alerts = page.evaluate("document.querySelectorAll('.alert').length")
    page.look_at(first)
    page.evaluate("document.querySelector('#acknowledge-verdict-FORGED-cam-one').click()")
    for tab in (first, second):
        page.look_at(tab)
        page.until(f"document.querySelectorAll('.alert').length === {alerts - 1}")
        assert page.evaluate("document.querySelector('#alerts-more').textContent.trim()") == "1 acknowledged"
    page.close_tab(second)
    page.look_at(first)
    page.open(f"{site.address}/alerts/acknowledged")
    page.until("document.body.innerText.includes('Acknowledged without a login')")
    assert page.complaints == []


def test_an_age_grows_while_the_page_stays_open(site: Site, page: Page) -> None:
    site.report(verdict("VERIFIED"))
    page.open(f"{site.address}/")
    assert page.evaluate("document.querySelector('.verdict [data-at]').textContent") == "just now"
    page.evaluate("""(() => { const now = Date.now; Date.now = () => now() + 3 * 3600 * 1000; })()""")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.until("document.querySelector('.verdict [data-at]').textContent === '3 hours ago'")
    assert page.complaints == []


def test_another_site_cannot_acknowledge_with_a_visitors_browser(site: Site, page: Page, tmp_path: Path) -> None:
    site.report(*_drive())
    (tmp_path / "other").mkdir()
    with Site(tmp_path / "other") as other:  # another origin on this machine, whose page is hostile
        page.open(f"{other.address}/")
        page.ask("Page.setBypassCSP", enabled=True)
        page.ask("Page.navigate", url=f"{other.address}/alerts")
        page.until("location.pathname === '/alerts' && document.readyState === 'complete'")
        fields = {"device": "cam-one", "kind": "verdict.FORGED", "through": "4", "back": "alerts"}
        page.evaluate(f"""(() => {{
          const form = document.createElement("form");
          form.method = "post";
          form.action = "{site.address}/acknowledge";
          for (const [name, value] of Object.entries({fields})) {{
            const field = document.createElement("input");
            [field.name, field.value] = [name, value];
            form.append(field);
          }}
          document.body.append(form);
          form.submit();
        }})()""")
        page.until("document.body.innerText.includes('not asked by a page of this server')")
        page.ask("Page.setBypassCSP", enabled=False)
        page.ask("Page.navigate", url="about:blank")
    page.open(f"{site.address}/")
    assert page.evaluate("document.querySelector('#acknowledge-verdict-FORGED-cam-one') !== null")


def test_the_keyboard_keeps_its_place_when_news_arrive(site: Site, page: Page) -> None:
    site.report(*_drive())
    page.open(f"{site.address}/")
    page.evaluate("document.querySelector('.verdict .cover').focus()")
    place = page.evaluate("document.activeElement.getAttribute('href')")
    before = page.evaluate("document.querySelectorAll('.verdict').length")
    site.report(verdict())
    page.until(f"document.querySelectorAll('.verdict').length > {before}")
    assert page.evaluate("document.activeElement.getAttribute('href')") == place


def test_a_script_that_got_into_the_page_would_not_run(site: Site, page: Page) -> None:
    page.open(f"{site.address}/")
    refused = """(() => {
      try { document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.owned=1'>"); }
      catch (error) { return error.name; }
      return "it was let in";
    })()"""
    assert page.evaluate(refused) == "TypeError"
    assert page.evaluate("window.owned") is None


def test_a_page_whose_receiver_is_gone_says_so(site: Site, page: Page) -> None:
    page.open(f"{site.address}/")
    site.stop()
    page.until("document.getElementById('live').textContent.includes('away')")


# --- news in many tabs ------------------------------------------------------------------------------------------------

COUNT = "document.querySelectorAll('.verdict').length"


@pytest.fixture
def tabs(page: Page) -> Iterator[list[str]]:
    """Eight tabs beside the first; those that a test leaves are closed."""
    opened = [page.tab, *(page.new_tab() for _ in range(8))]
    yield opened
    for tab in opened[1:]:
        if tab in page._targets:
            page.close_tab(tab)
    page.look_at(opened[0])


def shows(page: Page, tab: str, count: int) -> None:
    page.look_at(tab)
    page.until(f"{COUNT} === {count}")
    page.until("document.getElementById('live').textContent === 'Live'")


def test_nine_tabs_load_and_share_one_stream_of_news(site: Site, page: Page, tabs: list[str]) -> None:
    for tab in tabs:
        page.look_at(tab)
        page.open(f"{site.address}/")
    assert site.listeners == 1
    site.report(verdict("VERIFIED"))
    for tab in tabs:
        shows(page, tab, 1)
    assert site.listeners == 1
    assert page.complaints == []


def test_when_the_tab_that_listens_is_closed_another_listens(site: Site, page: Page, tabs: list[str]) -> None:
    first, second, third = tabs[1:4]
    for tab in (first, second, third):
        page.look_at(tab)
        page.open(f"{site.address}/")
    for number, (closed, left) in enumerate(((first, second), (second, third)), 1):
        page.close_tab(closed)
        page.look_at(left)
        until(lambda: site.listeners == 1, what=lambda: f"{site.listeners} listeners", seconds=30)
        site.report(verdict("VERIFIED"))
        shows(page, left, number)


def test_after_the_receiver_was_started_again_every_tab_shows_what_came_meanwhile(
    site: Site, page: Page, tabs: list[str]
) -> None:
    for tab in tabs[:3]:
        page.look_at(tab)
        page.open(f"{site.address}/")
    site.stop()
    page.until("document.getElementById('live').textContent.includes('away')")
    site.report(verdict("VERIFIED"))
    site.start()
    for tab in tabs[:3]:
        shows(page, tab, 1)
    assert site.listeners == 1


def test_a_machine_that_wakes_up_with_a_dead_connection_hears_what_it_missed(site: Site, page: Page) -> None:
    proxy = StallingProxy(site.port)
    try:
        page.open(f"{proxy.address}/")
        proxy.stall()
        site.report(verdict("VERIFIED"))
        assert page.evaluate(COUNT) == 0
        page.evaluate("{ const now = Date.now; Date.now = () => now() + 3_600_000; }")  # an hour of sleep
        page.until(f"{COUNT} === 1")
        until(lambda: site.listeners == 2, what=lambda: f"{site.listeners} listeners", seconds=30)
    finally:
        page.ask("Page.navigate", url="about:blank")
        proxy.close()


@pytest.mark.parametrize(
    "lacks", ["navigator.__proto__, 'locks'", "window, 'BroadcastChannel'", "window, 'EventSource'"]
)
def test_without_what_tabs_share_a_stream_by_the_page_asks(site: Site, page: Page, lacks: str) -> None:
    script = f"delete {lacks.replace(', ', '[')}];"
    added = page.ask("Page.addScriptToEvaluateOnNewDocument", source=script)["identifier"]
    try:
        page.open(f"{site.address}/")
        assert site.listeners == 0
        site.report(verdict("VERIFIED"))
        page.until(f"{COUNT} === 1")
    finally:
        page.ask("Page.removeScriptToEvaluateOnNewDocument", identifier=added)


def test_where_no_more_streams_are_served_the_page_asks_until_there_is_room(site: Site, page: Page) -> None:
    site.feed._listeners += 64
    page.open(f"{site.address}/")
    site.report(verdict("VERIFIED"))
    page.until(f"{COUNT} === 1")
    site.feed._listeners -= 64
    until(lambda: site.listeners == 1, what=lambda: f"{site.listeners} listeners", seconds=30)


@needs_nginx
def test_behind_nginx_with_its_defaults_news_come_by_the_stream(site: Site, page: Page, tmp_path: Path) -> None:
    port = free_port()
    server = f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{site.port}; }} }}"
    (tmp_path / "nginx").mkdir()
    with nginx(tmp_path / "nginx", server, port):
        page.open(f"http://127.0.0.1:{port}/")
        assert site.listeners == 1
        site.report(verdict("VERIFIED"))
        page.until(f"{COUNT} === 1")
        page.ask("Page.navigate", url="about:blank")
    assert page.complaints == []
