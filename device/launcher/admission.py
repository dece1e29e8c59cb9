"""What compartments send to be recorded, held against the frames that the stream has: no more, and each once.

Verdicts are bounded by number, those that rest on perception alone apart from all others: phantoms that it makes up
take no place of a verdict that rests on a code, on the register or on a missing sign.

Perception and the code reader meet the street, so what they send is bounded by what they do not choose: the frames that
were announced, as warden tells. What names a frame that is not announced yet waits, since warden tells it a little
later; what the stream turns out not to have is refused. The first answer for a frame counts.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Final, Literal

from device.channel.messages import CodeBoxes, Sightings, Verdict
from wire.vocabulary import StateName

Looked = Sightings | CodeBoxes
Kind = Literal["sightings", "code_boxes", "verdicts", "lacking"]
"""`lacking`: sightings that verdict judged by, and that did not come to be recorded."""

MOST_WAITING: Final = 1024
"""Frames whose announcement is not told yet: more than half a minute of a camera."""
MOST_BEFORE: Final = 256
"""Verdicts beside one for each frame, of either sort. A drive has one for some fifty frames."""
_OF_PERCEPTION: Final[frozenset[StateName]] = frozenset({"UNVERIFIED", "SUSPECT"})
_REMEMBERED: Final = 64  # a reader that was restarted answers its last frames again, in the same words
_LEAD_FRAMES: Final = 32  # given since the last word of a capture that was killed
_IN_FLIGHT: Final = 4
"""Frames that a perception which is killed may have told verdict of, and not yet the record..."""
_TOLD_AGAIN: Final = 32
"""...and frames of which a verdict that was killed may hear twice."""


class Admission:
    """Lets through what may be recorded.

    Args:
        take: is given each message that is let through, in order of the frames.

    Attributes:
        refused: how many messages were not, by kind.
        garbage: how many messages were none, by who sent them.
    """

    def __init__(self, take: Callable[[Looked], None]) -> None:
        self._take = take
        self._announced = 0
        self._last: dict[type[Looked], int] = {Sightings: -1, CodeBoxes: -1}
        self._waiting: dict[type[Looked], dict[int, Looked]] = {Sightings: {}, CodeBoxes: {}}  # by frame
        self._known: deque[Looked] = deque(maxlen=_REMEMBERED)
        self._verdicts: Counter[bool] = Counter()  # by whether they rest on perception alone
        self._seen = 0  # frames whose sightings were let through
        self.refused: Counter[Kind] = Counter()
        self.garbage: Counter[str] = Counter()

    def announced(self, frames: int) -> None:
        """Warden tells that so many frames were announced."""
        self._announced = max(self._announced, frames)
        for waiting in self._waiting.values():
            for frame in sorted(frame for frame in waiting if frame < self._announced):
                self._let_through(waiting.pop(frame))

    def look(self, message: Looked) -> None:
        """What a reader saw in a frame: recorded now, later, or not."""
        waiting = self._waiting[type(message)]
        if message.frame < self._announced:
            self._let_through(message)
        elif message.frame in waiting:
            if waiting[message.frame] != message:
                self._refuse(message)
        else:
            waiting[message.frame] = message
            if len(waiting) > MOST_WAITING:  # the farthest: a false number must not push out what is next
                self._refuse(waiting.pop(max(waiting)))

    def verdict(self, verdict: Verdict) -> bool:
        """Whether one more verdict may be recorded; the caller has seen that it is not recorded yet."""
        alone = verdict.state in _OF_PERCEPTION and verdict.code is None
        if self._verdicts[alone] >= self._announced + MOST_BEFORE:
            self.refused["verdicts"] += 1
            return False
        self._verdicts[alone] += 1
        return True

    def refuse_garbage(self, sender: str) -> None:
        """Something came that is no message."""
        self.garbage[sender] += 1

    def hold_to(self, judged: int, restarts: Mapping[str, int]) -> None:
        """So many frames verdict judged by perception's word: as many lines are due, but for what restarts explain."""
        excused = _IN_FLIGHT * (1 + restarts.get("perception", 0)) + _TOLD_AGAIN * restarts.get("verdict", 0)
        lacking = judged - self._seen
        if lacking > excused:
            self.refused["lacking"] = lacking

    def sentences(self) -> list[str]:
        """What was refused and why, for the user; empty where nothing was."""
        refused = dict(self.refused)
        verdicts, lacking, found = refused.pop("verdicts", 0), refused.pop("lacking", 0), []
        if lacking:
            found.append(f"the sightings of {lacking} frames did not come to be recorded, although verdict had them")
        found += [f"{count} messages of {name} to the record were none" for name, count in self.garbage.items()]
        if verdicts:
            were = "verdict was" if verdicts == 1 else "verdicts were"
            found.append(
                f"{verdicts} {were} not recorded: there were more of their sort than frames and {MOST_BEFORE}, so that "
                "most are of signs that do not exist (what was sealed of them reaches the receiver)"
            )
        if refused:
            kinds = " and ".join(sorted(refused)).replace("_", " ")
            found.append(
                f"{sum(refused.values())} messages ({kinds}) were not recorded: they are of frames that the input does "
                "not have, or that were answered before"
            )
        return found

    def finish(self, frames: int) -> None:
        """The stream had so many frames: record what waits for them, and refuse the rest."""
        self.announced(frames + _LEAD_FRAMES if frames else 0)
        for waiting in self._waiting.values():
            for message in waiting.values():
                self._refuse(message)
            waiting.clear()

    def _let_through(self, message: Looked) -> None:
        if message.frame <= self._last[type(message)]:
            if message not in self._known:
                self._refuse(message)
            return
        self._last[type(message)] = message.frame
        self._known.append(message)
        self._seen += isinstance(message, Sightings)
        self._take(message)

    def _refuse(self, message: Looked) -> None:
        self.refused["sightings" if isinstance(message, Sightings) else "code_boxes"] += 1
