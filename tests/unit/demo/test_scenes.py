"""The demo's table: a row is good only when exactly the expected verdict was made, delivered and receipted."""

from __future__ import annotations

from typing import Any

from demo.scenes import judge_scenes
from device.channel.messages import Verdict

SCENE: dict[str, Any] = {
    "name": "honest", "first_frame": 0, "last_frame": 50, "class_id": 14, "expected_state": "VERIFIED",
    "expected_class_id": 14,
}  # fmt: skip


def verdict(state: str = "VERIFIED", class_id: int | None = 14, last: int = 48, number: int = 1) -> Verdict:
    return Verdict(f"v:{number}", state, class_id, 14, 1.0, 10, last, 0, 9, None, None, [])  # type: ignore[arg-type]


def good(verdicts: list[Verdict], stored: set[str], *, receipted: bool = True) -> list[bool]:
    return [row.good for row in judge_scenes([SCENE], verdicts, stored, receipted=receipted)]


def test_the_expected_verdict_delivered_and_receipted_is_good() -> None:
    assert good([verdict()], {"v:1"}) == [True]


def test_anything_else_is_a_mismatch() -> None:
    assert good([], set()) == [False]
    assert good([verdict("UNVERIFIED")], {"v:1"}) == [False]
    assert good([verdict(class_id=1)], {"v:1"}) == [False]
    assert good([verdict()], set()) == [False]
    assert good([verdict()], {"v:1"}, receipted=False) == [False]
    assert good([verdict(), verdict(number=2)], {"v:1", "v:2"}) == [False]


def test_a_verdict_outside_every_scene_is_a_mismatch_of_its_own() -> None:
    assert good([verdict(), verdict(last=400, number=2)], {"v:1", "v:2"}) == [True, False]
