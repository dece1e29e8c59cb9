"""Warden's own confinement: no new privileges, no effective capabilities, and its filter.

It shares the machine's namespaces, since it makes those of the others. Its filter is inherited by all that it starts.
Sources: prctl(2), capset(2), capabilities(7).
"""

from __future__ import annotations

import ctypes
import os
import platform

from device.confine import policy, seccomp
from device.confine.errors import CannotConfineError
from device.confine.tighten import limit

_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 24, 38
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_LAST_CAPABILITY = 63
_CAP_SETFCAP = 31  # permitted, never effective, where started as root: without it bubblewrap cannot map root's own id
_CAPABILITY_VERSION_3 = 0x20080522
_SYS_CAPSET = {"x86_64": 126, "aarch64": 91}


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def confine() -> None:
    """Give up all that supervising does not need. Raises CannotConfineError."""
    libc = ctypes.CDLL(None, use_errno=True)
    mine = policy.load("warden")
    limit(mine.limits)
    kept = (1 << _CAP_SETFCAP) if os.geteuid() == 0 else 0
    for capability in range(_LAST_CAPABILITY + 1):
        if not kept >> capability & 1:
            libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails for an ordinary user, who has none
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    number = _SYS_CAPSET.get(platform.machine())
    sets = (ctypes.c_uint32 * 6)(0, kept, 0, 0, 0, 0)  # effective, permitted, inheritable; the low half, the high half
    if number is None or libc.syscall(number, ctypes.byref(_Header(_CAPABILITY_VERSION_3, 0)), sets) != 0:
        raise CannotConfineError(f"capabilities cannot be given up on {platform.machine()}", "use x86_64 or aarch64")
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise CannotConfineError("no_new_privs is refused", "use a Linux kernel of 3.5 or later")
    seccomp.load(seccomp.start_filter(mine))
