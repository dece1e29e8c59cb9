"""Hostile code in place of a compartment's own. Started by `sealcam redteam` under its policy, never by hand.

It sets the same limits, loads the same run filter and has the same mounts as the compartment's own code; then it makes
every attempt. It differs in three ways: the compartment's own modules are not loaded, `channel.entry` is left out, and
warden's filter, which most compartments inherit as a third, is not there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from device.channel.compartment import Compartment
from device.redteam.attempts import ATTEMPTS, Foothold

_ALLOWED, _DENIED = 1, 0
_AT_A_TIME = 16


class RedteamSettings(msgspec.Struct, forbid_unknown_fields=True):
    """`compartment`: whose place this code takes. `home`: where the keys would be."""

    compartment: str
    home: str


def main(name: str, argv: list[str]) -> None:
    me = Compartment(name, argv)
    settings = me.settings(RedteamSettings)
    ring = me.descriptor("ring") if me.has("ring") else None
    ground = Foothold(Path(settings.home), ring)
    me.ready()
    results: dict[str, int] = {}
    for attempt, attack in ATTEMPTS.items():
        if attempt == "execute":
            me.done(results)  # the results so far: an execution that works ends this process
            results = {}
        try:
            attack(ground)
        except OSError:
            results[attempt] = _DENIED
        else:
            results[attempt] = _ALLOWED
        if len(results) == _AT_A_TIME:
            me.done(results)
            results = {}
    me.done(results)
    me.serve({})


if __name__ == "__main__":
    main(sys.argv.pop(1), sys.argv[1:])
