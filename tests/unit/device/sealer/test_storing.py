"""A spool that takes nothing: nothing is thrown away before it must be, what is lost is counted, and told as a gap."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from device.channel.failures import REFUSALS
from device.channel.messages import Health, VerdictStored
from device.sealer import trouble
from device.sealer.gap import MOST
from device.sealer.spool import Spool
from device.sealer.storing import GAP_SECONDS, MOST_REPORTS, MOST_VERDICTS, RETRY_SECONDS
from tests.support.sealer_samples import RUN, Rig, a_verdict
from wire import envelope, events
from wire.envelope import FIRST_PREVIOUS
from wire.events import GapEvent, HealthEvent, VerdictEvent

NOW = 1_700_000_000_000
SOMETHING = Health("restarted", "codes", 1, 1000, "sigkill")
ANOTHER_RUN = "ff" * 16


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    rig = Rig(tmp_path)
    rig.say(a_verdict(1))
    return rig


@contextmanager
def no_room(rig: Rig) -> Iterator[None]:
    """The database cannot grow by a page: as a full disk, and as SQLite reports one."""
    fill(rig)
    try:
        yield
    finally:
        rig.spool._db.execute("PRAGMA max_page_count = 1000000")


def fill(rig: Rig) -> None:
    db = rig.spool._db
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    number = 1000
    while rig.service._storing.trouble is None:
        number += 1
        rig.say(a_verdict(number))
    rig.service._storing._refused.clear()  # those that fill it are no matter of a test


@contextmanager
def not_writable(rig: Rig, number: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every write is refused, and the disk gives this as its reason."""
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(trouble, "ask", lambda folder: number)
        rig.spool._db.execute("PRAGMA query_only = ON")
        yield
    rig.spool._db.execute("PRAGMA query_only = OFF")


def later(rig: Rig, seconds: float = RETRY_SECONDS) -> None:
    rig.now += seconds
    rig.service.tick()


def stored(rig: Rig) -> list[events.Event]:
    """Every event in the spool, in order; the chain must hold from one to the next."""
    found, expected, previous = [], 0, FIRST_PREVIOUS
    for sequence, data in rig.spool.after(-1, 9999):
        opened = rig.open(type("Sent", (), {"sequence": sequence, "sealed": data})())
        assert (opened.sequence, opened.previous) == (expected, previous)
        expected, previous = expected + 1, envelope.digest(data)
        found.append(events.parse(opened.event))
    assert rig.spool.head.sequence == expected
    return found


def gaps(rig: Rig) -> list[GapEvent]:
    return [event for event in stored(rig) if isinstance(event, GapEvent)]


def lost(rig: Rig) -> tuple[int, int]:
    facts = rig.service.facts()
    return facts["lost_verdicts"], facts["lost_health"]


# --- while it takes nothing -------------------------------------------------------------------------------------------


def test_a_refused_verdict_is_not_acknowledged_waits_and_is_stored_when_it_comes_again(rig: Rig) -> None:
    with no_room(rig):
        for _ in range(3):
            rig.say(a_verdict(2))
        assert rig.service.facts()["refused_verdicts"] == 1
    later(rig)
    rig.say(a_verdict(2))
    assert rig.verdict.sent[-1] == VerdictStored("v-2")
    rig.service.finish({})
    assert (lost(rig), gaps(rig)) == ((0, 0), [])


def test_the_reason_is_told_to_warden_and_to_the_receiver(rig: Rig) -> None:
    with no_room(rig):
        rig.say(a_verdict(2))
        assert rig.service.facts()["trouble"] == 1 + REFUSALS.index("disk_full")
    assert [e.detail for e in stored(rig) if isinstance(e, HealthEvent) and e.kind == "spool_full"] == ["disk_full"]
    later(rig)
    rig.say(a_verdict(2))
    assert rig.service.facts()["trouble"] == 0


