"""The inside of every compartment: adopt the descriptors, limit, tighten, report ready, serve, beat, stop.

The order is the point. A compartment (1) sets its resource limits, (2) takes its descriptors and settings, (3) loads
all that it will ever need, (4) tightens itself, and only then (5) says that it is ready and (6), when warden says so,
touches its first hostile byte from a peer.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import socket
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from device.channel import failures, phases, topology
from device.channel.errors import ChannelError, CompartmentError, HostileMessageError, PeerClosedError
from device.channel.link import Link
from device.channel.messages import (
    MAX_COUNT,
    Beat,
    Done,
    DropCause,
    Failed,
    Go,
    Message,
    Ready,
    StageName,
    Stop,
)
from device.confine import policy as policies
from device.confine.errors import PolicyError
from device.confine.policy import Phase
from device.confine.tighten import limit, tighten

Settings = TypeVar("Settings", bound=msgspec.Struct)
Handlers = Mapping[type[Message], Callable[[Any], None]]
"""Message type -> what to do with a message of it; exactly the types that the policy lets come in on the link."""
Watch = tuple[int, int, Callable[[int], None]]

_BEAT_SECONDS = 0.25
_MAX_SAMPLES = 1024
_MAX_SETTINGS_BYTES = 1024 * 1024
_REINSTALL = "reinstall Sealcam"


class Compartment:
    """This process, as one compartment of the device. Made once: by `entry`, or by `device.redteam` in its place."""

    def __init__(self, name: str, argv: list[str]) -> None:
        parser = argparse.ArgumentParser(prog=name, description="Started by sealcam, never by hand.")
        parser.add_argument("--descriptors", required=True)
        pairs = (part.split("=", 1) for part in parser.parse_args(argv).descriptors.split(","))
        self.name = name
        self.phase: Phase = "starting"
        self.stopping = False
        self.handled = 0
        self.dropped: Counter[DropCause] = Counter()
        self.facts: dict[str, int] = {}
        self._descriptors = {key: int(number) for key, number in pairs}
        self._policy = policies.load(name)
        limit(self._policy.limits)
        self._control = Link(
            "warden",
            socket.socket(fileno=self.descriptor("control")),
            permits=phases.OF_A_COMPARTMENT,
            phase=lambda: self.phase,
            sends=tuple(phases.OF_WARDEN),
        )
        self._filter = self._read(self.descriptor("filter"))
        self._settings = self._read(self.descriptor("settings"))
        self._links: list[Link] = []
        self._paused: set[Link] = set()
        self._samples: dict[StageName, list[float]] = defaultdict(list)
        self._next_beat = 0.0
        self._tight = False

    def descriptor(self, name: str) -> int:
        """An inherited descriptor, to be owned by the caller. Each can be taken once."""
        return self._descriptors.pop(name)

    def has(self, name: str) -> bool:
        """Whether a descriptor of this name was handed over and is not yet taken."""
        return name in self._descriptors

    def settings(self, kind: type[Settings]) -> Settings:
        """The settings that were derived from the configuration for this compartment alone."""
        return msgspec.json.decode(self._settings, type=kind, strict=True)

    def link(self, end: str) -> Link:
        """The inherited link of this name; what may come in on it, and when, stands in the policy."""
        rule = topology.end_of(self._policy, end)
        link = Link(
            rule.peer,
            socket.socket(fileno=self.descriptor(end)),
            permits=rule.receives,
            phase=lambda: self.phase,
            sends=rule.sends,
        )
        self._links.append(link)
        return link

    def tighten(self) -> None:
        """Put the run filter in force now: before the first hostile byte, where input is read while starting."""
        if not self._tight:
            tighten(self._filter)
            self._tight = True

    def ready(self, facts: Mapping[str, int] | None = None) -> Go:
        """Tighten, report, and wait for warden's Go. Leaves when warden says Stop instead or is gone."""
        self.tighten()
        self.phase = "ready"
        self._control.send(Ready(dict(facts or {})))
        while True:
            select.select([self._control], [], [])
            match self._receive(self._control):
                case Go() as go:
                    self.phase = "running"
                    return go
                case Stop():
                    sys.exit(0)

    def sample(self, stage: StageName, seconds: float) -> None:
        """Record how long a stage took; the next beat carries it."""
        samples = self._samples[stage]
        if len(samples) < _MAX_SAMPLES:
            samples.append(round(seconds * 1000.0, 3))

    def timed(self, stage: StageName, handler: Callable[[Any], None]) -> Callable[[Any], None]:
        """The handler, with each call counted as handled and its time recorded under `stage`."""

        def handle(message: Any) -> None:
            began = time.perf_counter()
            handler(message)
            self.sample(stage, time.perf_counter() - began)
            self.handled += 1

        return handle

    def report(self) -> None:
        """Send a beat now: a fact has changed that warden waits for."""
        self._beat(force=True)

    def pause(self, link: Link) -> None:
        """Leave the link's messages in the kernel for now; a sender with a full queue waits, or loses what it sends."""
        self._paused.add(link)

    def resume(self, link: Link) -> None:
        self._paused.discard(link)

    def done(self, facts: Mapping[str, int] | None = None) -> None:
        """Tell warden that nothing more will come from here. The compartment goes on serving until it is stopped."""
        self._control.send(Done(dict(facts or {})))

    def tell_failure(self, error: BaseException) -> None:
        """Tell warden why this compartment cannot do its work: a word of `failures`, never a text."""
        if isinstance(error, CompartmentError):
            failed = Failed(error.failure, list(error.numbers), error.subject)
        else:
            failed = Failed(*failures.of(error))
        with contextlib.suppress(ChannelError):  # warden is gone: no process is left to tell
            self._control.send(failed)

    def serve(
        self,
        handlers: Mapping[Link, Handlers],
        *,
        tick: Callable[[], None] | None = None,
        tick_seconds: Callable[[], float] = lambda: 0.1,
        watches: Callable[[], list[Watch]] | None = None,
    ) -> None:
        """Handle messages until warden says Stop.

        Args:
            handlers: link -> message type -> what to do with a valid message of it. Invalid ones are dropped and
                counted by the link.
            tick: called at least every `tick_seconds()`, and after each round of messages.
            watches: further descriptors to poll now: (descriptor, poll events, callback with the events).

        Raises:
            PolicyError: the handled messages are not exactly those that the policy lets come in.
        """
        for link, table in handlers.items():
            if frozenset(table) != link.receives:
                raise PolicyError(f"{self.name} does not handle what its policy takes from {link.peer}", _REINSTALL)
        while not self.stopping:
            self._beat()
            self._send_what_waits()
            poll = self._poll_of(handlers)
            extra = {fd: (events, call) for fd, events, call in (watches() if watches else [])}
            for fd, (events, _) in extra.items():
                poll.register(fd, events)
            by_descriptor = {link.fileno(): link for link in handlers}
            for fd, events in poll.poll(tick_seconds() * 1000.0):
                if fd in extra:
                    extra[fd][1](events)
                elif fd in by_descriptor:
                    self._dispatch(by_descriptor[fd], handlers[by_descriptor[fd]])
                elif fd == self._control.fileno() and isinstance(self._receive(self._control), Stop):
                    self.stopping, self.phase = True, "ending"
            if tick:
                tick()
        self._send_what_waits()
        self._beat(force=True)

    def serve_until(
        self,
        settled: Callable[[], bool],
        handlers: Mapping[Link, Handlers],
        *,
        tick: Callable[[], None],
        tick_seconds: Callable[[], float],
        at_most: float,
        watches: Callable[[], list[Watch]] | None = None,
    ) -> None:
        """After Stop: go on serving until `settled()`, for `at_most` seconds at the longest."""
        give_up = time.monotonic() + at_most
        self.stopping = False

        def step() -> None:
            tick()
            self.stopping = settled() or time.monotonic() >= give_up

        self.serve(handlers, tick=step, tick_seconds=tick_seconds, watches=watches)

    def drain(self, handlers: Mapping[Link, Handlers], *, at_most: float) -> None:
        """After Stop: handle what peers had sent before they ended, for `at_most` seconds at the longest."""
        give_up = time.monotonic() + at_most
        while time.monotonic() < give_up and (waiting := select.select(list(handlers), [], [], 0)[0]):
            for link in waiting:
                self._dispatch(link, handlers[link])

    def _poll_of(self, handlers: Mapping[Link, Handlers]) -> select.poll:
        """Wakes for what may come in now, and when there is room for what waits to go out."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        for link in {*self._links, *handlers}:
            takes = select.POLLIN if link in handlers and link not in self._paused else 0
            if events := takes | (select.POLLOUT if link.waiting else 0):
                poll.register(link, events)
        return poll

    def _send_what_waits(self) -> None:
        try:
            for link in self._links:
                link.clear()
        except PeerClosedError:
            sys.exit(1)  # as in `_receive`

    def _dispatch(self, link: Link, table: Handlers) -> None:
        message = self._receive(link)
        if message is not None:
            table[type(message)](message)

    def _receive(self, link: Link) -> Message | None:
        try:
            return link.receive()
        except HostileMessageError:
            return None  # counted by the link; the next beat tells warden, who restarts the peer
        except PeerClosedError:
            sys.exit(1)  # a closed end means that warden, or the command that started it, is gone

    def _beat(self, *, force: bool = False) -> None:
        now = time.monotonic()
        if now < self._next_beat and not force:
            return
        self._next_beat = now + _BEAT_SECONDS
        invalid = {link.peer: link.invalid for link in self._links if link.invalid}
        dropped = {cause: min(count, MAX_COUNT) for cause, count in self.dropped.items() if count}
        flooded = {link.peer: link.flooded for link in self._links if link.flooded}
        facts = dict(self.facts)
        beat = Beat(self.handled, dropped, invalid, dict(self._samples), facts, flooded)  # type: ignore[arg-type]
        if self._control.try_send(beat):
            self._samples.clear()

    @staticmethod
    def _read(descriptor: int) -> bytes:
        with os.fdopen(descriptor, "rb") as file:
            file.seek(0)
            return file.read(_MAX_SETTINGS_BYTES)
