"""Mutation testing itself: each operator writes exactly the fault it is named for, and a survivor is a survivor."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.mutants.__main__ import ROOT, main
from bench.mutants.matter import LineRecord, importers
from bench.mutants.operators import OPERATORS
from bench.mutants.sample import Equivalent, EquivalentError, draw, load_equivalent, stale
from bench.mutants.sites import Site, sites
from bench.mutants.trial import record, trial
from bench.mutants.workspace import Copy, Workspace

SNIPPETS = [
    ("drop raise", "def f(x):\n    raise ValueError(x)\n", ["def f(x):\n    pass\n"]),
    ("drop guard", "def f(x):\n    if x:\n        g(x)\n", ["def f(x):\n    if False:\n        g(x)\n"]),
    ("drop guard", "a = b if (c) else d\n", ["a = b if (False) else d\n"]),
    ("drop guard", "a = [b for b in c if b]\n", ["a = [b for b in c if False]\n"]),
    ("drop guard", "def f(x):\n    while x:\n        g()\n", ["def f(x):\n    while False:\n        g()\n"]),
    ("guard always", "if a:\n    b = 1\n", ["if True:\n    b = 1\n"]),
    ("guard always", "while a:\n    b = 1\n", []),
    ("drop condition", "a = b and c or d\n", ["a = d\n", "a = b and c\n", "a = c or d\n", "a = b or d\n"]),
    ("drop condition", "a = (b or c) and d\n", ["a = d\n", "a = b or c\n", "a = (c) and d\n", "a = (b) and d\n"]),
    ("drop condition", "a = not (b ==\n c and d)\n", ["a = not (d)\n", "a = not ((b ==\n c))\n"]),
    ("swap and/or", "if a > 1 and b:\n    c()\n", ["if a > 1 or b:\n    c()\n"]),
    ("swap and/or", "a = b and (c or d)\n", ["a = b or (c or d)\n", "a = b and ((c and d))\n"]),
    ("drop not", "a = not b\n", ["a = b\n"]),
    ("drop not", "a = not b == c and d\n", ["a = (b == c) and d\n"]),
    ("boundary", "a = b < c  # a < note\n", ["a = b <= c  # a < note\n"]),
    ("boundary", "a = 0 <= b > c\n", ["a = 0 < b > c\n", "a = 0 <= b >= c\n"]),
    ("swap comparison", "a = (b)  ==(c)\n", ["a = (b)  !=(c)\n"]),
    ("swap comparison", "a = b is  not c\n", ["a = b is c\n"]),
    ("swap comparison", "a = b in c\n", ["a = b not in c\n"]),
    ("swap comparison", "a = (b  # is b\n  is None)\n", ["a = (b  # is b\n  is not None)\n"]),
    ("drop bound", "a = 0 <= b <= 9\n", ["a = 0 <= b\n", "a = b <= 9\n"]),
    ("constant +-1", "a = 5 * b\n", ["a = 6 * b\n", "a = 4 * b\n"]),
    ("constant +-1", "a = f(0)\n", ["a = f(1)\n", "a = f(-1)\n"]),
    ("constant +-1", "a = 0x10\n", ["a = 0x11\n", "a = 0xf\n"]),
    ("constant +-1", "a = True\n", []),
    ("constant changed", "a = 1.0\n", ["a = 1.25\n", "a = 0.8\n"]),
    ("constant changed", "a = 0.35\n", ["a = 0.4375\n", "a = 0.28\n"]),
    ("constant changed", "a = 0.0\n", ["a = 1.0\n"]),
    ("constant changed", "a = b'receipt 1'\n", ["a = b'receipt 0'\n"]),
    ("constant changed", "a = 'é' + \"\"\n", ["a = 'x' + \"\"\n", "a = 'é' + 'x'\n"]),
    ("drop element", "a = (b, c)\n", ["a = (c,)\n", "a = (b,)\n"]),
    ("drop element", "a = [b]\n", ["a = []\n"]),
    ("drop element", "a = {b}\n", ["a = set()\n"]),
    ("drop element", "a, b = c, d\n", []),
    ("drop keyword", "a = f(b, *c, d=1, **e)\n", ["a = f(b, *c, **e)\n"]),
    ("drop call", "f(1)\n", ["pass\n"]),
    ("drop statement", "def f(a):\n    a.b = 1\n    c = 2\n", ["def f(a):\n    pass\n    c = 2\n"]),
    (
        "drop statement",
        "def f(a):\n    a += 1\n    a = 2\n",
        ["def f(a):\n    pass\n    a = 2\n", "def f(a):\n    a += 1\n    pass\n"],
    ),
    ("drop method", "a = -abs(b - c)\n", ["a = -(b - c)\n"]),
    ("drop method", "a = sorted(b, key=c) + round(d, 4)\n", ["a = b + round(d, 4)\n", "a = sorted(b, key=c) + d\n"]),
    ("flip flag", "a = f(b=False)\n", ["a = f(b=True)\n"]),
    ("return constant", "def f(a):\n    return a.b\n", ["def f(a):\n    return None\n"]),
    (
        "return constant",
        "def f(a) -> bool:\n    return a.b\n",
        ["def f(a) -> bool:\n    return True\n", "def f(a) -> bool:\n    return False\n"],
    ),
    ("return constant", "def f(a) -> list[int]:\n    return a.b\n", ["def f(a) -> list[int]:\n    return []\n"]),
    ("arithmetic", "a = b - c + d\n", ["a = b - c - d\n", "a = b + c + d\n"]),
    ("arithmetic", "a = (b *  # twice * b\n c)\n", ["a = (b //  # twice * b\n c)\n"]),
    ("arithmetic", "a += 1\n", ["a -= 1\n"]),
    ("arithmetic", "a = 'x' + b\n", []),
    ("swap min/max any/all", "a = min (b, c)\n", ["a = max (b, c)\n"]),
    ("swap min/max any/all", "a = any(b for b in c)\n", ["a = all(b for b in c)\n"]),
    ("drop flag", "a = b | c\n", ["a = b\n", "a = c\n"]),
]


@pytest.mark.parametrize(("operator", "source", "expected"), SNIPPETS)
def test_an_operator_writes_exactly_its_fault(operator: str, source: str, expected: list[str]) -> None:
    found = [site for site in sites("a.py", source.encode()) if site.operator == operator]
    assert sorted(site.put_in(source.encode()).decode() for site in found) == sorted(expected)
    assert all(site.is_sound(source.encode()) for site in found)


def test_each_operator_has_a_snippet() -> None:
    assert {operator for operator, _, _ in SNIPPETS} == set(OPERATORS)


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring"""\n',
        "class A:\n    b = c\n    'of b'\n",
        "def f(a: 'int', b: tuple[1, 2]) -> 'x': ...\n",
        "__all__ = ['a', 'b']\n",
        "A = Literal['a', 'b']\n",
        "B = A | Literal['c']\n",
        "C = int | str | B\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    a = 1\n",
        "if __name__ == '__main__':\n    f(1)\n",
        "_log.warning('a', 1)\n",
        "a = f'{b + 1}'\n",
        "a = 'what a person is told then'\n",
    ],
)
def test_what_a_test_cannot_notice_is_left_out(source: str) -> None:
    assert sites("a.py", source.encode()) == []


