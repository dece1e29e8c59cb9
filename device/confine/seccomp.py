"""Seccomp filters: built from the policy with libseccomp by the process that starts a compartment.

The *start* filter is given to bubblewrap, which loads it just before it executes the compartment. The *run* filter is
handed over as bytes and loaded by the compartment once it is initialised, for all its threads (`TSYNC`). Inside, no
library is needed for it. Filters stack: the run filter can only take away.

Sources: seccomp(2), libseccomp's seccomp_rule_add(3). What is not allowed fails with EPERM rather than killing, so
that an attempt is survived and can be shown. Which calls are allowed, with which arguments, is data (`syscalls.toml`).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import tempfile
from collections.abc import Sequence

from device.confine.errors import CannotConfineError
from device.confine.policy import Policy
from device.confine.syscalls import effective, load_groups

_SYS_SECCOMP = {"x86_64": 317, "aarch64": 277}  # by number: inside there is no libseccomp that knows the name
_SET_MODE_FILTER = 1
_FLAG_TSYNC = 1
_INSTRUCTION_BYTES = 8


def start_filter(policy: Policy) -> bytes:
    """The BPF program under which the compartment starts. Holds the run groups too: filters stack, none can add."""
    return _build([*policy.seccomp.start, *policy.seccomp.run])


def run_filter(policy: Policy) -> bytes:
    """The BPF program under which the compartment runs: no exec, no executable memory, as the policy says."""
    return _build(policy.seccomp.run)


def _build(groups: Sequence[str]) -> bytes:
    try:
        import pyseccomp
    except (ImportError, RuntimeError, OSError):  # OSError: it is there and cannot be loaded
        raise CannotConfineError("libseccomp is not installed", "run: sudo apt-get install libseccomp2") from None
    program = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.EPERM))
    for call, rule in sorted(effective(groups, load_groups()).items()):
        if pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, call) < 0:
            continue  # this architecture does not have it
        action = pyseccomp.ERRNO(rule.error) if rule.error else pyseccomp.ALLOW
        if not rule.comparisons:
            program.add_rule(action, call)
        for arg, mask, value in sorted(rule.comparisons):
            program.add_rule(action, call, pyseccomp.Arg(arg, pyseccomp.MASKED_EQ, mask, value))
    with tempfile.TemporaryFile() as file:
        program.export_bpf(file)
        file.seek(0)
        return file.read()


class _Program(ctypes.Structure):
    """struct sock_fprog, linux/filter.h."""

    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def load(program: bytes) -> None:
    """Put this process and all its threads under `program`, for good. Raises CannotConfineError."""
    number = _SYS_SECCOMP.get(platform.machine())
    if number is None:
        raise CannotConfineError(f"seccomp on {platform.machine()} is not known to sealcam", "use x86_64 or aarch64")
    buffer = ctypes.create_string_buffer(program, len(program))
    fprog = _Program(len(program) // _INSTRUCTION_BYTES, ctypes.cast(buffer, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(
        ctypes.c_long(number), ctypes.c_long(_SET_MODE_FILTER), ctypes.c_long(_FLAG_TSYNC), ctypes.byref(fprog)
    )
    if result != 0:
        raise CannotConfineError(
            f"seccomp refused the filter ({os.strerror(ctypes.get_errno())})", "use a kernel with CONFIG_SECCOMP_FILTER"
        )


def is_filter(program: bytes) -> bool:
    """Whether bytes have the shape of a BPF program (whole instructions, the last one a return)."""
    if not program or len(program) % _INSTRUCTION_BYTES or len(program) > 4096 * _INSTRUCTION_BYTES:
        return False
    return bool(struct.unpack_from("<H", program, len(program) - _INSTRUCTION_BYTES)[0] & 0x07 == 0x06)
