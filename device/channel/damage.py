"""What can be wrong with a recording that is read all the same: the words that capture counts damage by.

capture counts, warden tells. The sentences are ours, so that a hostile capture chooses among them and writes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

DamageName = Literal[
    "frames_corrupt",
    "frames_after_damage",
    "frames_undecodable",
    "frames_too_large",
    "frames_of_unknown_kind",
    "images_unreadable",
    "images_incomplete",
    "stream_gaps",
    "container_broken",
    "index_short",
    "cut_off",
]
DAMAGES: Final[tuple[DamageName, ...]] = get_args(DamageName)

OF_FRAMES: Final[tuple[DamageName, ...]] = tuple(name for name in DAMAGES if name.startswith(("frames_", "images_")))
"""Damage of one frame each: such a frame is shown to nobody."""

_SAYS: Final[dict[DamageName, tuple[str, str]]] = {
    "frames_corrupt": ("1 frame is corrupt", "{} frames are corrupt"),
    "frames_after_damage": ("1 frame rests on a corrupt key frame", "{} frames rest on a corrupt key frame"),
    "frames_undecodable": ("1 frame cannot be decoded", "{} frames cannot be decoded"),
    "frames_too_large": ("1 frame is larger than 4096x2304", "{} frames are larger than 4096x2304"),
    "frames_of_unknown_kind": ("1 frame has pixels of an unknown kind", "{} frames have pixels of an unknown kind"),
    "images_unreadable": ("1 image cannot be read", "{} images cannot be read"),
    "images_incomplete": ("1 image is cut off or damaged", "{} images are cut off or damaged"),
    "stream_gaps": ("1 gap in the stream", "{} gaps in the stream"),
    "container_broken": ("it cannot be read to its end", "it cannot be read to its end"),
    "index_short": (
        "its index leaves out frames that its header counts",
        "its index leaves out frames that its header counts",
    ),
    "cut_off": ("it is cut off", "it is cut off"),
}
"""Word -> what is said of one, and of more."""

_PREFIX: Final = "damage."


def fact(name: DamageName) -> str:
    """The name of the fact in which capture tells how much of this damage there was."""
    return _PREFIX + name


def counts(facts: Mapping[str, int]) -> dict[DamageName, int]:
    """The damage that facts of capture tell of; what is no word of ours is left out."""
    return {name: facts[fact(name)] for name in DAMAGES if facts.get(fact(name), 0) > 0}


def sentence(shown: str, found: Mapping[DamageName, int]) -> str:
    """What the user reads. `shown`: what the run calls its input."""
    said = [_SAYS[name][0 if count == 1 else 1].format(count) for name, count in found.items()]
    return f"{shown} is damaged: {', '.join(said)}"
