"""What `--help` says: each command with an example that parses, each option with what it does and its default."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys

import pytest

from demo import command as demo
from device import cli
from tests.support.commands import leaves
from tests.support.paths import ROOT

PARSER = cli.parser((demo, *cli.COMMANDS))
LEAVES = dict(leaves(PARSER))
EXAMPLE = re.compile(r"Example[^:]*: (sealcam [^\n]*)")
HEAVY = ("numpy", "cv2", "av", "pydyf", "segno", "zxingcpp", "pyzbar", "ai_edge_litert", "paho")
SHOW_HELP = """
import sys
from demo.cli import main
try:
    main(["--help"])
except SystemExit:
    print([name for name in sys.argv[1:] if name in sys.modules], file=sys.stderr)
"""


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_a_command_has_a_description_and_an_example_that_parses(path: tuple[str, ...]) -> None:
    parser = LEAVES[path]
    assert (parser.description or "").endswith(".")
    example = EXAMPLE.search(parser.epilog or "")
    assert example, "no example"
    for command in re.split(r" && | > \S+", example[1]):
        words = shlex.split(command)
        if words:
            assert tuple(words[1 : len(path) + 1]) == path
            PARSER.parse_args(words[1:])


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_an_option_says_what_it_does_what_it_takes_and_what_holds_without_it(path: tuple[str, ...]) -> None:
    for action in LEAVES[path]._actions:
        if action.help == argparse.SUPPRESS or isinstance(action, argparse._HelpAction):
            continue
        name = "/".join(action.option_strings) or action.dest
        assert action.help, f"{name} is not explained"
        takes_value = action.nargs != 0
        assert not takes_value or action.metavar or action.choices, f"{name} takes something, and what is not said"
        if takes_value and not action.required and action.default != []:
            assert re.search(r"\bdefault\b", action.help), f"{name} has a default that is not said"


@pytest.mark.parametrize("path", [(), *{path[:depth] for path in LEAVES for depth in range(1, len(path))}], ids=str)
def test_a_family_of_commands_explains_each(path: tuple[str, ...]) -> None:
    parser = PARSER
    for word in path:
        (below,) = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
        parser = below.choices[word]
    (below,) = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    assert {choice.dest for choice in below._choices_actions if choice.help} == set(below.choices)
    assert parser.description and parser.epilog


def test_help_loads_nothing_that_makes_its_reader_wait() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHOW_HELP, *HEAVY], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr == "[]\n"
