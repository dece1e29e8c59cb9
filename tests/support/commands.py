"""Every command of a program, found from its parser, so that a new one is tried without being named anywhere."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from program.arguments import place


def leaves(
    parser: argparse.ArgumentParser, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    """Each command that has no commands below it, with the words that lead to it."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield path, parser
    for action in below:
        for name, child in action.choices.items():
            yield from leaves(child, (*path, name))


def least(parser: argparse.ArgumentParser) -> list[str]:
    """The fewest arguments that the command takes: names of files that are not there, and small numbers."""
    words: list[str] = []
    for action in parser._actions:
        if action.option_strings and not action.required:
            continue
        if action.nargs in ("?", "*"):
            continue
        value = (
            str(next(iter(action.choices))) if action.choices else "nothing" if action.type in (None, place) else "1"
        )
        words += [*action.option_strings[:1], value]
    return words
