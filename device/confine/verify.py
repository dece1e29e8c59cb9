"""Looks at a running compartment from outside: what the kernel says that it is confined by. Trusts nothing it says."""

from __future__ import annotations

import time
from pathlib import Path

from device.confine.policy import REQUIRED_LAYERS, Policy

_NAMESPACES = ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup")
_ENDING_SECONDS = 0.5


def enforced(policy: Policy, pid: int) -> dict[str, bool]:
    """Layer -> whether the kernel enforces it on process `pid`, from /proc. A vanished process has none.

    `rlimits` is judged by the address space limit alone, which must be the policy's.
    """
    process = Path("/proc") / str(pid)
    try:
        status, own = _status(process), _status(Path("/proc/self"))
        limits = (process / "limits").read_text()
        shared = [n for n in _NAMESPACES if (process / "ns" / n).readlink() == Path("/proc/self/ns", n).readlink()]
    except OSError:
        return dict.fromkeys(REQUIRED_LAYERS, False)
    allowed = ["net"] if policy.network.host else []
    space = next(line for line in limits.splitlines() if line.startswith("Max address space")).split()[3]
    return {
        "namespaces": shared == allowed,
        "seccomp": status["Seccomp"] == "2" and _has_both_filters(status, own),
        "no_new_privs": status["NoNewPrivs"] == "1",
        "capabilities": all(int(status[f"Cap{s}"], 16) == 0 for s in ("Inh", "Prm", "Eff", "Bnd", "Amb")),
        "rlimits": space == str(policy.limits.address_space_mib * 1024 * 1024),
    }


def has_ended(pid: int) -> bool:
    """Whether process `pid` is gone, or dead and only not yet reaped.

    A process that is just ending has left its namespaces and does not count as dead yet: it is given a moment.
    """
    give_up = time.monotonic() + _ENDING_SECONDS
    while True:
        try:
            if _status(Path("/proc") / str(pid))["State"][:1] in ("Z", "X"):
                return True
        except OSError:
            return True
        if time.monotonic() >= give_up:
            return False
        time.sleep(0.01)


def _status(process: Path) -> dict[str, str]:
    """The fields of a process's status file. Its name, which it chooses itself, may hold any byte but a newline."""
    lines = (process / "status").read_bytes().decode("utf-8", "replace").split("\n")
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def _has_both_filters(status: dict[str, str], own: dict[str, str]) -> bool:
    """Whether a process is under its start and its run filter, beside those that it inherits from us.

    A kernel before Linux 5.9 does not count filters: there it is enough that there is one.
    """
    if "Seccomp_filters" not in own:
        return True
    return int(status["Seccomp_filters"]) >= int(own["Seccomp_filters"]) + 2
