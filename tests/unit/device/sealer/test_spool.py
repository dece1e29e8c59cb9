"""The spool: what was stored survives a kill, a damaged spool is refused, a lost spool does not reuse numbers."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from device.sealer.core import Head, SealedEvent
from device.sealer.errors import SpoolError, SpoolFullError
from device.sealer.spool import Spool
from wire.envelope import FIRST_PREVIOUS, digest

MIB = 1024 * 1024


def opened(folder: Path, *, run_id: str = "run-1", device_id: str = "cam-1", max_bytes: int = MIB) -> Spool:
    return Spool(folder, device_id=device_id, run_id=run_id, max_bytes=max_bytes, sink_key=bytes(32))


def sealed(head: Head, data: bytes = b"sealed") -> SealedEvent:
    return SealedEvent(head.sequence, data, digest(data))


def test_a_new_spool_begins_the_chain(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    assert (spool.head, spool.waiting) == (Head(0, FIRST_PREVIOUS), 0)
    assert stat.S_IMODE(spool.path.stat().st_mode) == 0o600


def test_envelopes_head_and_verdict_ids_survive_a_restart(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    first = sealed(spool.head, b"one")
    spool.add(first, "v-1")
    spool.add(sealed(spool.head, b"two"), None)
    spool.close()
    again = opened(tmp_path)
    assert again.head == Head(2, digest(b"two"))
    assert again.after(-1, 16) == [(0, b"one"), (1, b"two")]
    assert again.has("v-1") and not again.has("v-2")
    assert again.waiting == 2


def test_they_survive_a_kill_without_a_close(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from device.sealer.spool import Spool;"
        "from device.sealer.core import SealedEvent; from wire.envelope import digest;"
        "s = Spool(Path(sys.argv[1]), device_id='cam-1', run_id='run-1', max_bytes=2**20, sink_key=bytes(32));"
        "[s.add(SealedEvent(n, b'%d' % n, digest(b'%d' % n)), f'v-{n}') for n in range(5)];"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == -9
    spool = opened(tmp_path)
    assert [data for _, data in spool.after(-1, 16)] == [b"0", b"1", b"2", b"3", b"4"]
    assert spool.head == Head(5, digest(b"4"))


def test_only_the_very_envelope_is_removed(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.add(sealed(spool.head), None)
    assert not spool.remove(0, digest(b"another"))
    assert not spool.remove(1, digest(b"sealed"))
    assert spool.get(0) == b"sealed"
    assert spool.remove(0, digest(b"sealed"))
    assert (spool.get(0), spool.waiting, spool.head.sequence) == (None, 0, 1)
    assert not spool.remove(0, digest(b"sealed"))


def test_verdict_ids_of_an_earlier_run_do_not_hide_those_of_this_one(tmp_path: Path) -> None:
    spool = opened(tmp_path, run_id="run-1")
    spool.add(sealed(spool.head), "v-1")
    spool.close()
    again = opened(tmp_path, run_id="run-2")
    assert not again.has("v-1")
    again.add(sealed(again.head, b"two"), "v-1")
    assert again.waiting == 2


def test_a_full_spool_says_so_and_keeps_room_for_a_health_event(tmp_path: Path) -> None:
    spool = opened(tmp_path, max_bytes=128 * 1024)
    while True:
        try:
            spool.add(sealed(spool.head, bytes(8000)), f"v-{spool.head.sequence}")
        except SpoolFullError:
            break
    head = spool.head
    assert not spool.has(f"v-{head.sequence}")
    spool.add(sealed(head, b"health"), None)
    assert spool.head.sequence == head.sequence + 1
    assert spool.remove(0, digest(bytes(8000)))
    spool.add(sealed(spool.head, b"again"), "v-again")


def test_a_full_disk_is_a_full_spool(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    pages = spool._db.execute("PRAGMA page_count").fetchone()[0]
    spool._db.execute(f"PRAGMA max_page_count = {pages + 2}")
    head = spool.head
    with pytest.raises(SpoolFullError, match="free some space"):
        spool.add(sealed(head, bytes(30_000)), "v-1")
    assert spool.head == head and not spool.has("v-1") and spool.waiting == 0


@pytest.mark.parametrize("at", [0, 100, 4096, 8200])
def test_a_damaged_spool_is_refused_with_the_remedy_and_left_as_it_is(tmp_path: Path, at: int) -> None:
    spool = opened(tmp_path)
    for number in range(4):
        spool.add(sealed(spool.head, bytes([number]) * 3000), None)
    spool.close()
    with spool.path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * 64)
    before = spool.path.read_bytes()
    with pytest.raises(SpoolError, match=r"move spool\.db away"):
        opened(tmp_path)
    assert spool.path.read_bytes() == before


def test_one_changed_byte_in_an_envelope_is_noticed(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.add(sealed(spool.head), None)
    spool.close()
    db = sqlite3.connect(spool.path)
    db.execute("UPDATE envelope SET sealed = CAST('sealeD' AS BLOB)")
    db.commit()
    db.close()
    with pytest.raises(SpoolError, match="damaged"):
        opened(tmp_path)


def test_junk_in_place_of_the_spool_is_refused(tmp_path: Path) -> None:
    (tmp_path / "spool.db").write_bytes(b"not a database" * 100)
    with pytest.raises(SpoolError, match="damaged"):
        opened(tmp_path)


def test_a_spool_of_another_device_is_refused(tmp_path: Path) -> None:
    opened(tmp_path).close()
    with pytest.raises(SpoolError, match="another device"):
        opened(tmp_path, device_id="cam-2")


def test_two_sealers_never_share_a_spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device.sealer.spool._BUSY_SECONDS", 0.05)
    spool = opened(tmp_path)
    with pytest.raises(SpoolError, match="in use"):
        opened(tmp_path)
    spool.add(sealed(spool.head), None)


def test_a_lost_spool_does_not_use_a_number_twice(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for number in range(3):
        spool.add(sealed(spool.head, bytes([number])), None)
    used = spool.head.sequence
    spool.close()
    for path in tmp_path.glob("spool.db*"):
        path.unlink()
    again = opened(tmp_path)
    assert again.head.sequence >= used
    assert again.head.previous == FIRST_PREVIOUS


def test_numbers_are_reserved_before_they_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device.sealer.spool._RESERVE_NUMBERS", 2)
    spool = opened(tmp_path)
    for _ in range(7):
        spool.add(sealed(spool.head), None)
        assert int((tmp_path / "reserved").read_text()) >= spool.head.sequence


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match="cannot be"):
        opened(tmp_path / "missing")


def test_a_link_in_place_of_the_spool_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"")
    (tmp_path / "spool.db").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SpoolError):
        opened(tmp_path)
