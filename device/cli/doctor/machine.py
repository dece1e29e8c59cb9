"""What the confinement and the decoders need of this machine.

It makes the namespaces and the sealed memory for real, and looks for the rest without trying it. What it does not look
at (no_new_privs, capabilities, resource limits, a filter that is loaded) is checked when a compartment starts.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Final

from device.cli.doctor.check import Check, Looks
from device.confine import launch
from device.confine.errors import CannotConfineError

_SYS_LANDLOCK_CREATE_RULESET = 444  # the same number on every architecture


def _loaded(library: str) -> str | None:
    """The library's name where it can be loaded: one that is damaged is found by name too."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return None
    return library


def _namespaces(_: Looks) -> Check:
    try:
        launch.check()
    except CannotConfineError as error:
        return Check("namespaces", False, error.sentence, error.remedy)
    return Check("namespaces", True, "bubblewrap makes user, mount, pid, net, ipc, uts and cgroup namespaces", "")


def _seccomp(_: Looks) -> Check:
    actions = Path("/proc/sys/kernel/seccomp/actions_avail")
    library = _loaded("libseccomp.so.2")
    good = actions.exists() and library is not None
    return Check(
        "seccomp",
        good,
        f"{library or 'no libseccomp'}, {'filters' if actions.exists() else 'no filters'} in this kernel",
        "sudo apt-get install libseccomp2; a kernel with CONFIG_SECCOMP_FILTER",
    )


def _memfd(_: Looks) -> Check:
    from device.channel import ring  # here: numpy would make every other command wait

    descriptor = ring.create()
    try:
        ring.RingWriter(os.dup(descriptor))
        ring.RingReader(os.dup(descriptor))
    except OSError as error:
        return Check("sealed memory", False, str(error), "a kernel of 5.1 or later (F_SEAL_FUTURE_WRITE)")
    finally:
        os.close(descriptor)
    return Check("sealed memory", True, "a frame ring can be made, sealed and read", "")


def _landlock(_: Looks) -> Check:
    version = ctypes.CDLL(None).syscall(_SYS_LANDLOCK_CREATE_RULESET, 0, 0, 1)  # the flag that asks for the ABI
    found = version > 0
    return Check(
        "landlock",
        found,
        f"ABI {version}, not used yet" if found else "not in this kernel",
        "none needed: an extra layer",
        required=False,
    )


def _zbar(_: Looks) -> Check:
    found = _loaded("libzbar.so.0")
    return Check("zbar", found is not None, found or "not found", "sudo apt-get install libzbar0")


def _mosquitto(_: Looks) -> Check:
    paths = [p for p in ("/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto") if Path(p).exists()]
    return Check(
        "mosquitto",
        bool(paths),
        paths[0] if paths else "not found",
        "sudo apt-get install mosquitto (the demo's broker)",
        required=False,
    )


CHECKS: Final = (_namespaces, _seccomp, _memfd, _landlock, _zbar, _mosquitto)
