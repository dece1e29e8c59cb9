"""What a run sealed and forgot is counted in the spool, over all its sealers and whatever came before."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.sealer.core import SealedEvent
from device.sealer.spool import Spool
from wire.envelope import digest


def opened(folder: Path, run_id: str) -> Spool:
    return Spool(folder, device_id="cam-1", run_id=run_id, max_bytes=2**20, sink_key=bytes(32))


def add(spool: Spool, count: int) -> None:
    for _ in range(count):
        head = spool.head
        data = b"sealed %d" % head.sequence
        spool.add(SealedEvent(head.sequence, data, digest(data)), None)


def forget(spool: Spool, count: int) -> None:
    for sequence, data in spool.after(-1, count):
        assert spool.remove(sequence, digest(data))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path


def test_a_sealer_that_is_started_again_goes_on_counting(folder: Path) -> None:
    earlier = opened(folder, "a" * 32)
    add(earlier, 5)
    forget(earlier, 2)
    assert (earlier.sealed, earlier.removed) == (5, 2)
    earlier.close()
    first = opened(folder, "b" * 32)
    assert (first.sealed, first.removed, first.waiting) == (0, 0, 3)
    add(first, 4)
    forget(first, 1)
    first.close()  # and killed before it could say so
    second = opened(folder, "b" * 32)
    add(second, 2)
    forget(second, 3)
    assert (second.sealed, second.removed, second.waiting) == (6, 4, 5)
    second.close()
    assert opened(folder, "c" * 32).sealed == 0


def test_its_marks_are_no_verdicts(folder: Path) -> None:
    spool = opened(folder, "a" * 32)
    assert not spool.has("began:0") and not spool.has("STARTED")
