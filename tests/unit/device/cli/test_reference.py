"""The parts of the documentation that are written from the code are as the code has them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from device.channel.failures import FAILURES
from device.cli.reference import configuration, failures, links, markdown, policies, verdicts
from device.cli.reference.__main__ import main
from device.cli.reference.pages import DOCS, PARTS, WrittenPart, differing
from device.config import Config
from device.verdict.decision.table import TABLE
from wire.errors import UsageError
from wire.vocabulary import COMPARTMENTS, STATES


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A copy that is as the code has it, also where the pages themselves are behind: one test says that, not all."""
    copy = Path(shutil.copytree(DOCS, tmp_path / "docs", ignore=shutil.ignore_patterns("pictures", "decisions")))
    for part in differing(copy):
        page = copy / part.page
        page.write_text(part.put_into(page.read_text("utf-8")), "utf-8")
    return copy


def rows(table: str) -> list[list[str]]:
    """A table's cells, without its head."""
    lines = [re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines()]
    return [[cell.strip() for cell in line] for line in lines[2:]]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_the_documentation_is_as_the_code_has_it(part: WrittenPart) -> None:
    page = (DOCS / part.page).read_text("utf-8")
    assert part.put_into(page) == page, f"docs/{part.page}, {part.name}: differs from the code; run: make docs"


def test_no_page_has_markers_that_nothing_writes_between() -> None:
    marked = {
        (name, path.name)
        for path in DOCS.glob("*.md")
        for name in re.findall(r"<!-- (?:begin|end): (\w+)", path.read_text("utf-8"))
    }
    assert marked == {(part.name, part.page) for part in PARTS}


@pytest.mark.parametrize(
    ("page", "before", "after", "name"),
    [
        ("configuration.md", "| 8883 |", "| 8884 |", "configuration"),
        ("architecture.md", '-- "regions" --> codes', '-- "regions" --> verdict', "diagram"),
        ("architecture.md", "2048 MiB of addresses", "4096 MiB of addresses", "policies"),
        ("architecture.md", "| `fixes_end` |", "| `fix_end` |", "links"),
        ("verdicts.md", "| 27 | `VERIFIED` |", "| 27 | `SUSPECT` |", "rules"),
        ("failures.md", "| free some space (df -h, df -i) |", "| buy a disk |", "failures"),
    ],
)
def test_a_page_that_was_changed_by_hand_is_found_and_mended(
    docs: Path, capsys: pytest.CaptureFixture[str], page: str, before: str, after: str, name: str
) -> None:
    path = docs / page
    good = path.read_text("utf-8")
    assert before in good
    path.write_text(good.replace(before, after, 1), "utf-8")
    changed = path.read_text("utf-8")
    assert main(["--check", "--docs", str(docs)]) == 1
    assert capsys.readouterr().out == f"docs/{page}, {name}: differs from the code; run: make docs\n"
    assert path.read_text("utf-8") == changed, "--check writes nothing"
    assert main(["--docs", str(docs)]) == 0
    assert path.read_text("utf-8") == good
    assert main(["--check", "--docs", str(docs)]) == 0


def test_what_stands_around_a_part_stays(docs: Path) -> None:
    path = docs / "configuration.md"
    path.write_text("# Ours\n\n" + path.read_text("utf-8") + "\nThe end.\n", "utf-8")
    assert differing(docs) == []


def test_a_page_without_markers_is_refused(docs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = docs / "failures.md"
    path.write_text(path.read_text("utf-8").replace("<!-- end: failures -->", ""), "utf-8")
    assert main(["--docs", str(docs)]) == 2
    assert "does not have the markers of failures once each" in capsys.readouterr().err


def test_markers_in_the_wrong_order_are_refused() -> None:
    part = WrittenPart("x", "page.md", lambda: "text")
    with pytest.raises(UsageError, match="before it begins"):
        part.put_into(f"{part.end}\n{part.begin}\n")


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    assert markdown.table(("a",), [("`x | y`\nz",)]) == "| a |\n| --- |\n| `x \\| y` z |"


def test_every_key_has_its_row_with_what_it_does() -> None:
    found = rows(configuration.table())
    sections = [getattr(Config(), name) for name in Config.__struct_fields__]
    assert [row[1] for row in found] == [f"`{key}`" for section in sections for key in section.__struct_fields__]
    assert all(row[5] for row in found)
    assert found[-1][1:5] == [
        "`deliver_seconds`",
        "30.0",
        "seconds, above 0, to 1000",
        "`SEALCAM_WARDEN_DELIVER_SECONDS`",
    ]


def test_every_compartment_state_rule_and_failure_has_its_row() -> None:
    assert [re.findall(r"\w+", row[0])[0] for row in rows(policies.table())] == list(COMPARTMENTS)
    assert [row[0] for row in rows(verdicts.states())] == [f"`{state}`" for state in STATES]
    assert len(rows(verdicts.rules())) == len(TABLE)
    assert [row[0] for row in rows(failures.table())] == [f"`{word}`" for word in FAILURES]


def test_the_architecture_says_what_falls_with_each_compartment() -> None:
    _, _, after = (DOCS / "architecture.md").read_text("utf-8").partition("## When one falls")
    fallen = re.findall(r"^\| `(\w+)` \|", after.partition("\n## ")[0], re.MULTILINE)
    assert set(fallen) == set(COMPARTMENTS), 'docs/architecture.md: "When one falls" has a row for each compartment'


def test_every_message_says_something() -> None:
    assert all(row[3] for row in rows(links.table()) + rows(links.control()))


_NODE = r'\w+(?:\["[^"\]]+"\])?'
_ARROW = r'(?:-->|<?-- "[^"]+" -->|-\. "[^"]+" \.->)'


def test_the_diagram_is_mermaid_and_has_every_compartment() -> None:
    first, *lines, last = links.diagram().splitlines()
    assert (first, lines[0], last) == ("```mermaid", "flowchart LR", "```")
    shape = re.compile(rf'(?:subgraph \w+\["[^"]+"\]|end|{_NODE}|{_NODE} {_ARROW} {_NODE})')
    assert [line for line in lines[1:] if not shape.fullmatch(line.strip())] == []
    assert sum(line.strip().startswith("subgraph") for line in lines) == sum(line.strip() == "end" for line in lines)
    assert set(re.findall(r"\w+", "\n".join(lines))) >= set(COMPARTMENTS)
