"""Starts one compartment: a new interpreter in an empty root, in namespaces of its own, under the start filter.

bubblewrap makes the namespaces and the mounts (its arguments go through a descriptor, so that no mount shows on a
command line), loads the start filter and executes `python -P -m <module> ... --descriptors name=number,...`. The
compartment then loads what it needs and tightens itself (`tighten.py`).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from device.confine import seccomp
from device.confine.errors import CannotConfineError, PolicyError
from device.confine.policy import Policy

_CHECKOUT = Path(__file__).resolve().parent.parent.parent
_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/sbin")
_SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/localtime")
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "PATH": "/usr/bin:/bin",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENCV_IO_MAX_IMAGE_PIXELS": "9437184",  # 4096x2304, the ring's: a small file may claim to be gigabytes of pixels
}


_NAMESPACES = ("--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup")
_REFUSED = "bubblewrap is refused user namespaces here"
_ALLOW = (
    "allow them (sudo sysctl -w kernel.unprivileged_userns_clone=1 "
    "user.max_user_namespaces=15000, or on Ubuntu an AppArmor profile for /usr/bin/bwrap), then run: sealcam doctor"
)
_REINSTALL = "reinstall Sealcam (make setup)"
_TRIAL_SECONDS = 30


@dataclass(frozen=True)
class Started:
    """A running compartment as its starter sees it: `pid` is the compartment's own, outside its pid namespace."""

    process: subprocess.Popen[bytes]
    pid: int


def runtime_paths() -> list[Path]:
    """What a Python process of ours reads while it starts: system libraries, interpreter, packages, our code."""
    paths = [Path(p) for p in (*_SYSTEM, *_SYSTEM_FILES)]
    paths += [Path(sys.base_prefix), Path(sys.prefix), Path(sysconfig.get_paths()["purelib"])]
    paths += [_CHECKOUT / name for name in ("device", "wire", "identity")]
    kept: list[Path] = []
    for path in paths:
        if path.exists() and not any(k in path.parents or k == path for k in kept if not k.is_symlink()):
            kept.append(path)
    return kept


def start(
    policy: Policy,
    module: Sequence[str],
    descriptors: Mapping[str, int],
    places: Mapping[str, Sequence[Path]],
    *,
    show_output: bool = False,
) -> Started:
    """Start a module under `policy`.

    Args:
        module: its name, and the arguments that go before `--descriptors`.
        descriptors: name -> open descriptor; exactly the names of `Policy.handed`.
        places: what the policy's `{name}` mounts stand for; `{runtime}` is filled in here.
        show_output: let it write to our standard error, for debugging; what a compromised process writes there could
            hold terminal escapes, so that it is discarded otherwise.

    Raises:
        CannotConfineError: bubblewrap is missing, or this machine refuses it. Nothing was started.
        PolicyError: descriptors or places are not the policy's.
    """
    wanted = policy.handed()
    if wanted != set(descriptors):
        raise PolicyError(
            f"{policy.compartment} needs the descriptors {sorted(wanted)}, got {sorted(descriptors)}", _REINSTALL
        )
    bwrap = find_bubblewrap()
    arguments = _arguments(policy, {"runtime": runtime_paths(), **places})
    filter_fd = _memfd("start-filter", seccomp.start_filter(policy))
    info_read, info_write = os.pipe()
    arguments += ["--seccomp", str(filter_fd), "--info-fd", str(info_write)]
    args_fd = _memfd("arguments", b"".join(a.encode() + b"\0" for a in arguments))
    handed = ",".join(f"{name}={number}" for name, number in sorted(descriptors.items()))
    command = [bwrap, "--args", str(args_fd), "--", sys.executable, "-P", "-m", *module, "--descriptors", handed]
    output = _our_output() if show_output else subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=output,
            pass_fds=[filter_fd, info_write, args_fd, *descriptors.values()],
            env={"PATH": "/usr/bin:/bin"},
            cwd="/",
        )
    finally:
        for descriptor in (filter_fd, args_fd, info_write, *([output] if output >= 0 else [])):
            os.close(descriptor)
    with os.fdopen(info_read, "rb") as info:
        text = info.read(4096)
    try:
        pid = int(json.loads(text)["child-pid"])
    except (ValueError, KeyError):
        process.wait()
        raise CannotConfineError(f"{policy.compartment} cannot be confined: {_REFUSED}", _ALLOW) from None
    return Started(process, pid)


def _our_output() -> int:
    """Our standard error, opened anew for writing alone: a terminal's own descriptor could be read from as well."""
    try:
        return os.open("/proc/self/fd/2", os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    except OSError:
        return subprocess.DEVNULL  # a socket, or closed: then it is discarded


def check() -> None:
    """Make every namespace once, as a trial. Raises CannotConfineError with the remedy when this machine refuses."""
    command = [find_bubblewrap(), *_NAMESPACES, "--unshare-net", "--ro-bind", "/", "/", "--proc", "/proc", "--", "true"]
    try:
        tried = subprocess.run(command, capture_output=True, check=False, timeout=_TRIAL_SECONDS)
    except subprocess.TimeoutExpired:
        raise CannotConfineError(
            f"bubblewrap did not end within {_TRIAL_SECONDS} s", "end other programs on this machine, and run it again"
        ) from None
    if tried.returncode != 0:
        raise CannotConfineError(_REFUSED, _ALLOW)


def find_bubblewrap() -> str:
    """The path of bwrap. Raises CannotConfineError with the remedy."""
    bwrap = shutil.which("bwrap", path=f"{os.environ.get('PATH', '')}:/usr/bin:/bin")
    if bwrap is None:
        raise CannotConfineError("bubblewrap is not installed", "run: sudo apt-get install bubblewrap")
    return bwrap


def _arguments(policy: Policy, places: Mapping[str, Sequence[Path]]) -> list[str]:
    arguments = [*_NAMESPACES]
    if not policy.network.host:
        arguments += ["--unshare-net"]
    arguments += ["--hostname", "sealcam", "--cap-drop", "ALL", "--die-with-parent", "--new-session", "--as-pid-1"]
    arguments += ["--clearenv"]
    for name, value in _ENVIRONMENT.items():
        arguments += ["--setenv", name, value]
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    for mount in policy.mounts:
        if mount.path.startswith("{"):
            name = mount.path.strip("{}")
            if name not in places:
                raise PolicyError(f"{policy.compartment} wants {mount.path}, which warden does not know", _REINSTALL)
            paths = list(places[name])
        else:
            paths = [Path(mount.path)]
        for path in paths:
            if mount.scratch:
                arguments += ["--tmpfs", str(path)]
                continue
            arguments += _mount(path, writable=mount.writable, device=mount.device, optional=mount.optional)
    return [*arguments, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/"]


def _mount(path: Path, *, writable: bool, device: bool, optional: bool) -> list[str]:
    if path.is_symlink() and not device:
        return ["--symlink", str(path.readlink()), str(path)] if path.parent == Path("/") else _bind(path, writable)
    if not path.exists() and optional:
        return []
    if device:
        return ["--dev-bind", str(path), str(path)]
    return _bind(path, writable)


def _bind(path: Path, writable: bool) -> list[str]:
    return ["--bind" if writable else "--ro-bind", str(path), str(path)]


def _memfd(name: str, content: bytes) -> int:
    descriptor = os.memfd_create(name, 0)
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
