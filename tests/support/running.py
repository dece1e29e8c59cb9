"""`sealcam` as a user runs it, and its processes as another process finds them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from device.launcher.child import ENTRY
from device.warden.table import COMPARTMENTS
from identity.home import Home

WARDEN = "device.warden"
NAMES = {row.name for row in COMPARTMENTS}


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "demo", *map(str, arguments)]


def sealcam(home: Home, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        env={**os.environ, "SEALCAM_HOME": str(home.path), **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def running(ancestor: int) -> dict[str, int]:
    """Compartment -> process id, for those that `ancestor` started, found by their command lines."""
    found: dict[str, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if Path(words[0]).name.startswith("python") and _descends(int(entry.name), ancestor):
            if ENTRY in words:
                found[words[words.index(ENTRY) + 1]] = int(entry.name)
            elif WARDEN in words and "--descriptors" in words:
                found["warden"] = int(entry.name)
    return found


@contextmanager
def replaying(home: Home, *arguments: str | Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, int]]]:
    """A replay, once every compartment runs under all its filters."""
    process = subprocess.Popen(
        command("replay", *arguments),
        env={**os.environ, "SEALCAM_HOME": str(home.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for _ in range(600):
            pids = running(process.pid)
            if pids.keys() >= NAMES | {"warden"} and all(_filters(pids[name]) >= 3 for name in NAMES):
                time.sleep(0.3)  # all are tightened; let warden's Go reach them
                break
            if process.poll() is not None:
                pytest.fail(f"the replay ended early: {process.stderr.read() if process.stderr else ''}")
            time.sleep(0.05)
        else:
            pytest.fail(f"not every compartment came up: {sorted(running(process.pid))}")
        yield process, pids
    finally:
        process.terminate()
        process.wait(20)


def _descends(pid: int, ancestor: int) -> bool:
    while pid > 1:
        if pid == ancestor:
            return True
        try:
            pid = int(status(pid)["PPid"])
        except OSError:
            return False
    return False


def _filters(pid: int) -> int:
    return int(status(pid).get("Seccomp_filters", "0"))


def status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def refused(home: Home, *arguments: str | Path, said: str, status: int = 2, **environment: str) -> str:
    done = sealcam(home, *arguments, **environment)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr and "Traceback" not in done.stdout
    sentence = done.stderr.strip().splitlines()[-1]
    assert said in sentence, done.stderr
    return sentence
