"""The uplink's end of the link to dialer: requests out, connected sockets in."""

from __future__ import annotations

import array
import os
import socket

from device.channel.errors import HostileMessageError
from device.channel.link import Link
from device.channel.messages import MAX_MESSAGE_BYTES, Codec, Dial, DialFailure, Dialled

_NETWORK = (socket.AF_INET, socket.AF_INET6)
_FLAGS = socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC


class DialEnd:
    """Receives descriptors, which a Link does not. Wrong answers are counted on the Link."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._socket = socket.socket(fileno=os.dup(link.fileno()))
        self._codec = Codec(Dialled)

    def fileno(self) -> int:
        """The descriptor to poll."""
        return self._socket.fileno()

    def ask(self) -> None:
        """Ask for a connection; a dialer that is not there is asked again later."""
        self._link.try_send(Dial())

    def receive(self) -> socket.socket | DialFailure | None:
        """Dialer's answer: a connected TCP socket, or why there is none; None where there is no answer yet.

        An answer that is neither is counted, and is "failed".
        """
        room = socket.CMSG_LEN(array.array("i").itemsize)
        try:
            # not socket.recv_fds: Python 3.11's ignores the flags
            data, ancillary, flags, _ = self._socket.recvmsg(MAX_MESSAGE_BYTES + 1, room, _FLAGS)
        except BlockingIOError:
            return None
        descriptors = _descriptors(ancillary)
        try:
            answer = self._codec.decode(data)
            if not isinstance(answer, Dialled) or len(descriptors) != int(answer.ok) or flags & socket.MSG_CTRUNC:
                raise HostileMessageError("an answer with the wrong number of descriptors")
            if answer.ok != (answer.failure == "none"):
                raise HostileMessageError("an answer that contradicts itself")
            return _stream(descriptors.pop()) if descriptors else answer.failure
        except HostileMessageError:
            self._link.invalid += 1
            return "failed"
        finally:
            for descriptor in descriptors:
                os.close(descriptor)


def _descriptors(ancillary: list[tuple[int, int, bytes]]) -> list[int]:
    """The descriptors that came along."""
    numbers = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            numbers.frombytes(data[: len(data) - len(data) % numbers.itemsize])
    return list(numbers)


def _stream(descriptor: int) -> socket.socket:
    """Adopt a descriptor that must be a connected TCP socket. Raises HostileMessageError."""
    try:
        given = socket.socket(fileno=descriptor)
    except OSError:
        os.close(descriptor)
        raise HostileMessageError("a descriptor that is no socket") from None
    try:
        if given.family in _NETWORK and given.type == socket.SOCK_STREAM and given.getpeername():
            return given
    except OSError:
        pass  # not connected
    given.close()
    raise HostileMessageError("a socket that is no TCP connection")
