"""Every command in every bad situation of a machine: a sentence at most, a status that tells, and never a traceback.

The commands are found from the parsers. One process tries them all in one situation, since starting it takes longest.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cloud_sink import cli as sink
from demo import command as demo
from device import cli as device
from identity.home import Home
from tests.support.commands import least, leaves
from tests.support.paths import ROOT

SEALCAM = dict(leaves(device.parser((demo, *device.COMMANDS))))
SINK = dict(leaves(sink._parser()))
LONG = {
    ("demo",): ["--seed", "-1"],
    ("redteam",): ["--help"],
    ("serve",): ["--host", "nowhere.invalid"],
    ("broker",): ["--write-only"],
}
"""What takes long or does not end by itself: tried as far as it gets at once."""

DRIVER = """
import json, sys, traceback
report, commands = sys.argv[1], json.loads(sys.argv[2])
from cloud_sink import cli as sink
from demo import cli as demo
told = []
for program, words in commands:
    try:
        status = (demo if program == "sealcam" else sink).main(words)
    except SystemExit as end:
        status = end.code
    except BaseException:
        status = traceback.format_exc()
    told.append([program, words, status])
with open(report, "w") as file:
    json.dump(told, file)
"""

NO_HOME = "no data home yet"
MAKES_A_HOME = ["keys", "init"]  # and no other command does
SITUATIONS = {
    "all is well": "{}",
    "standard output on a full disk": "{} >/dev/full",
    "both outputs on a full disk": "{} >/dev/full 2>/dev/full",
    "nobody reads": "{} 2>&1 | true",
    "every stream closed": "{} <&- >&- 2>&-",
    "a locale without letters, a narrow dumb terminal, no colours": (
        "LC_ALL=POSIX PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 TERM=dumb COLUMNS=20 NO_COLOR=1 {}"
    ),
    "no place for a data home": "env -u SEALCAM_HOME -u XDG_DATA_HOME HOME=/proc/nobody {}",
    "the data home is a folder of something else": "SEALCAM_HOME=$PWD/foreign {}",
    NO_HOME: "SEALCAM_HOME=$PWD/none {}",
    "a data home in a variable that is empty": "SEALCAM_HOME= {}",
    "no HOME, a strange time zone, no mask": "umask 000; env -u HOME TZ=Nowhere/None:: {}",
    "without assertions and docstrings": "PYTHONOPTIMIZE=2 {}",
    "a misspelt variable": "SEALCAM_HOEM=/x {}",
    "the current folder is gone, no folder for temporary files": (
        "mkdir gone; cd gone; rmdir ../gone; TMPDIR=/proc/none {}"
    ),
    "the data home on a read-only disk": (
        "unshare -Urm sh -c 'mount --bind $SEALCAM_HOME $SEALCAM_HOME && mount -o remount,ro,bind $SEALCAM_HOME && "
        'exec "$@"\' - {}'
    ),
    "the data home on a full disk": (
        "unshare -Urm sh -c 'mount -t tmpfs -o size=8k none $SEALCAM_HOME && exec \"$@\"' - {}"
    ),
}


def commands() -> list[tuple[str, list[str]]]:
    """Each command with the fewest arguments that it takes."""
    return [
        (program, [*path, *(LONG[path] if path in LONG else least(parser))])
        for program, found in (("sealcam", SEALCAM), ("sealcam-sink", SINK))
        for path, parser in found.items()
    ]


def test_what_is_left_out_is_there() -> None:
    assert LONG.keys() <= SEALCAM.keys() | SINK.keys()
    assert len(SEALCAM) > 15 and len(SINK) >= 5
    assert tuple(MAKES_A_HOME) in SEALCAM


@pytest.mark.parametrize("situation", SITUATIONS)
def test_no_command_ends_with_a_traceback(situation: str, home: Home, tmp_path: Path) -> None:
    if "unshare" in SITUATIONS[situation] and subprocess.run(["unshare", "-Urm", "true"], check=False).returncode:
        pytest.skip("this machine allows no user namespace")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "passwd").touch()
    report = tmp_path / "report.json"
    tried = [entry for entry in commands() if situation != NO_HOME or entry[1] != MAKES_A_HOME]
    words = [sys.executable, "-c", DRIVER, str(report), json.dumps(tried)]
    environment = {**os.environ, "SEALCAM_HOME": str(home.path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", SITUATIONS[situation].replace("{}", shlex.join(words))],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    told = json.loads(report.read_text())
    assert len(told) == len(tried)
    assert [entry for entry in told if entry[2] not in (0, 1, 2)] == []
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("sealcam: ")]
    assert all(line.isprintable() for line in lines)
    left = {path.name for path in tmp_path.iterdir()} - {"report.json", "foreign"}
    assert left == set(), "a command made something in the current folder, or a data home that nobody asked for"
    assert [path.name for path in (tmp_path / "foreign").iterdir()] == ["passwd"]


@pytest.mark.parametrize("program", ["sealcam", "sealcam-sink"])
def test_every_command_takes_no_empty_name(program: str) -> None:
    """An empty name, of a variable that is not set, must not mean the current folder."""
    for path, parser in (SEALCAM if program == "sealcam" else SINK).items():
        for action in parser._actions:
            assert action.type is not Path, f"{program} {' '.join(path)} {action.dest}: use program.arguments.place"
