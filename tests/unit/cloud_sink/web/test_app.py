"""The page and the API, asked as a browser, a program and an attacker would; no socket is opened."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import replace

from cloud_sink.mqtt import BrokerState, Phase
from cloud_sink.simulator import DEFAULT_CODE, DEFAULT_PLACE, SimulatedFleet, health, verdict
from cloud_sink.store import Store
from cloud_sink.web.live import MAX_LISTENERS, Feed
from cloud_sink.web.plan import plan
from cloud_sink.web.words import BROKER, HEALTH, REASONS, STATES, TALLIES, UNKNOWN_REASON
from device.verdict.decision import table
from tests.support.paths import ROOT
from tests.support.sink_samples import Site
from wire.classes import CLASS_NAMES
from wire.events import ALIVE_EVERY_S, HealthEvent, PlaceEvent, VerdictEvent
from wire.vocabulary import HEALTH_KINDS
from wire.vocabulary import STATES as ALL_STATES

WEB = ROOT / "cloud_sink" / "web"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Store(tmp_path / "sink.db") as store:
        yield Site(SimulatedFleet(), store, Feed())


@pytest.fixture(scope="module")
def quiet_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that nothing is reported to: for questions whose answers do not depend on what is stored."""
    with Store(tmp_path_factory.mktemp("quiet") / "sink.db") as store:
        yield Site(SimulatedFleet(), store, Feed())


# --- words -----------------------------------------------------------------------------------------------------------


def test_there_are_words_for_everything_that_can_be_stored() -> None:
    assert set(STATES) == set(ALL_STATES)
    assert set(HEALTH) == set(HEALTH_KINDS)
    assert set(BROKER) == set(get_args(Phase))
    assert set(TALLIES) == {
        *("malformed", "unknown_device", "unreadable", "forged", "bad_event", "equivocation"),
        *("duplicate", "not_stored", "unsealed_verdicts", "unsealed_health"),
    }


def test_there_is_a_sentence_for_every_row_of_the_verdict_table() -> None:
    reasons = {row.because for row in table.TABLE if row.state != "NO_VERDICT"}
    assert reasons <= set(REASONS)
    assert all("{" not in sentence.format(held="x", seen="y") for sentence in REASONS.values())


def test_there_is_a_picture_for_every_class() -> None:
    drawn = set(re.findall(r'<symbol id="sign-(\w+)"', (WEB / "static" / "signs.svg").read_text()))
    assert drawn == {*(str(class_id) for class_id in range(len(CLASS_NAMES))), "none"}


# --- pages -----------------------------------------------------------------------------------------------------------


def test_a_contradiction_stands_among_the_alerts_with_both_signs(site: Site) -> None:
    site.report(verdict("CONTRADICTED", class_id=14, perceived_class_id=5, reasons=("perception_says_otherwise",)))
    page = site.get("/").text
    alerts = page.split('id="verdicts-title"')[0]
    assert "The signed code says “stop”; the camera saw “speed limit 80”." in alerts
    assert "signs.svg#sign-5" in alerts
    assert "signs.svg#sign-14" in alerts


def test_a_quiet_receiver_says_that_nothing_needs_attention(site: Site) -> None:
    site.report(verdict("VERIFIED"))
    page = site.get("/").text
    assert "Nothing. No contradiction" in page
    assert "In good order" in page


def test_every_time_of_the_lists_has_its_label_its_zone_and_its_age(site: Site) -> None:
    site.report(verdict("FORGED"))
    site.world.now_ms += 5 * 60_000
    page = site.get("/").text
    time = '<time datetime="2025-11-24T16:00:00Z" title="2025-11-24T16:00:00Z">16:00:00 UTC</time>'
    age = '<span data-at="2025-11-24T16:00:00Z">5 minutes ago</span>'
    assert page.count(f"Received {time}, {age}") == 2  # the alert and the verdict
    assert f"<dd>{time}, {age}</dd>" in page  # last heard
    assert '<body data-now="2025-11-24T16:05:00Z">' in page
    site.world.now_ms += 3 * 86_400_000
    assert ">2025-11-24 16:00 UTC</time>, " in (later := site.get("/").text) and ">3 days ago<" in later


