"""Counts outlive a process, however often it is started again, and take no more room for it."""

from __future__ import annotations

from typing import Any

from device.channel import damage
from device.channel.messages import Beat
from device.warden import workload
from device.warden.roster import MOST_STARTS, Roster
from tests.support.warden_bench import FakeChild
from wire.vocabulary import CompartmentName

CORRUPT, CUT = damage.fact("frames_corrupt"), damage.fact("cut_off")


def runs(roster: Roster, name: CompartmentName) -> FakeChild:
    child: Any = FakeChild(name)
    roster.running[name] = child
    return child  # type: ignore[no-any-return]


def test_a_fact_is_the_newest_and_a_total_the_sum() -> None:
    roster = Roster()
    runs(roster, "sealer").say(sealed=3, waiting=7)
    roster.end("sealer")
    runs(roster, "sealer")
    assert (roster.fact("sealer", "waiting"), roster.total("sealer", "sealed")) == (7, 3)
    roster.running["sealer"].say(sealed=2, waiting=1)  # type: ignore[attr-defined]
    assert (roster.fact("sealer", "waiting"), roster.total("sealer", "sealed")) == (1, 5)
    assert roster.fact("uplink", "waiting") == 0


def test_damage_of_a_camera_is_added_up_over_its_starts_and_the_last_word_counts() -> None:
    roster = Roster(live=True)
    runs(roster, "capture").say(**{CORRUPT: 2})
    roster.end("capture")
    last = runs(roster, "capture")
    last.say(**{CORRUPT: 3, "beside": 9})
    last.done = {CORRUPT: 4, CUT: 1}
    assert roster.damage() == {"frames_corrupt": 6, "cut_off": 1}
    assert roster.source_is_done()


def test_a_crash_loop_without_end_loses_no_count_and_takes_no_room() -> None:
    roster, starts = Roster(), 20 * MOST_STARTS
    for n in range(starts):
        child = runs(roster, "perception")
        child.beat = Beat(10, {"skipped": 1}, {}, {"detect": [1.0] * 100}, {"light_frames": 2, f"made.up.{n}": 1})
        roster.end("perception")
    kept = roster.generations("perception")
    assert len(kept) == MOST_STARTS
    assert sum(start.beat.handled for start in kept if start.beat) == 10 * starts
    assert sum(start.beat.dropped["skipped"] for start in kept if start.beat) == starts
    assert roster.total("perception", "light_frames") == 2 * starts
    assert all(start.beat is not None and len(start.beat.facts) <= 64 for start in kept)
    assert not any(start.beat.latencies_ms for start in kept if start.beat)


def test_a_source_counts_its_frames_from_the_streams_begin_over_all_its_starts() -> None:
    roster = Roster()
    for n in range(3 * MOST_STARTS):
        child = runs(roster, "capture")
        child.facts = {"promised": 638}
        child.say(n)
        roster.end("capture")
    assert max(start.beat.handled for start in roster.generations("capture") if start.beat) == 3 * MOST_STARTS - 1


def test_the_first_promise_counts() -> None:
    roster = Roster()
    for promised in (638, 50):
        runs(roster, "capture").facts = {"promised": promised}
        roster.end("capture")
    assert roster.promised() == 638


def test_damage_that_was_told_once_cannot_be_taken_back_and_excuses_no_more_than_is_told() -> None:
    roster = Roster()
    child = runs(roster, "capture")
    child.facts = {"promised": 126}
    child.say(126, **{CORRUPT: 126, "passed_over": 116})
    child.say(126, **{CORRUPT: 0, "passed_over": 116})
    child.done = {CORRUPT: 0}
    assert roster.damage() == {"frames_corrupt": 126}
    assert workload.fit(roster) == 10
    roster.end("capture")
    assert roster.damage() == {"frames_corrupt": 126}
    for _ in range(2 * MOST_STARTS):
        runs(roster, "capture").say(126)
        roster.end("capture")
    assert roster.damage() == {"frames_corrupt": 126} and workload.fit(roster) == 10


def test_damage_that_only_the_last_word_tells_excuses_as_it_is_told() -> None:
    roster = Roster()
    child = runs(roster, "capture")
    child.say(100, passed_over=7)
    child.done = {CORRUPT: 7}
    assert (roster.damage(), workload.fit(roster)) == ({"frames_corrupt": 7}, 93)


def test_damage_of_a_file_is_no_more_for_each_restart() -> None:
    """Each start reads it from the begin, and counts what its predecessor has counted already."""
    roster = Roster()
    for n in range(3 * MOST_STARTS):
        runs(roster, "capture").say(4200, **{CORRUPT: min(n, 38), CUT: 1, "passed_over": min(n, 38)})
        roster.end("capture")
    assert (roster.damage(), workload.fit(roster)) == ({"frames_corrupt": 38, "cut_off": 1}, 4162)
    camera = Roster(live=True)
    for _ in range(3 * MOST_STARTS):
        runs(camera, "capture").say(4200, **{CORRUPT: 2, "passed_over": 2})
        camera.end("capture")
    assert (camera.damage(), workload.fit(camera)) == ({"frames_corrupt": 6 * MOST_STARTS}, 4200 - 6 * MOST_STARTS)
