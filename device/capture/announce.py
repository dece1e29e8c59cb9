"""Which frame is announced to whom, which slots are spared meanwhile, and what becomes of a reader without an answer.

In lockstep every reader gets every frame, in order, the next as soon as it has answered the frame before. The readers
may be up to `AHEAD` frames apart. A slot of the ring is written again only when all have answered.

In realtime a reader that has answered is given the newest frame, and no other until it has answered that. The slot of a
frame that was given and not answered is spared: the reader *leases* it. So a reader holds one slot at most, works on
what it has begun to the end, and skips what came meanwhile. The frame is announced again now and then, since the reader
may have been restarted. A lease that is held for too long is taken away; a reader that is only slow is given twice the
time for its next.

What a hostile reader can do here slows itself alone. Silent: it keeps one slot of four, then loses it. Answering before
it is done: its slot is not spared. Answering for frames that it was not given: its link is not read for a moment.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from device.channel.compartment import Compartment
from device.channel.link import Link
from device.channel.messages import FrameDone, FrameReady, StreamEnd
from device.channel.ring import SLOTS

AHEAD: Final = SLOTS - 1
LEASE_SECONDS: Final = 3.0
"""How long a reader may work on a frame. A detector on a Pi that is busy takes a third of a second."""
MAX_LEASE_SECONDS: Final = 24.0
"""Up to here the lease is doubled for a reader that keeps losing it: slower than that, it judges nothing."""
_RESEND_SECONDS: Final = 0.5
_PENANCE_SECONDS: Final = 0.1


class Reader:
    """A reader of the ring: what it was given, when, and how far it has come."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.done = -1
        self.answered = -1  # the last frame that it answered, be it too late
        self.last = -1  # the last frame that it was given
        self.lease: FrameReady | None = None
        self.since = self.told_at = 0.0
        self.patience = LEASE_SECONDS
        self.paused_until: float | None = None

    def give(self, ready: FrameReady, now: float) -> bool:
        """Announce a frame, for the first time or again. False, and nothing is changed, when the link's queue is full.

        Raises PeerClosedError.
        """
        if not self.link.try_send(ready):
            return False
        if ready.frame != self.last:
            self.since = now
        self.lease, self.told_at, self.last = ready, now, ready.frame
        return True

    def facts(self) -> dict[str, int]:
        """For warden, which judges by them whether the frames go on: 1 more than the last frame given, and answered."""
        return {f"{self.link.peer}_given": self.last + 1, f"{self.link.peer}_answered": self.answered + 1}


class Announcer:
    """Who holds what. One thread publishes, another serves the links: each public method may be called from either.

    Args:
        clock: monotonic seconds.
    """

    def __init__(
        self,
        me: Compartment,
        readers: Iterable[Link],
        *,
        lockstep: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._me, self._lockstep, self._clock = me, lockstep, clock
        self._readers = {link: Reader(link) for link in readers}
        self._published: deque[FrameReady] = deque()  # lockstep: not answered by all yet; realtime: the newest
        self._changed = threading.Condition()

    # --- for the thread that fills slots --------------------------------------------------------------------------

    def spared(self) -> frozenset[int]:
        """The slots that must not be written now: what is leased, and what is yet to be given."""
        with self._changed:
            leased = {reader.lease.slot for reader in self._readers.values() if reader.lease is not None}
            return frozenset(leased | {ready.slot for ready in self._published})

    def wait_for_room(self, seconds: float) -> bool:
        """Wait until the next frame may be written. In realtime there is always room. False: not within `seconds`."""
        with self._changed:
            return self._changed.wait_for(self._has_room, seconds)

    def publish(self, ready: FrameReady) -> None:
        """A frame is complete and due. In realtime it takes the place of the newest."""
        with self._changed:
            if not self._lockstep:
                self._published.clear()
                self._me.handled = ready.frame + 1
            self._published.append(ready)

    def _has_room(self) -> bool:
        return not self._lockstep or len(self._published) < AHEAD

    # --- for the thread that serves the links ---------------------------------------------------------------------

    def answered(self, link: Link, done: FrameDone) -> None:
        """A reader is done with a frame. Answers for a frame that it does not hold count for nothing."""
        reader = self._readers[link]
        with self._changed:
            if reader.answered < done.frame <= reader.last:
                reader.answered = done.frame
            if reader.lease is None or done.frame != reader.lease.frame:
                reader.paused_until = self._clock() + _PENANCE_SECONDS  # it may send them without end
                self._me.pause(link)
                return
            reader.done, reader.lease, reader.patience = done.frame, None, LEASE_SECONDS
            self._forget_done()

    def step(self) -> None:
        """Give each reader that waits its next frame."""
        now = self._clock()
        with self._changed:
            for reader in self._readers.values():
                if reader.paused_until is not None and now >= reader.paused_until:
                    reader.paused_until = None
                    self._me.resume(reader.link)
                (self._next_in_order if self._lockstep else self._newest)(reader, now)
                self._me.facts.update(reader.facts())

    def all_answered(self) -> bool:
        """Whether every reader has answered (or lost) all that there is for it."""
        with self._changed:
            if self._lockstep:
                return not self._published
            newest = self._published[-1].frame if self._published else -1
            return all(reader.lease is None and reader.last >= newest for reader in self._readers.values())

    def tell_end(self, end: StreamEnd) -> None:
        """Tell every reader that no frame follows. To be told again: a reader may be restarted."""
        for link in self._readers:
            link.try_send(end)

    def _next_in_order(self, reader: Reader, now: float) -> None:
        """The next frame for a reader that waits; the same again for a reader that may have been restarted."""
        if reader.lease is not None:
            self._again(reader, now)
            return
        for ready in self._published:
            if ready.frame > reader.done:
                if reader.give(ready, now):
                    self._me.handled = max(self._me.handled, ready.frame + 1)
                return

    def _newest(self, reader: Reader, now: float) -> None:
        """The newest frame for a reader that waits, or that has held its last for too long."""
        if reader.lease is not None and now - reader.since > reader.patience:
            reader.lease, reader.patience = None, min(2 * reader.patience, MAX_LEASE_SECONDS)
            name = f"{reader.link.peer}_leases_lost"
            self._me.facts[name] = self._me.facts.get(name, 0) + 1
        self._again(reader, now)
        if reader.lease is None and self._published and self._published[-1].frame > reader.last:
            reader.give(self._published[-1], now)

    @staticmethod
    def _again(reader: Reader, now: float) -> None:
        if reader.lease is not None and now - reader.told_at > _RESEND_SECONDS:
            reader.give(reader.lease, now)

    def _forget_done(self) -> None:
        if not self._lockstep:
            return
        everyone = min(reader.done for reader in self._readers.values())
        while self._published and self._published[0].frame <= everyone:
            self._published.popleft()
        self._changed.notify_all()
