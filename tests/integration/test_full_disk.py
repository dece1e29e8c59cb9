"""A disk without room under each part, on real file systems of a few MiB: told, counted, and good again with room."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cloud_sink.simulator import verdict
from demo.broker import Broker, free_port
from hardware.rig import drive
from identity import Home, load
from tests.support.brokers import needs_broker
from tests.support.running import command
from tests.support.served_sink import Sender, ServedSink
from tests.support.small_disk import SmallDisks, small_disks
from wire import register as registers

MIB = 1024
SUMMARY_RESERVE = 64 * 1024


def run(disks: SmallDisks, home: Path, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        disks.command(command(*arguments)),
        env={**os.environ, "SEALCAM_HOME": str(home), "SEALCAM_PERCEPTION_OPERATING_POINT": "fast", **environment},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def said(done: subprocess.CompletedProcess[str]) -> str:
    assert "Traceback" not in done.stderr + done.stdout
    return done.stderr


# --- the spool and the results ----------------------------------------------------------------------------------------


@dataclass
class Course:
    """A data home whose spool lies on a small disk, a folder for results on another, and a drive past one sign."""

    disks: SmallDisks
    home: Home
    out: Path
    video: Path
    gpx: Path

    def replay(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return run(
            *(self.disks, self.home.path, "replay", self.video, "--gps", self.gpx, "--out", self.out, "--json"),
            **environment,
        )


@pytest.fixture(scope="module")
def course(shared_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    folder = tmp_path_factory.mktemp("course")
    authority = load.signing_key(shared_home.authority_key)
    rendered = drive.render(folder / "drive", 5, authority, round(time.time()) * 1000, None, names=["honest"])
    signed = registers.issue(rendered.register, authority, issued_at=round(time.time()))
    (shared_home.trust / "register.cose").write_bytes(signed)
    out = folder / "out"
    out.mkdir()
    with small_disks({shared_home.spool: 5 * MIB, out: 5 * MIB}) as disks:
        yield Course(disks, shared_home, out, rendered.video, rendered.gpx)


FILL_SPOOL = """
import sys
from pathlib import Path
from device.channel.messages import Health
from device.sealer.core import seal
from device.sealer.errors import SpoolFullError
from device.sealer.gap import NO_GAP, Gap
from device.sealer.identity_files import identity_of
from device.sealer.spool import Spool
from identity import Home
from wire import envelope

home, boot = Home(Path(sys.argv[1])), bytes(16)
identity = identity_of(home)


def opened():
    to = identity.sink_key.digest
    return Spool(home.spool, device_id=identity.device_id, run_id=boot.hex(), max_bytes=2**26, sink_key=to)


def fill(spool):
    for add in (lambda sealed: spool.add(sealed, None), spool.add_report):  # the second uses up what is kept too
        try:
            while True:
                add(seal(Health("restarted", "codes", 1, 1000, "sigkill"), spool.head, identity, boot))
        except SpoolFullError:
            spool.refresh()
    spool.close()


spool = opened()
print("open", flush=True)
sys.stdin.readline()
fill(spool)
again = opened()  # on the full disk, as a sealer that was restarted there
before = again.waiting
again.note(Gap(0, 1, 5, 6), NO_GAP)
for sequence, sealed in again.after(-1, 3):
    assert again.remove(sequence, envelope.digest(sealed))
fill(again)  # what was forgotten made room
again = opened()
print(before, again.waiting, again.lost.count)
"""
"""Opens the spool, waits for a word and fills it with reports; then opens it again, forgets three, and fills it again,
each time to the last page of what is kept for reports.

