"""`sealcam sign`: the road authority's side of sign codes (issue, print, register) and the reader's (read, verify).

`classes` lists the sign classes for both.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from pathlib import Path
from typing import Any

from device.cli import sign_register
from device.cli.sign_images import FoundSymbol, read_picture, shown
from device.cli.sign_panel import caption, layout, write_panel
from identity import Home, load
from program.arguments import place
from wire import signcode
from wire.classes import CLASS_NAMES
from wire.errors import HostileInputError, IssueError, UsageError
from wire.signcode import SignClaims
from wire.times import iso8601, unix_seconds

_EXAMPLES = """examples:
  sealcam sign issue --class stop --lat 52.52001 --lon 13.40495 --heading 270 > stop.txt
  sealcam sign print - --out stop.svg < stop.txt
  sealcam sign read photo.jpg
  sealcam sign verify photo.jpg
  sealcam sign verify 'SR1:...'          (in single quotes: codes hold $, % and blanks)
"""


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
    _add_issue(actions)
    printing = actions.add_parser("print", help="draw the panel of a code, true to size")
    printing.add_argument("text", metavar="TEXT|-", help="the code, or - to read it from standard input")
    printing.add_argument("--out", type=place, required=True, metavar="FILE.svg|.pdf|.png")
    printing.add_argument("--width-mm", type=float, default=900.0, help="panel width with its quiet zone (default 900)")
    printing.add_argument("--trust", type=place, metavar="DIR", help="trust anchors (default: this data home's)")
    printing.add_argument("--plain", action="store_true", help="the symbol alone, without words under it")
    printing.set_defaults(work=_print, needs_keys=False)
    read = actions.add_parser("read", help="read the QR codes of pictures, whatever they say")
    read.add_argument("images", nargs="+", type=place, metavar="IMAGE")
    read.set_defaults(work=_read, needs_keys=False)
    verify = actions.add_parser("verify", help="check a code against the trusted road authorities")
    verify.add_argument("what", metavar="TEXT|IMAGE|-", help="a code, a picture of codes, or - for standard input")
    verify.add_argument("--trust", type=place, metavar="DIR", help="trust anchors (default: this data home's)")
    verify.add_argument("--at", metavar="TIME", help="ISO 8601: when it must be in force (default: now)")
    verify.set_defaults(work=_verify)
    classes = actions.add_parser("classes", help="list the 43 sign classes")
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


def class_id_of(text: str) -> int:
    """A class by its number or its English name. Raises UsageError."""
    if text.isascii() and text.isdigit() and len(text) <= 2 and int(text) < len(CLASS_NAMES):
        return int(text)
    wanted = text.lower().replace("_", " ").replace("-", " ").strip()
    if wanted in CLASS_NAMES:
        return CLASS_NAMES.index(wanted)
    raise UsageError("--class: no such sign class", "list them with: sealcam sign classes")


def moment(text: str, option: str) -> int:
    """ISO 8601 -> unix seconds; without an offset it is UTC. Raises UsageError naming the option."""
    try:
        return unix_seconds(text)
    except ValueError:
        raise UsageError(f"{option}: no ISO 8601 time", "write 2026-11-23 or 2026-11-23T10:00:00Z") from None


def _add_issue(actions: Any) -> None:
    issue = actions.add_parser(
        "issue",
        help="sign a code for one sign and print its text",
        epilog="Example: sealcam sign issue --class 'speed limit 50' --lat 52.52001 --lon 13.40495 --heading 270",
    )
    issue.add_argument("--class", dest="class_name", required=True, metavar="CLASS", help="name or number (0 to 42)")
    issue.add_argument("--lat", type=float, required=True, help="degrees north")
    issue.add_argument("--lon", type=float, required=True, help="degrees east")
    issue.add_argument("--heading", type=float, required=True, help="of the traffic it speaks to, degrees from north")
    issue.add_argument("--valid-from", metavar="TIME", help="ISO 8601 (default: now)")
    issue.add_argument("--valid-until", metavar="TIME", help="ISO 8601 (default: a year after the start)")
    issue.add_argument("--id", metavar="HEX", help="the sign's id, 16 hex digits (default: random)")
    issue.add_argument("--key", type=place, metavar="FILE", help="the authority's key (default: this data home's)")
    issue.add_argument("--allow-expired", action="store_true", help="issue it although its time is over already")
    issue.set_defaults(work=_issue)


def _issue(home: Home, arguments: argparse.Namespace) -> int:
    begin = moment(arguments.valid_from, "--valid-from") if arguments.valid_from else int(time.time())
    end = moment(arguments.valid_until, "--valid-until") if arguments.valid_until else begin + 365 * 86400
    if end <= time.time() and not arguments.allow_expired:
        raise UsageError(
            f"--valid-until: {iso8601(end)} is over, so that no device will believe the code",
            "give a later end, or --allow-expired to issue it all the same",
        )
    claims = SignClaims(
        sign_id=_sign_id(arguments.id),
        class_id=class_id_of(arguments.class_name),
        lat=arguments.lat,
        lon=arguments.lon,
        heading=arguments.heading,
        valid_from=begin,
        valid_until=end,
    )
    key = load.signing_key(arguments.key or home.authority_key)
    try:
        text = signcode.issue(claims, key)
    except IssueError as error:
        raise UsageError(error.sentence, "change that option") from None
    read_back, kid = signcode.verify(text.encode(), {signcode.key_id(key.public_key()): key.public_key()})
    print(json.dumps({"text": text, **_facts(read_back, kid)}, indent=2) if arguments.json else text)
    return 0


def _print(home: Home, arguments: argparse.Namespace) -> int:
    text = _standard_input() if arguments.text == "-" else arguments.text
    if not 10.0 <= arguments.width_mm <= 5000.0:
        raise UsageError(f"--width-mm: {arguments.width_mm:g} is out of range", "give 10 to 5000")
    lines = () if arguments.plain else _caption_of(text, arguments.trust or home.trust)
    panel = layout(text, lines, arguments.width_mm)
    write_panel(panel, arguments.out)
    if arguments.json:
        facts = {"file": str(arguments.out), "qr": str(panel.symbol.designator), "width_mm": arguments.width_mm}
        print(json.dumps({**facts, "caption": list(lines)}))
        return 0
    print(f"{arguments.out}: QR {panel.symbol.designator}, {arguments.width_mm:g} mm wide")
    if not lines and not arguments.plain:
        print("without words under it: no road authority that is trusted here signed this code (--trust DIR)")
    return 0


def _caption_of(text: str, trust: Path) -> tuple[str, ...]:
    """The words of a code that a trusted authority signed, none of any other code."""
    anchors = load.trust_anchors(trust / "authority") if (trust / "authority").is_dir() else {}
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
            print(f"{path}: {len(symbols)} QR code{'' if len(symbols) == 1 else 's'}")
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
    at = moment(arguments.at, "--at") if arguments.at else int(time.time())
    judged: list[dict[str, Any]] = []
    for data in _codes_of(arguments.what):
        try:
            claims, kid = signcode.verify(data, anchors)
        except HostileInputError as error:
            judged.append({"authentic": False, "reason": error.reason, "sentence": error.kind})
            continue
        entry = register.lookup(claims.sign_id) if register else None
        in_force = claims.valid_from <= at < claims.valid_until and not (entry and entry.revoked)
        listed = "revoked" if entry and entry.revoked else "registered" if entry else "not registered"
        judged.append({"authentic": True, "in_force": in_force, "register": listed, **_facts(claims, kid)})
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


def _codes_of(what: str) -> list[bytes]:
    """The bytes to verify: a code as text, from standard input, or every QR symbol of a picture."""
    if what == "-":
        return [_standard_input().encode("utf-8", "surrogateescape")]
    if what.encode("utf-8", "surrogateescape").startswith(signcode.PREFIX):
        return [what.encode("utf-8", "surrogateescape")]
    if not Path(what).is_file():
        raise UsageError("neither a code (SR1:...) nor a picture file", "put a code in single quotes")
    return [symbol.data for symbol in read_picture(Path(what))]


def _standard_input() -> str:
    return sys.stdin.read(4096).rstrip("\r\n")


def _sign_id(text: str | None) -> bytes:
    if text is None:
        return secrets.token_bytes(signcode.SIGN_ID_BYTES)
    try:
        sign_id = bytes.fromhex(text)
    except ValueError:
        sign_id = b""
    if len(sign_id) != signcode.SIGN_ID_BYTES:
        raise UsageError("--id: no id of a sign", "give 16 hex digits, or leave it out for a random one")
    return sign_id


def _facts(claims: SignClaims, kid: bytes) -> dict[str, Any]:
    """Checked claims, for people and for JSON."""
    return {
        "sign_id": claims.sign_id.hex(),
        "class_id": claims.class_id,
        "class_name": CLASS_NAMES[claims.class_id],
        "lat": claims.lat,
        "lon": claims.lon,
        "heading": claims.heading,
        "valid_from": iso8601(claims.valid_from),
        "valid_until": iso8601(claims.valid_until),
        "key_id": kid.hex(),
    }
