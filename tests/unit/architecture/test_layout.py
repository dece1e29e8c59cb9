"""Where a test is found: `tests/unit` has the folders of the code, and a test's name begins with its module's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

UNIT = ROOT / "tests" / "unit"
OF_THE_WHOLE = {".", "architecture"}
"""Folders of tests that are of no package alone."""
OF_FILES = {"wire/test_vectors.py"}
"""Tests of files that lie beside them."""


def strays(unit: Path, code: Path) -> Iterator[str]:
    """The tests that no module or package of their folder has its name in."""
    for path in sorted(unit.rglob("test_*.py")):
        where = path.relative_to(unit)
        if str(where.parent) not in OF_THE_WHOLE and str(where) not in OF_FILES:
            subject = path.stem.removeprefix("test_")
            if not any(subject == name or subject.startswith(f"{name}_") for name in _names(code / where.parent)):
                yield str(where)


def _names(folder: Path) -> set[str]:
    """What a folder of code holds; `__main__` is tested as `main`."""
    modules = {path.stem.strip("_") for path in folder.glob("*.py")} - {"init"}
    return modules | {path.parent.name for path in folder.glob("*/*.py")}


def test_each_unit_test_is_named_after_what_it_tests() -> None:
    assert list(strays(UNIT, ROOT)) == []


@pytest.mark.parametrize(
    ("test", "stray"),
    [
        ("pack/test_module.py", False),
        ("pack/test_module_bounds.py", False),
        ("pack/test_main.py", False),
        ("pack/test_inner.py", False),
        ("pack/inner/test_part.py", False),
        ("test_everything.py", False),
        ("pack/test_part.py", True),
        ("pack/test_modules.py", True),
        ("other/test_module.py", True),
        ("pack/test_init.py", True),
    ],
)
def test_a_stray_is_found(tmp_path: Path, test: str, stray: bool) -> None:
    for name in ("pack/__init__.py", "pack/__main__.py", "pack/module.py", "pack/inner/part.py"):
        _touch(tmp_path / name)
    _touch(tmp_path / "unit" / test)
    assert list(strays(tmp_path / "unit", tmp_path)) == [test] * stray


def _touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
