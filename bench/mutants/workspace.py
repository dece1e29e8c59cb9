"""Copies of the checkout in a temporary folder, and pytest in them. The checkout itself is never written to."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from wire.errors import SealcamError

_LEFT_OUT = shutil.ignore_patterns(
    *(".git", ".venv*", "__pycache__", "build", "dist", "out", ".hypothesis", ".*_cache", "*.egg-info")
)
_MARK = "MUTANTS_WORKSPACE"
_MEMORY = 8 << 30
_SWEEPS = 50
_BESIDE = "shared"
"""Where real recordings lie, beside the checkout; tests that need them are skipped without."""


class StoppedError(SealcamError, InterruptedError):
    """The run was interrupted."""


@dataclass(frozen=True)
class Ran:
    """One run of pytest: its exit status (None: it took too long), and (seconds, failed) by test."""

    status: int | None
    tests: Mapping[str, tuple[float, bool]]
    output: str


@dataclass
class Copy:
    """One copy of the checkout, for one run at a time."""

    workspace: Workspace
    folder: Path
    _held: int = 0
    root: Path = field(init=False)

    def __post_init__(self) -> None:
        self.root = self.folder / "checkout"

    def pytest(
        self, arguments: Sequence[str], seconds: float | None, select: Sequence[str] = (), record: Path | None = None
    ) -> Ran:
        """Runs pytest, deterministic as far as can be, and ends all that it started."""
        report, listed, output = (self.folder / name for name in ("report", "select", "output"))
        report.write_text("")
        listed.write_text(json.dumps(list(select)))
        variables = {"MUTANTS_REPORT": str(report)}
        variables |= {"MUTANTS_SELECT": str(listed)} if select else {}
        variables |= {"MUTANTS_RECORD": str(record)} if record else {"PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "mutants_plugin", *arguments]
        with output.open("wb") as out:
            status = self.workspace.run(command, self, variables, seconds, out.fileno())
        lines = [json.loads(line) for line in report.read_text().splitlines()]
        return Ran(status, {name: (took, failed) for name, took, failed in lines}, output.read_text(errors="replace"))

    def in_place(self, command: Sequence[str]) -> list[str]:
        """The command where this copy lies in the place of the checkout: confined processes are started without the
        variables that lead others to the copy, and find our code through the interpreter's own paths."""
        checkout, prefix = self.workspace.checkout, Path(sys.prefix)
        mounts = ["--bind", str(self.root), str(checkout)]
        if checkout in prefix.parents:
            (self.root / prefix.relative_to(checkout)).mkdir(parents=True, exist_ok=True)
            mounts += ["--ro-bind", str(prefix), str(prefix)]
        whole = ["bwrap", "--die-with-parent", "--dev-bind", "/", "/", *mounts, "--chdir", str(checkout), "--"]
        return [*whole, *command]

    def environment(self) -> dict[str, str]:
        """Nothing of the person who runs this: their home, their settings, their temporary files."""
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL", "TZ")}
        temporary = self.folder / "tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        paths = {"HOME": str(self.folder), "TMPDIR": str(temporary)}
        code = {"PYTHONPATH": f"{self.place}:{self.workspace.folder / 'plugin'}", "PYTHONHASHSEED": "0"}
        return kept | paths | code | {"CI": "true", _MARK: str(self.folder)}  # CI: Hypothesis draws the same each time

    @property
    def place(self) -> Path:
        """Where the tests see the copy."""
        return self.workspace.checkout if self.workspace.in_place else self.root

    @contextmanager
    def holding(self, path: str, content: bytes) -> Iterator[None]:
        """Another content for one file, with a time of its own, so that no stale bytecode is taken; then as it was."""
        target = self.root / path
        kept, when = target.read_bytes(), target.stat().st_mtime_ns
        self._held += 1
        try:
            target.write_bytes(content)
            os.utime(target, ns=(when, when + self._held * 10**9))
            yield
        finally:
            target.write_bytes(kept)
            os.utime(target, ns=(when, when))


class Workspace:
    """The temporary folder; leaving it ends every process in it and removes it."""

    def __init__(self, checkout: Path, in_place: bool = False) -> None:
        self.checkout, self.in_place = checkout, in_place
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def __enter__(self) -> Workspace:
        self.folder = Path(tempfile.mkdtemp(prefix="mutants-"))
        (self.folder / "plugin").mkdir()
        shutil.copyfile(Path(__file__).with_name("plugin.py"), self.folder / "plugin" / "mutants_plugin.py")
        if (self.checkout.parent / _BESIDE).is_dir():
            (self.folder / _BESIDE).symlink_to(self.checkout.parent / _BESIDE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def copy(self, number: int, source: Path | None = None) -> Copy:
        """A new copy, of the checkout or of another copy with its bytecode."""
        made = Copy(self, self.folder / str(number))
        made.folder.mkdir()
        if (self.folder / _BESIDE).is_symlink():
            (made.folder / _BESIDE).symlink_to(self.folder / _BESIDE)
        shutil.copytree(source or self.checkout, made.root, symlinks=True, ignore=None if source else _LEFT_OUT)
        return made

    def stop(self) -> None:
        """Ends what runs; later runs raise `StoppedError`."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                _end_group(process)
        _end_marked(self.folder)

    def run(
        self, command: Sequence[str], copy: Copy, variables: Mapping[str, str], seconds: float | None, output: int
    ) -> int | None:
        """The exit status of a command in a copy, or None when it took more than `seconds`."""
        with self._lock:
            if self._stopped:
                raise StoppedError("the run was stopped")
            process = subprocess.Popen(
                copy.in_place(command) if self.in_place else command,
                cwd=copy.root,
                env={**copy.environment(), **variables},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            self._running.add(process)
        try:
            with suppress(ProcessLookupError, PermissionError):  # it is over, or allowed less already
                resource.prlimit(process.pid, resource.RLIMIT_AS, (_MEMORY, _MEMORY))
            status: int | None = process.wait(seconds)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            with self._lock:
                self._running.discard(process)
                _end_group(process)
            process.wait()
            _end_marked(copy.folder)
        if self._stopped:
            raise StoppedError("the run was stopped")
        return status


def _end_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _end_marked(folder: Path) -> None:
    """Ends what left its process group, known by the variable that every process of a run inherits."""
    mark = f"{_MARK}={folder}".encode()
    for _ in range(_SWEEPS):  # again while some are found: they may have started others meanwhile
        found = False
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                variables = (entry / "environ").read_bytes().split(b"\0")
                if any(variable == mark or variable.startswith(mark + b"/") for variable in variables):
                    os.kill(int(entry.name), signal.SIGKILL)
                    found = True
        if not found:
            return
