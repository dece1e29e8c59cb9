"""The room that is kept: deleting takes none, a report has its pages, and neither gets in the way of the database."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from device.sealer import reserve
from device.sealer.core import Head, SealedEvent
from device.sealer.errors import SpoolFullError
from device.sealer.gap import NO_GAP, Gap
from device.sealer.spool import Spool
from tests.support.full_disk import files_up_to
from wire.envelope import MAX_ENVELOPE_BYTES, digest

MIB = 1024 * 1024


def opened(folder: Path, run_id: str = "run-1") -> Spool:
    return Spool(folder, device_id="cam-1", run_id=run_id, max_bytes=8 * MIB, sink_key=bytes(32))


def sealed(head: Head, data: bytes = b"sealed") -> SealedEvent:
    return SealedEvent(head.sequence, data, digest(data))


def sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir()}


def cannot_grow(spool: Spool) -> None:
    pages = spool._db.execute("PRAGMA page_count").fetchone()[0]
    spool._db.execute(f"PRAGMA max_page_count = {pages}")
    number = 0
    while True:  # until the pages that are free in the database are used up too
        number += 1
        try:
            spool.add(sealed(spool.head, os.urandom(1500)), f"fill-{number}")
        except SpoolFullError:
            break
    spool.refresh()


@pytest.mark.parametrize("size", [1, 1800, 4096, MAX_ENVELOPE_BYTES])
def test_forgetting_takes_no_room_on_the_disk_whatever_is_forgotten_in_whatever_order(
    tmp_path: Path, size: int
) -> None:
    spool = opened(tmp_path)
    digests = {}
    for number in range(60):
        data = os.urandom(size)
        digests[spool.head.sequence] = digest(data)
        spool.add(sealed(spool.head, data), f"v-{number}")
    before = sizes(tmp_path)
    order = list(digests)
    random.Random(1).shuffle(order)
    for sequence in order:
        assert spool.remove(sequence, digests[sequence])
    assert sizes(tmp_path) == before


def test_counting_what_is_lost_takes_no_room(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    before = sizes(tmp_path)
    spool.note(Gap(2**40, 2**40, 2**48, 2**48), Gap(2**40, 2**40, 0, 2**48))
    assert sizes(tmp_path) == before
    spool.close()
    assert opened(tmp_path, "run-2").lost == Gap(2**40, 2**40, 0, 2**48)


def test_the_journal_has_its_room_from_the_start(tmp_path: Path) -> None:
    opened(tmp_path)
    assert (tmp_path / "spool.db-journal").stat().st_size >= 48 * 1024
    assert (tmp_path / "spool.db-journal").stat().st_mode & 0o777 == 0o600


def test_a_full_disk_has_room_for_as_many_reports_as_are_kept(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    cannot_grow(spool)
    for _ in range(reserve.ROWS - 1):
        spool.add_report(sealed(spool.head, os.urandom(1700)), leave=1)
    with pytest.raises(SpoolFullError, match="full"):
        spool.add_report(sealed(spool.head, os.urandom(9000)), leave=1)
    spool.refresh()
    assert spool._db.execute("SELECT count(*) FROM reserve").fetchone()[0] >= 1
    spool.add_report(sealed(spool.head, os.urandom(1700)))
    spool.close()
    assert opened(tmp_path, "run-2").waiting == spool.waiting


def test_a_report_larger_than_its_room_leaves_the_room_as_it_was(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    cannot_grow(spool)
    head = spool.head
    with pytest.raises(SpoolFullError):
        spool.add_report(sealed(head, os.urandom(30_000)))
    spool.refresh()
    assert spool.head == head
    assert spool._db.execute("SELECT count(*) FROM reserve").fetchone() == (reserve.ROWS,)


def test_what_was_used_is_kept_again_when_there_is_room(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    cannot_grow(spool)
    spool.add_report(sealed(spool.head, os.urandom(1700)))
    spool._db.execute("PRAGMA max_page_count = 100000")
    spool.add(sealed(spool.head, b"more"), "v-more")
    assert spool._db.execute("SELECT count(*) FROM reserve").fetchone() == (reserve.ROWS,)


def test_the_gap_and_what_it_counts_are_told_in_one_transaction(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.note(Gap(3, 0, 1, 2), NO_GAP)
    spool._db.execute("CREATE TRIGGER fault BEFORE UPDATE ON unsealed BEGIN SELECT RAISE(ABORT, 'fault'); END")
    with pytest.raises(Exception, match="damaged"):
        spool.add_report(sealed(spool.head, b"gap"), told=True)
    spool._db.execute("DROP TRIGGER fault")
    spool.close()
    again = opened(tmp_path, "run-2")
    assert (again.waiting, again.head.sequence, again.lost) == (0, 0, Gap(3, 0, 1, 2))


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_a_spool_of_an_earlier_version_goes_on(tmp_path: Path, journal: str) -> None:
    spool = opened(tmp_path)
    spool.add(sealed(spool.head, b"one"), "v-1")
    spool.close()
    with closing(sqlite3.connect(tmp_path / "spool.db", isolation_level=None)) as db:
        db.execute(f"PRAGMA journal_mode = {journal}")
        db.execute("DROP TABLE reserve")
        db.execute("DROP TABLE unsealed")
        db.execute("UPDATE head SET sequence = sequence")
    again = opened(tmp_path)
    assert (again.after(-1, 9), again.has("v-1"), again.lost) == ([(0, b"one")], True, NO_GAP)
    again.note(Gap(1, 0, 5, 5), NO_GAP)
    again.close()
    assert opened(tmp_path, "run-2").lost == Gap(1, 0, 5, 5)
    assert set(sizes(tmp_path)) == {"spool.db", "spool.db-journal", "reserved"}


def test_a_spool_of_an_earlier_version_on_a_full_disk_goes_on_without_the_reserve(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for _ in range(2):
        spool.add(sealed(spool.head, b"one"), None)
    spool._db.execute("DROP TABLE reserve")
    spool._db.execute("DROP TABLE unsealed")
    spool._counts = spool._whole = False
    spool._db.execute("VACUUM")
    cannot_grow(spool)
    with pytest.raises(SpoolFullError):
        spool.add_report(sealed(spool.head, os.urandom(9000)), told=True)
    spool.refresh()
    with pytest.raises(SpoolFullError):
        spool.note(Gap(1, 0, 5, 5), NO_GAP)
    assert spool.remove(0, digest(b"one"))


def test_a_journal_with_kept_room_undoes_a_transaction_that_was_cut_off(tmp_path: Path) -> None:
    """Power fails while a transaction is being written: both files are copied in the middle of it."""
    spool = opened(tmp_path)
    for number in range(5):
        spool.add(sealed(spool.head, os.urandom(1800)), f"v-{number}")
    before = spool.after(-1, 99)
    db = spool._db
    db.execute("PRAGMA cache_size = 1")  # pages are written out before the commit, the old ones into the journal first
    db.execute("BEGIN IMMEDIATE")
    db.execute("DELETE FROM envelope WHERE sequence < 3")
    for number in range(40):
        db.execute("INSERT INTO envelope VALUES (?, ?, ?)", (100 + number, os.urandom(8000), bytes(32)))
    db.execute("UPDATE head SET sequence = 999")
    later = tmp_path / "later"
    later.mkdir(mode=0o700)
    for name in ("spool.db", "spool.db-journal", "reserved"):
        shutil.copyfile(tmp_path / name, later / name)
        (later / name).chmod(0o600)
    assert (later / "spool.db").stat().st_size > (5 + 20) * 4096  # something of it is there
    db.execute("ROLLBACK")
    again = opened(later, "run-2")
    assert (again.after(-1, 99), again.head.sequence) == (before, 5)


def test_old_pages_in_a_kept_journal_are_never_taken_for_a_transaction(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for number in range(20):
        spool.add(sealed(spool.head, os.urandom(1800)), f"v-{number}")
    spool.close()
    stale = (tmp_path / "spool.db-journal").read_bytes()
    spool = opened(tmp_path, "run-2")
    spool.add(sealed(spool.head, b"new"), "v-new")
    spool.close()
    (tmp_path / "spool.db-journal").write_bytes(stale)
    again = opened(tmp_path, "run-3")
    assert (again.waiting, again.head.sequence) == (21, 21)


def test_a_link_in_the_place_of_the_journal_is_not_followed(tmp_path: Path) -> None:
    opened(tmp_path).close()
    (tmp_path / "spool.db-journal").unlink()
    target = tmp_path / "target"
    target.write_bytes(b"")
    (tmp_path / "spool.db-journal").symlink_to(target)
    with pytest.raises(OSError):
        reserve.keep_journal(tmp_path / "spool.db-journal")
    assert target.read_bytes() == b""


def test_a_journal_that_cannot_have_all_its_room_takes_none(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    journal.write_bytes(b"old")
    with files_up_to(20_000), pytest.raises(OSError):
        reserve.keep_journal(journal)
    assert journal.read_bytes() == b"old"
    reserve.keep_journal(journal)
    assert journal.stat().st_size == 48 * 1024 and journal.read_bytes().startswith(b"old\0")


def test_a_journal_that_somebody_took_away_is_made_anew_before_the_database_needs_it(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.add(sealed(spool.head, b"one"), "v-1")
    spool.close()
    journal = tmp_path / "spool.db-journal"
    journal.unlink()
    reserve.keep_journal(journal)
    assert (journal.stat().st_size, journal.stat().st_mode & 0o777) == (48 * 1024, 0o600)
    again = opened(tmp_path, "run-2")
    assert again.after(-1, 9) == [(0, b"one")]
    again.add(sealed(again.head, b"two"), "v-2")
    assert again.waiting == 2
