"""How runs end before their time: what was made is kept and said not to be complete, and nothing is left running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from identity.home import Home
from tests.support.brokers import needs_broker
from tests.support.running import command, replaying, sealcam
from tests.support.videos import VideoMaker
from tests.support.waiting import until


def runs(pid: int) -> bool:
    """Whether the process is there, and more than an entry that nobody has collected yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def descendants(ancestor: int) -> dict[int, str]:
    """Process id -> command line, of all that `ancestor` started."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found: dict[int, str] = {}
    left = [ancestor]
    while left:
        for pid in children.get(left.pop(), []):
            left.append(pid)
            try:
                found[pid] = (Path(f"/proc/{pid}/cmdline").read_bytes()).replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_replay_that_is_interrupted_keeps_what_it_made_and_ends_with_130(
    number: signal.Signals, home: Home, make_video: VideoMaker, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with replaying(home, make_video(frames=300), "--pace", "realtime", "--out", out) as (process, pids):
        process.send_signal(number)
        assert process.wait(30) == 130
    last = (process.stderr.read() if process.stderr else "").strip().splitlines()[-1]
    assert last.startswith("sealcam: interrupted after ") and last.endswith("what was judged until then is kept")
    summary = json.loads((out / "summary.json").read_text())
    assert summary["frames"] > 0 and summary["complete"] is False
    assert {path.name: path.stat().st_mode & 0o777 for path in out.iterdir()} == dict.fromkeys(
        ("summary.json", "sightings.jsonl", "verdicts.jsonl"), 0o600
    )
    assert not [name for name, pid in pids.items() if runs(pid)]


def test_a_second_signal_ends_a_replay_that_does_not_end_and_leaves_nothing_running(
    home: Home, make_video: VideoMaker
) -> None:
    with replaying(home, make_video(frames=300), "--pace", "realtime") as (process, pids):
        os.kill(pids["warden"], signal.SIGSTOP)  # it never answers the first
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)  # two of a kind that come at once count as one
        process.send_signal(signal.SIGHUP)  # and two within half a second as one wish: the third is another
        assert process.wait(10) == 130
        assert "interrupted twice: ended at once" in (process.stderr.read() if process.stderr else "")
        until(lambda: not [name for name, pid in pids.items() if runs(pid)], what="something is left running")


def test_a_replay_whose_warden_is_killed_says_so_and_leaves_nothing_running(
    home: Home, make_video: VideoMaker, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with replaying(home, make_video(frames=300), "--pace", "realtime", "--out", out) as (process, pids):
        os.kill(pids["warden"], signal.SIGKILL)
        assert process.wait(30) == 1
        until(lambda: not [name for name, pid in pids.items() if runs(pid)], what="something is left running")
    assert "warden ended unexpectedly" in (process.stderr.read() if process.stderr else "")
    assert json.loads((out / "summary.json").read_text())["complete"] is False


@needs_broker
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_demo_that_is_killed_leaves_neither_broker_nor_receiver_running(
    number: signal.Signals, home: Home, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        command("demo", "--headless", "--port", "8697", "--out", tmp_path / "out"),
        env={**os.environ, "SEALCAM_HOME": str(home.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def both() -> dict[int, str]:
        found = descendants(process.pid)
        return (
            found if all(any(name in line for line in found.values()) for name in ("mosquitto", "cloud_sink")) else {}
        )

    started = until(both, what="broker and receiver do not start", seconds=60)
    process.send_signal(number)
    assert process.wait(30) == (-9 if number == signal.SIGKILL else 130)
    until(lambda: not [line for pid, line in started.items() if runs(pid)], what="something is left running")


def test_results_of_an_earlier_run_are_replaced_and_told_and_inputs_are_not(
    home: Home, make_video: VideoMaker, tmp_path: Path
) -> None:
    out, video = tmp_path / "out", make_video(frames=4, size=(320, 192))
    (out).mkdir()
    (out / "summary.json").write_text("old")
    (out / "summary.json").chmod(0o644)
    done = sealcam(home, "replay", video, "--out", out)
    assert done.returncode == 0 and f"{out}: the results of an earlier run are replaced" in done.stderr
    assert json.loads((out / "summary.json").read_text())["complete"] is True
    (out / "verdicts.jsonl").unlink()
    (out / "verdicts.jsonl").hardlink_to(video)
    (tmp_path / "linked").mkdir()
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "linked" / "sightings.jsonl").symlink_to(tmp_path / "precious")
    content = video.read_bytes()
    for folder, said in ((out, "would be replaced by what is made of it"), (tmp_path / "linked", "symbolic link")):
        refused = sealcam(home, "replay", video, "--out", folder)
        assert (refused.returncode, said in refused.stderr) == (2, True), refused.stderr
        assert (video.read_bytes(), (tmp_path / "precious").read_bytes()) == (content, b"precious")
