"""Disks of a few MiB that really are full: a tmpfs each, in a mount namespace of the test's own.

Needs no privilege where the kernel lets a user make namespaces, which the device needs too. What is mounted there is
seen by commands that are run through `command`, and by the test through `seen`.
"""

from __future__ import annotations

import errno
import functools
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

_BLOCK = 4096
_HOLD = 'for disk; do mount -t tmpfs -o "size=${disk%%:*}k,mode=700" tmpfs "${disk#*:}" || exit 1; done; echo; exec cat'


def _unshare() -> list[str]:
    return ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]


@functools.cache
def _refusal() -> str:
    """Why no disk can be mounted here, empty where one can."""
    try:
        done = subprocess.run(
            [*_unshare(), "sh", "-c", "mount -t tmpfs tmpfs /mnt"], capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        return f"{error.filename} is not installed"
    return "" if done.returncode == 0 else f"no tmpfs can be mounted here: {done.stderr.strip()[:100]}"


class SmallDisks:
    """Mounted disks. `held` is the process that holds their namespace."""

    def __init__(self, held: int) -> None:
        self._held = held

    def seen(self, path: Path) -> Path:
        """Where the test itself sees what lies at `path` in the namespace."""
        return Path(f"/proc/{self._held}/root{path}")

    def command(self, command: list[str]) -> list[str]:
        """The command, to be run where the disks are mounted."""
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return ["nsenter", "--target", str(self._held), "--mount", *user, *command]

    def free(self, path: Path) -> int:
        """Bytes that are left on the disk at `path`."""
        facts = os.statvfs(self.seen(path))
        return facts.f_bavail * facts.f_frsize

    def fill(self, path: Path, *, leave: int = 0) -> Path:
        """Write a file that leaves so many bytes (whole blocks) of the disk at `path`; delete it to make room."""
        filler = self.seen(path) / "filler"
        with filler.open("ab", buffering=0) as file:
            while (left := self.free(path) - leave) > 0:
                try:
                    file.write(bytes(min(max(left, _BLOCK), 1024 * 1024)))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    break
        return filler


@contextmanager
def small_disks(sizes: Mapping[Path, int]) -> Iterator[SmallDisks]:
    """A disk of so many KiB at each folder, while the block lasts. Skips the test where that is not possible."""
    if refusal := _refusal():
        pytest.skip(refusal)
    disks = [f"{kib}:{folder}" for folder, kib in sizes.items()]
    with subprocess.Popen(
        [*_unshare(), "--propagation", "private", "sh", "-c", _HOLD, "sh", *disks],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"\n", "the disks are not mounted"
            yield SmallDisks(holder.pid)
        finally:
            holder.kill()
