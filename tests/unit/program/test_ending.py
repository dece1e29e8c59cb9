"""However a program ends, its user gets one line at most and a status that says how: never a traceback."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

import program
from program.ending import ONE_WISH_SECONDS, StopWish, StopWord
from tests.support.paths import ROOT
from wire.errors import RunError, UsageError


def _raise(error: BaseException) -> NoReturn:
    raise error


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (UsageError("no such thing", "name another"), 2, "python -m models.x: no such thing; name another\n"),
        (RunError("it broke", "mend it"), 1, "python -m models.x: it broke; mend it\n"),
        (KeyboardInterrupt(), 130, "python -m models.x: interrupted\n"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 0, ""),
        (
            FileNotFoundError(2, "No such file or directory", "a.json"),
            2,
            "python -m models.x: a.json cannot be read or written (No such file or directory); "
            "check its name and its folder\n",
        ),
        (
            OSError(errno.ENOSPC, "x"),
            2,
            "python -m models.x: this machine refuses something that is needed (No space left on device); "
            "free some space on its disk\n",
        ),
        (
            ModuleNotFoundError("x", name="torch"),
            2,
            "python -m models.x: the library torch cannot be loaded; reinstall Sealcam (make setup)\n",
        ),
    ],
    ids=["usage", "run", "interrupt", "pipe", "file", "disk", "library"],
)
def test_a_program_ends_with_one_line_and_the_status_of_its_error(
    error: BaseException, status: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.run("python -m models.x", lambda: _raise(error)) == status
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", line)


@pytest.mark.parametrize(("code", "status"), [(2, 2), (None, 0), (0, 0), ("why", 2)])
def test_what_argparse_ends_with_is_the_status(code: int | str | None, status: int) -> None:
    with pytest.raises(SystemExit) as ended:
        program.run("x", lambda: _raise(SystemExit(code)))
    assert ended.value.code == status


def test_a_fault_of_our_own_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        program.run("x", lambda: 1 // 0)


def test_what_a_private_program_writes_is_for_its_user_alone(tmp_path: Path) -> None:
    def work() -> None:
        (tmp_path / "file").touch()

    before = os.umask(0o022)
    try:
        assert program.run("x", work, private=True) == 0
        (tmp_path / "after").touch()
    finally:
        os.umask(before)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("file", "after")]
    assert modes == [0o600, 0o644]


def _script(work: str, **options: object) -> subprocess.Popen[str]:
    script = f"import sys, time, program\ndef work():\n{work}\nsys.exit(program.run('x', work))"
    return subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_unwinds_the_work_and_the_second_ends_it(number: signal.Signals) -> None:
    work = (
        "    try:\n        print('began', flush=True)\n        time.sleep(60)\n"
        "    finally:\n        print('unwinding', flush=True)\n        {}\n"
    )
    with _script(work.format("pass")) as once:
        assert once.stdout and once.stdout.readline() == "began\n"
        once.send_signal(number)
        said = once.communicate(timeout=30)
    assert (once.returncode, *said) == (130, "unwinding\n", "x: interrupted\n")
    with _script(work.format("time.sleep(60)")) as twice:
        assert twice.stdout and twice.stdout.readline() == "began\n"
        twice.send_signal(number)
        assert twice.stdout.readline() == "unwinding\n"
        for further in {signal.SIGINT, signal.SIGTERM, signal.SIGHUP} - {
            number
        }:  # a third ends it however soon it comes
            twice.send_signal(further)
        said = twice.communicate(timeout=30)
    assert twice.returncode == 130
    assert said[1].startswith("x: interrupted twice: ended at once")


def test_a_program_that_nohup_started_goes_on_when_the_terminal_is_closed() -> None:
    with _script(
        "    print('began', flush=True)\n    input()", stdin=subprocess.PIPE, preexec_fn=_ignore_hangup
    ) as one:
        assert one.stdout and one.stdout.readline() == "began\n"
        one.send_signal(signal.SIGHUP)
        one.communicate("\n", timeout=30)
    assert one.returncode == 0


def _ignore_hangup() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


@pytest.mark.parametrize(
    ("seconds", "heard"),
    [
        ([0.0], [StopWord.STOP]),
        ([0.0, 0.0001], [StopWord.STOP, StopWord.SAME]),  # timeout(1): its child, then its group
        ([0.0, ONE_WISH_SECONDS], [StopWord.STOP, StopWord.AT_ONCE]),
        ([0.0, 0.1, 0.2], [StopWord.STOP, StopWord.SAME, StopWord.AT_ONCE]),
        ([0.0, 0.1, 60.0], [StopWord.STOP, StopWord.SAME, StopWord.AT_ONCE]),
    ],
)
def test_two_signals_at_once_are_one_wish_to_stop(seconds: list[float], heard: list[StopWord]) -> None:
    times = iter(seconds)
    wish = StopWish(lambda: next(times))
    assert [wish.signal() for _ in seconds] == heard


def test_a_second_signal_right_after_the_first_lets_the_work_unwind() -> None:
    work = (
        "    import os, signal\n"
        "    try:\n        os.kill(os.getpid(), signal.SIGTERM)\n        time.sleep(60)\n"
        "    finally:\n        os.kill(os.getpid(), signal.SIGTERM)\n        print('unwound', flush=True)\n"
    )
    with _script(work) as both:
        said = both.communicate(timeout=30)
    assert (both.returncode, *said) == (130, "unwound\n", "x: interrupted\n")
