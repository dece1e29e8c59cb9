"""Every file and every name that the documentation's tour leads to exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT

TOUR = ROOT / "docs" / "tour.md"
_LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<target>[^)#]+)(?:#[^)]*)?\)")
_SPAN = re.compile(r"`(?P<path>[\w./]+\.(?:py|toml|md|sql))(?:: (?P<name>[\w.]+))?`")


def names_in(body: list[ast.stmt], above: str = "") -> set[str]:
    """What a module, or a class, defines: `name`, `Class.method`."""
    found: set[str] = set()
    for node in body:
        match node:
            case ast.ClassDef(name=name, body=inside):
                found |= {above + name, *names_in(inside, f"{above}{name}.")}
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(above + name)
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(above + name)
            case ast.Assign(targets=targets):
                found |= {above + target.id for target in targets if isinstance(target, ast.Name)}
    return found


def stale(text: str, folder: Path) -> list[str]:
    """What `text`, a page in `folder`, leads to and is not there."""
    missing = [m["target"] for m in _LINK.finditer(text) if not (folder / m["target"]).exists()]
    for span in _SPAN.finditer(text):
        path = ROOT / span["path"]
        if "/" not in span["path"]:
            continue  # a file of whichever compartment
        if not path.is_file():
            missing.append(span["path"])
        elif span["name"] and span["name"] not in names_in(ast.parse(path.read_text("utf-8")).body):
            missing.append(span[0])
    return missing


def test_everything_that_the_tour_names_is_there() -> None:
    gone = stale(TOUR.read_text("utf-8"), TOUR.parent)
    assert gone == [], "docs/tour.md leads to what is not there: write where it is now, or take the stop out"


def test_a_link_leads_to_the_file_that_it_names() -> None:
    spans = ((_SPAN.fullmatch(link["text"]), link["target"]) for link in _LINK.finditer(TOUR.read_text("utf-8")))
    elsewhere = [target for span, target in spans if span is not None and target != f"../{span['path']}"]
    assert elsewhere == [], "docs/tour.md has links whose text names another file"


@pytest.mark.parametrize(
    "text",
    [
        "`wire/signcode.py: verify_all`",
        "`wire/signcode.py: SignClaims.verify_all`",
        "`wire/sign_code.py`",
        "[there](../wire/sign_code.py)",
    ],
)
def test_what_is_gone_is_found(text: str) -> None:
    assert stale(text, TOUR.parent)


def test_the_readme_leads_to_the_tour() -> None:
    assert "(docs/tour.md)" in (ROOT / "README.md").read_text("utf-8")