def test_a_verdict_of_one_frame_is_seen_in_one_frame(site: Site) -> None:
    site.report(verdict("VERIFIED", sightings=1, first_frame=7, last_frame=7))
    assert "1 sighting in frame 7<" in site.get("/verdicts/1").text
    site.report(verdict("VERIFIED", sightings=2, first_frame=7, last_frame=8))
    assert "2 sightings in frames 7 to 8<" in site.get("/verdicts/2").text


def test_a_verdict_is_explained_with_its_claims_its_place_and_its_delivery(site: Site) -> None:
    site.report(verdict("VERIFIED"))
    page = site.get("/verdicts/1").text
    for fact in (
        "a road authority signed",
        "0123456789abcdef",
        "48.13713, 11.57536",
        "00112233aabbccdd",
        "20 m east",
        "the chain holds",
        site.camera.previous.hex(),
    ):
        assert fact in page


@pytest.mark.parametrize("state", ALL_STATES)
def test_every_state_has_its_page_also_with_the_least_that_a_device_may_say(site: Site, state: str) -> None:
    bare = verdict(state, class_id=None, perceived_class_id=None, code=None, position=None, utc_ms=0, reasons=())
    full = verdict(state, code=replace(DEFAULT_CODE, valid_until=2**48, error_rate=None), utc_ms=2**48)
    standing = verdict(state, position=replace(DEFAULT_PLACE, heading=None))
    for event in (bare, full, standing):
        site.report(event)
    for target in ("/", "/alerts", "/verdicts/1", "/verdicts/2", "/verdicts/3", "/devices/cam-one", f"/?state={state}"):
        assert site.get(target).status == 200, target


def test_a_gap_a_break_and_refusals_are_alerts_until_they_are_over(site: Site) -> None:
    late = site.camera.seal(verdict())
    site.report(verdict())
    site.report(verdict(), site.world.stranger("cam-none"))
    page = site.get("/alerts").text
    assert "1 of this device&#39;s envelopes did not arrive: 0." in page
    assert "Unknown device refused" in page
    site.receiver.handle(late.topic, late.sealed)
    assert "did not arrive" not in site.get("/alerts").text
    thief = site.camera.seal(verdict(), previous=bytes(32))
    site.receiver.handle(thief.topic, thief.sealed)
    assert "Chain broken" in site.get("/alerts").text


def test_an_opened_case_is_an_alert(site: Site) -> None:
    site.report(health("tamper", "indicator", detail="case_opened"))
    assert [(alert["level"], alert["title"]) for alert in site.get("/api/alerts").json["alerts"]] == [
        ("alarm", "Case opened")
    ]


SILENCE_MS = 2 * ALIVE_EVERY_S * 1000


def loud(site: Site) -> list[tuple[str, str]]:
    return [(alert["level"], alert["title"]) for alert in site.get("/api/alerts").json["alerts"]]


@pytest.mark.parametrize("last", [health("started", "sealer", detail="camera"), health("alive", "sealer"), verdict()])
def test_a_device_that_falls_silent_on_its_camera_is_an_alert(site: Site, last: VerdictEvent | HealthEvent) -> None:
    site.report(health("started", "sealer", detail="camera"))
    site.report(last)
    site.world.now_ms += SILENCE_MS
    assert loud(site) == []
    site.world.now_ms += 1
    assert loud(site) == [("warn", "Silent")]
    assert "Silent" in site.get("/").text
    assert "10 minutes" in site.get("/devices/cam-one").text
    site.report(health("alive", "sealer"))
    assert loud(site) == []


def test_silence_after_an_orderly_end_or_a_replay_is_no_alert(site: Site) -> None:
    site.report(health("started", "sealer", detail="camera"))
    site.report(health("alive", "sealer"))
    site.report(health("stopped", "sealer", detail="camera"))
    site.report(verdict())  # was being judged at the stop
    site.world.now_ms += SILENCE_MS + 1
    assert loud(site) == []
    site.report(health("started", "sealer", detail="replay"))
    site.world.now_ms += SILENCE_MS + 1
    assert loud(site) == []


def test_a_retired_device_may_be_silent(site: Site) -> None:
    site.report(health("started", "sealer", detail="camera"))
    site.world.now_ms += SILENCE_MS + 1
    site.enrolled = ()
    assert loud(site) == []
    assert "Silent" not in site.get("/").text


def test_a_stopped_of_an_earlier_run_that_arrives_late_does_not_hide_that_a_device_is_silent(site: Site) -> None:
    stopped = site.camera.seal(health("stopped", "sealer", detail="camera"))
    site.report(health("started", "sealer", detail="camera"))
    site.receiver.handle(stopped.topic, stopped.sealed)  # of the run before: held back, and let through later
    site.world.now_ms += SILENCE_MS + 1
    assert loud(site) == [("warn", "Silent")]


