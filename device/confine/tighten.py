"""What a compartment does to itself, from inside: resource limits first, the run filter last."""

from __future__ import annotations

import ctypes
import resource

from device.confine import seccomp
from device.confine.errors import CannotConfineError
from device.confine.policy import Limits

_PR_SET_DUMPABLE, _PR_GET_SECCOMP, _PR_GET_NO_NEW_PRIVS = 4, 21, 39
_MIB = 1024 * 1024
_ULIMIT = {
    resource.RLIMIT_AS: ("v", 1024),
    resource.RLIMIT_NOFILE: ("n", 1),
    resource.RLIMIT_FSIZE: ("f", 1024),
    resource.RLIMIT_CORE: ("c", 1024),
    resource.RLIMIT_MEMLOCK: ("l", 1024),
    resource.RLIMIT_MSGQUEUE: ("q", 1),
}
"""Limit -> the shell's option and its unit in bytes (files, for open files)."""


def limit(limits: Limits) -> None:
    """Set hard and soft limits (setrlimit(2)). A compartment does so before it reads what it was handed.

    Raises CannotConfineError where the machine's own hard limit is lower already.
    """
    for kind, value in (
        (resource.RLIMIT_AS, limits.address_space_mib * _MIB),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_FSIZE, limits.file_size_mib * _MIB),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        try:
            resource.setrlimit(kind, (value, value))
        except ValueError:
            option, unit = _ULIMIT[kind]
            needed = f"ulimit -{option} {value // unit}"
            raise CannotConfineError(
                f"a resource limit here is below what Sealcam needs ({needed})",
                "allow as much or more, or start from a shell that has no such limit",
            ) from None


def tighten(run_filter: bytes) -> None:
    """Load the run filter for all threads, and make this process undumpable.

    Raises CannotConfineError where no_new_privs or the start filter is missing, or the kernel refuses the run filter.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1:
        raise CannotConfineError("no_new_privs is not set", "start compartments through sealcam only")
    if libc.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) != 2:
        raise CannotConfineError("no start filter is loaded", "use a kernel with CONFIG_SECCOMP_FILTER")
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)  # no core, and no other process of this user may look in
    if not seccomp.is_filter(run_filter):
        raise CannotConfineError(
            "the run filter that was handed over is not a BPF program", "start compartments through sealcam only"
        )
    seccomp.load(run_filter)
