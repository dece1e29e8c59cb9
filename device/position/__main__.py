"""position: sends the fixes of one GPX file to verdict, as fast as verdict takes them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from device.channel.compartment import Compartment, run
from device.channel.messages import Fix, FixesEnd
from device.errors import UsageError
from device.position.core import MAX_GPX_BYTES, parse_gpx
from device.position.errors import PositionError


class PositionSettings(msgspec.Struct, forbid_unknown_fields=True):
    """`gpx`: the file's path in here, None without a position source. `shown`: its name for messages."""

    gpx: str | None
    shown: str


def main(me: Compartment) -> None:
    settings = me.settings(PositionSettings)
    fixes = _load(settings) if settings.gpx else []
    verdict = me.link("verdict")
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


def _load(settings: PositionSettings) -> list[Fix]:
    try:
        with Path(settings.gpx or "").open("rb") as file:
            return parse_gpx(file.read(MAX_GPX_BYTES + 1))
    except OSError as error:
        raise UsageError(f"{settings.shown} cannot be read ({error.strerror}); check the path") from None
    except PositionError as error:
        raise UsageError(f"{settings.shown}: {error}") from None


if __name__ == "__main__":
    run("position", main)
