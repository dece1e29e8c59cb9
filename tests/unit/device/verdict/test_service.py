"""The service around the judge: what it remembers, whom it accuses, and what does not end it."""

from __future__ import annotations

import os
import time

import msgspec
import pytest

from device.channel import memory
from device.channel.link import Link
from device.channel.messages import (
    MAX_FACTS,
    Beat,
    Codec,
    Fix,
    FixesEnd,
    Go,
    Health,
    PlaceRepeated,
    Readings,
    Sightings,
    StreamEnd,
    Tamper,
    Verdict,
    VerdictStored,
    encode,
)
from device.verdict import persistence
from device.verdict import service as service_module
from device.verdict.__main__ import VerdictSettings
from device.verdict.decision.offset import Offset
from device.verdict.decision.remoteness import Remote
from device.verdict.intake import timeline
from device.verdict.judge import Judge
from device.verdict.state import MAX_REPEATED
from tests.support.verdict_bench import Bench
from tests.support.verdict_drive import UTC_S, Journey, Sign

VERDICT = Verdict("test:1:2:1", "UNVERIFIED", 1, 1, 0.9, 1, 2, UTC_S * 1000, 8, None, None, ["perception_alone"])


@pytest.fixture
def descriptor() -> int:
    return memory.create()


def test_a_leap_is_a_dispute_too_since_capture_may_have_told_it(descriptor: int) -> None:
    bench = Bench(descriptor)
    bench.say(Sightings(0, 0, 1536, 864, []))
    bench.say(Readings(0, 0, 1536, 864, []))
    bench.say(Readings(10**6, 40, 1536, 864, []))
    bench.say(Sightings(1, 40, 1536, 864, []))
    assert (bench.links["codes"].invalid, bench.links["perception"].invalid) == (0, 0)
    bench.service.step()
    assert bench.me.facts["disputes"] == 1


def test_a_spoilt_state_of_the_judge_does_not_cost_the_verdicts(descriptor: int) -> None:
    spoilt = msgspec.structs.replace(VERDICT, utc_ms=2**50)
    memory.Memory(os.dup(descriptor)).save(persistence.to_bytes(b"spoilt", [VERDICT, spoilt], set(), False))
    heard = Bench(descriptor).hears()
    assert VERDICT in heard
    assert [(said.kind, said.detail) for said in heard if isinstance(said, Health)] == [("restarted", "memory_lost")]


def test_a_good_memory_is_restored_without_a_report(descriptor: int) -> None:
    snapshot = Judge({}, None, stream="test").snapshot()
    memory.Memory(os.dup(descriptor)).save(persistence.to_bytes(snapshot, [VERDICT], set(), False))
    assert Bench(descriptor).hears() == [VERDICT]


def test_a_verdict_out_of_bounds_is_reported_and_does_not_end_the_service(
    descriptor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "MAX_UTC_MS", 2**60)
    bench = Bench(descriptor)
    bench.service.begin(Go(2**48))
    drive = Journey([Sign(90.0)])
    for message in drive.messages():
        bench.say(message)
    bench.service._give(bench.service._judge.on_fixes_end())
    heard = bench.hears()
    assert [(said.kind, said.compartment, said.detail) for said in heard if isinstance(said, Health)] == [
        ("invalid_message", "verdict", "verdict_out_of_bounds")
    ]
    assert not [said for said in heard if isinstance(said, Verdict)]


def test_in_realtime_a_message_from_the_future_is_not_believed(descriptor: int) -> None:
    bench = Bench(descriptor, lockstep=False)
    bench.say(Sightings(0, 0, 1536, 864, []))
    bench.say(Sightings(1, 60_000, 1536, 864, []))
    bench.service.step()
    assert bench.me.facts["disputes"] == 1


def test_a_service_that_joins_a_running_stream_believes_its_time(descriptor: int) -> None:
    bench = Bench(descriptor, lockstep=False)
    bench.service.begin(Go(UTC_S * 1000, elapsed_ms=60_000))
    bench.say(Sightings(1500, 60_000, 1536, 864, []))
    assert bench.links["perception"].invalid == 0


# --- whom it hears ------------------------------------------------------------------------------------------------


def verdict(number: int) -> Verdict:
    return msgspec.structs.replace(VERDICT, verdict_id=f"test:1:2:{number}")


def remember(descriptor: int, *unstored: Verdict, ended: set[str] = frozenset(), finished: bool = False) -> None:  # type: ignore[assignment]
    snapshot = Judge({}, None, stream="test").snapshot()
    memory.Memory(os.dup(descriptor)).save(persistence.to_bytes(snapshot, unstored, ended, finished))


