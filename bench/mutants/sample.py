"""Draws the mutants of a file, and knows those that are judged equivalent."""

from __future__ import annotations

import random
import tomllib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.mutants.sites import Site, sites
from wire.errors import UsageError

EQUIVALENT = "bench/mutants_equivalent.toml"
MIN_REASON = 10
_KEYS = {"file", "function", "operator", "original", "reason"}


class EquivalentError(UsageError):
    """The file of equivalent mutants cannot be used; the message says what to mend."""


def draw(found: Sequence[Site], source: bytes, count: int, seed: int) -> list[Site]:
    """Up to `count` mutants of one file: an operator at random, then one of its places, again and again.

    So an operator with few places is seen as often as one with many. The seed and the file decide, nothing else.
    """
    by_operator: dict[str, list[Site]] = defaultdict(list)
    for site in found:
        by_operator[site.operator].append(site)
    chance = random.Random(f"{seed} {found[0].path}" if found else seed)  # noqa: S311 - a sample, no secret
    drawn: list[Site] = []
    while by_operator and len(drawn) < count:
        operator = chance.choice(sorted(by_operator))
        places = by_operator[operator]
        site = places.pop(chance.randrange(len(places)))
        if not places:
            del by_operator[operator]
        if site.is_sound(source):
            drawn.append(site)
    return sorted(drawn, key=lambda site: (site.begin, site.end, site.operator, site.mutated))


@dataclass(frozen=True)
class Equivalent:
    """A mutant that no test can tell from the code, and why. Without `mutated`, whatever replaces `original`."""

    file: str
    function: str
    operator: str
    original: str
    reason: str
    mutated: str | None = None

    def matches(self, site: Site) -> bool:
        """Blanks and line ends do not count, so that entries outlive a reformat."""
        return (
            (self.file, self.function, self.operator) == (site.path, site.function, site.operator)
            and _plain(self.original) == _plain(site.original)
            and (self.mutated is None or _plain(self.mutated) == _plain(site.mutated))
        )


def _plain(text: str) -> str:
    return "".join(text.split())


def load_equivalent(path: Path) -> list[Equivalent]:
    """The entries of the file; a missing file has none.

    Raises:
        EquivalentError: an entry lacks a key or a reason, or has a key too many.
    """
    if not path.is_file():
        return []
    try:
        entries = tomllib.loads(path.read_text()).get("equivalent", [])
    except tomllib.TOMLDecodeError as error:
        raise EquivalentError(f"{path.name} is no TOML ({error})", "mend it") from None
    for number, entry in enumerate(entries, 1):
        where = f"entry {number} of {path.name}"
        if missing := sorted(_KEYS - entry.keys()):
            raise EquivalentError(f"{where} lacks {', '.join(missing)}", "add it")
        if unknown := sorted(entry.keys() - _KEYS - {"mutated"}):
            raise EquivalentError(f"{where} has {', '.join(unknown)}, which means nothing", "remove it")
        if not all(isinstance(value, str) for value in entry.values()):
            raise EquivalentError(f"{where} has a value that is no text", "put it in quotes")
        if len(entry["reason"].strip()) < MIN_REASON:
            raise EquivalentError(f"{where} has no reason of {MIN_REASON} characters", "say why no test can tell")
    return [Equivalent(**entry) for entry in entries]


def stale(entries: Sequence[Equivalent], root: Path) -> list[Equivalent]:
    """Entries that match no place in the checkout as it is."""
    found = {
        name: sites(name, (root / name).read_bytes()) for name in {e.file for e in entries} if (root / name).is_file()
    }
    return [entry for entry in entries if not any(entry.matches(site) for site in found.get(entry.file, []))]