def test_heartbeats_do_not_crowd_the_health_log(site: Site) -> None:
    site.report(health("restarted", "codes"))
    for _ in range(60):
        site.report(health("alive", "sealer"))
    page = site.get("/devices/cam-one").text
    assert "Restarted" in page
    assert "Alive" not in page


def test_an_unreachable_broker_is_shown_on_the_page(site: Site) -> None:
    site.broker = BrokerState("unreachable", 1)
    assert "The broker cannot be reached." in site.get("/").text


def test_an_enrolled_device_is_shown_before_it_reports(quiet_site: Site) -> None:
    assert "Enrolled, nothing received yet" in quiet_site.get("/").text
    assert quiet_site.get("/devices/cam-one").status == 200


def test_words_of_a_hostile_device_that_no_table_knows_are_not_shown(site: Site) -> None:
    site.report(verdict("VERIFIED", reasons=("call.0900-123456:now", "perception_alone")))
    site.report(health("degraded", detail="visit:evil.example"))
    for target in ("/", "/alerts", "/verdicts/1", "/devices/cam-one"):
        page = site.get(target).text
        assert "0900" not in page
        assert "evil" not in page
    assert UNKNOWN_REASON in site.get("/verdicts/1").text


def test_older_verdicts_are_on_further_pages(site: Site) -> None:
    for number in range(45):
        site.report(verdict(verdict_id=f"v-{number}"))
    first = site.get("/").text
    assert first.count('<li class="verdict ') == 40
    older = re.search(r'href="(/\?before=\d+)"', first)
    assert older
    assert site.get(older[1]).text.count('<li class="verdict ') == 5


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in ("href", "src"):
                self.found.append(value or "")
            if name == "style" or name.startswith("on"):
                self.inline.append(f"{tag} {name}")
        if tag == "style" or (tag == "script" and "src" not in dict(attributes)):
            self.inline.append(tag)


@pytest.mark.parametrize("target", ["/", "/alerts", "/verdicts/1", "/devices/cam-one", "/nowhere"])
def test_pages_refer_to_nothing_outside_and_hold_no_inline_script_or_style(site: Site, target: str) -> None:
    site.report(verdict("FORGED", class_id=None))
    links = _Links()
    links.feed(site.get(target).text)
    assert links.inline == []
    assert all(link.startswith(("/", "#")) and not link.startswith("//") for link in links.found)
    targets = {link.partition("#")[0] for link in links.found} - {""}
    assert {target: site.get(target).status for target in targets} == dict.fromkeys(targets, 200)


# --- API -------------------------------------------------------------------------------------------------------------


def test_the_api_gives_verdicts_in_order_of_arrival_from_where_the_last_page_ended(site: Site) -> None:
    for number in range(3):
        site.report(verdict(verdict_id=f"v-{number}"))
    page = site.get("/api/verdicts?limit=2").json
    assert [row["verdict_id"] for row in page["verdicts"]] == ["v-0", "v-1"]
    rest = site.get(f"/api/verdicts?after={page['next']}").json
    assert [row["verdict_id"] for row in rest["verdicts"]] == ["v-2"]
    assert site.get(f"/api/verdicts?after={rest['next']}").json == {"verdicts": [], "next": rest["next"]}


def test_a_verdict_in_the_api_has_the_fields_of_the_design(site: Site) -> None:
    site.report(verdict("CONTRADICTED", perceived_class_id=5))
    row = site.get("/api/verdicts/1").json
    assert (row["class_name"], row["state"], row["boot_id"]) == ("stop", "CONTRADICTED", bytes(range(16)).hex())
    assert {
        *("verdict_id", "state", "class_id", "class_name", "perceived_class_id", "confidence", "first_frame"),
        *("last_frame", "sightings", "code", "position", "reasons", "sequence", "digest", "received_ms", "device_id"),
    } <= row.keys()


