"""An alert is acknowledged by a page of ours, up to what was seen; it is put away, with who and when, never lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud_sink.simulator import SimulatedFleet, health, verdict
from cloud_sink.store import Store
from cloud_sink.web.live import Feed
from tests.support.sink_samples import Answer, Site, asked


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Store(tmp_path / "sink.db") as store:
        yield Site(SimulatedFleet(), store, Feed())


def form_of(page: str, alert: str) -> dict[str, str]:
    """The form of one alert, as it is on a page."""
    card = page.partition(f'id="acknowledge-{alert}"')[0].rpartition("<form")[2]
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', card))


def put_away(site: Site, alert: str, page: str = "/", **headers: str) -> Answer:
    return site.post("/acknowledge", form_of(site.get(page).text, alert), **headers)


def titles(site: Site, which: str = "alerts") -> list[tuple[str, int]]:
    return [(alert["title"], alert["count"]) for alert in site.get("/api/alerts").json[which]]


def marks(site: Site) -> list[tuple[Any, ...]]:
    return asked(site.store.path, "SELECT device_id, kind, through, who, at_ms FROM acknowledgement ORDER BY id")


def test_an_acknowledged_alert_is_put_away_and_the_next_of_its_kind_is_one_again(site: Site) -> None:
    for _ in range(3):
        site.report(verdict("FORGED"))
    version = site.feed.version
    answer = put_away(site, "verdict-FORGED-cam-one")
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert site.feed.version != version, "the other pages are told"
    assert titles(site) == []
    assert titles(site, "acknowledged") == [("Forged", 3)]
    assert marks(site) == [("cam-one", "verdict.FORGED", 3, "", site.world.now_ms)]
    page = site.get("/").text
    assert (
        "Nothing. Every alert is acknowledged." in page and '<a href="/alerts/acknowledged">1 acknowledged</a>' in page
    )
    site.report(verdict("FORGED"))
    assert titles(site) == [("Forged", 1)]
    assert site.get("/verdicts/4").text.count("Acknowledge<") == 1
    assert "Acknowledged without a login" in site.get("/verdicts/3").text


def test_what_came_while_somebody_read_is_not_acknowledged_with_it(site: Site) -> None:
    site.report(verdict("FORGED"))
    form = form_of(site.get("/").text, "verdict-FORGED-cam-one")
    site.report(verdict("FORGED"))
    site.post("/acknowledge", form)
    assert titles(site) == [("Forged", 1)]


def test_a_flood_is_one_row_to_acknowledge_and_leaves_other_devices_and_kinds_alone(site: Site) -> None:
    other = site.world.enrol("cam-two")
    site.report(verdict("FORGED"), other)
    for _ in range(200):
        site.report(verdict("FORGED"))
    site.report(verdict("MISSING"))
    put_away(site, "verdict-FORGED-cam-one")
    assert titles(site) == [("Forged", 1), ("Missing", 1)]
    assert len(marks(site)) == 1


@pytest.mark.parametrize(
    ("alert", "event"),
    [
        ("health-budget_spent-cam-one", health("budget_spent", "codes")),
        ("health-degraded-cam-one", health("degraded", "uplink")),
        ("health-tamper-cam-one", health("tamper", "indicator", detail="case_opened")),
    ],
)
def test_what_happened_once_to_a_device_does_not_stand_for_ever(site: Site, alert: str, event: Any) -> None:
    site.report(event)
    assert "In good order" not in site.get("/").text
    answer = put_away(site, alert, "/devices/cam-one")
    assert answer.headers["location"] == "/devices/cam-one"
    page = site.get("/devices/cam-one").text
    assert "In good order" in page and "1 acknowledged" in page
    site.report(event)
    assert len(titles(site)) == 1


def test_a_gap_a_break_silence_and_refusals_can_be_acknowledged(site: Site) -> None:
    site.camera.sequence += 1
    site.report(health("started", "sealer", detail="camera"))
    thief = site.camera.seal(verdict(), previous=b"\x01" * 32)
    site.receiver.handle(thief.topic, thief.sealed)
    site.report(verdict(), site.world.stranger("cam-none"))
    site.world.now_ms += 10**7
    alerts = ["device-chain_broken-cam-one", "refused-unknown_device-", "device-telemetry_missing-cam-one"]
    for alert in [*alerts, "device-silent-cam-one"]:
        put_away(site, alert, "/alerts")
    assert titles(site) == []
    assert {title for title, _ in titles(site, "acknowledged")} == {
        *("Chain broken", "Unknown device refused", "Telemetry missing", "Silent")
    }
    page = site.get("/alerts/acknowledged").text
    assert page.count("Acknowledged without a login") == 4
    assert "<form" not in page


@pytest.mark.parametrize(
    "changed",
    [
        {"through": "2"},
        {"through": "9999999999999999"},
        {"through": "0"},
        {"kind": "verdict.MISSING"},
        {"kind": "receiver.unreachable"},
        {"device": "cam-two"},
        {"device": ""},
        {"kind": "x' OR 1=1 --"},
        {"device": "<script>"},
    ],
    ids=str,
)
def test_what_is_not_there_or_has_not_come_yet_cannot_be_acknowledged(site: Site, changed: dict[str, str]) -> None:
    site.report(verdict("FORGED"))
    form = form_of(site.get("/").text, "verdict-FORGED-cam-one")
    answer = site.post("/acknowledge", {**form, **changed})
    assert (answer.status, answer.body) == (303, b"")
    assert marks(site) == []
    assert titles(site) == [("Forged", 1)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("device=cam-one", 400),
        ({"device": "cam-one", "kind": "verdict.FORGED", "through": "1", "back": "https://evil.example"}, 400),
        ({"device": "cam-one", "kind": "verdict.FORGED", "through": "-1", "back": "alerts"}, 400),
        ({"device": "cam-one", "kind": "verdict.FORGED", "through": "1" * 17, "back": "alerts"}, 400),
        ("x" * 2000, 413),
    ],
    ids=str,
)
def test_what_is_no_such_form_is_refused(site: Site, body: str | dict[str, str], status: int) -> None:
    site.report(verdict("FORGED"))
    assert site.post("/acknowledge", body).status == status
    assert marks(site) == []


def test_another_page_cannot_acknowledge_by_a_visitors_browser(site: Site) -> None:
    site.report(verdict("FORGED"))
    form = form_of(site.get("/").text, "verdict-FORGED-cam-one")
    for forged in ({"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "same-site"}, {"host": "evil.example"}):
        assert site.post("/acknowledge", form, **forged).status in (403, 421)
    assert site.get("/acknowledge").status == 405
    assert marks(site) == []


def test_behind_a_login_it_is_kept_who_acknowledged_and_nobody_else_can(tmp_path: Path) -> None:
    with Store(tmp_path / "sink.db") as store:
        site = Site(SimulatedFleet(), store, Feed(), user_header="X-Sealcam-User")
        site.report(verdict("FORGED"))
        for nobody in ({}, {"x_sealcam_user": ""}, {"x_sealcam_user": "<b>ann</b>"}, {"x_sealcam_user": "a" * 65}):
            assert put_away(site, "verdict-FORGED-cam-one", **nobody).status == 403
        assert put_away(site, "verdict-FORGED-cam-one", x_sealcam_user="ann@example.org").status == 303
        assert [row[3] for row in marks(site)] == ["ann@example.org"]
        assert "Acknowledged by ann@example.org" in site.get("/alerts/acknowledged").text
        (alert,) = site.get("/api/alerts").json["acknowledged"]
        assert alert["acknowledged"] == {"who": "ann@example.org", "at_ms": site.world.now_ms, "open": False}


def test_without_a_login_nobody_is_believed_to_be_anybody(site: Site) -> None:
    site.report(verdict("FORGED"))
    assert put_away(site, "verdict-FORGED-cam-one", x_sealcam_user="ann").status == 303
    assert [row[3] for row in marks(site)] == [""]


def test_under_a_path_every_address_of_every_page_begins_with_it(tmp_path: Path) -> None:
    with Store(tmp_path / "sink.db") as store:
        site = Site(SimulatedFleet(), store, Feed(), root="/sealcam")
        for _ in range(45):
            site.report(verdict("FORGED"))
        site.report(health("tamper"))
        for target in ("/", "/alerts", "/alerts/acknowledged", "/verdicts/1", "/devices/cam-one", "/nowhere"):
            page = site.get(target).text
            found = re.findall(r'(?:href|src|action)="([^"]*)"', page)
            assert len(found) > 5
            assert [at for at in found if not at.startswith(("/sealcam/", "#"))] == []
        assert put_away(site, "verdict-FORGED-cam-one").headers["location"] == "/sealcam/"
