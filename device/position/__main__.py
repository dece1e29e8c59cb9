"""position: sends the fixes of one track file to verdict, as fast as verdict takes them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from device.channel.compartment import Compartment
from device.channel.messages import FixesEnd
from device.position.core import MAX_TRACK_BYTES, read_track
from device.position.errors import PositionError
from device.position.settings import PositionSettings
from device.position.track import CheckedTrack

_WARM_UP = (
    b"""<gpx version="1.1" creator="sealcam" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>
<trkpt lat="0" lon="1"><time>2026-01-01T00:00:00Z</time></trkpt>
<trkpt lat="0" lon="1"><time>2026-01-01T00:00:01+00:00</time></trkpt></trkseg></trk></gpx>""",
    b"""$GPGGA,120000.00,4800.0,N,01100.0,E,1,07,1.0,9.0,M,,,,*3F
$GPRMC,120000.00,A,4800.0,N,01100.0,E,9.9,90.0,010126,,,A*6C
$GPVTG,90.0,T,,M,9.9,N,9.9,K,A*34
$GPZDA,120000.00,01,01,2026,00,00*63
$GPGNS,120001.00,4800.0,N,01100.0,E,AN,07,1.0,9.0,9.0,,,V*0B
$GPRMC,120001.00,A,4800.0,N,01100.0,E,9.9,90.0,010126,,,A*6D
""",
)
"""All that the parsers load at first use is loaded by these, while files can still be opened."""


def main(me: Compartment) -> None:
    settings = me.settings(PositionSettings)
    verdict = me.link("verdict")
    content = _read(settings.gpx) if settings.gpx else b""
    for example in _WARM_UP:
        read_track(example)
    me.tighten()  # the parsers see the file under the run filter only
    track = read_track(content) if settings.gpx else CheckedTrack([], Counter())
    me.ready(track.facts())
    waiting = [*track.repeated, *track.fixes, FixesEnd()]
    waiting.reverse()

    def step() -> None:
        while waiting and verdict.try_send(waiting[-1]):  # verdict takes more as its frames go on
            me.handled += 1
            waiting.pop()
            if not waiting:
                me.done()

    me.serve({}, tick=step)


def _read(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_TRACK_BYTES + 1)
    except OSError as error:
        raise PositionError("track_unreadable", error.errno or 0) from None
