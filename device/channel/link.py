"""One end of a `SOCK_SEQPACKET` socket pair to one named peer, that speaks only the agreed message types."""

from __future__ import annotations

import select
import socket

from device.channel.errors import HostileMessageError, PeerClosedError
from device.channel.messages import MAX_MESSAGE_BYTES, Codec, Message, encode

_SEND_BUFFER_BYTES = 512 * 1024


def pair() -> tuple[socket.socket, socket.socket]:
    """A new link's two ends. Both keep their queue while one side is restarted, as long as warden holds a copy."""
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (a, b):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
    return a, b


class Link:
    """Typed messages to and from `peer`.

    Args:
        peer: the name that invalid messages are counted under.
        end: this side's socket; the Link owns it from now on.
        accepts: the message types that this peer may send. None: nothing may come in.
    """

    def __init__(self, peer: str, end: socket.socket, *accepts: type[Message]) -> None:
        self.peer = peer
        self.invalid = 0
        self._socket = end
        self._codec = Codec(*accepts) if accepts else None

    @classmethod
    def from_descriptor(cls, peer: str, descriptor: int, *accepts: type[Message]) -> Link:
        """Adopt an inherited descriptor. Raises OSError if it is not a socket."""
        return cls(peer, socket.socket(fileno=descriptor), *accepts)

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, message: Message) -> None:
        """Send, waiting while the peer's queue is full (a lockstep link). Raises PeerClosedError."""
        try:
            self._socket.send(encode(message))
        except (BrokenPipeError, ConnectionResetError):
            raise PeerClosedError(f"{self.peer} is gone") from None

    def try_send(self, message: Message) -> bool:
        """Send unless the peer's queue is full; a slow peer loses messages and never blocks us."""
        try:
            self._socket.send(encode(message), socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except (BrokenPipeError, ConnectionResetError):
            raise PeerClosedError(f"{self.peer} is gone") from None
        return True

    def receive(self) -> Message | None:
        """The next message, or None when none waits.

        Descriptors that a peer tries to pass along are closed by the kernel, since no buffer for them is offered.

        Raises:
            HostileMessageError: the message is not one of the accepted types; it is counted in `invalid`.
            PeerClosedError: the peer's end is closed for good.
        """
        try:
            data = self._socket.recv(MAX_MESSAGE_BYTES + 1, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except ConnectionResetError:
            raise PeerClosedError(f"{self.peer} is gone") from None
        if not data and self._hung_up():
            raise PeerClosedError(f"{self.peer} is gone")
        if self._codec is None:
            self.invalid += 1
            raise HostileMessageError(f"{self.peer} may not send anything here")
        try:
            return self._codec.decode(data)
        except HostileMessageError:
            self.invalid += 1
            raise

    def close(self) -> None:
        self._socket.close()

    def _hung_up(self) -> bool:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))
