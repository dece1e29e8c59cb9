"""`sealcam sign register`: a road authority's signed list of its signs, built from issued codes."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import msgspec

from device.cli.sign_images import read_picture
from identity import Home, load
from identity.files import write_private
from program import outputs
from program.arguments import place
from wire import register, signcode
from wire.classes import CLASS_NAMES
from wire.errors import HostileInputError, IssueError, UsageError
from wire.register import RegisterEntry

_MAX_LIST_BYTES = 64 * 1024 * 1024


class Listed(msgspec.Struct, forbid_unknown_fields=True):
    """One line of the list: the readable form of a register entry, to be reviewed and edited before it is signed."""

    sign_id: str
    class_id: int
    class_name: str
    lat: float
    lon: float
    heading: float
    valid_from: int
    valid_until: int
    revoked: bool = False


def add_parser(subparsers: Any) -> None:
    """`sealcam sign register build|sign|show`."""
    parser = subparsers.add_parser(
        "register",
        help="build, sign and show the register of signs",
        description="The register lists an authority's coded signs: a device knows from it where a sign is missing "
        "and which code is revoked.",
        epilog="Example: sealcam sign register build codes.txt --out l.json && sealcam sign register sign l.json",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    build = actions.add_parser("build", help="make a list to review from issued codes (text files or panel pictures)")
    build.add_argument("sources", nargs="+", type=place, metavar="FILE", help="codes, one a line, or a panel's picture")
    build.add_argument("--out", type=place, required=True, metavar="LIST.json")
    build.add_argument("--revoke", action="append", default=[], metavar="SIGN_ID", help="list this sign as revoked")
    build.set_defaults(work=_build)
    sign = actions.add_parser("sign", help="sign a reviewed list")
    sign.add_argument("list", type=place, metavar="LIST.json")
    sign.add_argument("--key", type=place, metavar="FILE", help="the authority's key (default: this data home's)")
    sign.add_argument("--out", type=place, metavar="FILE", help="default: the register that this data home trusts")
    sign.set_defaults(work=_sign)
    show = actions.add_parser("show", help="verify a register and list its signs")
    show.add_argument("file", nargs="?", type=place, help="default: the register that this data home trusts")
    show.add_argument("--json", action="store_true", help="print JSON")
    show.set_defaults(work=_show)


def listed(entry: RegisterEntry) -> Listed:
    """An entry in its readable form."""
    return Listed(
        entry.sign_id.hex(),
        entry.class_id,
        CLASS_NAMES[entry.class_id],
        entry.lat,
        entry.lon,
        entry.heading,
        entry.valid_from,
        entry.valid_until,
        entry.revoked,
    )


def _build(home: Home, arguments: argparse.Namespace) -> int:
    anchors = load.trust_anchors(home.trust / "authority")
    entries: dict[bytes, RegisterEntry] = {}
    for number, (origin, data) in enumerate(_codes(arguments.sources), 1):
        try:
            claims, _ = signcode.verify(data, anchors)
        except HostileInputError as error:
            raise UsageError(f"{origin}: code {number} is refused: {error}", "take it out") from None
        fields = {name: getattr(claims, name) for name in claims.__dataclass_fields__}
        entries[claims.sign_id] = RegisterEntry(**fields, revoked=claims.sign_id.hex() in arguments.revoke)
    unknown = set(arguments.revoke) - {sign_id.hex() for sign_id in entries}
    if unknown:
        raise UsageError("--revoke: names a sign that no given code is for", "give its code as well")
    lines = [listed(entry) for _, entry in sorted(entries.items())]
    outputs.write(arguments.out, msgspec.json.format(msgspec.json.encode(lines), indent=2) + b"\n")
    print(f"{len(lines)} signs listed in {arguments.out}; review it, then: sealcam sign register sign {arguments.out}")
    return 0


def _codes(sources: list[Path]) -> list[tuple[Path, bytes]]:
    """The codes of text files (one a line) and pictures, each with where it came from."""
    codes: list[tuple[Path, bytes]] = []
    for path in sources:
        if path.suffix.lower() in {".png", ".jpg", ".jpeg"}:
            codes += [(path, found.data) for found in read_picture(path)]
        else:
            codes += [(path, line) for line in _read(path).splitlines() if line.strip()]
    return codes


def _sign(home: Home, arguments: argparse.Namespace) -> int:
    content, key = _read(arguments.list), load.signing_key(arguments.key or home.authority_key)
    try:
        lines = msgspec.json.decode(content, type=list[Listed])
        entries = [
            RegisterEntry(
                bytes.fromhex(line.sign_id),
                line.class_id,
                line.lat,
                line.lon,
                line.heading,
                line.valid_from,
                line.valid_until,
                line.revoked,
            )
            for line in lines
        ]
        signed = register.issue(entries, key, issued_at=int(time.time()))
    except (msgspec.DecodeError, IssueError, ValueError) as error:
        raise UsageError(f"{arguments.list} is no list of signs ({error})", "make one with: register build") from None
    out = arguments.out or home.trust / "register.cose"
    write_private(out, signed)
    print(f"{len(entries)} signs signed: {out}")
    return 0


def _show(home: Home, arguments: argparse.Namespace) -> int:
    anchors = load.trust_anchors(home.trust / "authority")
    found = load.register(arguments.file or home.trust / "register.cose", anchors)
    lines = [listed(entry) for entry in found.entries.values()]
    if arguments.json:
        facts = {"issued_at": found.issued_at, "key_id": found.key_id.hex(), "signs": msgspec.to_builtins(lines)}
        print(json.dumps(facts, indent=2))
        return 0
    issued = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(found.issued_at))
    print(f"{len(lines)} signs, issued {issued} with key {found.key_id.hex()}")
    for line in lines:
        note = "  REVOKED" if line.revoked else ""
        print(f"{line.sign_id}  {line.lat:10.5f} {line.lon:11.5f} {line.heading:4.0f} deg  {line.class_name}{note}")
    return 0


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_LIST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})", "check its name") from None
    if len(content) > _MAX_LIST_BYTES:
        raise UsageError(f"{path} is larger than {_MAX_LIST_BYTES // 2**20} MiB", "split it")
    return content
