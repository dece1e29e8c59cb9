"""A sealer that is killed in the middle of a drive: what was judged is sealed once, and the run is good."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from hardware.rig import drive
from identity import load
from identity.home import Home
from tests.support.running import command, running
from tests.support.sealed import sealed_events
from wire import register
from wire.events import HealthEvent, VerdictEvent

KILLS = 3
"""Less than the restarts that it may need within a minute."""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Path, Path]:
    folder = tmp_path_factory.mktemp("course")
    home = Home(folder / "home")
    home.ensure_development()
    authority = load.signing_key(home.authority_key)
    now_ms = round(time.time() * 1000)
    made = drive.render(folder, 5, authority, now_ms, None, names=["honest"])
    (home.trust / "register.cose").write_bytes(register.issue(made.register, authority, issued_at=now_ms // 1000))
    return home, made.video, made.gpx


def frames(out: Path) -> int:
    try:
        return (out / "sightings.jsonl").read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def replay_and_kill(home: Home, video: Path, gpx: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """A replay whose sealer is killed at three frames, the last time when the sign has gone by."""
    with subprocess.Popen(
        command("replay", video, "--gps", gpx, "--out", out, "--json"),
        env={**os.environ, "SEALCAM_HOME": str(home.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        killed: set[int] = set()
        judged = out / "verdicts.jsonl"
        due = [lambda: frames(out) > 5, lambda: frames(out) > 30, lambda: judged.exists() and judged.stat().st_size > 0]
        while process.poll() is None and due:
            victim = running(process.pid).get("sealer")
            if victim is not None and victim not in killed and due[0]():
                os.kill(victim, signal.SIGKILL)
                killed.add(victim)
                due.pop(0)
        said, errors = process.communicate(timeout=100)
    assert len(killed) == KILLS, errors
    return subprocess.CompletedProcess([], process.returncode, said, errors)


def test_nothing_is_lost_and_nothing_is_sealed_twice_and_the_restarts_are_told(
    course: tuple[Home, Path, Path], tmp_path: Path
) -> None:
    home, video, gpx = course
    done = replay_and_kill(home, video, gpx, tmp_path)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    events = sealed_events(home, summary["run_id"])
    sealed = Counter(event.verdict_id for event in events if isinstance(event, VerdictEvent))
    judged = [json.loads(line)["verdict_id"] for line in (tmp_path / "verdicts.jsonl").read_text().splitlines()]
    assert sealed == Counter(judged) and judged
    own = Counter((event.kind, event.compartment) for event in events if isinstance(event, HealthEvent))
    assert own.keys() == {("started", "sealer"), ("restarted", "sealer")} and own["started", "sealer"] == 1
    assert 1 <= own["restarted", "sealer"] <= KILLS  # the report that it held when it was killed is gone (0007)
    assert (summary["restarts"]["sealer"], done.stderr.count("restarted: sealer")) == (KILLS, KILLS)
    assert (summary["sealed"], summary["waiting"], summary["unsealed"]) == (len(events), len(events), {})
    assert f"0 of {len(events)} events receipted" in done.stderr