def test_a_code_in_a_raise_is_mutated_and_a_sentence_is_not() -> None:
    source = b"def f():\n    raise E('bad_receipt', 'two words')\n"
    assert [s.original for s in sites("a.py", source) if s.operator == "constant changed"] == ["'bad_receipt'"]


def test_constraints_of_a_message_are_mutated_in_annotations_and_aliases() -> None:
    source = b"A = Annotated[int, Meta(le=7)]\n\nclass B(Struct):\n    c: Annotated[int, Meta(ge=3)] = 0\n"
    found = {site.put_in(source) for site in sites("a.py", source)}
    assert source.replace(b"Meta(le=7)", b"Meta()") in found
    assert source.replace(b"ge=3", b"ge=4") in found
    assert not any(b"[int" not in mutant for mutant in found)


def test_a_place_is_named_by_its_function_and_class() -> None:
    source = b"class A:\n    def f(self, a=1):\n        def g():\n            return not a\n        return g\n"
    found = {(site.operator, site.function, site.at_import) for site in sites("a.py", source)}
    assert ("drop not", "A.f.g", False) in found
    assert ("constant +-1", "A.f", True) in found


def test_the_lines_of_a_place_are_those_of_its_statement() -> None:
    source = b"def f(a, b):\n    if (\n        a\n        and b\n    ):\n        g(\n            1\n        )\n"
    found = {site.operator: site.lines for site in sites("a.py", source)}
    assert found["swap and/or"] == (2, 5)
    assert found["constant +-1"] == (6, 8)


