"""The memory of verdict's service: each part that is spoilt alone is lost, and the others are kept."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from device.channel.messages import Verdict
from device.verdict import persistence
from tests.support.verdict_drive import UTC_S

VERDICT = Verdict("test:1:2:1", "UNVERIFIED", 1, 1, 0.9, 1, 2, UTC_S * 1000, 8, None, None, ["perception_alone"])
KEPT = persistence.to_bytes(b"judge", [VERDICT], {"codes", "perception"}, True)


def kept() -> dict[str, Any]:
    return msgspec.msgpack.decode(KEPT)  # type: ignore[no-any-return]


def test_what_is_remembered_comes_back() -> None:
    assert persistence.from_bytes(KEPT) == persistence.Remembered(b"judge", [VERDICT], {"codes", "perception"}, True, 0)
    for ended in (["perception", "codes"], ["codes", "perception"]):
        assert persistence.to_bytes(b"judge", [VERDICT], ended, True) == KEPT
    nothing = persistence.to_bytes(b"", [], set(), False)
    assert persistence.from_bytes(nothing) == persistence.Remembered(b"", [], set(), False, 0)


@pytest.mark.parametrize(
    "change", [{"judge": 1}, {"unstored": [1]}, {"ended": [1]}, {"finished": 1}, {"more": 1}, {"finished": "true"}]
)
def test_a_memory_with_a_spoilt_part_is_lost(change: dict[str, object]) -> None:
    lost = persistence.Remembered(b"", [], set(), False, 1)
    assert persistence.from_bytes(msgspec.msgpack.encode(kept() | change)) == lost


def test_each_spoilt_verdict_is_counted() -> None:
    spoilt = kept()
    spoilt["unstored"] = [b"", b"\x00", *spoilt["unstored"]]
    assert persistence.from_bytes(msgspec.msgpack.encode(spoilt)) == persistence.Remembered(
        b"judge", [VERDICT], {"codes", "perception"}, True, 2
    )


def test_a_verdict_is_sound_within_its_bounds() -> None:
    assert persistence.sound(VERDICT) is True
    assert persistence.sound(msgspec.structs.replace(VERDICT, confidence=1.01)) is False
    assert persistence.sound(msgspec.structs.replace(VERDICT, reasons=["x"] * 17)) is False
