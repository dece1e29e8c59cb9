"""The pages for people: how much is shown, from where on, of what kind, and what is said where nothing can be shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest
from starlette.requests import Request

from cloud_sink.archive import Archive
from cloud_sink.mqtt import BrokerState
from cloud_sink.simulator import SimulatedFleet, health, verdict
from cloud_sink.store import Store
from cloud_sink.web.app import ALL_ALERTS, PAGE_VERDICTS, TOP_ALERTS, Pages, Sources
from cloud_sink.web.live import Feed
from tests.support.sink_samples import Site, changed


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Store(tmp_path / "sink.db") as store:
        yield Site(SimulatedFleet(), store, Feed())


def verdict_ids(page: str) -> list[int]:
    return [int(row) for row in re.findall(r'<li class="verdict [^"]*" id="verdict-(\d+)"', page)]


def alert_ids(page: str) -> list[str]:
    return re.findall(r'<li class="alert [^"]*" id="alert-([^"]+)"', page)


def test_forty_verdicts_make_a_page_and_the_next_begins_below_the_last(site: Site) -> None:
    assert (PAGE_VERDICTS, TOP_ALERTS, ALL_ALERTS) == (40, 6, 200)
    for _ in range(40):
        site.report(verdict())
    assert verdict_ids(site.get("/").text) == list(range(40, 0, -1))
    assert ">Older<" not in site.get("/").text
    site.report(verdict())
    page = site.get("/").text
    assert verdict_ids(page) == list(range(41, 1, -1))
    assert 'href="/?before=2"' in page
    assert ">Newest<" not in page
    rest = site.get("/?before=2").text
    assert verdict_ids(rest) == [1]
    assert ">Newest<" in rest and ">Older<" not in rest


def test_a_state_is_chosen_and_counted_over_all_devices(site: Site) -> None:
    other = site.world.enrol("cam-two")
    for state, camera in (("FORGED", None), ("VERIFIED", other), ("VERIFIED", None)):
        site.report(verdict(state), camera)
    page = site.get("/?state=VERIFIED").text
    assert verdict_ids(page) == [3, 2]
    assert re.search(r'href="/\?state=VERIFIED" aria-current="true">Verified <b>2</b>', page)
    assert re.search(r'href="/">All <b>3</b>', page)
    assert "Missing <b>" not in page
    assert "Missing <b>0</b>" in site.get("/?state=MISSING").text
    assert "No verdict of this kind." in site.get("/?state=MISSING").text


def test_six_alerts_are_on_top_and_the_rest_behind_a_link(site: Site) -> None:
    for _ in range(6):
        site.report(verdict("FORGED"))
    page = site.get("/").text
    assert alert_ids(page) == ["6", "5", "4", "3", "2", "1"]
    assert "All alerts" not in page
    site.report(verdict("MISSING"))
    page = site.get("/").text
    assert alert_ids(page) == ["7", "6", "5", "4", "3", "2"]
    assert "All alerts" in page
    assert len(alert_ids(site.get("/alerts").text)) == 7


def test_alerts_are_the_receivers_then_the_devices_the_loudest_first_then_the_signs(site: Site) -> None:
    site.broker = BrokerState("refused", 5)
    site.report(verdict("FORGED"))
    site.camera.sequence += 1
    site.report(verdict())  # a gap
    site.report(verdict(), site.world.stranger("cam-none"))
    site.report(health("tamper", "indicator", detail="case_opened"))
    titles = [alert["title"] for alert in site.get("/api/alerts").json["alerts"]]
    assert titles == [
        "Broker refuses us",
        "Case opened",
        "Telemetry missing",
        "Unknown device refused",
        "Forged",
    ]


def test_a_device_page_has_the_devices_own_alerts_health_and_verdicts(site: Site) -> None:
    other = site.world.enrol("cam-two")
    site.report(verdict("FORGED"), other)
    site.report(verdict())
    site.report(health("restarted", "codes", count=3))
    site.receiver.handle("sealcam/v1/cam-two/envelope", b"rubbish")
    site.receiver.settle()
    page = site.get("/devices/cam-one").text
    assert verdict_ids(page) == [2]
    assert alert_ids(page) == []
    assert "codes, 3 times" in page
    assert "complete, 0 to 1" in page
    theirs = site.get("/devices/cam-two").text
    assert verdict_ids(theirs) == [1]
    assert alert_ids(theirs) == ["cam-two-malformed-messages-refused"]


def test_a_device_page_shows_forty_verdicts(site: Site) -> None:
    for _ in range(41):
        site.report(verdict())
    assert len(verdict_ids(site.get("/devices/cam-one").text)) == 40


def test_a_retired_device_has_its_page_still_and_an_unknown_one_has_none(site: Site) -> None:
    site.report(verdict())
    site.enrolled = ("cam-three",)
    assert site.get("/devices/cam-one").status == 200
    assert site.get("/devices/cam-three").status == 200
    assert site.get("/devices/cam-two").status == 404


def test_silence_is_on_the_page_of_an_enrolled_device_only(site: Site) -> None:
    site.report(health("started", "sealer", detail="camera"))
    site.world.now_ms += 10**7
    assert "cam-one-silent" in alert_ids(site.get("/devices/cam-one").text)
    assert "Silent" in site.get("/").text
    site.enrolled = ()
    assert "cam-one-silent" not in alert_ids(site.get("/devices/cam-one").text)
    assert "Silent" not in site.get("/").text


def test_the_map_is_drawn_where_both_places_are_known(site: Site) -> None:
    site.report(verdict())
    site.report(verdict(code=None))
    site.report(verdict(position=None))
    drawn = ['class="plan"' in site.get(f"/verdicts/{row}").text for row in (1, 2, 3)]
    assert drawn == [True, False, False]
    page = site.get("/verdicts/1").text
    assert "2025-10-09 08:53:20 UTC" in page and "2028-12-09 18:40:00 UTC" in page  # validity, in seconds
    assert "no code" not in page


def test_the_link_of_a_verdict_is_said_to_hold_to_be_broken_or_not_to_be_known(site: Site) -> None:
    site.report(verdict())
    thief = site.camera.seal(verdict(), previous=b"\x01" * 32)
    site.receiver.handle(thief.topic, thief.sealed)
    site.camera.sequence += 1
    site.report(verdict())
    said = [site.get(f"/verdicts/{row}").text for row in (1, 2, 3)]
    assert "the chain holds" in said[0]
    assert "the chain is broken here" in said[1]
    assert "has not arrived" in said[2]


def test_a_database_that_cannot_be_read_is_503_on_a_page_and_in_the_api(site: Site) -> None:
    changed(site.store.path, "PRAGMA user_version = 9")
    page = site.get("/")
    assert (page.status, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert "The database cannot be read" in page.text
    answer = site.get("/api/stats")
    assert (answer.status, answer.json) == (503, {"error": "the database cannot be read"})


def test_each_failure_has_its_words(site: Site) -> None:
    assert "There is nothing here" in site.get("/nowhere").text
    assert "That was not understood" in site.get("/?before=x").text
    assert site.get("/api/nowhere").json == {"error": "Not Found"}


def test_a_bug_of_ours_is_not_made_into_an_answer(site: Site) -> None:
    pages = Pages(Sources(Archive(site.store.path), site.feed, lambda: site.broker, tuple, lambda: 1))
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
    with pytest.raises(ZeroDivisionError):
        pages.failed(request, ZeroDivisionError())


def test_templates_escape_and_know_every_name_that_they_use(site: Site) -> None:
    templates = Pages(Sources(Archive(site.store.path), site.feed, lambda: site.broker, tuple, lambda: 1))._templates
    assert (templates.autoescape, templates.undefined) == (True, jinja2.StrictUndefined)
    assert (templates.trim_blocks, templates.lstrip_blocks) == (True, True)


def test_too_many_open_pages_are_told_so(site: Site) -> None:
    site.feed._listeners = 63
    assert not site.feed.full
    site.feed._listeners = 64
    answer = site.get("/events")
    assert (answer.status, answer.text) == (503, "Too many pages are open.\n")


def test_a_word_of_a_device_is_text_and_never_markup(site: Site) -> None:
    site.enrolled = ("cam-one", "<b>cam</b>")
    assert "<b>cam</b>" not in site.get("/").text
    assert "&lt;b&gt;cam&lt;/b&gt;" in site.get("/").text


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/alerts", "text/html; charset=utf-8"),
        ("/verdicts/1", "text/html; charset=utf-8"),
        ("/devices/cam-one", "text/html; charset=utf-8"),
        ("/api/devices", "application/json"),
        ("/api/verdicts", "application/json"),
        ("/api/verdicts/1", "application/json"),
        ("/api/alerts", "application/json"),
        ("/api/stats", "application/json"),
        ("/static/live.js", "text/javascript; charset=utf-8"),
    ],
)
def test_every_address_is_served_as_what_it_is(site: Site, target: str, kind: str) -> None:
    site.report(verdict())
    answer = site.get(target)
    assert (answer.status, answer.headers["content-type"]) == (200, kind)
