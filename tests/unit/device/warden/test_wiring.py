"""What a compartment has left in its peers' queues can be thrown away, and nothing else with it."""

from __future__ import annotations

import socket

import pytest

from device.channel import link as links
from device.warden.table import OUTSIDE
from device.warden.wiring import Wiring


@pytest.fixture
def wiring() -> Wiring:
    outside = {f"{name}.{end}": links.pair()[0].detach() for name, end in OUTSIDE}
    return Wiring(outside, {})


def waiting(end: socket.socket) -> list[bytes]:
    found = []
    while True:
        try:
            found.append(end.recv(100, socket.MSG_DONTWAIT))
        except BlockingIOError:
            return found


def test_what_it_sent_is_gone_and_what_it_was_sent_and_what_others_sent_stays(wiring: Wiring) -> None:
    ends = wiring._ends
    for _ in range(50):
        ends["uplink", "sealer"].send(b"garbage")
    ends["sealer", "uplink"].send(b"an envelope")
    ends["verdict", "sealer"].send(b"a verdict")
    wiring.discard_from("uplink")
    assert waiting(ends["sealer", "uplink"]) == []
    assert waiting(ends["uplink", "sealer"]) == [b"an envelope"]
    assert waiting(ends["sealer", "verdict"]) == [b"a verdict"]
