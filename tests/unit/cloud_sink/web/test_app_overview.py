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
from cloud_sink.web.app import PAGE_ALERTS, PAGE_HEALTH, PAGE_VERDICTS, TOP_ALERTS, Pages, Sources
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
    assert (PAGE_VERDICTS, TOP_ALERTS, PAGE_ALERTS, PAGE_HEALTH) == (40, 12, 100, 50)
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


def test_one_kind_of_one_device_is_one_alert_that_counts(site: Site) -> None:
    for _ in range(6):
        site.report(verdict("FORGED"))
    page = site.get("/").text
    assert alert_ids(page) == ["verdict-FORGED-cam-one"]
    assert '<span class="count">6</span>' in page
    assert 'href="/?state=FORGED&amp;device=cam-one">Forged</a>' in page
    assert verdict_ids(site.get("/?state=FORGED&device=cam-one").text) == [6, 5, 4, 3, 2, 1]
    site.report(verdict("MISSING"))
    page = site.get("/").text
    assert alert_ids(page) == ["verdict-FORGED-cam-one", "verdict-MISSING-cam-one"]
    assert 'href="/verdicts/7">Missing</a>' in page


def test_twelve_alerts_are_on_top_and_how_many_more_there_are_is_said(site: Site) -> None:
    cameras = [site.world.enrol(f"cam-{number:02}") for number in range(13)]
    for camera in cameras[:12]:
        site.report(verdict("FORGED"), camera)
    assert len(alert_ids(site.get("/").text)) == 12
    assert "more</a>" not in site.get("/").text
    site.report(verdict("FORGED"), cameras[12])
    page = site.get("/").text
    assert len(alert_ids(page)) == 12
    assert '<a href="/alerts">1 more</a>' in page
    assert len(alert_ids(site.get("/alerts").text)) == 13


def test_every_alert_can_be_reached_page_by_page(site: Site) -> None:
    for number in range(101):
        site.report(verdict("FORGED"), site.world.enrol(f"cam-{number:03}"))
    first = site.get("/alerts").text
    assert len(alert_ids(first)) == 100
    assert '<a href="/alerts?from=100">1 more</a>' in first
    second = site.get("/alerts?from=100").text
    assert len(alert_ids(second)) == 1
    assert '<a href="/alerts">First</a>' in second
    assert len({*alert_ids(first), *alert_ids(second)}) == 101


def test_gaps_of_many_devices_do_not_push_a_forgery_out_of_sight(site: Site) -> None:
    for number in range(20):
        camera = site.world.enrol(f"cam-{number:02}")
        camera.sequence += 1
        site.report(verdict(), camera)
    site.report(verdict("FORGED"))
    for number in range(20):
        site.report(health("degraded", "uplink"), site.world._devices[f"cam-{number:02}"])
    assert alert_ids(site.get("/").text)[0] == "verdict-FORGED-cam-one"


def test_a_device_that_makes_every_alert_there_is_does_not_push_anothers_out_of_sight(site: Site) -> None:
    hostile = site.world.enrol("cam-bad")
    for state in ("CONTRADICTED", "FORGED", "MISPLACED", "DAMAGED", "MISSING"):
        for _ in range(20):
            site.report(verdict(state), hostile)
    for kind in ("tamper", "budget_spent", "spool_full", "invalid_message", "degraded"):
        site.report(health(kind), hostile)
    site.report(verdict(), hostile)
    thief = hostile.seal(verdict(), previous=b"\x01" * 32)
    site.receiver.handle(thief.topic, thief.sealed)
    site.report(verdict("MISSING"))
    for _ in range(3):
        site.report(verdict("FORGED"), hostile)
    assert alert_ids(site.get("/").text)[1] == "verdict-MISSING-cam-one"


def test_the_loudest_come_first_and_the_receivers_own_before_them(site: Site) -> None:
    site.broker = BrokerState("refused", 5)
    site.report(verdict("FORGED"))
    site.camera.sequence += 1
    site.report(verdict())  # a gap
    site.report(verdict(), site.world.stranger("cam-none"))
    site.report(health("tamper", "indicator", detail="case_opened"))
    titles = [alert["title"] for alert in site.get("/api/alerts").json["alerts"]]
    assert titles == [
        "Broker refuses the receiver",
        "Forged",
        "Case opened",
        "Unknown device refused",
        "Telemetry missing",
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
    assert alert_ids(theirs) == ["refused-malformed-cam-two"]


def test_a_device_page_shows_forty_verdicts_and_leads_to_the_older(site: Site) -> None:
    for _ in range(40):
        site.report(verdict())
    assert ">Older<" not in site.get("/devices/cam-one").text
    site.report(verdict())
    page = site.get("/devices/cam-one").text
    assert len(verdict_ids(page)) == 40
    assert 'href="/?device=cam-one&amp;before=2">Older<' in page
    older = site.get("/?device=cam-one&before=2").text
    assert verdict_ids(older) == [1]
    assert 'href="/?device=cam-one">Newest<' in older


def test_a_health_log_leads_to_what_is_older(site: Site) -> None:
    for number in range(51):
        site.report(health("restarted", "codes", count=number + 2))
    page = site.get("/devices/cam-one").text
    assert page.count("codes, ") == 50 and "codes, 2 times" not in page
    assert 'href="/devices/cam-one?health_before=2">Older<' in page
    older = site.get("/devices/cam-one?health_before=2").text
    assert older.count("codes, ") == 1 and "codes, 2 times" in older
    assert "No health report before that" in site.get("/devices/cam-one?health_before=1").text


def test_breaks_are_counted_however_many(site: Site) -> None:
    for _ in range(30):
        broken = site.camera.seal(verdict(), previous=b"\x01" * 32)
        site.receiver.handle(broken.topic, broken.sealed)
    assert "29, 28, 27, 26 and 26 more" in site.get("/devices/cam-one").text
    assert site.get("/api/stats").json["breaks"] == site.get("/api/devices").json["devices"][0]["break_count"] == 30


def test_verdicts_of_one_device_are_chosen_and_counted_by_themselves(site: Site) -> None:
    other = site.world.enrol("cam-two")
    for state, camera in (("FORGED", None), ("VERIFIED", other), ("VERIFIED", None)):
        site.report(verdict(state), camera)
    page = site.get("/?device=cam-one").text
    assert verdict_ids(page) == [3, 1]
    assert re.search(r'href="/\?device=cam-one" aria-current="true">All <b>2</b>', page)
    assert 'href="/?state=VERIFIED&amp;device=cam-one">Verified <b>1</b>' in page
    assert site.get("/?device=cam-none").status == 404


def test_a_retired_device_has_its_page_still_and_an_unknown_one_has_none(site: Site) -> None:
    site.report(verdict())
    site.enrolled = ("cam-three",)
    assert site.get("/devices/cam-one").status == 200
    assert site.get("/devices/cam-three").status == 200
    assert site.get("/devices/cam-two").status == 404


def test_silence_is_on_the_page_of_an_enrolled_device_only(site: Site) -> None:
    site.report(health("started", "sealer", detail="camera"))
    site.world.now_ms += 10**7
    assert "device-silent-cam-one" in alert_ids(site.get("/devices/cam-one").text)
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
