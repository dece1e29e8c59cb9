"""An arm64 Python on a machine that is not arm64: Debian's, in qemu's user emulation, with a Pi's wheels.

No root file system is entered and nothing is registered with the kernel: qemu runs a single program, and looks up every
absolute path that it opens in a folder first. That folder also says which processor this is: the interpreter's CPU
detection reads /proc/cpuinfo, and crashes on that of an x86-64 processor.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

SUITE, PYTHON = "trixie", "3.13"  # what Raspberry Pi OS is made of
PACKAGES = "python3-minimal,libpython3-stdlib,libstdc++6,zlib1g"
WHEELS = ("ai-edge-litert", "numpy", "opencv-python-headless", "flatbuffers")
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux2014_aarch64")
_CORES = 4


class UnavailableError(RuntimeError):
    """The emulator, the arm64 system files or the arm64 wheels are not available here."""


@dataclass(frozen=True)
class Board:
    """A Raspberry Pi by its processor: qemu's name for it, and the lines with which Linux describes it.

    Sources: Arm Cortex-A72 and Cortex-A76 technical reference manuals, MIDR_EL1; `Features` as the boards print them.
    """

    name: str
    cpu: str
    part: int
    variant: int
    revision: int
    features: str

    def cpuinfo(self) -> str:
        """The content of the board's /proc/cpuinfo."""
        lines = (
            "processor\t: {}",
            f"Features\t: {self.features}",
            "CPU implementer\t: 0x41",
            "CPU architecture: 8",
            f"CPU variant\t: {self.variant:#x}",
            f"CPU part\t: {self.part:#x}",
            f"CPU revision\t: {self.revision}",
        )
        return "".join("\n".join(lines).format(core) + "\n\n" for core in range(_CORES))


# The older board lacks the int8 dot product (asimddp): the interpreter takes other kernels on it.
BOARDS = (
    Board("Raspberry Pi 4", "cortex-a72", 0xD08, 0, 3, "fp asimd evtstrm crc32 cpuid"),
    Board(
        "Raspberry Pi 5", "cortex-a76", 0xD0B, 4, 1,
        "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp",
    ),
)  # fmt: skip


class Emulated:
    """An arm64 Python in `folder`, with the same versions of the packages as the Python that calls this.

    Raises:
        UnavailableError: a program or file that it needs is missing and cannot be fetched.
    """

    def __init__(self, folder: Path) -> None:
        names = ("qemu-aarch64-static", "qemu-aarch64")
        qemu = next((path for path in map(shutil.which, names) if path is not None), None)
        if qemu is None:
            raise UnavailableError("qemu's user emulation is not installed (Debian: qemu-user-static)")
        if shutil.which("mmdebstrap") is None:
            raise UnavailableError("mmdebstrap is not installed")
        self._qemu, self._root = qemu, folder / "root"
        self._wheels, self._bytecode = folder / "wheels", folder / "bytecode"
        self._fetch_system()
        self._fetch_wheels()

    def _fetch_system(self) -> None:
        options = ["--variant=extract", "--architectures=arm64", f"--include={PACKAGES}"]
        _fetched("the arm64 system files", ["mmdebstrap", "--quiet", *options, SUITE, str(self._root)])
        loader_folder = self._root / "lib"
        if not loader_folder.exists():
            loader_folder.symlink_to("usr/lib")

    def _fetch_wheels(self) -> None:
        pins = [f"{name}=={version(name)}" for name in WHEELS]
        options = [
            "-q",
            "--no-cache-dir",
            "--no-deps",
            "--no-compile",
            "--only-binary=:all:",
            "--python-version",
            PYTHON,
        ]
        platforms = [f"--platform={name}" for name in PLATFORMS]
        pip = [sys.executable, "-m", "pip", "install", *options, *platforms, "--target", str(self._wheels), *pins]
        _fetched("the arm64 wheels", pip)

    def run(self, board: Board, script: str, arguments: list[str], paths: list[Path]) -> str:
        """What `script` prints when run on `board`; `paths` are put before the wheels on PYTHONPATH.

        Raises:
            subprocess.CalledProcessError: it failed.
        """
        processors = self._root / "sys" / "devices" / "system" / "cpu"
        for file, content in (
            (self._root / "proc" / "cpuinfo", board.cpuinfo()),
            (processors / "possible", f"0-{_CORES - 1}\n"),
            (processors / "present", f"0-{_CORES - 1}\n"),
        ):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        python = self._root / "usr" / "bin" / f"python{PYTHON}"
        search = os.pathsep.join(map(str, [*paths, self._wheels]))
        # Nothing else of the caller's environment: what tunes libraries for its own processor would mislead these.
        environment = {"PATH": os.defpath, "PYTHONPATH": search, "PYTHONPYCACHEPREFIX": str(self._bytecode)}
        command = [self._qemu, "-L", str(self._root), "-cpu", board.cpu, str(python), "-c", script, *arguments]
        return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout


def _fetched(what: str, command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["nothing said"]
        raise UnavailableError(f"{what} cannot be fetched: {said[-1]}")
