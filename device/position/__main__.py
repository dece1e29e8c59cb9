"""position: sends the fixes of one GPX file to verdict, as fast as verdict takes them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from device.channel.compartment import Compartment, run
from device.channel.messages import Fix, FixesEnd
from device.position.core import MAX_GPX_BYTES, parse_gpx
from device.position.errors import PositionError
from wire.errors import UsageError

_WARM_UP = b"""<gpx version="1.1" creator="sealcam" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>
<trkpt lat="0" lon="0"><time>2026-01-01T00:00:00Z</time></trkpt></trkseg></trk></gpx>"""


class PositionSettings(msgspec.Struct, forbid_unknown_fields=True):
    """`gpx`: the file's path in here, None without a position source. `shown`: its name for messages."""

    gpx: str | None
    shown: str


def main(me: Compartment) -> None:
    settings = me.settings(PositionSettings)
    verdict = me.link("verdict")
    content = _read(settings) if settings.gpx else b""
    parse_gpx(_WARM_UP)
    me.tighten()  # the parser sees the file under the run filter only
    fixes = _parse(content, settings.shown) if settings.gpx else []
    facts = {"fixes": len(fixes)}
    if fixes:
        facts |= {"first_utc_ms": fixes[0].utc_ms, "last_utc_ms": fixes[-1].utc_ms}
    me.ready(facts)
    waiting = [*fixes, FixesEnd()]
    waiting.reverse()

    def step() -> None:
        while waiting and verdict.try_send(waiting[-1]):  # verdict takes them in step with the video's clock
            me.handled += 1
            waiting.pop()
            if not waiting:
                me.done()

    me.serve({}, tick=step)


def _read(settings: PositionSettings) -> bytes:
    try:
        with Path(settings.gpx or "").open("rb") as file:
            return file.read(MAX_GPX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{settings.shown} cannot be read ({error.strerror})", "check the path") from None


def _parse(content: bytes, shown: str) -> list[Fix]:
    try:
        return parse_gpx(content)
    except PositionError as error:
        raise UsageError(f"{shown}: {error}") from None


if __name__ == "__main__":
    run("position", main)
