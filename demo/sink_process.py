"""The receiver as a process beside the demo's device, asked over its own HTTP interface."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from types import TracebackType
from typing import Any

from identity.home import Home
from program.bound import bound
from wire.errors import RunError, UsageError


class SinkProcess:
    """`sealcam-sink serve` while the block lasts. Raises UsageError with the receiver's own sentence and remedy.

    Start it from the main thread: it ends with the thread that started it, however that ends.
    """

    def __init__(self, home: Home, broker_port: int, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}/"
        serve = ["serve", "--home", str(home.path), "--broker", f"localhost:{broker_port}", "--port", str(port)]
        self._command = bound([sys.executable, "-P", "-m", "cloud_sink", *serve])
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> SinkProcess:
        self.start()
        return self

    def start(self) -> None:
        """Start it, and wait until page and subscription are up."""
        with os.fdopen(os.memfd_create("sealcam-sink-errors"), "w+") as errors:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,  # a Ctrl-C in the terminal is for us; we end the receiver after the device
            )
            said = iter(self._process.stdout or ())
            if not any(line.startswith("sealcam-sink: ready") for line in said):  # before it comes the page's address
                status = self._end()
                errors.seek(0)
                raise _failure(errors.read(2000), status)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def kill(self) -> None:
        """SIGKILL, as a fault would; `start` brings it back."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def running(self) -> bool:
        """Whether the receiver still serves."""
        return self._process is not None and self._process.poll() is None

    def verdicts(self, boot_id: bytes) -> Counter[str]:
        """Ids of the verdicts of one run that are stored, and how often each. Raises RunError when the receiver does
        not answer."""
        found: Counter[str] = Counter()
        after = 0
        while True:
            page = self._get(f"api/verdicts?after={after}")
            rows = page["verdicts"]
            found.update(row["verdict_id"] for row in rows if row["boot_id"] == boot_id.hex())
            if not rows:
                return found
            after = page["next"]

    def _get(self, path: str) -> Any:
        for _ in range(3):
            try:
                with urllib.request.urlopen(self.address + path, timeout=10) as answer:  # noqa: S310 (our own, http)
                    return json.load(answer)
            except (urllib.error.URLError, TimeoutError):
                time.sleep(1.0)
        raise RunError(
            f"the receiver at {self.address} does not answer", "run `sealcam-sink serve` by hand and read what it says"
        )

    def _end(self) -> int:
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            return self._process.wait(10.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def _failure(said: str, status: int) -> UsageError:
    """The receiver's last line as an error of the demo."""
    line = said.strip().rpartition("\n")[2].removeprefix("sealcam-sink: ")
    sentence, _, remedy = line.partition("; ")
    return UsageError(
        f"the receiver did not start: {sentence or f'status {status}'}", remedy or "run: sealcam-sink serve"
    )
