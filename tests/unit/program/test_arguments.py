"""Every program takes its arguments within the one ending: bounded numbers, names that were given, a version."""

from __future__ import annotations

import argparse
import ast
import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from program import arguments
from tests.support.paths import ROOT

PACKAGES = ("wire", "program", "identity", "device", "cloud_sink", "demo", "hardware", "models", "bench")
STARTED_BY_US = {
    "device/channel/entry.py",
    "device/channel/compartment.py",
    "device/warden/__main__.py",
    "device/redteam/__main__.py",
    "program/arguments.py",
    "program/bound.py",
}
"""What no user starts: it has no words for people."""


def trees() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            if name not in STARTED_BY_US:
                yield name, ast.parse(path.read_text(encoding="utf-8"))


def is_a_program(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'" for node in tree.body)


def test_every_program_ends_in_the_one_ending() -> None:
    found = {name: tree for name, tree in trees() if is_a_program(tree)}
    assert len(found) > 12
    for name, tree in found.items():
        (main,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main"]
        last = main.body[-1]
        assert isinstance(last, ast.Return) and ast.unparse(last).startswith("return program.run("), name
        before = [node for node in main.body[:-1] if not isinstance(node, ast.Expr | ast.FunctionDef)]
        assert before == [], f"{name}: main does something outside of program.run"


def test_every_parser_has_a_version_and_no_bare_path() -> None:
    for name, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "argparse.ArgumentParser":
                pytest.fail(f"{name}:{node.lineno}: use program.arguments.new_parser")
            if isinstance(node, ast.keyword) and node.arg == "type" and ast.unparse(node.value) == "Path":
                pytest.fail(f"{name}:{node.value.lineno}: use program.arguments.place: an empty name is no path")


@pytest.mark.parametrize("module", ["demo", "device.cli", "cloud_sink", "device.confine.lint", "hardware.signs"])
def test_a_program_says_its_version(module: str) -> None:
    words = [sys.executable, "-m", module, "--version"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.rstrip().endswith(f" {arguments.version()}")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (arguments.place, ""),
        (arguments.place, " \t"),
        *((arguments.port, text) for text in ("0", "65536", "-1", "x", "", "1.0", "\u0663", "9" * 5000)),
        *((arguments.whole(-5, 5), text) for text in ("-6", "6", "--1", "+1", "1_0")),
        *((arguments.real(0.0, 1.0), text) for text in ("nan", "inf", "-inf", "1.1", "x", "")),
    ],
)
def test_a_value_out_of_bounds_is_refused(kind: Callable[[str], Any], text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        kind(text)


def test_a_value_within_bounds_is_taken() -> None:
    assert (arguments.port("8883"), arguments.whole(-5, 5)("-5"), arguments.real(0.0, 1.0)("1")) == (8883, -5, 1.0)
    assert arguments.place("a b") == Path("a b")


def family() -> arguments.ProgramParser:
    parser = arguments.new_parser(prog="tool", description="It does things.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("take", help="take a file").add_argument("file", type=arguments.place)
    return parser


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "tool: error: no command is named; choose one of those above"),
        (["tkae"], "tool: error: argument COMMAND: invalid choice: 'tkae'"),
        (["take"], "tool take: error: the following arguments are required: file; see: tool take --help"),
        (["take", ""], "the name is empty: name a file or a folder; see: tool take --help"),
        (["take", "-"], "- (a standard stream) is not taken here"),
        (["take", "x", "--\x1b[2J"], "--\\x1b[2J; see: tool --help"),
    ],
)
def test_a_wrong_command_line_says_where_help_is(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        family().parse_args(words)
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert said in err.splitlines()[-1] and "\x1b" not in err
    assert ("take a file" in err) == (words == [])


@pytest.mark.parametrize("module", ["device.cli", "cloud_sink.cli"])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--verison"], "unrecognized arguments: --verison; did you mean --version?"),
        (["--quite-another=x"], "unrecognized arguments: --quite-another"),
        ([], "no command is named"),
    ],
)
def test_a_mistyped_option_is_named_before_the_missing_command(
    module: str, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        importlib.import_module(module).main(words)
    assert said in capsys.readouterr().err
