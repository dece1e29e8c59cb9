"""Seccomp filters: built by warden from the policy with libseccomp, loaded inside with two system calls.

The *start* filter is given to bubblewrap, which loads it just before it executes the compartment. The *run* filter is
handed over as bytes and loaded by the compartment once it is initialised, for all its threads (`TSYNC`), so that no
library is needed for it inside. Filters stack: the run filter can only take away.

Sources: seccomp(2), libseccomp's seccomp_rule_add(3). What is not allowed fails with EPERM rather than killing, so
that an attempt is survived and can be shown; `clone3` fails with ENOSYS, since its flags lie behind a pointer that no
filter can look at, and the C library then falls back to `clone`, whose flags are checked here.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import tempfile

from device.confine.errors import CannotConfineError
from device.confine.policy import Policy, syscall_groups

_CLONE_NEW = 0x7E020000  # CLONE_NEWNS|NEWCGROUP|NEWUTS|NEWIPC|NEWUSER|NEWPID|NEWNET (linux/sched.h)
_CLONE_THREAD = 0x00010000
_PROT_EXEC = 0x4
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_SOCKET_FAMILIES = {
    "confine": (_AF_UNIX, _AF_NETLINK),  # warden: bubblewrap brings the loopback device up over netlink
    "dial": (_AF_INET, _AF_INET6),
}
"""Groups that may make sockets, and of which families alone. No other group can make one at all."""
_SYS_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SET_MODE_FILTER = 1
_FLAG_TSYNC = 1
_INSTRUCTION_BYTES = 8


def start_filter(policy: Policy) -> bytes:
    """The BPF program under which the compartment starts. Holds the run groups too: filters stack, none can add."""
    return _build([*policy.seccomp.start, *policy.seccomp.run], executable_memory=True, threads=True)


def run_filter(policy: Policy) -> bytes:
    """The BPF program under which the compartment runs: no exec, no executable memory, as the policy says."""
    return _build(policy.seccomp.run, executable_memory=False, threads=policy.seccomp.new_threads)


def _build(groups: list[str], *, executable_memory: bool, threads: bool) -> bytes:
    try:
        import pyseccomp
    except (ImportError, RuntimeError):
        raise CannotConfineError("libseccomp is not installed", "run: sudo apt-get install libseccomp2") from None
    table = syscall_groups()
    rules = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.EPERM))
    for call in sorted({call for group in groups for call in table[group]}):
        if pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, call) >= 0:
            rules.add_rule(pyseccomp.ALLOW, call)
    arg, masked = pyseccomp.Arg, pyseccomp.MASKED_EQ
    for call in ("mmap", "mprotect"):
        if executable_memory:
            rules.add_rule(pyseccomp.ALLOW, call)
        else:
            rules.add_rule(pyseccomp.ALLOW, call, arg(2, masked, _PROT_EXEC, 0))
    for family in {family for group in groups for family in _SOCKET_FAMILIES.get(group, ())}:
        rules.add_rule(pyseccomp.ALLOW, "socket", arg(0, pyseccomp.EQ, family))
    if threads and "confine" not in groups:
        # Threads only: a new process, or a new namespace, is not to be had.
        rules.add_rule(pyseccomp.ALLOW, "clone", arg(0, masked, _CLONE_THREAD | _CLONE_NEW, _CLONE_THREAD))
    if "confine" not in groups:
        rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
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
