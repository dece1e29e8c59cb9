"""What this machine's clock is worth: whether something keeps it right, and how far off the kernel takes it to be.

Asked by the command before anything is confined. A Raspberry Pi has no clock of its own: without a network it starts
with the time of its last shutdown. Source: adjtimex(2).
"""

from __future__ import annotations

import ctypes
from typing import Final

_STA_UNSYNC: Final = 0x40
_TIME_ERROR: Final = 5


class _Timeval(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("microseconds", ctypes.c_long))


class _Timex(ctypes.Structure):
    """`struct timex` of adjtimex(2); what follows `stabil` is not looked at."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time", _Timeval),
        ("tick", ctypes.c_long),
        ("rest", ctypes.c_long * 32),
    )


def error_ms() -> int | None:
    """How far this machine's clock may be off, milliseconds; None where nothing keeps it right."""
    found = _Timex()
    state: int = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(found))
    if state < 0 or state == _TIME_ERROR or found.status & _STA_UNSYNC:
        return None
    return max(1, int(found.maxerror) // 1000)