PINNED = [(3, "return constant"), (9, "return constant"), (23, "swap and/or"), (50, "swap and/or")]
MANY = "".join(f"def f{n}(a):\n    if a > {n} and not a:\n        return a + {n}\n" for n in range(20)).encode()


def test_a_seed_gives_the_same_sample_and_another_seed_another() -> None:
    found = sites("a.py", MANY)
    drawn = draw(found, MANY, 12, seed=7)
    assert drawn == draw(sites("a.py", MANY), MANY, 12, seed=7)
    assert drawn != draw(found, MANY, 12, seed=8)
    assert len(set(drawn)) == 12


def test_the_sample_of_a_seed_is_the_same_on_every_machine() -> None:
    drawn = draw(sites("a.py", MANY), MANY, 4, seed=7)
    assert [(site.line, site.operator) for site in drawn] == PINNED


def test_a_small_file_gives_all_its_mutants_once() -> None:
    source = b"a = not b\n"
    assert [site.operator for site in draw(sites("a.py", source), source, 9, seed=0)] == ["drop not"]
    assert draw([], b"", 9, seed=0) == []


ENTRY = {
    "file": "a.py",
    "function": "f",
    "operator": "drop condition",
    "original": "a and\n b",
    "reason": "b follows from a",
}


def _toml(**values: str | int) -> str:
    return "[[equivalent]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())


def test_an_equivalent_mutant_is_known_wherever_its_line_moved_to(tmp_path: Path) -> None:
    (tmp_path / "e.toml").write_text(_toml(**ENTRY))
    (entry,) = load_equivalent(tmp_path / "e.toml")
    source = b"# a line more\ndef f(a, b):\n    return a and b\ndef g(a, b):\n    return a and b\n"
    known = [site for site in sites("a.py", source) if entry.matches(site)]
    assert [(site.line, site.mutated) for site in known] == [(3, "a"), (3, "b")]


def test_an_entry_may_name_what_is_put_in(tmp_path: Path) -> None:
    entry = Equivalent(**ENTRY, mutated="a")
    source = b"def f(a, b):\n    return a and b\n"
    assert [site.mutated for site in sites("a.py", source) if entry.matches(site)] == ["a"]


def test_an_entry_without_a_place_is_stale(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f(a, b):\n    return a and b\n")
    entries = [Equivalent(**ENTRY), Equivalent(**ENTRY | {"function": "g"}), Equivalent(**ENTRY | {"file": "b.py"})]
    assert stale(entries, tmp_path) == entries[1:]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (_toml(**ENTRY | {"reason": "so"}), "no reason"),
        (_toml(**{key: ENTRY[key] for key in ENTRY if key != "function"}), "lacks function"),
        (_toml(**ENTRY, line="3"), "has line"),
        (_toml(**ENTRY | {"original": 3}), "no text"),
        ("[[", "no TOML"),
    ],
)
def test_a_bad_entry_is_refused_with_a_remedy(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "e.toml").write_text(text)
    with pytest.raises(EquivalentError, match=says):
        load_equivalent(tmp_path / "e.toml")


def _site(path: str, line: int, at_import: bool = False) -> Site:
    return Site(path, "f", "drop not", line, 0, 1, "a", "b", (line, line), at_import)


def test_a_constant_matters_to_the_tests_of_the_modules_that_import_it() -> None:
    lines = {"p/a.py": {5: frozenset({"t.py::one"})}, "p/b.py": {2: frozenset({"t.py::two"})}}
    tests = {"t.py::one": 1.0, "t.py::two": 1.0, "u.py::three": 1.0, "v.py::four": 1.0}
    imports = {"p/a.py": frozenset({"p/__init__.py", "u.py"}), "p/__init__.py": frozenset({"p/b.py"})}
    record = LineRecord(lines, frozenset(), tests, imports)
    assert record.matter(_site("p/a.py", 5)) == {"t.py::one"}
    assert record.matter(_site("p/a.py", 1, at_import=True)) == {"t.py::one", "t.py::two", "u.py::three"}
    assert record.matter(_site("p/a.py", 9)) == frozenset()


