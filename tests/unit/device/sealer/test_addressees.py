"""What was sealed for another receiver's key is kept, counted, and never given out; what was sealed before, as ever."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from device.sealer import inventory
from device.sealer.core import SealedEvent
from device.sealer.spool import Spool
from tests.support.full_disk import files_up_to
from wire.envelope import digest

FIRST, SECOND, THIRD = (bytes([number]) * 32 for number in (1, 2, 3))


def opened(folder: Path, sink_key: bytes) -> Spool:
    return Spool(folder, device_id="cam-1", run_id="run-1", max_bytes=2**20, sink_key=sink_key)


def add(spool: Spool, count: int) -> None:
    for _ in range(count):
        data = b"sealed %d" % spool.head.sequence
        spool.add(SealedEvent(spool.head.sequence, data, digest(data)), None)


def given_out(spool: Spool) -> list[int]:
    return [sequence for sequence, _ in spool.after(-1, 99)]


def after_runs(folder: Path, *runs: tuple[bytes, int]) -> None:
    for sink_key, count in runs:
        spool = opened(folder, sink_key)
        add(spool, count)
        spool.close()


def as_of_an_earlier_version(folder: Path) -> None:
    db = sqlite3.connect(folder / "spool.db")
    db.execute("DROP TABLE sealed_for")
    db.commit()
    db.close()


@pytest.mark.parametrize(("now", "numbers"), [(FIRST, [0, 1, 2, 5]), (SECOND, [3, 4]), (THIRD, [])])
def test_only_what_was_sealed_for_the_key_of_this_run_is_given_out(
    tmp_path: Path, now: bytes, numbers: list[int]
) -> None:
    after_runs(tmp_path, (FIRST, 3), (SECOND, 2), (FIRST, 1))
    spool = opened(tmp_path, now)
    assert (given_out(spool), spool.waiting, spool.held) == (numbers, 6, 6 - len(numbers))
    add(spool, 1)
    assert given_out(spool) == [*numbers, 6]


def test_a_late_receipt_for_what_is_held_is_taken(tmp_path: Path) -> None:
    after_runs(tmp_path, (FIRST, 2))
    spool = opened(tmp_path, SECOND)
    assert spool.remove(1, digest(b"sealed 1"))
    assert (spool.waiting, spool.held) == (1, 1)


def test_what_an_earlier_version_sealed_is_sent_as_before_and_the_new_is_told_apart(tmp_path: Path) -> None:
    after_runs(tmp_path, (FIRST, 2))
    as_of_an_earlier_version(tmp_path)
    after_runs(tmp_path, (SECOND, 1))
    spool = opened(tmp_path, THIRD)
    assert (given_out(spool), spool.held) == ([0, 1], 1)


def test_a_spool_of_an_earlier_version_on_a_full_disk_goes_without(tmp_path: Path) -> None:
    after_runs(tmp_path, (FIRST, 2))
    as_of_an_earlier_version(tmp_path)
    with files_up_to(0):
        spool = opened(tmp_path, SECOND)
        assert (given_out(spool), spool.held) == ([0, 1], 0)
        spool.close()


def test_what_is_held_is_counted_from_outside(tmp_path: Path) -> None:
    after_runs(tmp_path, (FIRST, 2), (SECOND, 1))
    assert inventory.look(tmp_path, SECOND).held == 2
    assert inventory.look(tmp_path, FIRST).held == 1
    as_of_an_earlier_version(tmp_path)
    assert inventory.look(tmp_path, SECOND).held == 0
    assert inventory.look(tmp_path / "none", SECOND).held == 0
