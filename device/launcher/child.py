"""One compartment as its starter sees it: started, ready, beating, gone; and whether its restart budget has room."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec

from device.channel import failures, phases
from device.channel import link as links
from device.channel.errors import HostileMessageError
from device.channel.link import Link
from device.channel.messages import STAGES, Beat, Done, Failed, Go, Message, Ready, StageName, Stop
from device.channel.rate import Bucket
from device.confine import launch, seccomp
from device.confine.policy import Phase, Policy

ENTRY = "device.channel.entry"
_MESSAGES_A_TURN = 64
_LAST_MESSAGES = 512
MESSAGES_A_SECOND: Final = 50.0
"""To warden, from one compartment: four beats, and one for each fact that warden waits for."""
MESSAGES_AT_ONCE: Final = 200
MOST_KEYS: Final = 64
"""Names of facts that are kept of one start: a hostile compartment may name them anew in each beat."""
_BACKOFF_SECONDS = (0.0, 0.1, 0.3, 1.0, 2.0)


class RestartBudget:
    """At most `allowed` restarts within `window` seconds; the back-off grows with each within the window."""

    def __init__(self, allowed: int, window: float) -> None:
        self._allowed, self._window = allowed, window
        self._times: deque[float] = deque()
        self.total = 0

    @property
    def spent(self) -> int:
        """Restarts within the window."""
        return len(self._times)

    def spend(self, now: float) -> float | None:
        """Take one restart: seconds to wait before it, or None when the budget is spent."""
        while self._times and now - self._times[0] > self._window:
            self._times.popleft()
        if len(self._times) >= self._allowed:
            return None
        self._times.append(now)
        self.total += 1
        return _BACKOFF_SECONDS[min(len(self._times), len(_BACKOFF_SECONDS)) - 1]


class Child:
    """A running compartment. A new Child is made for each start; counts that outlive it are kept by warden's roster.

    Args:
        samples: is given how long a stage took, milliseconds, as the compartment tells it.
    """

    def __init__(
        self,
        policy: Policy,
        descriptors: Mapping[str, int],
        settings: msgspec.Struct,
        places: Mapping[str, Sequence[Path]],
        *,
        show_output: bool = False,
        samples: Callable[[StageName, list[float]], None] = lambda stage, samples: None,
    ) -> None:
        self.policy = policy
        self.name = policy.compartment
        ours, theirs = links.pair()
        self.phase: Phase = "starting"
        self.control = Link(
            self.name, ours, permits=phases.OF_WARDEN, phase=lambda: self.phase, sends=tuple(phases.OF_A_COMPARTMENT)
        )
        handed = {
            "control": theirs.fileno(),
            "filter": _memfd("run-filter", seccomp.run_filter(policy)),
            "settings": _memfd("settings", msgspec.json.encode(settings)),
        }
        try:
            started = launch.start(
                policy, [ENTRY, self.name], {**descriptors, **handed}, places, show_output=show_output
            )
        finally:
            theirs.close()
            os.close(handed["filter"])
            os.close(handed["settings"])
        self.process, self.pid = started.process, started.pid
        self.facts: dict[str, int] | None = None  # what Ready said, None until then
        self.done: dict[str, int] | None = None
        self.since_done: dict[str, int] | None = None  # the facts of the first beat after Done
        self.beat: Beat | None = None
        self.highest: dict[str, int] = {}  # each fact at the highest that it ever was: no later word takes it back
        self.failed: Failed | None = None
        self.told = False  # it has had its Go
        self._samples = samples
        self.floods = False  # it has sent warden more than it may
        self._rate = Bucket(MESSAGES_A_SECOND, MESSAGES_AT_ONCE)
        self.heard = self._began = time.monotonic()

    def listen(self) -> None:
        """Take in what the compartment has sent, at most so much that others get their turn. Raises as Link.receive."""
        self._hear(_MESSAGES_A_TURN, bounded=True)

    def is_heard(self) -> bool:
        """Whether its next message may be taken in now. One that sends more waits in the kernel, in its own queue."""
        return self._rate.has_room(time.monotonic())

    def _hear(self, most: int, *, bounded: bool) -> None:
        for _ in range(most):
            now = time.monotonic()
            if bounded and not self._rate.has_room(now):
                self.heard, self.floods = now, True
                return
            if (message := self.control.receive()) is None:
                return
            self._rate.take(now)
            self.heard = now
            self._TAKES[type(message)](self, message)

    def _on_ready(self, ready: Ready) -> None:
        self.facts, self.phase = dict(ready.facts), "ready"

    def _on_beat(self, beat: Beat) -> None:
        strange = sorted(set(beat.latencies_ms) - set(STAGES.get(self.name, ())))
        if strange:
            self.control.invalid += 1
            raise HostileMessageError(f"{self.name} has no stage {strange[0]}")
        self.beat = beat
        if self.done is not None and self.since_done is None:
            self.since_done = dict(beat.facts)
        self._keep_highest(beat.facts)
        for stage, samples in beat.latencies_ms.items():
            self._samples(stage, samples)

    def _on_done(self, done: Done) -> None:
        self.done = dict(done.facts)
        self._keep_highest(done.facts)

    def _keep_highest(self, facts: Mapping[str, int]) -> None:
        for key, value in facts.items():
            if key in self.highest or len(self.highest) < MOST_KEYS:
                self.highest[key] = max(value, self.highest.get(key, 0))

    def _on_failed(self, failed: Failed) -> None:
        if not failures.is_said_rightly(self.name, failed.failure, failed.numbers, failed.subject):
            self.control.invalid += 1
            raise HostileMessageError(f"{self.name} may not say {failed.failure}")
        self.failed = failed

    _TAKES: ClassVar[dict[type[Message], Callable[[Child, Any], None]]] = {
        Ready: _on_ready,
        Beat: _on_beat,
        Done: _on_done,
        Failed: _on_failed,
    }

    def reason(self, names: Mapping[str, str]) -> tuple[str, str] | None:
        """Why it could not do its work, in our own words: sentence and remedy. None: it gave no reason.

        Args:
            names: what this run calls its inputs (`launcher.settings.names`).
        """
        if self.failed is None:
            return None
        named = {**names, "compartment": self.name}
        return failures.words(self.failed.failure, self.failed.numbers, self.failed.subject, named)

    @property
    def handled(self) -> int:
        """What it has handled, by its last beat."""
        return self.beat.handled if self.beat is not None else 0

    @property
    def said(self) -> Mapping[str, int]:
        """The facts of its last beat."""
        return self.beat.facts if self.beat is not None else {}

    @property
    def is_done(self) -> bool:
        """Whether it said that its input has ended."""
        return self.done is not None

    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._began

    def go(self, utc_ms: int) -> None:
        """Let it go, with nothing to say of the time but this."""
        self.go_with(Go(utc_ms))

    def go_with(self, word: Go) -> None:
        """Let it go."""
        self.phase = "running"
        with contextlib.suppress(ConnectionError):  # its end will be noticed as that of any other
            self.control.try_send(word)

    def ask_to_stop(self) -> None:
        if self.phase == "running":
            self.phase = "ending"
        with contextlib.suppress(ConnectionError):
            self.control.try_send(Stop())

    def kill(self) -> None:
        """SIGKILL: a suspected process is not asked to stop. What runs in its pid namespace ends with it."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    def ended(self) -> str | None:
        """None while it runs, else how it ended, as a fixed word for telemetry: `exit_1`, `sigkill`..."""
        status = self.process.poll()
        if status is None:
            return None
        number = -status if status < 0 else status - 128
        if number > 0:
            with contextlib.suppress(ValueError):
                return signal.Signals(number).name.lower()
        return f"exit_{status}"

    def release(self) -> None:
        """After its end: read what it said last, close what is ours."""
        with contextlib.suppress(ConnectionError, ValueError):
            self._hear(_LAST_MESSAGES, bounded=False)
        self.process.wait()
        self.control.close()


def _memfd(name: str, content: bytes) -> int:
    descriptor = os.memfd_create(f"sealcam-{name}", 0)
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
