"""What this machine's clock is worth, by the kernel's own word."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from device.launcher import clock


def kernel(monkeypatch: pytest.MonkeyPatch, *, status: int = 0, maxerror: int = 0, state: int = 0) -> None:
    """A kernel that answers adjtimex(2) so."""

    class Libc:
        @staticmethod
        def adjtimex(pointer: Any) -> int:
            assert pointer._obj.modes == 0  # asks, and sets nothing
            pointer._obj.status, pointer._obj.maxerror = status, maxerror
            return state

    monkeypatch.setattr(clock.ctypes, "CDLL", lambda *_, **__: Libc)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"maxerror": 250_000}, 250),
        ({"maxerror": 10}, 1),
        ({"maxerror": 250_000, "status": 0x2001}, 250),
        ({"status": 0x40}, None),
        ({"state": 5}, None),
        ({"state": -1}, None),
    ],
)
def test_a_clock_is_as_sure_as_the_kernel_says(
    monkeypatch: pytest.MonkeyPatch, answer: dict[str, int], says: int | None
) -> None:
    kernel(monkeypatch, **answer)
    assert clock.error_ms() == says


def test_the_real_kernel_answers() -> None:
    found = clock.error_ms()
    assert found is None or 1 <= found <= 60_000
    assert ctypes.sizeof(clock._Timex) >= 208
