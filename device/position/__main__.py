"""position: sends the fixes of one GPX file to verdict, as fast as verdict takes them."""

from __future__ import annotations

from pathlib import Path

from device.channel.compartment import Compartment
from device.channel.messages import FixesEnd
from device.position.core import MAX_GPX_BYTES, parse_gpx
from device.position.errors import PositionError
from device.position.settings import PositionSettings

_WARM_UP = b"""<gpx version="1.1" creator="sealcam" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>
<trkpt lat="0" lon="0"><time>2026-01-01T00:00:00Z</time></trkpt></trkseg></trk></gpx>"""


def main(me: Compartment) -> None:
    settings = me.settings(PositionSettings)
    verdict = me.link("verdict")
    content = _read(settings.gpx) if settings.gpx else b""
    parse_gpx(_WARM_UP)
    me.tighten()  # the parser sees the file under the run filter only
    fixes = parse_gpx(content) if settings.gpx else []
    facts = {"fixes": len(fixes)}
    if fixes:
        facts |= {"first_utc_ms": fixes[0].utc_ms, "last_utc_ms": fixes[-1].utc_ms}
    me.ready(facts)
    waiting = [*fixes, FixesEnd()]
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
            return file.read(MAX_GPX_BYTES + 1)
    except OSError as error:
        raise PositionError("gpx_unreadable", error.errno or 0) from None
