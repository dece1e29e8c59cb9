"""A stream that fails does not end the work: its status stands, and what was lost is told once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PRINTS = "for n in range(20000): print('line', n)"
NOBODY = "x: standard output cannot be written (No space left on device); free its disk, or send it elsewhere\n"

CLOSED = "x: standard output cannot be written (it is closed); send it somewhere: to a file, or to /dev/null\n"


def run(work: str, redirected: str = "", status: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    """A program that does `work` in a shell with some redirections; its own status goes to $STATUS on descriptor 9."""
    script = f"import sys, program\ndef work():\n    {work}\n    return {status}\nsys.exit(program.run('x', work))"
    line = f'{{ "$0" -c "$1" {redirected.partition("|")[0]}; echo $? >&9; }} 9>status {redirected.partition("|")[1]}'
    return subprocess.run(
        ["bash", "-c", f"{line} {redirected.partition('|')[2]}", sys.executable, script],
        cwd=environment.pop("FOLDER"),
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("redirected", "own", "status", "said"),
    [
        (">/dev/full", 0, 1, NOBODY),
        (">/dev/full", 2, 2, NOBODY),
        (">/dev/full 2>/dev/full", 0, 1, ""),
        ("2>/dev/full", 0, 0, ""),
        (">&-", 0, 1, CLOSED),
        (">&-", 2, 2, CLOSED),
        (">&- 2>&-", 0, 1, ""),
        ("2>&-", 0, 0, ""),
        ("<&- >&- 2>&-", 1, 1, ""),
        ("| head -1", 0, 0, ""),
        ("| head -1", 1, 1, ""),
        ("2>&1 | true", 0, 0, ""),
    ],
)
def test_a_stream_that_fails_changes_neither_the_work_nor_its_status(
    redirected: str, own: int, status: int, said: str, tmp_path: Path
) -> None:
    done = run(PRINTS, redirected, own, FOLDER=str(tmp_path))
    assert (tmp_path / "status").read_text() == f"{status}\n"
    assert done.stderr == said


def test_a_closed_standard_output_is_no_failure_of_a_program_that_has_nothing_to_say(tmp_path: Path) -> None:
    done = run("pass", ">&-", FOLDER=str(tmp_path))
    assert (tmp_path / "status").read_text() == "0\n" and done.stderr == ""


def test_a_locale_without_a_letter_does_not_end_the_work(tmp_path: Path) -> None:
    done = run("print('Straße \\u2501 \\udcff')", FOLDER=str(tmp_path), PYTHONIOENCODING="ascii")
    assert (done.stdout, done.stderr) == ("Stra\\xdfe \\u2501 \\udcff\n", "")


def test_a_closed_stream_is_held_so_that_no_child_gets_a_socket_in_its_place(tmp_path: Path) -> None:
    done = run(
        "import os; sys.stderr.write(str([os.get_inheritable(0), os.readlink('/proc/self/fd/1'), sys.stdin.read()]))",
        "<&- >&-",
        FOLDER=str(tmp_path),
    )
    assert done.stderr == "[True, '/dev/null', '']"


def test_a_terminal_that_another_process_made_non_blocking_gets_everything(tmp_path: Path) -> None:
    work = "import os; os.set_blocking(1, False); print('y' * 300000)"
    done = run(work, "| { sleep 0.2; wc -c; }", FOLDER=str(tmp_path))
    assert (tmp_path / "status").read_text() == "0\n"
    assert done.stdout.strip() == "300001"
