"""Takes parts of the chain away in the middle of a drive; measures what is lost and how long the chain stands still.

`python -m bench.recovery` kills each compartment in turn (SIGKILL), then the receiver, and takes the broker away for
20 s, each in a drive of its own past an honest, a stickered, a forged and an uncoded sign. For each it prints the
longest time without a new frame after the blow, and what it cost. Exit status 1 when a verdict does not reach the
receiver, or reaches it twice, when a sign ends with a wrong class believed, or when the chain stood still for over 3 s.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av

import program
from demo.broker import Broker, free_port
from demo.sink_process import SinkProcess
from device.launcher.child import ENTRY
from identity import load
from identity.home import Home
from program.arguments import new_parser
from wire import register as registers
from wire.errors import RunError
from wire.vocabulary import COMPARTMENTS

BLOWS = (*(name for name in COMPARTMENTS if name != "warden"), "receiver", "broker")
SCENES = ("honest", "stickered", "forged", "uncoded")
BUDGET_SECONDS = 3.0
_BROKER_AWAY_SECONDS = 20.0
_WATCH_SECONDS = 6.0
_BLOW_AT_FRAME = 40
_STATUS = {"annotator": 1}
"""What a replay ends with: what nothing starts again is missing, and it says so."""
_BY_HAND = "run `sealcam replay` on the drive by hand"
_CLASSIFIER = Path(__file__).resolve().parent.parent / "models" / "artifacts" / "classifier.tflite"


@dataclass
class Endured:
    """What one blow did. `stall_seconds`: longest time without a new frame after it."""

    blow: str
    stall_seconds: float
    frames: int
    restarts: dict[str, int]
    undelivered: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    wrongly_believed: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Nothing lost and nothing wrong believed; how long it took is judged apart."""
        return not (self.undelivered or self.twice or self.wrongly_believed)


@dataclass(frozen=True)
class Course:
    """A rendered drive in a data home whose register knows its signs."""

    home: Home
    folder: Path
    expected: dict[str, Any]
    frames: int


