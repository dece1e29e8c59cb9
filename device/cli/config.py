"""`sealcam config`: whether a configuration is good, and which values hold, with what each comes from."""

from __future__ import annotations

import argparse
import json
from typing import Any

import msgspec

from device import config as configs
from program.arguments import place
from program.outputs import say_result
from program.wording import counted


def add_parser(subparsers: Any) -> None:
    """`sealcam config check|show`."""
    parser = subparsers.add_parser(
        "config",
        help="check a configuration, and show which values hold",
        description="The configuration is defaults, then the file, then SEALCAM_<SECTION>_<KEY>.",
        epilog="Example: sealcam config check sealcam.toml",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, text, work in (
        ("check", "say whether the file, and what the environment overrides in it, is good", _check),
        ("show", "print every value that holds, and whether it is a default, of the file or of the environment", _show),
    ):
        described = f"{text[0].upper()}{text[1:]}."
        example = f"Example: sealcam config {name} sealcam.toml"
        action = actions.add_parser(name, help=text, description=described, epilog=example)
        action.add_argument(
            "file", nargs="?", type=place, metavar="FILE", help="configuration (TOML; default: the defaults alone)"
        )
        action.add_argument("--json", action="store_true", help="print JSON")
        action.set_defaults(run=run, work=work, reads_environment=True)


def run(arguments: argparse.Namespace) -> int:
    """The command. Returns the exit status: a configuration that is not good is status 2."""
    return int(arguments.work(arguments))


def _check(arguments: argparse.Namespace) -> int:
    loaded = configs.load_with_sources(arguments.file)
    if arguments.json:
        print(json.dumps({"good": True, "overridden": dict(loaded.sources)}, indent=2))
        return 0
    overridden = sum(source.startswith("SEALCAM_") for source in loaded.sources.values())
    of_the_environment = f", {overridden} of them of the environment" if overridden else ""
    keys = counted(len(loaded.sources), "key")
    say_result(f"{arguments.file or 'the defaults'}: good; {keys} set{of_the_environment}")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    loaded = configs.load_with_sources(arguments.file)
    values = msgspec.to_builtins(loaded.config)
    if arguments.json:
        print(json.dumps({"values": values, "sources": dict(loaded.sources)}, indent=2))
        return 0
    for section, keys in values.items():
        print(f"[{section}]")
        for key, value in keys.items():
            source = loaded.sources.get(f"{section}.{key}", "default")
            say_result(f"{key} = {json.dumps(value, ensure_ascii=False)}  # {source}")
    return 0
