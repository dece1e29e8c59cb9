"""The sealer loses nothing: an envelope is forgotten on a verified receipt and on nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from device.channel.messages import Health, ReceiptBytes, SealedEnvelope, Verdict, VerdictStored
from device.sealer.core import RESEND_SECONDS, TRIES, WINDOW, event_of
from tests.support.sealer_samples import RUN, Rig, a_verdict
from tests.support.wire_samples import RECEIPTS, STRANGER
from wire import envelope, events, receipt
from wire.events import ALIVE_EVERY_S, VerdictEvent


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_a_verdict_is_sealed_stored_acknowledged_and_sent(rig: Rig) -> None:
    rig.say(a_verdict())
    assert rig.verdict.sent == [VerdictStored("v-1")]
    opened = rig.open(rig.uplink.envelopes()[0])
    assert (opened.sequence, opened.previous, opened.boot_id) == (0, envelope.FIRST_PREVIOUS, bytes.fromhex(RUN))
    event = events.parse(opened.event)
    assert isinstance(event, VerdictEvent)
    assert (event.verdict_id, event.state, event.reasons) == ("v-1", "VERIFIED", ("in_place",))
    assert event.code is not None and event.code.sign_id == "0001020304050607"


def test_the_envelopes_form_a_chain_over_a_restart(rig: Rig) -> None:
    rig.say(a_verdict(1))
    first = rig.uplink.envelopes()[0]
    rig.restart()
    rig.say(Health("restarted", "sealer", 1, 1000, "sigkill"))
    second = rig.open(rig.uplink.envelopes()[1])
    assert (second.sequence, second.previous) == (1, envelope.digest(first.sealed))


def test_a_verdict_sent_again_is_acknowledged_again_and_not_sealed_again(rig: Rig) -> None:
    rig.say(a_verdict())
    rig.restart()
    rig.say(a_verdict())
    assert rig.verdict.sent == [VerdictStored("v-1")]
    assert rig.spool.waiting == 1


def test_an_envelope_is_forgotten_on_its_receipt(rig: Rig) -> None:
    rig.say(a_verdict())
    rig.service.on_receipt(rig.receipt_for(rig.uplink.envelopes()[0]))
    assert rig.counts() == {"sealed": 1, "offered": 1, "receipted": 1, "waiting": 0, "false_receipts": 0}


def other_device(sent: SealedEnvelope) -> bytes:
    return receipt.issue("cam-2", sent.sequence, envelope.digest(sent.sealed), RECEIPTS)


def forged(sent: SealedEnvelope) -> bytes:
    return receipt.issue("cam-1", sent.sequence, envelope.digest(sent.sealed), STRANGER)


def junk(sent: SealedEnvelope) -> bytes:
    return b"<script>"


@pytest.mark.parametrize("false", [other_device, forged, junk])
def test_a_false_receipt_is_counted_frees_nothing_and_is_not_held_against_uplink(
    rig: Rig, false: Callable[[SealedEnvelope], bytes]
) -> None:
    rig.say(a_verdict())
    rig.service.on_receipt(ReceiptBytes(false(rig.uplink.envelopes()[0])))
    assert (rig.uplink.invalid, rig.service.false_receipts, rig.spool.waiting) == (0, 1, 1)


def test_a_true_receipt_for_other_bytes_frees_nothing(rig: Rig) -> None:
    rig.say(a_verdict())
    rig.service.on_receipt(ReceiptBytes(receipt.issue("cam-1", 0, bytes(32), RECEIPTS)))
    assert rig.spool.waiting == 1


def test_a_receipt_that_comes_twice_is_no_fault(rig: Rig) -> None:
    rig.say(a_verdict())
    answer = rig.receipt_for(rig.uplink.envelopes()[0])
    rig.service.on_receipt(answer)
    rig.service.on_receipt(answer)
    assert (rig.uplink.invalid, rig.service.receipted) == (0, 1)


def test_what_has_no_receipt_is_sent_again_each_second_with_the_same_bytes(rig: Rig) -> None:
    rig.say(a_verdict())
    rig.service.tick()
    assert len(rig.uplink.envelopes()) == 1
    for _ in range(2):
        rig.now += RESEND_SECONDS
        rig.service.tick()
    sent = rig.uplink.envelopes()
    assert len(sent) == 3 and len(set(e.sealed for e in sent)) == 1


def test_envelopes_that_the_sink_refuses_do_not_hold_up_the_others(rig: Rig) -> None:
    for number in range(WINDOW + 4):
        rig.say(a_verdict(number))
    assert rig.uplink.envelopes()[-1].sequence == WINDOW - 1
    for _ in range(TRIES):
        rig.now += RESEND_SECONDS
        rig.service.tick()
    sent = {e.sequence: e for e in rig.uplink.envelopes()}
    assert sorted(sent) == list(range(WINDOW + 4))
    for number in range(WINDOW, WINDOW + 4):
        rig.service.on_receipt(rig.receipt_for(sent[number]))
    assert rig.spool.waiting == WINDOW


def test_what_was_refused_comes_round_again_later_and_the_new_goes_first(rig: Rig) -> None:
    for number in range(3 * WINDOW):
        rig.say(a_verdict(number))
    for _ in range(3 * TRIES):
        rig.now += RESEND_SECONDS
        rig.service.tick()
    rig.say(a_verdict(3 * WINDOW))
    rig.uplink.sent.clear()
    for _ in range(TRIES):
        rig.now += RESEND_SECONDS
        rig.service.tick()
    assert 3 * WINDOW in {e.sequence for e in rig.uplink.envelopes()}
    for _ in range(4 * TRIES):
        rig.now += RESEND_SECONDS
        rig.service.tick()
    assert {e.sequence for e in rig.uplink.envelopes()} == set(range(3 * WINDOW + 1))
    assert len(rig.uplink.sent) <= WINDOW * 5 * TRIES


def test_at_most_a_window_is_on_its_way_and_receipts_move_it_on(rig: Rig) -> None:
    for number in range(WINDOW + 4):
        rig.say(a_verdict(number))
    sent = rig.uplink.envelopes()
    assert [e.sequence for e in sent] == list(range(WINDOW))
    rig.service.on_receipt(rig.receipt_for(sent[3]))
    rig.service.on_receipt(rig.receipt_for(sent[15]))
    assert [e.sequence for e in rig.uplink.envelopes()[WINDOW:]] == [WINDOW, WINDOW + 1]


def test_a_slow_uplink_is_not_waited_for_and_gets_everything_later(rig: Rig) -> None:
    rig.uplink.room = 2
    for number in range(5):
        rig.say(a_verdict(number))
    assert len(rig.verdict.sent) == 5
    rig.uplink.room = 1000
    rig.service.tick()
    assert [e.sequence for e in rig.uplink.envelopes()] == [0, 1, 2, 3, 4]


def test_after_a_restart_what_waits_is_sent_without_a_new_message(rig: Rig) -> None:
    rig.say(a_verdict())
    rig.restart()
    rig.service.tick()
    assert [e.sequence for e in rig.uplink.envelopes()] == [0]


def test_a_run_says_once_that_it_has_started_however_often_sealer_is_restarted(rig: Rig) -> None:
    rig.service.begin()
    rig.service.tick()
    rig.receipt_all()
    rig.restart()
    rig.service.begin()
    assert rig.spool.waiting == 0
    rig.restart("ff" * 16, on_camera=True)
    rig.service.begin()
    rig.service.tick()
    assert rig.said() == [("started", "camera")]


def test_on_a_recording_no_heartbeat_is_sealed(rig: Rig) -> None:
    rig.service.begin()
    for _ in range(5):
        rig.now += ALIVE_EVERY_S
        rig.service.tick()
    assert rig.said() == [("started", "replay")]


def test_on_a_camera_the_device_says_now_and_then_that_it_is_alive_and_at_its_end_that_it_stops(rig: Rig) -> None:
    rig.restart(on_camera=True)
    rig.service.begin()
    for _ in range(2):
        rig.now += ALIVE_EVERY_S - 1
        rig.service.tick()
        rig.now += 1
        rig.service.tick()
        rig.receipt_all()
    assert rig.service.settled
    rig.service.end()
    assert not rig.service.settled
    assert [kind for kind, _ in rig.said()] == ["started", "alive", "alive", "stopped"]
    rig.receipt_all()
    assert rig.service.settled


def test_one_heartbeat_at_most_waits_in_the_spool(rig: Rig) -> None:
    rig.restart(on_camera=True)
    rig.service.begin()
    for _ in range(10):
        rig.now += ALIVE_EVERY_S
        rig.service.tick()
    assert rig.spool.waiting == 2  # with `started`


def test_a_run_that_began_with_a_full_spool_says_that_it_started_when_there_is_room(tmp_path: Path) -> None:
    rig = Rig(tmp_path, max_bytes=70 * 1024)
    for number in range(12):
        rig.say(a_verdict(number))
    rig.restart("ff" * 16, on_camera=True)
    rig.service.begin()
    rig.service.tick()
    rig.receipt_all()
    rig.now += ALIVE_EVERY_S
    rig.service.tick()
    assert ("started", "camera") in rig.said()


def test_a_full_spool_is_not_acknowledged_and_is_reported_once(tmp_path: Path) -> None:
    rig = Rig(tmp_path, max_bytes=70 * 1024)
    for number in range(12):
        rig.say(a_verdict(number))
    stored = len(rig.verdict.sent)
    assert 0 < stored < 12
    reports = [events.parse(rig.open(e).event) for e in rig.uplink.envelopes()]
    assert [e.kind for e in reports if isinstance(e, events.HealthEvent)] == ["spool_full"]
    rig.service.on_receipt(rig.receipt_for(rig.uplink.envelopes()[0]))
    rig.service.on_receipt(rig.receipt_for(rig.uplink.envelopes()[1]))
    rig.say(a_verdict(stored))
    assert rig.verdict.sent[-1] == VerdictStored(f"v-{stored}")


def test_a_message_that_the_wire_refuses_is_counted_against_its_sender_and_dropped(rig: Rig) -> None:
    rig.say(msgspec.structs.replace(a_verdict(), verdict_id="v-1\n"))
    assert (rig.verdict.invalid, rig.verdict.sent, rig.spool.waiting) == (1, [], 0)
    rig.say(a_verdict())
    assert rig.spool.waiting == 1


def test_every_field_of_a_message_becomes_the_event_of_the_same_name() -> None:
    verdict = a_verdict()
    event = event_of(verdict)
    assert isinstance(event, VerdictEvent)
    assert (event.sightings, event.last_frame, event.utc_ms) == (8, 9, 1000)
    assert event.position is not None and event.position.accuracy_m == 2.0
    bare = event_of(Verdict("v-2", "MISSING", None, None, 0.0, 0, 0, 0, 0, None, None, []))
    assert isinstance(bare, VerdictEvent) and bare.code is None and bare.position is None
