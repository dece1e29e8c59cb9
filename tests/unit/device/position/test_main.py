"""What the compartment loads before it is closed off is all that its parsers ever need."""

from __future__ import annotations

import subprocess
import sys

from tests.support import tracks
from tests.support.paths import ROOT
from tests.support.tracks import but, drive, gga, log, rmc, sentence

SCRIPT = """
import sys
from device.position.__main__ import _WARM_UP
from device.position.core import read_track
from device.position.errors import PositionError
files = [bytes.fromhex(line) for line in sys.stdin.read().split()]
for example in _WARM_UP:
    assert read_track(example).fixes
loaded = set(sys.modules)
for data in files:
    try:
        read_track(data)
    except PositionError:
        pass
print(*(set(sys.modules) - loaded))
"""


def test_the_parsers_load_nothing_after_the_warm_up() -> None:
    """A module that is loaded late would have to open a file, which the run filter forbids."""
    odd = but(drive(9), n2={"text": "2026-05-04T12:00:02.5+02:00"}, n5={"extra": "<hdop>x</hdop>"})
    named = tracks.gpx(odd).replace(b"<trk>", "<trk><name>ü &</name>".encode("iso-8859-1"))
    vtg = sentence("GPVTG,4.5,T,,M,29.2,N,54.0,K,A")
    files = [
        named,
        tracks.gpx(odd).decode().encode("utf-16"),
        tracks.gpx(drive(9))[:-50],
        b"<gpx>\xff",
        log(drive(9), gga, lambda at: rmc(at, knots=20.0, course="1.0") + vtg) + sentence("GPZDA,1,2,3").encode(),
        sentence("GPRMC,250000.00,A,x,N,y,E,z,,999999,,,A").encode() * 3,
    ]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input="\n".join(data.hex() for data in files),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert done.stdout.strip() == ""
