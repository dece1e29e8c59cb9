"""Parts of the chain are killed in the middle of a drive: no verdict is lost, no wrong class is believed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.recovery import BLOWS, Course, endure, prepare


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return prepare(tmp_path_factory.mktemp("course"))


@pytest.mark.nightly
@pytest.mark.timeout(400)
@pytest.mark.parametrize("blow", BLOWS)
def test_no_verdict_is_lost_and_no_wrong_class_is_believed_when_a_part_is_taken_away(
    course: Course, blow: str, tmp_path: Path
) -> None:
    endured = endure(course, blow, tmp_path / "out")
    assert endured.undelivered == endured.twice == []
    assert endured.wrongly_believed == []
    assert endured.frames > 200
