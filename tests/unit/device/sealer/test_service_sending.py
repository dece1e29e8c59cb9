"""When the sealer sends, waits, gives up a place and speaks by itself: at exactly which moment, and how often."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from device.channel.messages import Health, Message, SealedEnvelope, VerdictStored
from device.sealer.core import LONGEST_REST_SECONDS, RESEND_SECONDS, TRIES, WINDOW
from tests.support.sealer_samples import Rig, a_verdict
from tests.support.sealing import from_inside
from wire import envelope, events
from wire.events import ALIVE_EVERY_S, CodeEvent, HealthEvent, PlaceEvent, VerdictEvent

SOMETHING = Health("restarted", "codes", 1, 1000, "sigkill")


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def sequences(rig: Rig) -> list[int]:
    return [sent.sequence for sent in rig.uplink.envelopes()]


def second(rig: Rig) -> list[int]:
    """Let a second pass and tick; what was sent in it."""
    before = len(rig.uplink.sent)
    rig.now += RESEND_SECONDS
    rig.service.tick()
    return sequences(rig)[before:]


# --- uplink's queue is full -------------------------------------------------------------------------------------------


def test_what_uplink_does_not_take_counts_as_not_offered_and_keeps_its_order(rig: Rig) -> None:
    rig.uplink.room = 1
    for _ in range(3):
        rig.say(SOMETHING)
    assert (sequences(rig), rig.service.offered) == ([0], 1)
    rig.uplink.room = 1000
    rig.say(SOMETHING)
    assert (sequences(rig), rig.service.offered) == ([0, 1, 2, 3], 4)


def test_a_sending_again_that_uplink_does_not_take_is_no_try_and_ends_the_round(rig: Rig) -> None:
    for _ in range(3):
        rig.say(SOMETHING)
    rig.uplink.room = 3
    for _ in range(2 * TRIES):
        assert second(rig) == []
    rig.uplink.room = 4
    assert second(rig) == [0]
    rig.uplink.room = 1000
    rig.service.tick()
    assert sequences(rig)[4:] == [1, 2]  # the first one's second has begun anew
    assert second(rig) == [0, 1, 2]


def test_after_one_refusal_uplink_is_left_alone_until_the_next_tick(rig: Rig) -> None:
    for _ in range(2):
        rig.say(SOMETHING)
    rig.uplink.refusals = 1
    assert second(rig) == []
    rig.service.tick()
    assert sequences(rig)[2:] == [0, 1]
    rig.uplink.refusals = 1
    rig.say(SOMETHING)
    assert sequences(rig)[4:] == []


def test_what_came_round_again_and_was_not_taken_keeps_its_turn(rig: Rig) -> None:
    for _ in range(2):
        rig.say(SOMETHING)
    for _ in range(TRIES - 1):
        second(rig)
    rig.uplink.room = len(rig.uplink.sent) + 1
    assert second(rig) == [0]  # both gave up their places; one came round again, and the other was not taken
    rig.uplink.room = 1000
    rig.service.tick()
    assert sequences(rig)[-1] == 1


def test_a_verdict_whose_maker_takes_no_answer_is_stored_all_the_same(rig: Rig) -> None:
    rig.verdict.room = 0
    rig.say(a_verdict())
    assert (rig.spool.waiting, sequences(rig)) == (1, [0])


# --- the window -------------------------------------------------------------------------------------------------------


def test_the_third_sending_is_the_last_before_an_envelope_gives_up_its_place(rig: Rig) -> None:
    for _ in range(WINDOW + 1):
        rig.say(SOMETHING)
    first = list(range(WINDOW))
    assert [second(rig) for _ in range(TRIES - 1)] == [first] * (TRIES - 1)
    assert second(rig) == [WINDOW, *range(WINDOW - 1)]  # the new one first, then the first ones again


def test_nothing_is_sent_into_a_full_window_and_one_receipt_makes_room_for_one(rig: Rig) -> None:
    for _ in range(WINDOW + 2):
        rig.say(SOMETHING)
    assert sequences(rig) == list(range(WINDOW))
    sent = rig.uplink.envelopes()
    for number in (9, 2):
        rig.service.on_receipt(rig.receipt_for(sent[number]))
    assert sequences(rig)[WINDOW:] == [WINDOW, WINDOW + 1]
    assert rig.counts() == {
        "sealed": WINDOW + 2,
        "offered": WINDOW + 2,
        "receipted": 2,
        "waiting": WINDOW,
        "false_receipts": 0,
    }


def test_receipts_in_any_order_free_each_its_own(rig: Rig) -> None:
    for _ in range(4):
        rig.say(SOMETHING)
    sent = rig.uplink.envelopes()
    for number in (3, 0, 2):
        rig.service.on_receipt(rig.receipt_for(sent[number]))
    assert [sequence for sequence, _ in rig.spool.after(-1, 9)] == [1]
    assert second(rig) == [1]


def test_a_receipt_for_what_left_the_window_frees_it_too(rig: Rig) -> None:
    for _ in range(2 * WINDOW):
        rig.say(SOMETHING)
    for _ in range(TRIES):
        second(rig)
    assert rig.spool.waiting == 2 * WINDOW
    rig.service.on_receipt(rig.receipt_for(rig.uplink.envelopes()[0]))
    assert rig.spool.waiting == 2 * WINDOW - 1


def test_an_envelope_that_is_gone_from_the_spool_is_sent_no_more(rig: Rig) -> None:
    for _ in range(2):
        rig.say(SOMETHING)
    gone = rig.uplink.envelopes()[0]
    assert rig.spool.remove(gone.sequence, envelope.digest(gone.sealed))
    assert second(rig) == [1]
    assert second(rig) == [1]


def test_when_all_have_come_round_the_next_round_begins_with_the_oldest(rig: Rig) -> None:
    for _ in range(3):
        rig.say(SOMETHING)
    rounds = [second(rig) for _ in range(4 * TRIES)]
    assert rounds == [[0, 1, 2]] * (4 * TRIES)
    assert rig.service.offered == 3


def test_the_last_place_in_the_window_is_for_what_comes_round_again_too(rig: Rig) -> None:
    rig.say(SOMETHING)
    for _ in range(TRIES - 1):
        second(rig)
    rig.uplink.refusals = 1
    assert second(rig) == []  # gave up its place, and was not taken again
    rig.uplink.room = len(rig.uplink.sent)
    for _ in range(WINDOW - 1):
        rig.say(SOMETHING)
    rig.uplink.room = 1000
    rig.service.tick()
    assert sequences(rig)[TRIES:] == [*range(1, WINDOW), 0]


# --- how long to wait, and whether anything is left -------------------------------------------------------------------


def test_the_wait_is_until_the_next_resending_and_at_least_a_twentieth_of_a_second(rig: Rig) -> None:
    assert rig.service.tick_seconds() == RESEND_SECONDS
    rig.say(SOMETHING)
    rig.now += 0.75
    assert rig.service.tick_seconds() == 0.25
    rig.now += 0.25
    assert rig.service.tick_seconds() == 0.05
    rig.now += 5.0
    assert rig.service.tick_seconds() == 0.05


def test_without_a_broker_everything_stays_in_the_spool_and_the_run_is_settled(rig: Rig) -> None:
    rig.restart(offers=False)
    assert rig.service.settled
    rig.service.begin()
    rig.say(a_verdict())
    rig.now += 60.0
    rig.service.tick()
    assert (rig.uplink.sent, rig.spool.waiting, rig.service.offered) == ([], 2, 0)
    assert rig.service.settled
    assert rig.service.tick_seconds() == 1.0
    assert rig.verdict.sent == [VerdictStored("v-1")]


def test_with_a_broker_a_run_is_settled_when_nothing_waits(rig: Rig) -> None:
    assert rig.service.settled
    rig.say(SOMETHING)
    assert not rig.service.settled
    rig.receipt_all()
    assert rig.service.settled


# --- what the sealer says by itself -----------------------------------------------------------------------------------


@pytest.mark.parametrize("on_camera", [False, True])
def test_the_first_words_of_a_run_are_in_the_spool_before_anything_is_sent(rig: Rig, on_camera: bool) -> None:
    rig.restart(on_camera=on_camera)
    rig.service.begin()
    detail = "camera" if on_camera else "replay"
    assert rig.own_words() == [HealthEvent("started", "sealer", 1, 1_700_000_000_000, detail)]
    assert rig.spool.has("STARTED")
    assert rig.uplink.sent == []


def test_a_run_that_is_on_no_camera_by_default_says_nothing_by_itself(rig: Rig) -> None:
    rig.now += 10 * ALIVE_EVERY_S
    rig.service.tick()
    assert rig.spool.waiting == 0


def test_alive_is_said_at_exactly_its_time_and_not_before(rig: Rig) -> None:
    rig.restart(on_camera=True)
    rig.service.begin()
    began = rig.now
    rig.now = began + ALIVE_EVERY_S - 0.001
    rig.service.tick()
    assert [event.kind for event in rig.own_words()] == ["started"]
    rig.now = began + ALIVE_EVERY_S
    rig.service.tick()
    assert rig.own_words()[1:] == [HealthEvent("alive", "sealer", 1, 1_700_000_000_000, "camera")]
    rig.receipt_all()
    rig.now += ALIVE_EVERY_S - 0.001
    rig.service.tick()
    assert rig.own_words() == []
    rig.now += 0.001
    rig.service.tick()
    assert [event.kind for event in rig.own_words()] == ["alive"]


def test_the_next_heartbeat_waits_for_the_receipt_of_the_one_before_and_for_no_other(rig: Rig) -> None:
    rig.restart(on_camera=True)
    rig.service.begin()
    rig.say(SOMETHING)
    rig.now += ALIVE_EVERY_S
    rig.service.tick()
    alive = next(e for e in rig.uplink.envelopes() if e.sequence == 2)
    rig.now += ALIVE_EVERY_S
    rig.service.tick()
    assert [event.kind for event in rig.own_words()].count("alive") == 1
    rig.service.on_receipt(rig.receipt_for(alive))
    rig.now += ALIVE_EVERY_S
    rig.service.tick()
    assert [event.kind for event in rig.own_words()] == ["started", "restarted", "alive"]
    assert rig.spool.waiting == 3


def test_stopped_goes_out_at_once(rig: Rig) -> None:
    rig.restart(on_camera=True)
    rig.service.end()
    assert rig.own_words() == [HealthEvent("stopped", "sealer", 1, 1_700_000_000_000, "camera")]
    assert sequences(rig) == [0]


# --- from message to event --------------------------------------------------------------------------------------------


def test_a_verdict_becomes_an_event_field_by_field(rig: Rig) -> None:
    rig.say(a_verdict())
    event = events.parse(rig.open(rig.uplink.envelopes()[0]).event)
    code = CodeEvent("0001020304050607", 14, 52.52, 13.405, 270.0, 1, 2, "0011223344556677", 0.01, 3)
    place = PlaceEvent(52.52, 13.405, None, 2.0)
    assert event == VerdictEvent("v-1", "VERIFIED", 14, 14, 0.9, 1, 9, 1000, 8, code, place, ("in_place",))
    rig.say(SOMETHING)
    assert events.parse(rig.open(rig.uplink.envelopes()[1]).event) == HealthEvent(
        "restarted", "codes", 1, 1000, "sigkill"
    )


def test_a_message_that_cannot_be_sealed_is_counted_against_the_link_it_came_on(rig: Rig) -> None:
    other = type(rig.verdict)()
    message: Message = Health("restarted", "codes", 1, 1000, "two\nlines")
    from_inside(rig.service, message, other)
    assert (other.invalid, rig.verdict.invalid, rig.spool.waiting) == (1, 0, 0)


def test_the_boot_id_is_the_run(rig: Rig) -> None:
    rig.restart("ff" * 16)
    rig.say(SOMETHING)
    opened = rig.open(rig.uplink.envelopes()[0])
    assert (opened.boot_id, opened.device_id) == (bytes.fromhex("ff" * 16), "cam-1")


def test_what_the_sink_refuses_while_it_confirms_others_rests_longer_each_time_and_is_told(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.say(a_verdict(0))
    sent_at: list[float] = []
    for number in range(1, 400):
        rig.uplink.sent.clear()
        rig.say(a_verdict(number))
        rig.now += RESEND_SECONDS
        rig.service.tick()
        for sent in rig.uplink.envelopes():
            if sent.sequence:
                rig.service.on_receipt(rig.receipt_for(sent))
            else:
                sent_at.append(rig.now)
    assert rig.service.facts()["passed_over"] == 1
    rests = [b - a for a, b in pairwise(sent_at) if b - a > 2 * RESEND_SECONDS]
    assert len(sent_at) < 50 and rests == sorted(rests) and max(rests) <= LONGEST_REST_SECONDS + TRIES * RESEND_SECONDS
    rig.service.on_receipt(rig.receipt_for(SealedEnvelope(0, rig.spool.after(-1, 1)[0][1])))
    assert rig.service.facts()["passed_over"] == 0 and rig.service.settled


def test_while_the_sink_confirms_nothing_nothing_rests(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.say(a_verdict(0))
    for _ in range(40):
        rig.now += RESEND_SECONDS
        rig.service.tick()
    assert len(rig.uplink.envelopes()) > 25
    assert rig.service.facts()["passed_over"] == 0


def test_many_that_rest_do_not_hide_the_others_behind_them(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    refused = 3 * WINDOW
    for number in range(refused + 5):
        rig.say(a_verdict(number))
    late = {refused + 1, refused + 2}  # their first receipts get lost
    for count in range(200):
        rig.now += RESEND_SECONDS
        rig.uplink.sent.clear()
        rig.say(a_verdict(1000 + count))
        rig.service.tick()
        for sent in rig.uplink.envelopes():
            if sent.sequence >= refused and (sent.sequence not in late or count > 60):
                rig.service.on_receipt(rig.receipt_for(sent))
    assert rig.spool.waiting == refused
    assert rig.service.facts()["passed_over"] == refused


def test_what_is_sealed_for_another_receiver_is_not_offered_and_no_run_waits_for_it(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.restart(offers=False)
    rig.say(a_verdict(0))
    rig.restart(sink_key=bytes(31) + b"1")
    rig.say(a_verdict(1))
    for _ in range(20):
        rig.now += RESEND_SECONDS
        rig.service.tick()
    assert {sent.sequence for sent in rig.uplink.envelopes()} == {1}
    rig.receipt_all()
    assert rig.service.settled
    assert (rig.service.facts()["waiting"], rig.service.facts()["held"]) == (1, 1)
