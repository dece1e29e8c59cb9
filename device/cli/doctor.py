"""`sealcam doctor`: what the device needs of this machine, and the remedy for what is missing.

It makes the namespaces and the sealed memory for real, and looks for the rest without trying it. What it does not look
at (no_new_privs, capabilities, resource limits, a filter that is loaded) is checked when a compartment starts.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from device.confine import launch
from device.confine.errors import CannotConfineError

_SYS_LANDLOCK_CREATE_RULESET = 444  # the same number on every architecture


@dataclass(frozen=True)
class Check:
    """One thing that the device may need. `required`: without it the device does not start."""

    name: str
    good: bool
    found: str
    remedy: str
    required: bool = True


def add_parser(subparsers: Any) -> None:
    """`sealcam doctor`."""
    parser = subparsers.add_parser(
        "doctor",
        help="what this machine enforces and lacks",
        description="Makes the namespaces and a sealed memory for real, looks for seccomp and the libraries, and names "
        "the remedy for what is missing. Exit status 1 if something required is missing.",
    )
    parser.add_argument("--json", action="store_true", help="print the checks as JSON")
    parser.set_defaults(run=run)


def _loaded(library: str) -> str | None:
    """The library's name where it can be loaded: one that is damaged is found by name too."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return None
    return library


def _namespaces() -> Check:
    try:
        launch.check()
    except CannotConfineError as error:
        return Check("namespaces", False, error.sentence, error.remedy)
    return Check("namespaces", True, "bubblewrap makes user, mount, pid, net, ipc, uts and cgroup namespaces", "")


def _seccomp() -> Check:
    actions = Path("/proc/sys/kernel/seccomp/actions_avail")
    library = _loaded("libseccomp.so.2")
    good = actions.exists() and library is not None
    return Check(
        "seccomp",
        good,
        f"{library or 'no libseccomp'}, {'filters' if actions.exists() else 'no filters'} in this kernel",
        "sudo apt-get install libseccomp2; a kernel with CONFIG_SECCOMP_FILTER",
    )


def _memfd() -> Check:
    from device.channel import ring

    descriptor = ring.create()
    try:
        ring.RingWriter(os.dup(descriptor))
        ring.RingReader(os.dup(descriptor))
    except OSError as error:
        return Check("sealed memory", False, str(error), "a kernel of 5.1 or later (F_SEAL_FUTURE_WRITE)")
    finally:
        os.close(descriptor)
    return Check("sealed memory", True, "a frame ring can be made, sealed and read", "")


def _landlock() -> Check:
    version = ctypes.CDLL(None).syscall(_SYS_LANDLOCK_CREATE_RULESET, 0, 0, 1)  # the flag that asks for the ABI
    found = version > 0
    return Check(
        "landlock",
        found,
        f"ABI {version}, not used yet" if found else "not in this kernel",
        "none needed: an extra layer",
        required=False,
    )


def _zbar() -> Check:
    found = _loaded("libzbar.so.0")
    return Check("zbar", found is not None, found or "not found", "sudo apt-get install libzbar0")


def _mosquitto() -> Check:
    paths = [p for p in ("/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto") if Path(p).exists()]
    return Check(
        "mosquitto",
        bool(paths),
        paths[0] if paths else "not found",
        "sudo apt-get install mosquitto (the demo's broker)",
        required=False,
    )


CHECKS: tuple[Callable[[], Check], ...] = (_namespaces, _seccomp, _memfd, _landlock, _zbar, _mosquitto)


def run(arguments: argparse.Namespace) -> int:
    """The command. Returns 1 when something required is missing."""
    checks = [check() for check in CHECKS]
    if arguments.json:
        machine = {"machine": platform.machine(), "kernel": platform.release(), "python": sys.version.split()[0]}
        print(json.dumps({**machine, "checks": [asdict(c) for c in checks]}, indent=2))
    else:
        for check in checks:
            mark = "good   " if check.good else "MISSING" if check.required else "absent "
            print(f"{mark} {check.name}: {check.found}" + ("" if check.good else f"; remedy: {check.remedy}"))
    return 0 if all(c.good or not c.required for c in checks) else 1
