"""Words that sentences have in common: numbers of things, and what a mistyped name may have meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

_LEAST_LIKENESS: Final = 0.7
"""Of `difflib`'s ratio: one slip in a short word, two in a long one."""
HOME_VARIABLE: Final = "SEALCAM_HOME"
"""Names the data home (`identity.home`); every other variable that begins so is a key of the configuration."""
PREFIX: Final = "SEALCAM_"
DEVICE_SECTIONS: Final = ("camera", "perception", "models", "uplink", "spool", "indicator", "warden")
"""The sections of the device's configuration: SEALCAM_<SECTION>_<KEY>."""


_TYPES: Final = {
    "`int`": "a whole number",
    "`float`": "a number",
    "`str`": "a text",
    "`bool`": "true or false",
    "`object`": "named values",
    "`array`": "a list",
}
"""What msgspec calls a type -> what its user calls it."""


def counted(count: int, noun: str, plural: str = "") -> str:
    """ "1 sign", "2 signs". `plural`: where it is not the noun with an s."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that a mistyped one is most like, "" where none is near. Capitals make no difference."""
    import difflib  # here, since only mistakes need it

    folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word[:100].casefold(), folded, 1, _LEAST_LIKENESS)
    return folded[found[0]] if found else ""


def misnamed(environment: Mapping[str, str], known: Iterable[str]) -> list[str]:
    """A line for each variable that looks like one of ours and is none, with the nearest known name.

    Args:
        known: the names of ours, HOME_VARIABLE excepted.
    """
    names = {HOME_VARIABLE, *known}
    lines = []
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name in names:
            continue
        near = nearest(name, names)
        meant = f"did you mean {near}?" if near else "unset it, or write SEALCAM_<SECTION>_<KEY>"
        lines.append(f"{name} is no variable of Sealcam and does nothing; {meant}")
    return lines


def misread(environment: Mapping[str, str]) -> list[str]:
    """The same for a program that reads HOME_VARIABLE alone: what is another program's, by its section, is not told."""
    lines = []
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name == HOME_VARIABLE:
            continue
        if name.removeprefix(PREFIX).partition("_")[0].lower() in DEVICE_SECTIONS:
            continue
        near = nearest(name, [HOME_VARIABLE])
        meant = f"did you mean {near}?" if near else f"unset it; the receiver reads {HOME_VARIABLE}, and options"
        lines.append(f"{name} is no variable of Sealcam and does nothing; {meant}")
    return lines


def plain_types(said: str) -> str:
    """msgspec's sentence about a value, within a sentence, with types as people call them."""
    for kind, words in _TYPES.items():
        said = said.replace(kind, words)
    return within(said)


def within(said: str) -> str:
    """A sentence as it stands within another: its first letter small, unless its first word is JSON or the like."""
    return said if said[1:2].isupper() else said[:1].lower() + said[1:]
