"""Warden's reports to the command that started it. In the other direction only Stop goes."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from device.channel.messages import Identifier, Message
from wire.vocabulary import CompartmentName, HealthKind


class Progress(Message, frozen=True, tag="progress"):
    """How far the run is. `frames` is 0 where the source does not tell.

    `judged_share`: of the last frames, the share that the slower reader judged. `waiting`: events without a receipt.
    `delivering_seconds`: for how long only their receipts have been waited for, 0 while there is more to do.
    """

    frame: int
    frames: int
    sealed: int
    receipted: int
    judged_share: float = 1.0
    waiting: int = 0
    delivering_seconds: float = 0.0


class Running(Message, frozen=True, tag="running"):
    """Warden's compartments are ready and confined. By name: process id outside its pid namespace, layers enforced."""

    pids: dict[str, int]
    layers: dict[str, dict[str, bool]]


class Incident(Message, frozen=True, tag="incident"):
    """A restart, an invalid message or an alarm, as it happens."""

    kind: HealthKind
    compartment: CompartmentName
    detail: Identifier


class Notice(Message, frozen=True, tag="notice"):
    """What the user must know at once, in our own words, while the run goes on. `remedy` is empty for good news."""

    sentence: Annotated[str, Meta(max_length=1024)]
    remedy: Annotated[str, Meta(max_length=1024)]


class Finished(Message, frozen=True, tag="finished"):
    """The last report: the command's exit status (0, 1 or 2). `sentence` and `remedy` are empty when all is good.

    `notes`: lines to print before it.
    """

    exit_status: Annotated[int, Meta(ge=0, le=2)]
    sentence: str
    remedy: str
    summary: dict[str, Any]
    notes: list[str] = []  # noqa: RUF012 (msgspec copies it)