def test_each_peer_may_say_only_what_it_has_to_say(descriptor: int) -> None:
    bench = Bench(descriptor)
    expected = {
        "position": {Fix, FixesEnd, PlaceRepeated},
        "indicator": {Tamper},
        "sealer": {VerdictStored},
        "recorder": set(),
        "perception": {Sightings, StreamEnd},
        "codes": {Readings, StreamEnd},
    }
    assert {peer: set(link.receives) for peer, link in bench.links.items()} == expected
    assert {link.peer: set(table) for link, table in bench.service.handlers.items()} == {
        peer: kinds for peer, kinds in expected.items() if kinds
    }


def test_its_settings_are_all_named_and_no_other_is_taken() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(
            b'{"trust":null,"stream":"x","lockstep":true,"sure_scores":{"far":0.5},"more":1}', type=VerdictSettings
        )


def test_a_case_that_is_opened_is_told_to_the_sealer_and_one_that_is_closed_is_not(descriptor: int) -> None:
    bench = Bench(descriptor)
    bench.say(Tamper(False, 5), "indicator")
    assert bench.heard_by("sealer") == []
    bench.say(Tamper(True, 6), "indicator")
    assert bench.heard_by("sealer") == [Health("tamper", "indicator", 1, 6, "case_opened")]


def test_sightings_are_counted_and_timed_and_readings_are_not(descriptor: int) -> None:
    bench = Bench(descriptor)
    bench.say(Readings(0, 0, 1536, 864, []))
    assert (bench.me.handled, bench.samples) == (0, [])
    bench.say(Sightings(0, 0, 1536, 864, []))
    assert bench.me.handled == 1
    ((stage, seconds),) = bench.samples
    assert stage == "verdict"
    assert 0.0 <= seconds < 60.0


def test_what_cannot_be_true_of_frames_is_a_dispute_and_held_against_no_reader(descriptor: int) -> None:
    """Capture, which told perception that frame, may be the liar."""
    bench = Bench(descriptor)
    for said in (
        Readings(0, 0, 1536, 864, []),
        Sightings(0, 0, 1536, 864, []),
        Sightings(1, 99, 1536, 864, []),
        Readings(1, 40, 1536, 864, []),
    ):
        bench.say(said)
    assert (bench.links["codes"].invalid, bench.links["perception"].invalid) == (0, 0)
    bench.service.step()
    assert bench.me.facts["disputes"] == 1


