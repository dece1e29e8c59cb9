"""What people looked at is kept with who and when, only ever goes forward, and survives a start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_sink.acknowledgements import Acknowledgement, Acknowledgements
from cloud_sink.errors import StoreError
from cloud_sink.store import Store
from tests.support.sink_samples import asked, changed

FIRST = Acknowledgement("cam-one", "verdict.FORGED", 5, "ann", 1000)


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    with Store(tmp_path / "sink.db") as store:
        yield store.path


def test_the_furthest_mark_counts_with_who_made_it_and_when(path: Path) -> None:
    marks = Acknowledgements(path)
    assert marks.latest() == {}
    assert marks.add(FIRST)
    further = Acknowledgement("cam-one", "verdict.FORGED", 9, "bob", 900)
    assert marks.add(further)
    other = Acknowledgement("", "refused.malformed", 1, "", 1100)
    assert marks.add(other)
    assert Acknowledgements(path).latest() == {("cam-one", "verdict.FORGED"): further, ("", "refused.malformed"): other}


@pytest.mark.parametrize("through", [5, 4, 0])
def test_a_mark_that_goes_no_further_is_not_stored(path: Path, through: int) -> None:
    marks = Acknowledgements(path)
    marks.add(FIRST)
    for _ in range(3):
        assert not marks.add(Acknowledgement("cam-one", "verdict.FORGED", through, "eve", 2000))
    assert asked(path, "SELECT through, who, at_ms FROM acknowledgement") == [(5, "ann", 1000)]


def test_every_mark_that_was_made_is_kept(path: Path) -> None:
    marks = Acknowledgements(path)
    for through in (1, 2, 3):
        marks.add(Acknowledgement("cam-one", "device.silent", through, "ann", through))
    assert asked(path, "SELECT through FROM acknowledgement ORDER BY id") == [(1,), (2,), (3,)]


def test_a_database_of_before_gets_the_table_and_keeps_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "sink.db"
    Store(path).close()
    changed(path, "DROP TABLE acknowledgement", "INSERT INTO device VALUES ('cam-one')")
    with Store(path):
        assert Acknowledgements(path).add(FIRST)
    assert asked(path, "SELECT device_id FROM device") == [("cam-one",)]
    with Store(path):
        assert Acknowledgements(path).latest() != {}


def test_what_is_no_database_is_an_error_with_a_remedy_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="check the disk"):
        Acknowledgements(tmp_path / "none.db").latest()
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "text.db").write_text("no database " * 100)
    with pytest.raises(StoreError):
        Acknowledgements(tmp_path / "text.db").add(FIRST)