def test_the_api_shows_devices_and_stats(site: Site) -> None:
    site.report(verdict())
    (device,) = site.get("/api/devices").json["devices"]
    assert (device["device_id"], device["envelopes"], device["gaps"]) == ("cam-one", 1, [])
    assert site.get("/api/stats").json["broker"] == "connected"


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/api/verdicts?after=-1", 400),
        ("/api/verdicts?after=1;DROP", 400),
        ("/api/verdicts?after=99999999999999999999", 400),
        ("/api/verdicts?state=NICE", 400),
        ("/api/verdicts/99", 404),
        ("/api/verdicts/18446744073709551616", 404),
        ("/verdicts/0", 404),
        ("/verdicts/18446744073709551616", 404),
        ("/?state=%3Cscript%3E", 404),
        ("/?before=x", 400),
        ("/devices/cam-two", 404),
        ("/devices/%2e%2e%2fpasswd", 404),
        ("/static/../app.py", 404),
        ("/static/..%2fapp.py", 404),
        ("/nowhere", 404),
    ],
)
def test_what_is_not_there_or_not_understood_is_answered_without_repeating_it(
    quiet_site: Site, target: str, status: int
) -> None:
    answer = quiet_site.get(target)
    assert answer.status == status
    assert "script>" not in answer.text.replace("<script src", "").replace("></script>", "")
    assert answer.headers["content-type"].startswith("application/json" if "/api/" in target else "text/")


# --- guard -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8620", 200),
        ("localhost:8620", 200),
        ("[::1]:8620", 200),
        ("[::1]", 200),
        ("192.168.1.7", 200),
        ("receiver.example", 200),
        ("evil.example", 421),
        ("evil.example:8620", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
        (None, 421),
    ],
)
def test_a_name_that_is_not_ours_is_refused_against_dns_rebinding(
    quiet_site: Site, host: str | None, status: int
) -> None:
    assert quiet_site.get("/", host=host).status == status


@pytest.mark.parametrize("target", ["/", "/api/stats", "/static/page.css", "/nowhere"])
def test_every_answer_carries_the_security_headers(quiet_site: Site, target: str) -> None:
    headers = quiet_site.get(target).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_can_be_changed_through_the_page(quiet_site: Site, method: str) -> None:
    assert quiet_site.get("/", method=method).status == 405


# --- news ------------------------------------------------------------------------------------------------------------


def test_a_listener_hears_of_the_latest_row_and_of_every_news_once() -> None:
    async def listen() -> list[bytes]:
        feed, rows, heard = Feed(), [0], []
        stream = feed.stream(lambda: rows[0])
        await anext(stream)  # the comment at once
        heard.append(await anext(stream))
        rows[0] = 7
        feed.announce()
        feed.announce()
        heard.append(await anext(stream))
        feed.close()
        return [*heard, *[part async for part in stream]]

    first, second = asyncio.run(listen())
    assert b'data: {"last": 0}' in first
    assert b'event: news\ndata: {"last": 7}\n\n' in second


def test_no_more_listeners_are_served_than_the_receiver_can_bear(site: Site) -> None:
    async def crowd() -> bool:
        streams = [site.feed.stream(lambda: 0) for _ in range(MAX_LISTENERS)]
        for stream in streams:
            await anext(stream)
        full = site.feed.full
        for stream in streams:
            await stream.aclose()  # type: ignore[attr-defined]
        return full and not site.feed.full

    assert asyncio.run(crowd())


# --- the small map ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "bearing", "distance_m"),
    [
        (PlaceEvent(48.13713, 11.57536, None, 1.0), "north", 0),
        (PlaceEvent(48.13613, 11.57536, None, 1.0), "north", 111),
        (PlaceEvent(48.13713, 11.58536, None, 1.0), "west", 742),
        (PlaceEvent(-90.0, -180.0, None, 1.0), "north", 15_360_000),
        (PlaceEvent(90.0, 180.0, None, 1.0), "south", 4_655_000),
    ],
)
def test_the_map_shows_where_the_code_is_seen_from_the_vehicle(
    place: PlaceEvent, bearing: str, distance_m: float
) -> None:
    view = plan(DEFAULT_CODE, place)
    assert view.bearing == bearing
    assert view.distance_m == pytest.approx(distance_m, rel=0.01, abs=1)
    assert 15 <= view.x <= 185
    assert 15 <= view.y <= 185


def test_the_map_crosses_the_date_line_the_short_way() -> None:
    code = replace(DEFAULT_CODE, lat=0.0, lon=-179.999)
    view = plan(code, PlaceEvent(0.0, 179.999, 90.0, 1.0))
    assert (round(view.distance_m), view.bearing) == (222, "east")