@pytest.mark.parametrize(("t_ms", "invalid"), [(250, 0), (251, 1)])
def test_in_realtime_the_stream_began_when_warden_says(
    descriptor: int, monkeypatch: pytest.MonkeyPatch, t_ms: int, invalid: int
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    bench = Bench(descriptor, lockstep=False)
    bench.service.begin(Go(UTC_S * 1000, elapsed_ms=60_000))
    now[0] = 105.0
    for peer, said in (
        ("perception", Sightings(1500, 65_000 + t_ms, 1536, 864, [])),
        ("codes", Readings(1500, 65_000 + t_ms, 1536, 864, [])),
    ):
        bench.say(said)
        assert bench.links[peer].invalid == 0
    bench.service.step()
    assert bench.me.facts["disputes"] == 2 * invalid


@pytest.mark.parametrize(("lockstep", "accused"), [(True, 1), (False, 0)])
def test_only_in_lockstep_a_reader_may_not_be_silent(
    descriptor: int, monkeypatch: pytest.MonkeyPatch, lockstep: bool, accused: int
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    bench = Bench(descriptor, lockstep=lockstep)
    bench.say(Readings(0, 0, 1536, 864, []))
    for frame in range(66):
        now[0] = 100.0 + frame * 0.04
        bench.say(Sightings(frame, frame * 40, 1536, 864, []))
    bench.service.step()
    assert bench.me.facts["disputes"] == accused


@pytest.mark.parametrize(("sure_score", "sure"), [(0.9, 1), (0.91, 0)])
def test_the_models_score_is_the_judges(descriptor: int, sure_score: float, sure: int) -> None:
    bench = Bench(descriptor, sure_score=sure_score)
    bench.say(FixesEnd(), "position")
    bench.say(Journey([Sign(50.0)]).sightings(0))
    bench.say(Readings(0, 0, 1536, 864, []))
    (face,) = bench.service._judge._state.faces
    assert face.sure == sure


def test_where_a_receiver_only_repeated_a_place_is_remembered_once_and_bounded(descriptor: int) -> None:
    bench = Bench(descriptor, track=True)
    for _ in range(2):
        bench.say(PlaceRepeated(UTC_S * 1000, UTC_S * 1000 + 5000), "position")
    bench.service.step()
    repeated = Bench(descriptor, track=True).service._judge._state.repeated
    assert repeated == [(UTC_S * 1000, UTC_S * 1000 + 5000)]  # by the one that was started again
    for number in range(2 * MAX_REPEATED):
        bench.say(PlaceRepeated(number, number + 5000), "position")
    assert len(bench.service._judge._state.repeated) == MAX_REPEATED


def test_no_more_fixes_are_read_while_the_judge_wants_none(descriptor: int) -> None:
    bench = Bench(descriptor, track=True)
    bench.service.step()
    for number in range(2048):
        bench.say(Fix(UTC_S * 1000 + number, 48.0, 11.0, 0.0, 3.0), "position")
    bench.service.step()
    assert bench.paused == [("position", False), ("position", True)]


# --- the end ------------------------------------------------------------------------------------------------------


def test_it_finishes_once_when_both_readers_have_ended(descriptor: int) -> None:
    bench = Bench(descriptor)
    bench.say(FixesEnd(), "position")
    for message in Journey([Sign(50.0)]).messages():
        if message.frame < 60:  # the sign has not gone by
            bench.say(message)
    bench.say(StreamEnd(60), "perception")
    bench.service.step()
    assert bench.heard_by("recorder") == []
    bench.say(StreamEnd(60), "codes")
    bench.service.step()
    (judged,) = bench.heard_by("recorder")
    assert isinstance(judged, Verdict)
    (facts,) = bench.reported
    assert (
        facts.items()
        >= {"unstored": 1, "dropped": 0, "finished": 1, "perception_frames": 60, "codes_frames": 60}.items()
    )
    bench.service.step()
    assert (bench.heard_by("recorder"), len(bench.reported)) == ([], 1)
    bench.say(VerdictStored(judged.verdict_id), "sealer")
    bench.service.step()
    kept = persistence.from_bytes(bench.remembers())
    assert (kept.ended, kept.finished, kept.unstored) == ({"perception", "codes", "position"}, True, [])


@pytest.mark.parametrize("peer", ["perception", "codes"])
def test_one_reader_that_has_ended_is_remembered_and_is_not_the_end(descriptor: int, peer: str) -> None:
    bench = Bench(descriptor)
    bench.say(StreamEnd(0), peer)
    bench.service.step()
    kept = persistence.from_bytes(bench.remembers())
    assert (kept.ended, kept.finished, bench.me.facts["finished"]) == ({peer}, False, 0)


def test_an_end_without_a_verdict_is_remembered_once(descriptor: int) -> None:
    bench = Bench(descriptor)
    for peer in ("perception", "codes"):
        bench.say(StreamEnd(0), peer)
    bench.service.step()
    assert persistence.from_bytes(bench.remembers()).finished is True
    memory.Memory(os.dup(descriptor)).save(b"untouched")
    bench.service.step()
    assert bench.remembers() == b"untouched"


def test_a_fact_is_reported_when_it_changes_after_the_end_and_not_before(descriptor: int) -> None:
    remember(descriptor, verdict(1), verdict(2), ended={"perception", "codes"}, finished=True)
    bench = Bench(descriptor)
    for stored in (None, "test:1:2:1", "test:1:2:1", "test:1:2:9", "test:1:2:2"):
        if stored is not None:
            bench.say(VerdictStored(stored), "sealer")
        bench.service.step()
    assert [facts["unstored"] for facts in bench.reported] == [2, 1, 0]
    other = Bench(memory.create())
    other.service.step()
    assert other.me.facts.items() >= {"unstored": 0, "dropped": 0, "finished": 0}.items()
    assert other.reported == []


def test_the_end_of_the_fixes_is_taken_once(descriptor: int) -> None:
    bench = Bench(descriptor)
    bench.say(FixesEnd(), "position")
    before = bench.remembers()
    assert persistence.from_bytes(before).ended == set()  # what was judged is kept at once, the end with the next step
    bench.service.step()
    kept = bench.remembers()
    assert persistence.from_bytes(kept).ended == {"position"}
    memory.Memory(os.dup(descriptor)).save(b"untouched")
    bench.say(FixesEnd(), "position")
    bench.service.step()
    assert bench.remembers() == b"untouched"


def test_an_end_that_is_known_changes_nothing_and_a_new_one_is_remembered(descriptor: int) -> None:
    remember(descriptor, ended={"perception"})
    bench = Bench(descriptor)
    memory.Memory(os.dup(descriptor)).save(b"untouched")
    bench.say(StreamEnd(9), "perception")
    bench.service.step()
    assert bench.remembers() == b"untouched"
    bench.say(StreamEnd(9), "codes")
    bench.service.step()
    assert persistence.from_bytes(bench.remembers()).ended == {"perception", "codes"}


# --- peers that flood, or do not read -----------------------------------------------------------------------------


def test_a_tamper_switch_that_floods_is_told_a_few_times_and_leaves_room_for_verdicts(descriptor: int) -> None:
    bench = Bench(descriptor)
    indicator = Link("verdict", bench.ends["indicator"]._socket)
    sent = 0
    while indicator.try_send(Tamper(True, sent)):
        sent += 1
    for _ in range(sent):
        message = bench.links["indicator"].receive()
        if message is not None:
            bench.say(message, "indicator")
    told = bench.hears()
    assert sent > 100 and 0 < len(told) <= 12
    assert bench.links["indicator"].flooded == sent - len(told)
    bench.service._give([VERDICT])
    assert VERDICT in bench.hears()


def test_a_recorder_that_does_not_read_holds_the_readers_up_and_loses_no_verdict(descriptor: int) -> None:
    bench = Bench(descriptor)
    made = 0
    while not bench.links["recorder"].waiting:
        bench.service._give([msgspec.structs.replace(VERDICT, verdict_id=f"v:{made}")])
        made += 1
    for _ in range(40):
        bench.service._give([msgspec.structs.replace(VERDICT, verdict_id=f"v:{made}")])
        made += 1
    bench.service.step()
    assert {("perception", True), ("codes", True)} <= set(bench.paused)
    heard = bench.heard_by("recorder")
    while not bench.links["recorder"].clear() or len(heard) < made:
        heard += bench.heard_by("recorder")
    bench.service.step()
    assert {("perception", False), ("codes", False)} <= set(bench.paused)
    assert [said.verdict_id for said in heard] == [f"v:{n}" for n in range(made)]  # type: ignore[attr-defined]
    assert bench.me.facts["unrecorded"] == 0


# --- the end of the stream ------------------------------------------------------------------------------------------


def both(bench: Bench, *frames: int) -> None:
    for frame in frames:
        bench.say(Sightings(frame, 40 * frame, 1536, 864, []))
        bench.say(Readings(frame, 40 * frame, 1536, 864, []))


def test_frames_after_the_end_are_no_evidence_and_are_counted_and_no_reader_is_accused(descriptor: int) -> None:
    bench = Bench(descriptor)
    both(bench, 0, 1, 2)
    for peer in ("perception", "codes"):
        bench.say(StreamEnd(3), peer)
    bench.hears()
    moments = bench.service._judge.places()["moments"]
    both(bench, 2)  # a reader that was restarted says its last again
    both(bench, 3, 4, 5)
    bench.hears()
    assert bench.service._judge.places()["moments"] == moments == 3
    facts = bench.me.facts
    assert (facts["perception_frames"], facts["codes_frames"]) == (6, 6)
    assert (facts["perception_late"], facts["codes_late"]) == (3, 3)
    assert not any(bench.links[peer].invalid for peer in ("perception", "codes"))


def test_a_successor_knows_that_the_stream_has_ended(descriptor: int) -> None:
    bench = Bench(descriptor)
    both(bench, 0, 1)
    for peer in ("perception", "codes"):
        bench.say(StreamEnd(2), peer)
    bench.hears()
    after = Bench(descriptor)
    both(after, 1, 2)
    after.hears()
    assert (after.me.facts["codes_late"], after.service._judge.places()["moments"]) == (1, 2)


def test_who_goes_on_before_the_other_has_ended_takes_its_end_back_and_nothing_is_lost(descriptor: int) -> None:
    bench = Bench(descriptor)
    bench.say(FixesEnd(), "position")
    both(bench, 0)
    bench.say(StreamEnd(126), "perception")
    both(bench, 1)
    bench.say(StreamEnd(126), "codes")
    bench.hears()
    assert bench.me.facts["finished"] == 0
    both(bench, 2)
    bench.hears()
    assert bench.service._judge.places()["moments"] == 3 and "codes_late" not in bench.me.facts


def test_all_that_it_ever_tells_warden_is_one_beat(descriptor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A beat with more facts would be a hostile message."""
    monkeypatch.setattr(Judge, "remote", lambda _: Remote(60_000, "swapped"))
    monkeypatch.setattr(Judge, "offset", lambda _: Offset(1000, 1, 1))
    bench = Bench(descriptor, track=True)
    bench.service._unsure.update(unplaced_codes=1, untimed_codes=1)
    for side in ("perception", "codes"):
        bench.service._heard.take(side, 10**6, late=True)
        bench.say(StreamEnd(0), side)
    bench.say(FixesEnd(), "position")
    bench.service.step()
    facts = bench.me.facts
    assert {"codes_late", "miswritten", "offset_codes", "untimed_codes", "repeated_codes"} <= facts.keys()
    assert 24 < len(facts) <= MAX_FACTS


# --- position -----------------------------------------------------------------------------------------------------


def fix(second: int) -> Fix:
    return Fix((UTC_S + second) * 1000, 48.0, 11.0, 0.0, 3.0)


def test_each_fix_counts_once_and_a_source_that_was_started_again_takes_its_end_back(descriptor: int) -> None:
    bench = Bench(descriptor, track=True)
    for said in (fix(0), fix(1), FixesEnd()):
        bench.say(said, "position")
    bench.service.step()
    assert (bench.me.facts["fixes_told"], bench.me.facts["fixes_due"]) == (2, 1)
    second = Bench(descriptor, track=True)
    second.say(fix(0), "position")
    second.service.step()
    assert (second.me.facts["fixes_told"], second.service._judge._state.fixes_ended) == (2, False)
    for said in (fix(1), fix(2), FixesEnd()):
        second.say(said, "position")
    second.service.step()
    assert (second.me.facts["fixes_told"], second.service._judge._state.fixes_ended) == (3, True)


def test_what_there_is_no_room_for_is_not_due_until_the_track_has_ended(descriptor: int) -> None:
    bench = Bench(descriptor, track=True)
    for number in range(2048):
        bench.say(Fix(UTC_S * 1000 + number, 48.0, 11.0, 0.0, 3.0), "position")
    bench.service.step()
    assert bench.me.facts["fixes_due"] == 0
    bench.say(FixesEnd(), "position")
    bench.service.step()
    assert bench.me.facts["fixes_due"] == 1


def test_where_the_plan_names_no_source_no_fix_is_believed_and_position_is_accused(descriptor: int) -> None:
    bench = Bench(descriptor)
    bench.say(fix(0), "position")
    assert bench.links["position"].invalid == 1 and bench.service._judge._state.fixes == []


def test_where_the_plan_names_no_source_no_place_is_repeated_either(descriptor: int) -> None:
    bench = Bench(descriptor)
    bench.say(PlaceRepeated(UTC_S * 1000, UTC_S * 1000 + 5000), "position")
    assert bench.links["position"].invalid == 1 and bench.service._judge._state.repeated == []


def test_fixes_that_are_on_their_way_at_the_end_are_waited_for_a_moment(
    descriptor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    for ends in (True, False):
        bench = Bench(os.dup(memory.create()), track=True)
        for peer in ("perception", "codes"):
            bench.say(StreamEnd(0), peer)
        bench.service.step()
        assert bench.me.facts["finished"] == 0
        if ends:
            bench.say(FixesEnd(), "position")
        now[0] += 0.0 if ends else 3.1
        bench.service.step()
        assert bench.me.facts["finished"] == 1


def test_all_facts_that_verdict_can_have_at_once_fit_into_a_beat(descriptor: int) -> None:
    bench = Bench(descriptor, track=True)
    service = bench.service
    service._unsure.update(dict.fromkeys(service_module._UNSURE.values(), 1))
    service._heard.late.update(perception=1, codes=1)
    service._judge.remote = lambda: Remote(70, "swapped")  # type: ignore[method-assign]
    service._judge.offset = lambda: Offset(-5, 1, 1)  # type: ignore[method-assign]
    for peer in ("perception", "codes"):
        bench.say(StreamEnd(0), peer)
    bench.say(FixesEnd(), "position")
    service.step()
    assert {"remote_m", "offset_codes", "codes_late", "untimed_codes", "finished"} <= bench.me.facts.keys()
    beat = Beat(0, {}, {}, {}, bench.me.facts)
    assert Codec(Beat).decode(encode(beat)) == beat
