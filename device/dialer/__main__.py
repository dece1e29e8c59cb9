"""dialer: the only process with the network. On a request it connects to the one broker and passes the socket on."""

from __future__ import annotations

import array
import encodings.idna  # noqa: F401  (host names load it lazily, when no file can be opened any more)
import os
import socket
import time
from typing import Annotated

import msgspec
from msgspec import Meta

from device.channel.compartment import Compartment, run
from device.channel.messages import Dial, Dialled, Message, encode
from device.dialer.core import PAUSE_SECONDS, connect


class DialerSettings(msgspec.Struct, forbid_unknown_fields=True):
    """The one broker."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Annotated[int, Meta(ge=1, le=65535)]


def answer(end: socket.socket, connected: socket.socket | None) -> None:
    """Pass a connected socket on, or say that there is none. An uplink that does not listen loses it."""
    try:
        if connected is None:
            end.send(encode(Dialled(ok=False)), socket.MSG_DONTWAIT)
            return
        with connected:
            rights = array.array("i", [connected.fileno()])
            # not socket.send_fds: Python 3.11's ignores the flags
            end.sendmsg(
                [encode(Dialled(ok=True))], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)], socket.MSG_DONTWAIT
            )
    except (BlockingIOError, BrokenPipeError, ConnectionResetError):
        return


def main(me: Compartment) -> None:
    settings = me.settings(DialerSettings)
    uplink = me.link("uplink", Dial)
    end = socket.socket(fileno=os.dup(uplink.fileno()))  # a Link passes no descriptors
    me.ready()

    def dial(_: Message) -> None:
        me.handled += 1
        answer(end, connect(settings.host, settings.port))
        time.sleep(PAUSE_SECONDS)

    me.serve({uplink: dial})


if __name__ == "__main__":
    run("dialer", main)