@pytest.mark.parametrize("number", [errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG, errno.EACCES])
def test_whatever_the_disk_refuses_with_nothing_dies_and_it_goes_on_when_it_can(
    rig: Rig, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with not_writable(rig, number, monkeypatch):
        rig.say(a_verdict(2))
        rig.say(SOMETHING)
        later(rig)
        facts = rig.service.facts()
        assert (facts["trouble"], facts["trouble_number"]) == (1 + REFUSALS.index("spool_unwritable"), number)
        assert (facts["refused_verdicts"], facts["refused_health"]) == (1, 1)
    later(rig)
    rig.say(a_verdict(2))
    assert [type(event) for event in stored(rig)] == [VerdictEvent, HealthEvent, VerdictEvent]
    assert lost(rig) == (0, 0)


def test_a_spool_that_refused_is_left_alone_for_a_moment(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    with no_room(rig):
        tried = []
        monkeypatch.setattr(Spool, "add", lambda spool, *_: tried.append(1))
        for _ in range(50):
            rig.say(a_verdict(2))
        assert tried == []
        rig.now += RETRY_SECONDS
        rig.say(a_verdict(2))
        assert tried == [1]


def test_reports_wait_in_their_order_and_are_stored_before_later_ones(rig: Rig) -> None:
    with no_room(rig):
        while not rig.service.facts()["refused_health"]:
            rig.say(SOMETHING)
        waiting = Health("restarted", "codes", 7, 1000, "sigkill")
        rig.say(waiting)
    later(rig)
    rig.say(Health("degraded", "uplink", 1, 1000, "down"))
    tail = [event for event in stored(rig) if isinstance(event, HealthEvent)][-3:]
    assert [(event.kind, event.count) for event in tail] == [("restarted", 1), ("restarted", 7), ("degraded", 1)]
    assert lost(rig) == (0, 0)


def test_a_report_that_the_wire_refuses_is_held_against_its_sender_even_after_it_waited(rig: Rig) -> None:
    with no_room(rig):
        while not rig.service.facts()["refused_health"]:
            rig.say(SOMETHING)
        rig.say(Health("restarted", "codes", 1, 1000, "two\nlines"))
        assert rig.verdict.invalid == 0
    later(rig)
    assert (rig.verdict.invalid, rig.service.facts()["refused_health"], lost(rig)) == (1, 0, (0, 0))


def test_more_reports_than_can_wait_are_lost_and_counted(rig: Rig) -> None:
    with no_room(rig):
        while not rig.service.facts()["refused_health"]:
            rig.say(SOMETHING)
        for _ in range(MOST_REPORTS + 4):
            rig.say(SOMETHING)
        assert (rig.service.facts()["refused_health"], lost(rig)) == (MOST_REPORTS, (0, 5))
    later(rig)
    assert gaps(rig) == [GapEvent(NOW, NOW, 0, 5)]


def test_a_flood_of_verdict_ids_takes_bounded_memory(rig: Rig) -> None:
    with no_room(rig):
        for number in range(2, MOST_VERDICTS + 50):
            rig.say(a_verdict(number))
        assert rig.service.facts()["refused_verdicts"] == MOST_VERDICTS


# --- what is lost -----------------------------------------------------------------------------------------------------


def test_what_verdict_had_no_memory_for_becomes_a_gap_and_no_report(rig: Rig) -> None:
    rig.say(Health("unsealed", "verdict", 7, 2**48, "dropped"))
    later(rig)
    assert gaps(rig) == [GapEvent(NOW, NOW, 7, 0)]  # the times are sealer's own
    assert [event for event in stored(rig) if isinstance(event, HealthEvent)] == []
    assert lost(rig) == (7, 0)


def test_gaps_are_told_at_most_once_a_minute_however_often_there_is_one(rig: Rig) -> None:
    for _ in range(10):
        rig.say(Health("unsealed", "verdict", 1, 1, "dropped"))
        later(rig)
    assert [gap.verdicts for gap in gaps(rig)] == [1]
    later(rig, GAP_SECONDS)
    assert [gap.verdicts for gap in gaps(rig)] == [1, 9]


def test_a_count_that_a_hostile_verdict_makes_up_stays_within_what_an_event_holds(rig: Rig) -> None:
    for _ in range(3):
        rig.say(Health("unsealed", "verdict", MOST, 1, "dropped"))
    later(rig)
    later(rig, GAP_SECONDS)
    assert [gap.verdicts for gap in gaps(rig)] == [MOST]
    assert lost(rig) == (MOST, 0)


def test_at_the_end_what_waits_is_lost_and_told_in_the_room_that_is_kept(rig: Rig) -> None:
    with no_room(rig):
        while not rig.service.facts()["refused_health"]:
            rig.say(SOMETHING)
        for number in (2, 3, 4):
            rig.say(a_verdict(number))
        facts: dict[str, int] = {}
        rig.service.finish(facts)
        assert gaps(rig) == [GapEvent(NOW, NOW, 3, 1)]
    assert (facts["lost_verdicts"], facts["lost_health"], facts["finished"]) == (3, 1, 1)
    assert (facts["refused_verdicts"], facts["refused_health"]) == (0, 0)
    rig.restart(ANOTHER_RUN)
    later(rig)
    assert len(gaps(rig)) == 1


def test_where_there_is_no_room_even_for_the_gap_the_next_run_tells_it(rig: Rig) -> None:
    with no_room(rig):
        rig.spool._db.execute("DELETE FROM reserve")
        fill_reserve(rig)
        rig.say(a_verdict(2))
        rig.service.finish({})
        assert (gaps(rig), lost(rig)) == ([], (1, 0))
    rig.restart(ANOTHER_RUN)
    assert lost(rig) == (0, 0)  # this run has lost nothing
    later(rig)
    assert gaps(rig) == [GapEvent(NOW, NOW, 1, 0)]


def fill_reserve(rig: Rig) -> None:
    """Use up the pages that the deleted reserve gave free."""
    rig.spool._whole = True
    while rig.service._storing.store(a_verdict(5000 + rig.spool.waiting), f"x-{rig.spool.waiting}"):
        pass
    rig.now += RETRY_SECONDS
    while rig.service._storing.store(SOMETHING, None):
        pass


def test_a_run_that_is_cut_off_leaves_its_waiting_verdicts_to_be_told_by_the_next(rig: Rig) -> None:
    with no_room(rig):
        rig.say(a_verdict(2))
        rig.say(a_verdict(3))
        later(rig, 1.0)
    rig.restart(ANOTHER_RUN)  # without an end
    later(rig)
    assert gaps(rig) == [GapEvent(NOW, NOW, 2, 0)]
    rig.restart("aa" * 16)
    later(rig)
    assert len(gaps(rig)) == 1


def test_a_sealer_that_is_restarted_in_its_run_loses_the_reports_that_waited_and_no_verdict(rig: Rig) -> None:
    with no_room(rig):
        while not rig.service.facts()["refused_health"]:
            rig.say(SOMETHING)
        rig.say(a_verdict(2))
        later(rig, 1.0)
    rig.restart(RUN)
    assert lost(rig) == (0, 1)
    rig.say(a_verdict(2))  # as verdict does each second
    later(rig)
    rig.service.finish({})
    assert (gaps(rig), lost(rig)) == ([GapEvent(NOW, NOW, 0, 1)], (0, 1))


def test_a_start_that_was_never_told_is_a_report_lost(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    with not_writable(rig, errno.EROFS, monkeypatch):
        rig.service.begin()
        later(rig)
        rig.service.finish({})
    assert lost(rig) == (0, 1)


def test_a_start_that_was_refused_is_told_when_there_is_room(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    with not_writable(rig, errno.EROFS, monkeypatch):
        rig.service.begin()
    later(rig)
    assert "started" in [event.kind for event in stored(rig) if isinstance(event, HealthEvent)]
    rig.service.finish({})
    assert lost(rig) == (0, 0)


# --- receipts ---------------------------------------------------------------------------------------------------------


def test_a_receipt_frees_room_on_a_full_disk(rig: Rig) -> None:
    with no_room(rig):
        rig.say(a_verdict(2))
        waiting = rig.spool.waiting
        rig.receipt_all()
        assert (rig.spool.waiting, rig.service.receipted) == (0, waiting)
        rig.say(a_verdict(2))  # at once: there is room now, on the same full disk
        assert rig.verdict.sent[-1] == VerdictStored("v-2")


def test_a_receipt_that_the_disk_refuses_to_act_on_is_remembered(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = rig.uplink.envelopes()[0]
    with not_writable(rig, errno.EROFS, monkeypatch):
        for _ in range(2):
            rig.service.on_receipt(rig.receipt_for(sent))
        assert (rig.service.receipted, rig.service.settled, rig.service.facts()["waiting"]) == (1, True, 0)
        rig.uplink.sent.clear()
        for _ in range(10):
            later(rig, 1.0)
        assert rig.uplink.envelopes() == []  # the sink has it
    later(rig, 1.0)
    assert rig.spool.get(0) is None
    assert (rig.service.facts()["waiting"], rig.service.settled) == (0, True)


def test_a_disk_that_cannot_even_be_read_ends_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **more: object) -> None:
        raise trouble.refusal(errno.EIO)

    with monkeypatch.context() as meanwhile:
        for name in ("has", "get", "after", "add", "add_report", "note", "remove"):
            meanwhile.setattr(Spool, name, fails)
        rig.say(a_verdict(2))
        rig.say(SOMETHING)
        rig.service.on_receipt(rig.receipt_for(rig.uplink.envelopes()[0]))
        for _ in range(5):
            later(rig, 1.0)
        assert rig.service.facts()["trouble_number"] == errno.EIO
    later(rig, 1.0)
    rig.say(a_verdict(2))
    assert rig.verdict.sent[-1] == VerdictStored("v-2")
