"""One end of a `SOCK_SEQPACKET` socket pair to one named peer, that speaks only the agreed message types."""

from __future__ import annotations

import fcntl
import select
import socket
import struct
import termios
import time
from collections import deque
from collections.abc import Callable, Collection
from typing import Final

from device.channel.errors import HostileMessageError, OwnFaultError, PeerClosedError
from device.channel.messages import MAX_MESSAGE_BYTES, Codec, Message, encode
from device.channel.phases import Permits, always
from device.channel.rate import Bucket
from device.confine.policy import Phase

_SEND_BUFFER_BYTES = 512 * 1024
MOST_WAITING: Final = 256
"""Messages that wait on our side for a peer that does not read, beside what the kernel holds."""


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
        accepts: the message types that this peer may send, at any time. Without any, nothing may come in.
        permits: instead of `accepts`, each type with when it may come.
        phase: tells the receiver's phase; needed with `permits`.
        sends: the message types that may go out here; None: any.
    """

    def __init__(
        self,
        peer: str,
        end: socket.socket,
        *accepts: type[Message],
        permits: Permits | None = None,
        phase: Callable[[], Phase] = lambda: "running",
        sends: Collection[type[Message]] | None = None,
    ) -> None:
        self.peer = peer
        self.invalid = self.flooded = self.lost = 0
        self._waiting: deque[bytes] = deque()
        self._socket = end
        self._permits = permits if permits is not None else always(*accepts)
        self._phase = phase
        self._sends = sends
        self._came: set[type[Message]] = set()
        self._codec = Codec(*self._permits) if self._permits else None
        self._rates = {
            kind: Bucket(permit.per_second, permit.burst)
            for kind, permit in self._permits.items()
            if permit.per_second is not None
        }

    @classmethod
    def from_descriptor(cls, peer: str, descriptor: int, *accepts: type[Message]) -> Link:
        """Adopt an inherited descriptor. Raises OSError if it is not a socket."""
        return cls(peer, socket.socket(fileno=descriptor), *accepts)

    @property
    def receives(self) -> frozenset[type[Message]]:
        """The message types that may come in."""
        return frozenset(self._permits)

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, message: Message) -> None:
        """Send, waiting while the peer's queue is full: to warden and the command only. Raises PeerClosedError."""
        try:
            self._socket.send(self._encoded(message))
        except (BrokenPipeError, ConnectionResetError):
            raise PeerClosedError(f"{self.peer} is gone") from None

    def post(self, message: Message) -> bool:
        """Send as soon as the peer's queue has room, in order, and never wait for that. Raises PeerClosedError.

        False: `MOST_WAITING` messages wait already; this message is lost, and counted in `lost`.
        """
        if self.clear() and self.try_send(message):
            return True
        if len(self._waiting) >= MOST_WAITING:
            self.lost += 1
            return False
        self._waiting.append(self._encoded(message))
        return True

    @property
    def waiting(self) -> int:
        """How many posted messages wait for room in the peer's queue."""
        return len(self._waiting)

    def unread(self) -> int:
        """How much of what was sent the peer has not read, by the kernel's word; 0: nothing (unix(7), SIOCOUTQ)."""
        return int(struct.unpack("i", fcntl.ioctl(self._socket, termios.TIOCOUTQ, bytes(4)))[0])

    def clear(self) -> bool:
        """Send what waits, as far as there is room; whether nothing waits any more. Raises PeerClosedError."""
        while self._waiting:
            if not self._put(self._waiting[0]):
                return False
            self._waiting.popleft()
        return True

    def try_send(self, message: Message) -> bool:
        """Send unless the peer's queue is full; a slow peer loses messages and never blocks us."""
        return self._put(self._encoded(message))

    def _put(self, data: bytes) -> bool:
        try:
            self._socket.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except (BrokenPipeError, ConnectionResetError):
            raise PeerClosedError(f"{self.peer} is gone") from None
        return True

    def receive(self) -> Message | None:
        """The next message, or None when none waits, or when it is more than may come: it is counted in `flooded`.

        Descriptors that a peer tries to pass along are closed by the kernel, since no buffer for them is offered.

        Raises:
            HostileMessageError: the message is of no type that may come, or comes in the wrong phase, or for a second
                time where it may come once; it is counted in `invalid`.
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
            message = self._permitted(self._codec.decode(data))
        except HostileMessageError:
            self.invalid += 1
            raise
        rate = self._rates.get(type(message))
        if rate is not None and not rate.take(time.monotonic()):
            self.flooded += 1
            return None
        return message

    def close(self) -> None:
        self._socket.close()

    def _permitted(self, message: Message) -> Message:
        """The message, if it may come now. Raises HostileMessageError."""
        permit = self._permits[type(message)]
        if self._phase() not in permit.during or (permit.once and type(message) in self._came):
            raise HostileMessageError(f"{self.peer} may not send a {type(message).__name__} now")
        self._came.add(type(message))
        return message

    def _encoded(self, message: Message) -> bytes:
        if self._sends is not None and type(message) not in self._sends:
            raise OwnFaultError(f"the policy lets no {type(message).__name__} go to {self.peer}")  # our own bug
        return encode(message)

    def _hung_up(self) -> bool:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))
