"""What is bound to its starter ends with it, also where the starter ended first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from program.bound import bound
from tests.support.paths import ROOT
from tests.support.waiting import until


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_bound_command_ends_when_its_starter_is_killed() -> None:
    starter = (
        "import subprocess, time\nfrom program.bound import bound\n"
        "child = subprocess.Popen(bound(['sh', '-c', 'echo runs; exec sleep 60']))\nprint(child.pid, flush=True)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", starter], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said = {process.stdout.readline().strip() for _ in range(2)}
        pid = int((said - {"runs"}).pop())
        process.send_signal(signal.SIGKILL)
    until(lambda: not _alive(pid))


def test_a_command_whose_starter_is_gone_already_does_not_start() -> None:
    words = bound(["echo", "started"])
    words[words.index(str(os.getpid()))] = "1"  # as where another process has become its parent
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
