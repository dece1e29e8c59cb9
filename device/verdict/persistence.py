"""What `verdict` keeps over a restart, each part readable alone: a spoilt part costs only itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
from msgspec import Meta

from device.channel.errors import HostileMessageError
from device.channel.messages import Codec, Verdict, encode

_VERDICTS = Codec(Verdict)


@dataclass
class Remembered:
    """What could be read. `lost`: how many parts could not."""

    judge: bytes = b""
    unstored: list[Verdict] = field(default_factory=list)
    ended: set[str] = field(default_factory=set)
    finished: bool = False
    lost: int = 0
    dropped: int = 0


class _Kept(msgspec.Struct, forbid_unknown_fields=True):
    judge: bytes
    unstored: list[bytes]
    ended: list[str]
    finished: bool
    dropped: Annotated[int, Meta(ge=0, le=2**40)] = 0


def to_bytes(
    judge: bytes, unstored: Iterable[Verdict], ended: Collection[str], finished: bool, dropped: int = 0
) -> bytes:
    """The judge's snapshot, verdicts that are not yet stored, the inputs that have ended, whether all is judged.

    `dropped`: how many verdicts there was no memory for, and sealer does not know yet.
    """
    return msgspec.msgpack.encode(
        _Kept(judge, [encode(verdict) for verdict in unstored], sorted(ended), finished, dropped)
    )


def from_bytes(data: bytes) -> Remembered:
    """All that is good of what `to_bytes` wrote. Never raises: spoilt parts are counted."""
    try:
        kept = msgspec.msgpack.decode(data, type=_Kept, strict=True)
    except msgspec.DecodeError:
        return Remembered(lost=1)
    found = Remembered(kept.judge, [], set(kept.ended), kept.finished, dropped=kept.dropped)
    for saved in kept.unstored:
        verdict = _read(saved)
        if verdict is None:
            found.lost += 1
        else:
            found.unstored.append(verdict)
    return found


def sound(verdict: Verdict) -> bool:
    """Whether the receivers will accept this verdict: its types bound every field, but only when it is decoded."""
    return _read(encode(verdict)) is not None


def _read(data: bytes) -> Verdict | None:
    try:
        verdict = _VERDICTS.decode(data)
    except HostileMessageError:
        return None
    return verdict if isinstance(verdict, Verdict) else None
