"""The JSON of the API and of an export: every field, also of a device that never spoke."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cloud_sink.acknowledgements import Acknowledgement
from cloud_sink.archive import StoredGroup, TallyRow
from cloud_sink.chain import Span
from cloud_sink.simulator import EPOCH_MS, SimulatedFleet, health, verdict
from cloud_sink.store import Store
from cloud_sink.web import api
from cloud_sink.web.alerts import Alert, group_alerts
from cloud_sink.web.live import Feed
from tests.support.sink_samples import QUIET, WHEN, Site, stored_health, stored_verdict


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Store(tmp_path / "sink.db") as store:
        yield Site(SimulatedFleet(), store, Feed())


DELIVERY = {
    "id": 4,
    "device_id": "cam-one",
    "sequence": 3,
    "digest": "00" * 32,
    "previous": "00" * 32,
    "boot_id": "00" * 16,
    "sealed_bytes": 1600,
    "received_ms": 1_764_000_007_000,
}
VERDICT = {
    "verdict_id": "v-1",
    "state": "VERIFIED",
    "class_id": 14,
    "class_name": "stop",
    "perceived_class_id": 14,
    "confidence": 0.97,
    "first_frame": 70,
    "last_frame": 108,
    "utc_ms": 1_764_000_000_000,
    "sightings": 31,
    "code": {
        "sign_id": "0123456789abcdef",
        "class_id": 14,
        "lat": 48.13713,
        "lon": 11.57536,
        "heading": 90.0,
        "valid_from": 1_760_000_000,
        "valid_until": 1_860_000_000,
        "key_id": "00112233aabbccdd",
        "error_rate": 0.012,
        "readings": 17,
    },
    "position": {"lat": 48.13711, "lon": 11.57509, "heading": 88.5, "accuracy_m": 3.0},
    "reasons": ("code_and_perception_agree",),
}


def test_a_verdict_has_its_delivery_its_fields_and_the_name_of_its_class() -> None:
    stored = stored_verdict("VERIFIED")
    assert api.event_json(stored) == {**DELIVERY, "type": "verdict", **VERDICT}
    assert api.verdict_json(stored) == {**DELIVERY, **VERDICT}
    assert api.event_json(stored_verdict("FORGED", class_id=None))["class_name"] is None
    assert api.event_json(stored_verdict("VERIFIED", class_id=0))["class_name"] == "speed limit 20"


def test_health_has_its_delivery_and_its_fields() -> None:
    row = api.event_json(stored_health("restarted", compartment="codes"))
    assert row == {
        **DELIVERY,
        **{"id": 3, "sequence": 2, "sealed_bytes": 900, "received_ms": EPOCH_MS + 5000, "type": "health"},
        **{"kind": "restarted", "compartment": "codes", "count": 1, "at_ms": EPOCH_MS, "detail": "none"},
    }


def test_the_next_page_begins_after_the_last_row_and_stays_where_there_is_none() -> None:
    page = api.verdicts_json([stored_verdict(row_id=4), stored_verdict(row_id=9)], 2)
    assert ([row["id"] for row in page["verdicts"]], page["next"]) == ([4, 9], 9)
    assert api.verdicts_json([], 2) == {"verdicts": [], "next": 2}


def test_a_device_in_json_has_its_own_refusals_only() -> None:
    facts = replace(
        QUIET, gaps=(Span(2, 3),), breaks=(5,), break_count=1, states={"VERIFIED": 2}, health_counts={"alive": 1}
    )
    rows = [TallyRow("cam-one", "forged", 2, 1, 2), TallyRow("cam-two", "forged", 9, 1, 2)]
    assert api.device_json("cam-one", facts, rows) == {
        "device_id": "cam-one",
        "last_received_ms": EPOCH_MS,
        "envelopes": 7,
        "highest_sequence": 6,
        "gaps": [{"first": 2, "last": 3}],
        "breaks": [5],
        "break_count": 1,
        "verdicts": {"VERIFIED": 2},
        "health": {"alive": 1},
        "not_stored": {"forged": 2},
    }


def test_a_device_that_never_spoke_has_nothing() -> None:
    never = {
        "device_id": "cam-one",
        "last_received_ms": None,
        "envelopes": 0,
        "highest_sequence": None,
        "gaps": [],
        "breaks": [],
        "break_count": 0,
        "verdicts": {},
        "health": {},
        "not_stored": {},
    }
    assert api.device_json("cam-one", None, []) == never
    nothing_stored = replace(QUIET, envelopes=0, last_received_ms=None, highest_sequence=0)
    assert api.device_json("cam-one", nothing_stored, []) == never


def test_an_alert_in_json() -> None:
    (of_verdict,) = group_alerts([StoredGroup("cam-one", "FORGED", 3, 1, stored_verdict("FORGED", row_id=4))])
    row = api.alert_json(of_verdict)
    assert (row["verdict_id"], row["device_id"], row["link"]) == (4, "cam-one", "/verdicts/4")
    assert api.alert_json(Alert("warn", "Title", "Text", "", None, "/alerts")) == {
        "level": "warn",
        "title": "Title",
        "text": "Text",
        "device_id": None,
        "at": None,
        "verdict_id": None,
        "link": "/alerts",
        "kind": "",
        "count": 1,
        "acknowledged": None,
    }
    looked_at = replace(of_verdict, acknowledged=Acknowledgement("cam-one", "verdict.FORGED", 3, "", EPOCH_MS))
    row = api.alert_json(looked_at)
    assert (row["kind"], row["count"]) == ("verdict.FORGED", 1)
    assert row["acknowledged"] == {"who": None, "at_ms": EPOCH_MS, "open": True}
    assert api.alert_json(Alert("warn", "t", "t", "cam-one", WHEN, "/"))["at"] == "2025-11-24T16:00:00+00:00"


# --- over the whole page ----------------------------------------------------------------------------------------------


def test_verdicts_are_filtered_by_state_device_row_and_number(site: Site) -> None:
    other = site.world.enrol("cam-two")
    for state, camera in (("FORGED", None), ("VERIFIED", other), ("VERIFIED", None)):
        site.report(verdict(state), camera)

    def rows(query: str) -> list[int]:
        return [row["id"] for row in site.get(f"/api/verdicts{query}").json["verdicts"]]

    assert rows("") == [1, 2, 3]
    assert rows("?state=VERIFIED") == [2, 3]
    assert rows("?device=cam-one") == [1, 3]
    assert rows("?device=cam-one&state=VERIFIED&after=2&limit=5") == [3]
    assert rows("?limit=1") == [1]
    assert rows("?limit=0") == []
    assert rows("?after=") == [1, 2, 3]


def test_a_hundred_verdicts_are_given_unasked(site: Site) -> None:
    for _ in range(101):
        site.report(verdict())
    assert len(site.get("/api/verdicts").json["verdicts"]) == 100
    assert len(site.get("/api/verdicts?limit=9999999999999999").json["verdicts"]) == 101


def test_numbers_have_sixteen_digits_at_most(site: Site) -> None:
    assert site.get("/api/verdicts?after=9999999999999999").json == {"verdicts": [], "next": 9_999_999_999_999_999}
    for bad in ("10000000000000000", "%D9%A3", "+1", "1.0", "x"):
        answer = site.get(f"/api/verdicts?after={bad}")
        assert (answer.status, answer.json["error"]) == (400, "after must be a whole number")
        assert site.get(f"/api/verdicts?limit={bad}").json["error"] == "limit must be a whole number"


def test_an_unknown_state_is_answered_with_those_that_there_are(site: Site) -> None:
    answer = site.get("/api/verdicts?state=NICE")
    assert answer.status == 400
    assert "VERIFIED, CONTRADICTED" in answer.json["error"] and "NICE" not in answer.text


def test_one_verdict_and_none(site: Site) -> None:
    site.report(verdict(verdict_id="v-77"))
    assert site.get("/api/verdicts/1").json["verdict_id"] == "v-77"
    assert "type" not in site.get("/api/verdicts/1").json
    answer = site.get("/api/verdicts/2")
    assert (answer.status, answer.json) == (404, {"error": "there is no such verdict"})


def test_devices_are_those_enrolled_and_those_heard(site: Site) -> None:
    site.enrolled = ("cam-one", "cam-three")
    site.report(verdict(), site.world.enrol("cam-two"))
    site.report(verdict(), site.world.stranger("cam-none"))
    rows = site.get("/api/devices").json["devices"]
    assert [(row["device_id"], row["envelopes"]) for row in rows] == [("cam-one", 0), ("cam-three", 0), ("cam-two", 1)]


def test_stats_say_how_the_broker_stands(site: Site) -> None:
    site.report(health())
    found = site.get("/api/stats").json
    assert (found["broker"], found["broker_since_ms"], found["envelopes"]) == ("connected", 1, 1)


@pytest.mark.parametrize("row_id", ["9" * 17, "9" * 5000, "-1", "1.5", "x"])
def test_a_verdict_whose_number_cannot_be_is_not_found(site: Site, row_id: str) -> None:
    assert site.get(f"/verdicts/{row_id}").status == 404
    assert site.get(f"/api/verdicts/{row_id}").status == 404