def test_of_tests_that_start_processes_those_matter_whose_imports_reach_the_module() -> None:
    tests = {"t.py::near": 1.0, "u.py::other": 1.0, "v.py::by_name": 1.0, "t.py::plain": 1.0}
    tests["tests/threats/w.py::whole"] = 1.0
    imports = {
        "p/a.py": frozenset({"p/b.py"}),
        "p/b.py": frozenset({"t.py"}),
        "q.py": frozenset({"u.py", "tests/threats/w.py"}),
    }
    record = LineRecord({}, frozenset(tests) - {"t.py::plain"}, tests, imports)
    whole = "tests/threats/w.py::whole"
    assert record.apart(_site("p/a.py", 1)) == {"t.py::near", "v.py::by_name", whole}


def test_importers_are_found_through_packages_and_relative_imports(tmp_path: Path) -> None:
    for name, text in {
        "p/__init__.py": "from .a import x",
        "p/a.py": "",
        "p/b.py": "from . import a",
        "t.py": "import p.a",
        "u.py": "from p import a",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert importers(tmp_path)["p/a.py"] == {"p/__init__.py", "p/b.py", "t.py", "u.py"}


def test_quick_tests_come_first_and_files_stay_together() -> None:
    tests = {"a.py::slow": 3.0, "a.py::quick": 0.5, "b.py::one": 1.0, "c.py::other": 9.0}
    assert LineRecord({}, frozenset(), tests).ordered(list(tests)[:3]) == ["b.py::one", "a.py::quick", "a.py::slow"]


CODE = """
LIMIT = 3
if LIMIT < 0:
    raise ValueError(LIMIT)

def grade(value):
    if value > LIMIT:
        raise ValueError("too_large")
    return value

def child(value):
    return value * 2

def never(value):
    return not value
"""
TESTS = """
import subprocess, sys
import pytest
from sample.code import grade

@pytest.fixture(scope="module")
def graded():
    return grade(2)

@pytest.mark.parametrize("value", [1, 2])
def test_small(graded, value):
    assert value in (1, graded)

def test_large():
    with pytest.raises(ValueError):
        grade(5)

def test_child():
    said = subprocess.run([sys.executable, "-c", "from sample.code import child; print(child(3))"], capture_output=True)
    assert said.stdout == b"6\\n"

def test_that_fails_anyway():
    assert False
"""


def _checkout(folder: Path, code: str = CODE, tests: str = TESTS) -> Path:
    for name, text in {
        "sample/__init__.py": "",
        "sample/code.py": code,
        "tests/test_code.py": tests,
        "pyproject.toml": "[tool.pytest.ini_options]\npythonpath = ['.']\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Copy, LineRecord]]:
    """A small package in a workspace, with what its tests run."""
    with Workspace(_checkout(tmp_path_factory.mktemp("small") / "checkout")) as workspace:
        copy = workspace.copy(0)
        found, failed = record(copy, ["tests"])
        assert failed == ["tests/test_code.py::test_that_fails_anyway"]
        yield copy, found


@pytest.mark.parametrize(
    ("operator", "original", "status", "noticed_by"),
    [
        ("drop raise", 'raise ValueError("too_large")', "killed", "tests/test_code.py::test_large"),
        ("boundary", "value > LIMIT", "survived", ""),
        ("return constant", "value", "killed", "tests/test_code.py::test_small[2]"),
        ("guard always", "LIMIT < 0", "killed", "start"),
        ("return constant", "value * 2", "killed", "tests/test_code.py::test_child"),
        ("drop not", "not value", "survived", ""),
    ],
)
def test_a_mutant_is_killed_by_the_test_that_notices_it(
    recorded: tuple[Copy, LineRecord], operator: str, original: str, status: str, noticed_by: str
) -> None:
    copy, found = recorded
    places = sites("sample/code.py", CODE.encode())
    (site,) = (site for site in places if (site.operator, site.original) == (operator, original))
    outcome = trial(copy, found, site)
    assert (outcome.status, outcome.noticed_by) == (status, noticed_by)
    assert outcome.executed == (site.function not in ("child", "never"))
    assert (copy.root / site.path).read_text() == CODE


def _bubblewrap_mounts() -> bool:
    command = ["bwrap", "--dev-bind", "/", "/", "true"]
    return shutil.which("bwrap") is not None and subprocess.run(command, check=False).returncode == 0


def test_a_copy_may_lie_in_the_place_of_the_checkout_for_its_tests_alone(tmp_path: Path) -> None:
    if not _bubblewrap_mounts():
        pytest.skip("bubblewrap cannot mount here")
    root = tmp_path / "checkout"
    tests = f"from pathlib import Path\ndef test_it():\n    Path({str(root / 'made')!r}).touch()\n"
    _checkout(root, tests=tests)
    with Workspace(root, in_place=True) as workspace:
        copy = workspace.copy(0)
        assert copy.pytest(["tests"], None).status == 0
        assert (copy.root / "made").exists()
    assert not (root / "made").exists()


def test_a_run_that_takes_too_long_is_ended_and_reported(tmp_path: Path) -> None:
    endless = "import time\ndef test_it():\n    while True:\n        time.sleep(1)\n"
    with Workspace(_checkout(tmp_path / "checkout", tests=endless)) as workspace:
        assert workspace.copy(0).pytest(["tests"], seconds=1).status is None


def _files(root: Path) -> dict[Path, tuple[bytes, int]]:
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in root.rglob("*") if path.is_file()}


def test_the_command_reports_and_leaves_the_checkout_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = _checkout(tmp_path / "checkout", code="def never(value):\n    return not value\n")
    (tmp_path / "t").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t"))
    (root / "tests" / "test_code.py").write_text("def test_nothing():\n    pass\n")
    before = _files(root)
    out = tmp_path / "out.json"
    arguments = ["--tests", "tests", "--sample", "9", "--seed", "3", "--json", str(out), "sample"]
    assert main([*arguments, "--goal", "50"], root) == 1
    said = capsys.readouterr().out
    assert "- sample/code.py:2 never, drop not: `not value` -> `value` **never executed**" in said
    assert "| sample | 0 | 2 | 0 % | 0 |" in said
    found = json.loads(out.read_text())
    assert (found["seed"], found["packages"]["sample"]["killed"], found["packages"]["sample"]["total"]) == (3, 0, 2)
    assert _files(root) == before
    assert list((tmp_path / "t").iterdir()) == []
    (root / "bench").mkdir()
    reason = {"reason": "nothing calls it anyway"}
    place = {"file": "sample/code.py", "function": "never", "operator": "drop not", "original": "not value"}
    (root / "bench" / "mutants_equivalent.toml").write_text(_toml(**place, **reason))
    assert main(arguments, root) == 0
    assert "| sample | 0 | 1 | 0 % | 1 |" in capsys.readouterr().out


def test_an_interrupted_run_leaves_nothing(tmp_path: Path) -> None:
    started, temporary = tmp_path / "started", tmp_path / "t"
    temporary.mkdir()
    tests = f"""
import os, pathlib, subprocess, time
def test_it():
    other = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    pathlib.Path({str(tmp_path / "pids")!r}).write_text(f"{{os.getpid()}} {{other.pid}}")
    pathlib.Path({str(started)!r}).touch()
    time.sleep(1000)
"""
    root = _checkout(tmp_path / "checkout", tests=tests)
    call = f"sys.exit(main(['--tests', 'tests', 'sample'], Path({str(root)!r})))"
    command = [
        sys.executable,
        "-c",
        f"import sys; from pathlib import Path; from bench.mutants.__main__ import main; {call}",
    ]
    environment = os.environ | {"TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as run:
        while not started.exists():
            assert run.poll() is None
        run.terminate()
        assert b"interrupted" in run.communicate()[1]
        assert run.returncode == 130
    assert list(temporary.iterdir()) == []
    for pid in (tmp_path / "pids").read_text().split():
        assert not Path(f"/proc/{pid}").exists() or "zombie" in Path(f"/proc/{pid}/status").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing"], "name a folder or file"),
        (["tests/../.."], "name a folder or file"),
        (["pyproject.toml"], "name a package"),
        (["--sample", "0", "sample"], "give 1 or more"),
        (["--goal", "101", "sample"], "from 0 to 100"),
        (["--json", "nowhere/out.json", "sample"], "make the folder"),
        (["--tests", "none", "sample"], "none is not in"),
    ],
)
def test_bad_usage_ends_with_2_and_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["--tests", "tests", *arguments], _checkout(tmp_path / "checkout")) == 2
    assert says in capsys.readouterr().err