Prints how many wait before and after, and what is counted as lost.
"""


def until_full(course: Course) -> int:
    """A spool that was opened while there was room, on a disk that is full, full of reports; how many those are.

    The first three of its envelopes are gone, and one report is counted as lost.
    """
    with subprocess.Popen(
        course.disks.command([sys.executable, "-c", FILL_SPOOL, str(course.home.path)]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as filling:
        assert filling.stdout is not None and filling.stdout.readline() == "open\n"
        course.disks.fill(course.home.spool)
        before, after, lost = map(int, filling.communicate("\n", timeout=60)[0].split())
    assert before - 3 < after <= before
    assert lost == 1
    return after


@needs_broker
def test_a_full_spool_and_full_results_are_told_counted_and_told_to_the_receiver_later(course: Course) -> None:
    waiting = until_full(course)
    course.disks.fill(course.out, leave=SUMMARY_RESERVE + 4096)

    done = course.replay()
    lines, summary = said(done).splitlines(), json.loads(done.stdout)
    assert done.returncode == 1, done.stderr
    assert f"the disk of the spool in {course.home.path} is full" in done.stderr
    assert f"{course.out}/sightings.jsonl cannot be written (No space left on device)" in done.stderr
    assert any("could not be stored" in line for line in lines[-6:])
    assert done.stderr.count("could not be stored") == 1
    assert summary["restarts"]["sealer"] == 0
    (state,) = summary["verdicts"].items()
    assert state == ("VERIFIED", 1)
    assert summary["unsealed"]["verdict"] == 1
    out = course.disks.seen(course.out)
    for name in ("sightings", "verdicts"):
        content = (out / f"{name}.jsonl").read_bytes()
        assert content == b"" or content.endswith(b"\n")
        assert all(json.loads(line) for line in content.splitlines())
    assert json.loads((out / "summary.json").read_text()) == summary

    # the disk is as full as before, and now the sink can be reached: receipts make room for what comes
    (out / "filler").unlink()
    with Broker(course.home, free_port()) as broker:
        sink = ServedSink(course.home, broker.port)
        with sink.serving():
            done = course.replay(SEALCAM_UPLINK_HOST="localhost", SEALCAM_UPLINK_PORT=str(broker.port))
            summary = json.loads(done.stdout)
            assert (done.returncode, summary["waiting"], summary["unsealed"]) == (0, 0, {}), said(done)
            assert summary["restarts"]["sealer"] == 0
            assert course.disks.free(course.home.spool) < 64 * 1024
            told = sink.get("/api/stats")
            assert told["verdicts"] == {"VERIFIED": 1}
            assert told["not_stored"]["unsealed_verdicts"] == 1
            assert told["not_stored"]["unsealed_health"] >= 1
            assert (told["missing"], told["breaks"]) == (3, 0)
            assert told["health"]["restarted"] == waiting
        verified = sink.run("verify")
        assert "could not store 1 verdict" in verified.stdout and verified.returncode == 1


def test_a_folder_for_results_that_is_full_from_the_start_is_refused_before_anything_runs(course: Course) -> None:
    course.disks.fill(course.out)
    done = course.replay()
    assert done.returncode == 2
    assert f"{course.out} cannot be written (No space left on device); free some space on its disk" in said(done)


# --- the data home ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leave", [0, 40_960])
def test_a_home_on_a_full_disk_gets_no_half_file_and_is_finished_when_there_is_room(tmp_path: Path, leave: int) -> None:
    (tmp_path / "disk").mkdir()
    home = tmp_path / "disk" / "home"
    with small_disks({tmp_path / "disk": 5 * MIB}) as disks:
        filler = disks.fill(tmp_path / "disk", leave=leave)
        done = run(disks, home, "keys", "init")
        assert done.returncode == 2
        assert "No space left on device" in said(done) and "free some space" in done.stderr
        files = [path for path in disks.seen(home).rglob("*") if path.is_file()] if disks.seen(home).exists() else []
        assert [path for path in files if path.name.startswith(".") and path.name != ".lock"] == []
        assert [path for path in files if not path.stat().st_size and path.name != ".lock"] == []
        filler.unlink()
        done = run(disks, home, "keys", "init")
        assert done.returncode == 0, done.stderr
        kept = {path: path.read_bytes() for path in disks.seen(home).rglob("*") if path.is_file()}

        disks.fill(tmp_path / "disk", leave=leave // 4)
        done = run(disks, home, "keys", "renew")
        assert done.returncode == 2 and "No space left on device" in said(done)
        now = {path: path.read_bytes() for path in disks.seen(home).rglob("*") if path.is_file()}
        assert now == kept  # certificates of two authorities would not know each other


# --- the receiver's database ------------------------------------------------------------------------------------------


@needs_broker
def test_a_receiver_on_a_full_disk_confirms_nothing_shows_it_and_goes_on_with_room(
    home: Home, broker: Broker, tmp_path: Path
) -> None:
    small = tmp_path / "disk"
    small.mkdir()
    with small_disks({small: 5 * MIB}) as disks:
        shutil.copytree(home.sink, disks.seen(small) / "sink")
        sink = ServedSink(home, broker.port)
        serve = disks.command([sys.executable, "-m", "cloud_sink", "serve", "--home", str(small)])
        link = ["--broker", f"127.0.0.1:{broker.port}", "--port", str(sink.port)]
        errors = tmp_path / "sink.err"
        with (
            errors.open("w") as log,
            subprocess.Popen([*serve, *link], stdout=subprocess.PIPE, stderr=log, text=True) as process,
        ):
            try:
                assert process.stdout is not None
                assert [process.stdout.readline().split()[1] for _ in range(2)] == ["page", "ready"]
                sender = Sender(home, broker.port)
                sender.publish(sender.device.seal(verdict()))
                assert sender.receipt().sequence == 0
                filler = disks.fill(small)
                sent = 1
                while sink.get("/api/stats")["broker"] != "store_failed":
                    sender.publish(sender.device.seal(verdict(verdict_id=f"v-{sent}")))
                    sent += 1
                    time.sleep(0.05)
                    assert sent < 2000
                kept = sink.get("/api/stats")["envelopes"]
                assert kept < sent
                titles = [alert["title"] for alert in sink.get("/api/alerts")["alerts"]]
                assert "Database failing" in titles
                assert "database or disk is full" in errors.read_text()
                filler.unlink()
                sink.until(lambda: sink.get("/api/stats")["envelopes"] == sent, "all that was sent is stored")
                assert sorted({sender.receipt().sequence for _ in range(sent - 1)}) == list(range(1, sent))
                assert sink.get("/api/stats")["broker"] == "connected"
                assert "Traceback" not in errors.read_text()
            finally:
                process.terminate()
                process.wait(20)
