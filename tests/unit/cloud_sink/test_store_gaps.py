"""What a device says that it could not store is kept, counted once, shown, exported and found: as its own word."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_sink.archive import Archive, StoredGap
from cloud_sink.receiver import Accepted
from cloud_sink.simulator import EPOCH_MS, SimulatedFleet, gap, health, verdict
from cloud_sink.stats import stats
from cloud_sink.store import MAX_TALLY, Store
from cloud_sink.verify import verify
from cloud_sink.web.api import event_json
from cloud_sink.web.live import Feed
from cloud_sink.web.words import HEALTH, TALLIES
from tests.support.sink_samples import Site, asked
from wire.events import GapEvent


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Store(tmp_path / "sink.db") as store:
        yield Site(SimulatedFleet(), store, Feed())


def counted(site: Site) -> dict[str, int]:
    return {row.reason: row.count for row in Archive(site.store.path).tallies()}


def test_a_gap_is_kept_and_counted_by_kind(site: Site) -> None:
    site.report(gap(3, 1))
    site.report(gap(2, 0))
    assert counted(site) == {"unsealed_verdicts": 5, "unsealed_health": 1}
    last, first = Archive(site.store.path).health(device_id="cam-one")
    assert isinstance(first, StoredGap) and isinstance(last, StoredGap)
    assert first.event == GapEvent(EPOCH_MS - 60_000, EPOCH_MS, 3, 1)
    (facts,) = Archive(site.store.path).devices()
    assert (facts.health_counts, facts.latest_health, facts.gaps) == ({"unsealed": 2}, {}, ())


def test_a_gap_that_comes_twice_counts_once(site: Site) -> None:
    message = site.camera.seal(gap(3, 0))
    for _ in range(2):
        assert isinstance(site.receiver.handle(message.topic, message.sealed), Accepted)
    assert counted(site) == {"unsealed_verdicts": 3}


def test_a_device_that_exaggerates_reaches_a_limit_and_breaks_nothing(site: Site) -> None:
    for _ in range(3):
        site.report(gap(2**40, 2**40))
    assert counted(site)["unsealed_verdicts"] == 3 * 2**40
    site.store._db.execute("UPDATE tally SET count = ?", (MAX_TALLY - 1,))
    site.report(gap(2**40, 1))
    assert counted(site) == {"unsealed_verdicts": MAX_TALLY, "unsealed_health": MAX_TALLY}


def test_a_health_event_with_the_word_of_a_gap_is_a_health_event(site: Site) -> None:
    site.report(health("unsealed", count=7))
    site.report(gap())
    (facts,) = Archive(site.store.path).devices()
    assert facts.health_counts == {"unsealed": 2}
    assert site.get("/devices/cam-one").status == 200


def test_the_page_shows_it_among_what_needs_attention_and_on_the_devices_page(site: Site) -> None:
    site.report(gap(12, 1, from_ms=EPOCH_MS - 61_000))
    overview, device = site.get("/").text, site.get("/devices/cam-one").text
    assert TALLIES["unsealed_verdicts"].title in overview and "12 so far." in overview
    assert HEALTH["unsealed"].title in device
    assert "12 verdicts and 1 report since" in device
    assert "2025-11-24 15:58:59 UTC" in device
    assert {alert["title"] for alert in site.get("/api/alerts").json["alerts"]} >= {"Verdicts lost on the device"}


def test_stats_export_and_api_have_it(site: Site) -> None:
    site.report(gap(12, 1))
    found = stats(Archive(site.store.path))
    assert (found["not_stored"], found["missing"]) == ({"unsealed_health": 1, "unsealed_verdicts": 12}, 0)
    (stored,) = Archive(site.store.path).every()
    row = json.loads(json.dumps(event_json(stored)))
    assert {name: row[name] for name in ("type", "verdicts", "health", "from_ms", "to_ms")} == {
        "type": "gap",
        "verdicts": 12,
        "health": 1,
        "from_ms": EPOCH_MS - 60_000,
        "to_ms": EPOCH_MS,
    }
    (device,) = site.get("/api/devices").json["devices"]
    assert device["not_stored"] == {"unsealed_verdicts": 12, "unsealed_health": 1}


@pytest.mark.parametrize(("to_ms", "shown"), [(EPOCH_MS, "2025-11-24 16:00:00 UTC"), (2**48, "the far future")])
def test_verify_repeats_it_beside_a_chain_that_is_whole(site: Site, to_ms: int, shown: str) -> None:
    site.report(verdict())
    site.report(gap(12, 1, to_ms=to_ms))
    site.report(verdict(verdict_id="v-2"))
    (finding,) = verify(Archive(site.store.path), site.world.keys.opening, site.world)
    assert str(finding) == (
        "cam-one: envelope 1 says that the device could not store 12 verdicts and 1 report, "
        f"2025-11-24 15:59:00 UTC to {shown}"
    )


def test_an_erased_gap_leaves_its_count(site: Site) -> None:
    site.report(gap(3, 1))
    assert site.store.erase(device_id=None, before_ms=None, now_ms=1) == 1
    assert asked(site.store.path, "SELECT count(*) FROM health") == [(0,)]
    assert counted(site) == {"unsealed_verdicts": 3, "unsealed_health": 1}
    assert list(verify(Archive(site.store.path), site.world.keys.opening, site.world)) == []
