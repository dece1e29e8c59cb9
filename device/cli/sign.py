"""`sealcam sign`: the road authority's side of sign codes (issue, print, register) and the reader's (read, verify).

`classes` lists the sign classes for both.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

from device.cli import sign_issue, sign_register
from device.cli.sign_images import FoundSymbol, read_picture, shown
from device.cli.sign_issue import facts, moment
from device.cli.sign_sources import codes_of, one_code
from identity import Home, load
from program import outputs
from program.arguments import place, real
from program.outputs import say_result
from program.wording import counted
from wire import signcode
from wire.classes import CLASS_NAMES
from wire.errors import HostileInputError, UsageError

_EXAMPLES = """examples:
  sealcam sign issue --class stop --lat 52.52001 --lon 13.40495 --heading 270 > stop.txt
  sealcam sign print stop.txt --out stop.svg
  sealcam sign read photo.jpg
  sealcam sign verify photo.jpg          (or a text file of codes, stop.txt)
  sealcam sign verify 'SR1:...'          (in single quotes: codes hold $, % and blanks)
"""
_CODE = "as text (SR1:...), a text file with a code a line, a PNG or JPEG, or - for text on standard input"


def add_parser(subparsers: Any) -> None:
    """`sealcam sign`."""
    parser = subparsers.add_parser(
        "sign",
        help="issue, print, read, verify and register sign codes",
        description="Sign codes: what a road authority says about one sign, signed, placed and dated, as a QR code.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    sign_issue.add_parser(actions)
    printing = actions.add_parser(
        "print",
        help="draw the panel of a code, true to size",
        description="Draws the panel of a code as a QR symbol, true to size, with its claims in words under it where "
        "an authority that is trusted here signed it.",
        epilog="Example: sealcam sign print stop.txt --out stop.svg",
    )
    printing.add_argument("code", metavar="CODE|FILE|-", help=f"the code: {_CODE}")
    printing.add_argument(
        "--out", type=place, required=True, metavar="FILE", help="the panel, as .svg, .pdf or .png by the name's ending"
    )
    printing.add_argument(
        "--width-mm",
        type=real(10, 5000),
        default=900.0,
        metavar="MM",
        help="panel width with its quiet zone, in millimetres, 10 to 5000 (default: 900)",
    )
    _add_trust(printing)
    printing.add_argument("--plain", action="store_true", help="the symbol alone, without words under it")
    printing.set_defaults(work=_print, needs_keys=False)
    read = actions.add_parser(
        "read",
        help="read the QR codes of pictures, whatever they say",
        description="Reads every QR code of pictures with both decoders and prints it, harmless and unchecked. Exit "
        "status 1 where there is none in any of them.",
        epilog="Example: sealcam sign read photo.jpg",
    )
    read.add_argument("images", nargs="+", type=place, metavar="IMAGE", help="a PNG or JPEG, of at most 40 megapixels")
    read.set_defaults(work=_read, needs_keys=False)
    verify = actions.add_parser(
        "verify",
        help="check codes against the trusted road authorities",
        description="Says of each code whether a trusted road authority signed it, whether it is in force, and what it "
        "says. Exit status 1 where a code is not authentic or not in force, or where there is none.",
        epilog="Example: sealcam sign verify stop.txt",
    )
    verify.add_argument("what", metavar="CODE|FILE|-", help=f"the codes: {_CODE}")
    _add_trust(verify)
    verify.add_argument(
        "--at", metavar="TIME", help="when it must be in force, ISO 8601, UTC without a zone (default: now)"
    )
    verify.set_defaults(work=_verify)
    classes = actions.add_parser(
        "classes",
        help="list the sign classes",
        description="Lists the sign classes: number and name, each good for --class of `sealcam sign issue`.",
        epilog="Example: sealcam sign classes",
    )
    classes.set_defaults(work=_classes, needs_keys=False)
    sign_register.add_parser(actions)
    for action in actions.choices.values():
        if action.get_default("work"):
            action.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run, needs_keys=True)


def run(arguments: argparse.Namespace) -> int:
    """The command. Returns the exit status: 0, or 1 where a code is not authentic or not in force, or none is found."""
    home = Home.default()
    named = getattr(arguments, "key", None) or getattr(arguments, "trust", None)
    if arguments.needs_keys and named is None:
        home.check_made()
    return int(arguments.work(home, arguments))


def _add_trust(action: argparse.ArgumentParser) -> None:
    action.add_argument(
        "--trust",
        type=place,
        metavar="DIR",
        help="folder whose authority/ holds the trusted keys, and beside it register.cose (default: this data home's)",
    )


def _print(home: Home, arguments: argparse.Namespace) -> int:
    from device.cli.sign_panel import layout, write_panel  # here, since no other command draws

    if arguments.plain and arguments.trust is not None:
        raise UsageError("--trust does nothing with --plain: no words are checked or printed", "leave one of them out")
    text = one_code(arguments.code)
    outputs.keep_inputs(arguments.out, [Path(arguments.code)])
    lines = () if arguments.plain else _caption_of(text, arguments.trust, home)
    panel = layout(text, lines, arguments.width_mm)
    write_panel(panel, arguments.out)
    if arguments.json:
        facts = {"file": str(arguments.out), "qr": str(panel.symbol.designator), "width_mm": arguments.width_mm}
        print(json.dumps({**facts, "caption": list(lines)}))
        return 0
    say_result(f"{arguments.out}: QR {panel.symbol.designator}, {arguments.width_mm:g} mm wide")
    if not lines and not arguments.plain:
        say_result("without words under it: no road authority that is trusted here signed this code (--trust DIR)")
    return 0


def _caption_of(text: str, trust: Path | None, home: Home) -> tuple[str, ...]:
    """The words of a code that a trusted authority signed, none of any other code. A home is not needed for it."""
    from device.cli.sign_panel import caption

    folder = (trust or home.trust) / "authority"
    anchors = load.trust_anchors(folder) if trust is not None or os.access(folder, os.R_OK | os.X_OK) else {}
    try:
        return caption(*signcode.verify(text.encode("utf-8", "replace"), anchors))
    except HostileInputError:
        return ()


def _read(home: Home, arguments: argparse.Namespace) -> int:
    found = {str(path): read_picture(path) for path in arguments.images}
    if arguments.json:
        print(json.dumps({path: [_symbol(symbol) for symbol in symbols] for path, symbols in found.items()}, indent=2))
    else:
        for path, symbols in found.items():
            say_result(f"{path}: {counted(len(symbols), 'QR code')}")
            for symbol in symbols:
                print(f"  {shown(symbol.data)}  [{' and '.join(symbol.decoders)}]")
    return 0 if any(found.values()) else 1


def _symbol(symbol: FoundSymbol) -> dict[str, Any]:
    return {
        "text": shown(symbol.data, len(symbol.data)),
        "bytes": symbol.data.hex(),
        "decoders": list(symbol.decoders),
        "error_rate": symbol.error_rate,
    }


def _verify(home: Home, arguments: argparse.Namespace) -> int:
    trust = arguments.trust or home.trust
    anchors = load.trust_anchors(trust / "authority")
    path = trust / "register.cose"
    register = load.register(path, anchors) if path.exists() else None
    at = int(time.time()) if arguments.at is None else moment(arguments.at, "--at")
    judged: list[dict[str, Any]] = []
    for code in codes_of(arguments.what):
        try:
            claims, kid = signcode.verify(code.data, anchors)
        except HostileInputError as error:
            judged.append({"authentic": False, "reason": error.reason, "sentence": error.kind})
            continue
        entry = register.lookup(claims.sign_id) if register else None
        in_force = claims.valid_from <= at < claims.valid_until and not (entry and entry.revoked)
        listed = "revoked" if entry and entry.revoked else "registered" if entry else "not registered"
        judged.append({"authentic": True, "in_force": in_force, "register": listed, **facts(claims, kid)})
    if arguments.json:
        print(json.dumps(judged, indent=2))
    else:
        _tell(judged)
    return 0 if judged and all(code["authentic"] and code["in_force"] for code in judged) else 1


def _tell(judged: list[dict[str, Any]]) -> None:
    if not judged:
        print("no QR code was found")
    for code in judged:
        if not code["authentic"]:
            print(f"NOT AUTHENTIC: {code['sentence']} ({code['reason']})")
            continue
        print(f"authentic, {'in force' if code['in_force'] else 'NOT IN FORCE'}, {code['register']}")
        print(f"  sign      {code['sign_id']}: {code['class_name']}")
        print(f"  place     {code['lat']:.5f}, {code['lon']:.5f}, heading {code['heading']:.0f}")
        print(f"  validity  {code['valid_from']} to {code['valid_until']}")
        print(f"  signed by {code['key_id']}")


def _classes(home: Home, arguments: argparse.Namespace) -> int:
    if arguments.json:
        print(json.dumps(list(CLASS_NAMES)))
    else:
        print("\n".join(f"{number:2} {name}" for number, name in enumerate(CLASS_NAMES)))
    return 0
