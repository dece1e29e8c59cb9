"""A spool without room: up to which byte it takes what, what is told, and that it goes on when there is room again."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.channel.messages import Health, VerdictStored
from device.sealer.core import Head, SealedEvent
from device.sealer.errors import SpoolFullError
from device.sealer.spool import Spool
from device.sealer.storing import GAP_SECONDS, RETRY_SECONDS
from tests.support.sealer_samples import Rig, a_verdict
from wire.envelope import digest
from wire.events import HealthEvent

RESERVE = 64 * 1024
SOMETHING = Health("restarted", "codes", 1, 1000, "sigkill")


def opened(folder: Path, max_bytes: int = 1024 * 1024) -> Spool:
    return Spool(folder, device_id="cam-1", run_id="run-1", max_bytes=max_bytes, sink_key=bytes(32))


def sealed(head: Head, data: bytes = b"sealed") -> SealedEvent:
    return SealedEvent(head.sequence, data, digest(data))


def test_a_verdict_may_fill_the_spool_up_to_the_last_64_kib_and_health_to_the_last_byte(tmp_path: Path) -> None:
    spool = opened(tmp_path, max_bytes=RESERVE + 100)
    with pytest.raises(SpoolFullError, match="full"):
        spool.add(sealed(spool.head, bytes(101)), "v-1")
    spool.add(sealed(spool.head, bytes(100)), "v-1")
    with pytest.raises(SpoolFullError, match="full"):
        spool.add(sealed(spool.head, b"x"), "v-2")
    with pytest.raises(SpoolFullError, match="full"):
        spool.add(sealed(spool.head, bytes(RESERVE + 1)), None)
    spool.add(sealed(spool.head, bytes(RESERVE)), None)
    with pytest.raises(SpoolFullError, match="full"):
        spool.add(sealed(spool.head, b"x"), None)
    assert spool.waiting == 2
    spool.close()
    again = opened(tmp_path, max_bytes=RESERVE + 100)  # counts what it finds
    with pytest.raises(SpoolFullError):
        again.add(sealed(again.head, b"x"), None)
    assert again.remove(1, digest(bytes(RESERVE)))
    with pytest.raises(SpoolFullError):
        again.add(sealed(again.head, b"x"), "v-2")
    assert again.remove(0, digest(bytes(100)))
    again.add(sealed(again.head, bytes(100)), "v-2")


def test_the_next_ones_come_in_order_above_the_number_and_up_to_the_limit(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for number in range(4):
        spool.add(sealed(spool.head, b"%d" % number), None)
    assert spool.after(0, 2) == [(1, b"1"), (2, b"2")]
    assert spool.after(3, 2) == []
    assert (spool.get(3), spool.get(4)) == (b"3", None)


def filled(folder: Path) -> Rig:
    """A sealer whose spool takes no verdict any more."""
    rig = Rig(folder, max_bytes=70 * 1024)
    number = 0
    while len(rig.verdict.sent) == number:
        number += 1
        rig.say(a_verdict(number))
    return rig


def reports(rig: Rig) -> list[HealthEvent]:
    return [event for event in rig.own_words() if event.kind == "spool_full"]


def test_a_full_spool_is_told_once_with_how_many_wait_until_a_verdict_fits_again(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    verdicts = len(rig.verdict.sent)
    assert reports(rig) == [HealthEvent("spool_full", "sealer", verdicts, 1_700_000_000_000, "no_room")]
    assert rig.service.sealed == verdicts + 1
    for number in range(50, 53):
        rig.say(a_verdict(number))
    assert len(reports(rig)) == 1
    rig.say(SOMETHING)  # health fits still, and does not mean that a verdict would
    rig.say(a_verdict(53))
    assert len(reports(rig)) == 1
    rig.receipt_all()
    rig.say(a_verdict(54))
    assert rig.verdict.sent[-1] == VerdictStored("v-54")
    assert rig.service.sealed == verdicts + 3
    number = 60
    rig.now += GAP_SECONDS
    while not reports(rig):
        number += 1
        rig.say(a_verdict(number))
    assert len(reports(rig)) == 1


def test_a_disk_that_takes_nothing_at_all_leaves_the_sealer_working(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.say(a_verdict(1))
    database = rig.spool._db
    pages = database.execute("PRAGMA page_count").fetchone()[0]
    database.execute(f"PRAGMA max_page_count = {pages}")
    number = 1
    while len(rig.verdict.sent) == number:
        number += 1
        rig.say(a_verdict(number))
    stored = len(rig.verdict.sent)
    assert not rig.spool.has(f"v-{number}")
    assert rig.service.sealed == rig.spool.waiting
    database.execute("PRAGMA max_page_count = 1000000")
    rig.now += RETRY_SECONDS
    rig.say(a_verdict(number))
    assert (len(rig.verdict.sent), rig.spool.waiting) == (stored + 1, rig.service.sealed)


def test_a_spool_that_is_full_from_the_start_of_a_run_is_told_in_that_run_too(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    rig.restart()
    for number in range(70, 73):
        rig.say(a_verdict(number))
    assert [event.detail for event in reports(rig)] == ["no_room", "no_room"]
