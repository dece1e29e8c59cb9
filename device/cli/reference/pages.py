"""Which part of which page is written from the code, and the markers that it stands between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.cli.reference import configuration, failures, links, policies, verdicts
from wire.errors import UsageError

DOCS: Final = Path(__file__).resolve().parents[3] / "docs"
"""The pages of this checkout."""


@dataclass(frozen=True)
class WrittenPart:
    """A part of a page: its name in the markers, the page, and what gives its Markdown."""

    name: str
    page: str
    text: Callable[[], str]

    @property
    def begin(self) -> str:
        """The marker above it."""
        return f"<!-- begin: {self.name} (make docs) -->"

    @property
    def end(self) -> str:
        """The marker below it."""
        return f"<!-- end: {self.name} -->"

    def put_into(self, page: str) -> str:
        """The page with this part as the code has it. Raises UsageError where its markers are not there once each."""
        if page.count(self.begin) != 1 or page.count(self.end) != 1:
            raise UsageError(
                f"docs/{self.page} does not have the markers of {self.name} once each",
                f"put {self.begin} and {self.end} where it belongs",
            )
        before, _, rest = page.partition(self.begin)
        _, found, after = rest.partition(self.end)
        if not found:
            raise UsageError(f"docs/{self.page} ends {self.name} before it begins it", "swap the two markers")
        return f"{before}{self.begin}\n\n{self.text().strip()}\n\n{self.end}{after}"


PARTS: Final[tuple[WrittenPart, ...]] = (
    WrittenPart("configuration", "configuration.md", configuration.table),
    WrittenPart("diagram", "architecture.md", links.diagram),
    WrittenPart("policies", "architecture.md", policies.table),
    WrittenPart("links", "architecture.md", links.table),
    WrittenPart("control", "architecture.md", links.control),
    WrittenPart("states", "verdicts.md", verdicts.states),
    WrittenPart("rules", "verdicts.md", verdicts.rules),
    WrittenPart("columns", "verdicts.md", verdicts.columns),
    WrittenPart("failures", "failures.md", failures.table),
)


def differing(docs: Path) -> list[WrittenPart]:
    """The parts that are not as the code has them. Raises UsageError."""
    return [part for part in PARTS if part.put_into(page := _read(docs / part.page)) != page]


def rewrite(docs: Path) -> list[WrittenPart]:
    """Write every part that differs; gives those. Raises UsageError."""
    found = differing(docs)
    for part in found:
        path = docs / part.page
        path.write_text(part.put_into(_read(path)), encoding="utf-8")
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})", "run it in a checkout") from None
