"""dialer: the only compartment with the network. On request it connects to the one broker and passes the socket on."""

from __future__ import annotations

import encodings.idna  # noqa: F401  (host names load it lazily: here before the run filter)
import os
import socket
import time

from device.channel.compartment import Compartment
from device.channel.messages import Dial
from device.dialer.core import PAUSE_SECONDS, answer, connect
from device.dialer.settings import DialerSettings


def main(me: Compartment) -> None:
    settings = me.settings(DialerSettings)
    uplink = me.link("uplink")
    end = socket.socket(fileno=os.dup(uplink.fileno()))  # a Link passes no descriptors
    me.ready()

    def dial(_: Dial) -> None:
        me.handled += 1
        answer(end, connect(settings.host, settings.port))
        time.sleep(PAUSE_SECONDS)

    me.serve({uplink: {Dial: dial}})
