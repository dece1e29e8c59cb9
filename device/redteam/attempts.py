"""What a compromised compartment would try. Each attempt returns when it works and raises OSError when it fails.

A failure counts as denied whatever its reason is: a filter, an empty root, a device that the machine lacks, or
arguments that the kernel refuses anyway (those of `bpf`, `mount`, `perf` and others could not work anywhere). An
attempt that works where the policy does not allow it is a breach. `ALLOWED` says what the policies allow; read it
together with `policy.toml`.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import platform
import resource
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from device.channel.ring import RING_BYTES
from wire.vocabulary import CompartmentName

_SYSCALLS = {  # asm/unistd_64.h, asm-generic/unistd.h
    "x86_64": {"ptrace": 101, "mount": 165, "setns": 308, "bpf": 321, "perf_event_open": 298, "io_uring_setup": 425,
               "userfaultfd": 323, "keyctl": 250, "process_vm_readv": 310, "unshare": 272, "open_by_handle_at": 304,
               "init_module": 175, "kexec_load": 246, "pidfd_open": 434, "memfd_create": 319, "seccomp": 317},
    "aarch64": {"ptrace": 117, "mount": 40, "setns": 268, "bpf": 280, "perf_event_open": 241, "io_uring_setup": 425,
                "userfaultfd": 282, "keyctl": 219, "process_vm_readv": 270, "unshare": 97, "open_by_handle_at": 265,
                "init_module": 105, "kexec_load": 104, "pidfd_open": 434, "memfd_create": 279, "seccomp": 277},
}  # fmt: skip


@dataclass(frozen=True)
class Foothold:
    """What the attacker finds: the ring's descriptor where the compartment has one, and the data home's path."""

    home: Path
    ring: int | None


Attempt = Callable[[Foothold], None]


def _syscall(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    number = _SYSCALLS[platform.machine()][name]
    if libc.syscall(ctypes.c_long(number), *(ctypes.c_long(a) for a in arguments)) == -1:
        raise OSError(ctypes.get_errno(), name)


def _internet_socket(ground: Foothold) -> None:
    socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()


def _datagram_socket(ground: Foothold) -> None:
    socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close()


def _unix_socket(ground: Foothold) -> None:
    socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).close()


def _raw_socket(ground: Foothold) -> None:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()


def _read_file(ground: Foothold) -> None:
    Path("/usr/bin/env").read_bytes()


def _read_users_files(ground: Foothold) -> None:
    if not [entry for entry in ground.home.parent.iterdir() if entry != ground.home]:
        raise FileNotFoundError(errno.ENOENT, "nothing but the way to our own mounts")


def _read_passwords(ground: Foothold) -> None:
    Path("/etc/passwd").read_bytes()


def _read_signing_key(ground: Foothold) -> None:
    (ground.home / "device" / "signing.key").read_bytes()


def _read_tls_key(ground: Foothold) -> None:
    (ground.home / "device" / "tls.key").read_bytes()


def _read_authority_key(ground: Foothold) -> None:
    (ground.home / "authority" / "authority.key").read_bytes()


def _read_spool(ground: Foothold) -> None:
    list((ground.home / "spool").iterdir())


def _write_spool(ground: Foothold) -> None:
    place = ground.home / "spool" / "redteam"
    place.write_bytes(b"x")
    place.unlink()


def _write_file(ground: Foothold) -> None:
    for folder in ("/tmp", "/dev/shm", "/", "/home", str(Path(__file__).parent)):  # noqa: S108 (trying is the point)
        try:
            Path(folder, "redteam").write_bytes(b"x")
            Path(folder, "redteam").unlink()
        except OSError as error:
            last = error
        else:
            return
    raise last


def _camera(ground: Foothold) -> None:
    os.close(os.open("/dev/video0", os.O_RDWR))


def _pins(ground: Foothold) -> None:
    os.close(os.open("/dev/gpiochip0", os.O_RDWR))


def _fork(ground: Foothold) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _thread(ground: Foothold) -> None:
    try:
        worker = threading.Thread(target=lambda: None)
        worker.start()
    except RuntimeError:  # how Python reports a refused clone
        raise OSError(errno.EPERM, "thread") from None
    worker.join()


def _execute(ground: Foothold) -> None:
    os.execv("/usr/bin/true", ["true"])  # noqa: S606 (does not return when it works: the report then stays away)


def _executable_memory(ground: Foothold) -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def _ring_writable(ground: Foothold) -> None:
    if ground.ring is None:
        raise OSError(errno.EBADF, "no ring here")
    mmap.mmap(ground.ring, RING_BYTES, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE).close()


def _ring_pwrite(ground: Foothold) -> None:
    if ground.ring is None:
        raise OSError(errno.EBADF, "no ring here")
    os.pwrite(ground.ring, b"x", 0)


def _ring_resize(ground: Foothold) -> None:
    if ground.ring is None:
        raise OSError(errno.EBADF, "no ring here")
    os.ftruncate(ground.ring, 0)


def _signal_others(ground: Foothold) -> None:
    for pid in range(2, 64):
        try:
            os.kill(pid, 0)
        except OSError as error:
            last = error
        else:
            return
    raise last


def _become_root(ground: Foothold) -> None:
    os.setuid(0)


def _raise_limits(ground: Foothold) -> None:
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
    except ValueError as error:  # how Python reports a refused raise
        raise OSError(errno.EPERM, str(error)) from None


def _calls(name: str, *arguments: int) -> Attempt:
    return lambda ground: _syscall(name, *arguments)


ATTEMPTS: dict[str, Attempt] = {
    "internet_socket": _internet_socket,
    "datagram_socket": _datagram_socket,
    "unix_socket": _unix_socket,
    "raw_socket": _raw_socket,
    "read_system_file": _read_file,
    "read_passwords": _read_passwords,
    "read_users_files": _read_users_files,
    "read_signing_key": _read_signing_key,
    "read_tls_key": _read_tls_key,
    "read_authority_key": _read_authority_key,
    "read_spool": _read_spool,
    "write_spool": _write_spool,
    "write_any_file": _write_file,
    "camera": _camera,
    "pins": _pins,
    "fork": _fork,
    "thread": _thread,
    "executable_memory": _executable_memory,
    "ring_map_writable": _ring_writable,
    "ring_write": _ring_pwrite,
    "ring_resize": _ring_resize,
    "signal_others": _signal_others,
    "become_root": _become_root,
    "raise_limits": _raise_limits,
    "ptrace": _calls("ptrace", 16, 1, 0, 0),
    "mount": _calls("mount", 0, 0, 0, 0, 0),
    "new_namespace": _calls("unshare", 0x10000000),
    "join_namespace": _calls("setns", 0, 0),
    "bpf": _calls("bpf", 5, 0, 0),
    "perf": _calls("perf_event_open", 0, 0, -1, -1, 0),
    "io_uring": _calls("io_uring_setup", 1, 0),
    "userfaultfd": _calls("userfaultfd", 1),
    "keyring": _calls("keyctl", 0, -3, 1),
    "read_others_memory": _calls("process_vm_readv", 1, 0, 0, 0, 0, 0),
    "open_by_handle": _calls("open_by_handle_at", -100, 0, 0),
    "kernel_module": _calls("init_module", 0, 0, 0),
    "kexec": _calls("kexec_load", 0, 0, 0, 0),
    "execute": _execute,
}
"""Name -> attempt. `execute` is last: where it works, nothing after it runs."""

_FILES = frozenset({"read_system_file"})
ALLOWED: dict[CompartmentName, frozenset[str]] = {
    "capture": _FILES | {"thread", "ring_map_writable"},  # it is the ring's writer, until it seals it
    "perception": frozenset(),
    "codes": frozenset(),
    "position": frozenset(),
    "verdict": frozenset(),
    "sealer": _FILES | {"read_signing_key", "read_spool", "write_spool"},
    "uplink": frozenset(),
    "indicator": frozenset({"thread"}),
    "dialer": _FILES | {"internet_socket", "datagram_socket"},
    "annotator": _FILES | {"thread"},
}
"""Compartment -> attempts that its policy allows. Reading system files: those of its own nearly empty root."""
