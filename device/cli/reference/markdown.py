"""Tables in GitHub's Markdown."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table. A `|` in a cell is escaped, also inside of code, where GitHub wants it so."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def code(words: Iterable[str], between: str = ", ") -> str:
    """Each word as code."""
    return between.join(f"`{word}`" for word in words)


def first_sentence(documented: object) -> str:
    """The first sentence of a docstring, in one line, without its full stop."""
    paragraph = " ".join((inspect.getdoc(documented) or "").split("\n\n")[0].split())
    return paragraph.partition(". ")[0].removesuffix(".")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
