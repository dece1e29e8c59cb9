"""What a run found wrong: an input that stops short of its promise, and frames that a reader did not judge."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from device.warden import run
from device.warden.roster import Roster
from tests.support.warden_bench import FakeChild, plan

GOOD: dict[str, Any] = {
    "promised": 638, "frames": 638, "damage": {}, "unsealed": {}, "judged_share": 1.0,
    "judged_shares": {"perception": 1.0, "codes": 1.0},
}  # fmt: skip
DEVICE: Any = SimpleNamespace(roster=Roster(), fixes_owed=0)


@pytest.mark.parametrize(
    ("came", "missing"), [(638, 0), (700, 0), (634, 0), (632, 0), (631, 7), (630, 8), (50, 588), (0, 638)]
)
def test_a_video_that_stops_short_of_its_index_is_missed_beyond_a_hundredth(came: int, missing: int) -> None:
    assert run.shortfall(plan(), {**GOOD, "frames": came}) == missing


def test_a_short_video_may_lack_four_and_a_folder_none() -> None:
    assert run.shortfall(plan(), {**GOOD, "promised": 25, "frames": 21}) == 0
    assert run.shortfall(plan(), {**GOOD, "promised": 25, "frames": 20}) == 5
    assert run.shortfall(plan(kind="folder"), {**GOOD, "promised": 25, "frames": 24}) == 1


def test_without_a_promise_nothing_is_missed() -> None:
    assert run.shortfall(plan(), {**GOOD, "promised": 0, "frames": 5}) == 0


@pytest.mark.parametrize(("damage", "told"), [("cut_off", True), ("container_broken", True), ("frames_corrupt", False)])
def test_what_is_told_as_cut_off_is_not_told_twice(damage: str, told: bool) -> None:
    assert (run.shortfall(plan(), {**GOOD, "frames": 50, "damage": {damage: 1}}) == 0) is told


def test_in_lockstep_every_frame_has_to_be_judged() -> None:
    assert run.found_wrong(plan(), DEVICE, GOOD) == []
    short = {**GOOD, "judged_share": 0.5, "judged_shares": {"perception": 1.0, "codes": 0.5}}
    ((sentence, _),) = run.found_wrong(plan(), DEVICE, short)
    assert sentence.startswith("codes judged 50% of 638 frames, although each is waited for")
    assert run.found_wrong(plan(pace="realtime"), DEVICE, short) == []


def test_a_disk_is_blamed_only_where_sealer_says_that_it_refused() -> None:
    unsealed = {**GOOD, "unsealed": {"verdict": 1}}
    ((sentence, remedy),) = run.found_wrong(plan(), DEVICE, unsealed)
    assert "sealer has not confirmed" in sentence and "disk" not in sentence + remedy
    roster, sealer = Roster(), FakeChild("sealer")
    roster.running["sealer"] = sealer  # type: ignore[assignment]
    sealer.say(refused_verdicts=1)
    refusing: Any = SimpleNamespace(roster=roster, fixes_owed=0)
    ((_, remedy),) = run.found_wrong(plan(), refusing, unsealed)
    assert remedy.startswith("make room on the disk of the spool")


def test_where_neither_reader_was_shown_the_frames_none_of_them_is_named() -> None:
    hidden = {**GOOD, "judged_share": 0.16, "judged_shares": {"perception": 0.16, "codes": 0.16}}
    ((sentence, _),) = run.found_wrong(plan(), DEVICE, hidden)
    assert sentence.startswith("16% of 638 frames were judged, although each is waited for")


def test_frames_after_the_end_are_told() -> None:
    sentence, _ = run.ended_early(94)
    assert sentence.startswith("94 frames came after the end of the stream had been told")
    assert run.ended_early(1)[0].startswith("1 frame came")