def prepare(folder: Path, seed: int = 11) -> Course:
    """Render the drive and sign its register."""
    from hardware.rig import drive

    home = Home(folder / "home")
    home.ensure_development()
    authority = load.signing_key(home.authority_key)
    now_ms = round(time.time() * 1000)
    rendered = drive.render(folder / "drive", seed, authority, now_ms, _CLASSIFIER, names=SCENES)
    signed = registers.issue(rendered.register, authority, issued_at=now_ms // 1000)
    (home.trust / "register.cose").write_bytes(signed)
    with av.open(str(rendered.video)) as container:
        frames = container.streams.video[0].frames
    return Course(home, folder / "drive", rendered.expected, frames)


def endure(course: Course, blow: str, out: Path) -> Endured:
    """Drive once, strike once. Raises RunError when the run does not end well by itself."""
    port = free_port()
    with Broker(course.home, port) as broker, SinkProcess(course.home, port, free_port()) as sink:
        process = _start(course, port, out, annotated=blow == "annotator")
        try:
            _wait_for_frame(process, out, _BLOW_AT_FRAME)
            if blow == "receiver":
                sink.kill()
            elif blow == "broker":
                broker.kill()
            else:
                os.kill(_wait_for(process, blow), signal.SIGKILL)
            stall = _longest_stall(process, out, course.frames, _WATCH_SECONDS)
            if blow == "receiver":
                sink.start()
            elif blow == "broker":
                time.sleep(_BROKER_AWAY_SECONDS - _WATCH_SECONDS)
                broker.start()
            said, errors = process.communicate(timeout=150)
        finally:
            process.kill()
            process.wait()
        if process.returncode != _STATUS.get(blow, 0):
            raise RunError(
                f"{blow}: the replay ended with status {process.returncode}: {errors.strip()[-400:]}", _BY_HAND
            )
        summary = json.loads(said)
        return _result(course, blow, stall, summary, out, sink.verdicts(bytes.fromhex(summary["run_id"])))


def _start(course: Course, port: int, out: Path, *, annotated: bool) -> subprocess.Popen[str]:
    """`annotated`: a plain replay starts no annotator, so that there would be none to take away."""
    command = [sys.executable, "-m", "demo", "replay", str(course.folder / "drive.mp4")]
    command += ["--gps", str(course.folder / "drive.gpx"), "--out", str(out), "--json"]
    command += ["--annotate", str(out.with_suffix(".mp4"))] if annotated else []
    environment = {
        **os.environ,
        "SEALCAM_HOME": str(course.home.path),
        "SEALCAM_UPLINK_HOST": "localhost",
        "SEALCAM_UPLINK_PORT": str(port),
        "SEALCAM_WARDEN_DELIVER_SECONDS": "60",
    }
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _frames(out: Path) -> int:
    try:
        return (out / "sightings.jsonl").read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def _wait_for_frame(process: subprocess.Popen[str], out: Path, frame: int) -> None:
    while _frames(out) < frame:
        if process.poll() is not None:
            raise RunError(f"the replay ended before frame {frame}", _BY_HAND)
        time.sleep(0.01)


def _wait_for(process: subprocess.Popen[str], compartment: str) -> int:
    """Its process id, as soon as it runs. Annotator is started when all is judged."""
    while (found := _find(process.pid, compartment)) is None:
        if process.poll() is not None:
            raise RunError(f"the replay ended before {compartment} ran", _BY_HAND)
        time.sleep(0.01)
    return found


def _longest_stall(process: subprocess.Popen[str], out: Path, in_all: int, seconds: float) -> float:
    """The longest time without a new frame within `seconds`, or until the last frame."""
    began = last = time.monotonic()
    frames, longest = _frames(out), 0.0
    while process.poll() is None and time.monotonic() - began < seconds:
        time.sleep(0.01)
        if (now_frames := _frames(out)) != frames:
            frames, last = now_frames, time.monotonic()
        longest = max(longest, time.monotonic() - last)
        if frames >= in_all:
            break
    return longest


def _find(ancestor: int, compartment: str) -> int | None:
    """The process id of a compartment that `ancestor` started; None while it does not run."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _is(entry, compartment) and _descends(int(entry.name), ancestor):
            return int(entry.name)
    return None


def _is(entry: Path, compartment: str) -> bool:
    words = _words(entry)
    return ENTRY in words and words[words.index(ENTRY) + 1] == compartment


def _words(entry: Path) -> list[str]:
    try:
        words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []
    return words if Path(words[0]).name.startswith("python") else []


def _descends(pid: int, ancestor: int) -> bool:
    while pid > 1 and pid != ancestor:
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return False
    return pid == ancestor


def _result(
    course: Course, blow: str, stall: float, summary: dict[str, Any], out: Path, stored: Counter[str]
) -> Endured:
    verdicts = [json.loads(line) for line in (out / "verdicts.jsonl").read_text().splitlines()]
    wrong, missed = [], []
    for scene in course.expected["scenes"]:
        mine = [v for v in verdicts if scene["first_frame"] <= v["last_frame"] <= scene["last_frame"] + 8]
        wrong += [
            f"{scene['name']}: {v['state']} {v['class_name']}"
            for v in mine
            if v["class_id"] is not None and v["class_id"] != scene["class_id"]
        ]
        if not any(v["state"] == scene["expected_state"] for v in mine):
            missed.append(f"{scene['name']}: {', '.join(v['state'] for v in mine) or 'nothing'}")
    return Endured(
        blow=blow,
        stall_seconds=round(stall, 2),
        frames=summary["frames"],
        restarts={name: n for name, n in summary["restarts"].items() if n},
        undelivered=[v["verdict_id"] for v in verdicts if v["verdict_id"] not in stored],
        twice=[verdict_id for verdict_id, times in stored.items() if times > 1],
        wrongly_believed=wrong,
        missed=missed,
    )


def main() -> int:
    """Returns the exit status."""
    return program.run("python -m bench.recovery", lambda: _work())


def _work() -> int | None:
    parser = new_parser(prog="python -m bench.recovery", description=__doc__)
    parser.add_argument("blows", nargs="*", choices=[*BLOWS, []], help="what to take away (default: each in turn)")
    arguments = parser.parse_args()
    return _take_away(arguments.blows or BLOWS)


def _take_away(blows: Sequence[str]) -> int:
    bad = False
    with tempfile.TemporaryDirectory() as scratch:
        course = prepare(Path(scratch))
        print(f"{'taken away':12} {'stall':>7}  {'restarts':28} lost / wrongly believed / judged otherwise")
        for blow in blows:
            endured = endure(course, blow, Path(scratch) / blow)
            bad |= not endured.good or endured.stall_seconds > BUDGET_SECONDS
            restarts = ", ".join(f"{name} {n}" for name, n in endured.restarts.items()) or "-"
            lost = endured.undelivered + [f"{name} twice" for name in endured.twice]
            cost = f"{lost or '-'} / {endured.wrongly_believed or '-'} / {endured.missed or '-'}"
            print(f"{blow:12} {endured.stall_seconds:5.2f} s  {restarts:28} {cost}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
