"""`sealcam sign register`: a road authority's signed list of its signs, built from issued codes."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from device.cli import sign_list
from device.cli.keys import add_clock_is_right
from device.cli.sign_list import listed
from device.cli.sign_sources import SourcedCode, codes_in
from identity import Home, clock, load, register_guard
from identity.files import write_private
from program import outputs
from program.arguments import place
from program.outputs import say_result
from program.wording import counted
from wire import cose, register, signcode
from wire.errors import HostileInputError, IssueError, NotOursError, UnknownKeyError, UsageError
from wire.register import Register, RegisterEntry
from wire.times import iso8601

_ALL: Final = "all"
_CLOCK_SLACK_S = 60
_NAMED = 4
_REFUSED: Final[dict[type[HostileInputError], str]] = {
    NotOursError: "take it out: a code begins with SR1:",
    UnknownKeyError: "take it out, or put its authority's public key into trust/authority of the data home",
}
_SIGN_ID = re.compile(f"[0-9a-fA-F]{{{2 * signcode.SIGN_ID_BYTES}}}")


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
    build = actions.add_parser(
        "build",
        help="make a list to review from issued codes (text files or panel pictures)",
        description="Makes a list, as JSON to be reviewed and edited, of the signs whose codes are given and of all "
        "others in the register before, as they are there.",
        epilog="Example: sealcam sign register build codes.txt panel.png --out list.json",
    )
    build.add_argument("sources", nargs="+", type=place, metavar="FILE", help="codes, one a line, or a panel's picture")
    build.add_argument("--out", type=place, required=True, metavar="LIST.json", help="the list to be reviewed")
    build.add_argument(
        "--revoke",
        action="append",
        default=[],
        type=sign_id,
        metavar="SIGN_ID",
        help="list this sign as revoked, 16 hex digits; may be repeated",
    )
    build.add_argument(
        "--drop",
        action="append",
        default=[],
        type=dropped_id,
        metavar="SIGN_ID|all",
        help="do not carry this sign over from the register before, or none of the good ones; may be repeated",
    )
    build.set_defaults(work=_build)
    sign = actions.add_parser(
        "sign",
        help="sign a reviewed list",
        description="Signs a reviewed list as the register. What the register before revoked stays revoked, and what "
        "it lists must be in the list unless it is dropped by name.",
        epilog="Example: sealcam sign register sign list.json",
    )
    sign.add_argument("list", type=place, metavar="LIST.json", help="the list of `sealcam sign register build`")
    sign.add_argument("--key", type=place, metavar="FILE", help="the authority's key (default: this data home's)")
    sign.add_argument(
        "--out", type=place, metavar="FILE", help="the signed register (default: the one that this data home trusts)"
    )
    sign.add_argument(
        "--allow-unrevoke",
        action="append",
        default=[],
        type=sign_id,
        metavar="SIGN_ID",
        help="let this sign, which the register before revoked, be believed again, 16 hex digits; may be repeated",
    )
    sign.add_argument(
        "--drop",
        action="append",
        default=[],
        type=dropped_id,
        metavar="SIGN_ID|all",
        help="leave this sign out, which the register before lists, or all that the list lacks; may be repeated",
    )
    add_clock_is_right(sign)
    sign.set_defaults(work=_sign)
    show = actions.add_parser(
        "show",
        help="verify a register and list its signs",
        description="Verifies a register with the trusted authorities' keys and lists its signs: id, degrees north and "
        "east, heading, end of validity, class.",
        epilog="Example: sealcam sign register show",
    )
    show.add_argument(
        "file", nargs="?", type=place, metavar="FILE", help="a register (default: the one that this data home trusts)"
    )
    show.add_argument("--json", action="store_true", help="print JSON")
    show.set_defaults(work=_show)


def sign_id(text: str) -> str:
    """A sign's id as an option has it, in lower case. Raises ArgumentTypeError."""
    if not _SIGN_ID.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no id of a sign, which has 16 hex digits")
    return text.lower()


def dropped_id(text: str) -> str:
    """A sign's id, or `all`. Raises ArgumentTypeError."""
    return text if text == _ALL else sign_id(text)


def _build(home: Home, arguments: argparse.Namespace) -> int:
    outputs.keep_inputs(arguments.out, arguments.sources)
    anchors = load.trust_anchors(home.trust / "authority")
    entries: dict[bytes, RegisterEntry] = {}
    for code in (found for path in arguments.sources for found in _codes_in(path)):
        try:
            claims, _ = signcode.verify(code.data, anchors)
        except HostileInputError as error:
            raise UsageError(f"{code.origin} is refused: {error}", _REFUSED.get(type(error), "take it out")) from None
        fields = {name: getattr(claims, name) for name in claims.__dataclass_fields__}
        entries[claims.sign_id] = RegisterEntry(**fields, revoked=claims.sign_id.hex() in arguments.revoke)
    unknown = sorted(set(arguments.revoke) - {sign_id.hex() for sign_id in entries})
    if unknown:
        raise UsageError(f"--revoke: no given code is for the sign {unknown[0]}", "give its code as well")
    before = _registers_before(home, anchors)
    kept = _keep_revoked(entries, before)
    carried = _carry_over(entries, before, arguments.drop)
    lines = [listed(entry) for _, entry in sorted(entries.items())]
    outputs.write(arguments.out, msgspec.json.format(msgspec.json.encode(lines), indent=2) + b"\n")
    again = f", {carried} of them carried over from the register before" if carried else ""
    again += f", {kept} of them again as revoked, as in the register before" if kept else ""
    review = f"review it, then: sealcam sign register sign {shlex.quote(str(arguments.out))}"
    say_result(f"{counted(len(lines), 'sign')} listed in {arguments.out}{again}; {review}")
    return 0


def _codes_in(path: Path) -> list[SourcedCode]:
    found = codes_in(path)
    if not found:
        raise UsageError(f"{path} holds no QR code that can be read", "take a sharper picture, or give the code's text")
    return found


def _keep_revoked(entries: dict[bytes, RegisterEntry], before: Iterable[Register]) -> int:
    """Carry over what registers before revoke; returns of how many signs the list would have let go."""
    kept = set()
    for register_before in before:
        for sign_id in register.brought_back(register_before, entries.values()):
            entries[sign_id] = replace(entries.get(sign_id, register_before.entries[sign_id]), revoked=True)
            kept.add(sign_id)
    return len(kept)


def _carry_over(entries: dict[bytes, RegisterEntry], before: Iterable[Register], dropped: list[str]) -> int:
    """Add what registers before list, but what is dropped by name; returns how many. Raises UsageError."""
    missing = {i: entry for earlier in before for i, entry in earlier.entries.items() if i not in entries}
    _check_named(dropped, {i.hex() for i in missing}, "that only the register before lists, and does not revoke")
    carried = {} if _ALL in dropped else {i: entry for i, entry in missing.items() if i.hex() not in dropped}
    entries |= carried
    return len(carried)


def _refuse_to_drop(replaced: Register | None, entries: list[RegisterEntry], dropped: list[str], now: float) -> int:
    """Of how many good signs the register before is the last to know. Raises UsageError where one is not named.

    A sign whose time is over goes without a word: no device believes it, or misses it.
    """
    still = {entry.sign_id for entry in entries}
    found = replaced.entries.values() if replaced is not None else ()
    gone = {e.sign_id.hex() for e in found if not e.revoked and e.valid_until > now and e.sign_id not in still}
    over = {e.sign_id.hex() for e in found if not e.revoked and e.sign_id not in still} - gone
    _check_named(dropped, gone | over, "of the register before that this list lacks, and that is not revoked")
    refused = [] if _ALL in dropped else sorted(gone - set(dropped))
    if refused:
        raise UsageError(
            f"{counted(len(refused), 'sign')} of the register before {'is' if len(refused) == 1 else 'are'} not in the "
            f"list: {_named(refused)}, so that no device would miss {'it' if len(refused) == 1 else 'them'} any more",
            "build the list anew (sealcam sign register build carries them over), or add --drop SIGN_ID for each that "
            "is gone, or --drop all",
        )
    return len(gone)


def _check_named(dropped: list[str], known: set[str], what: str) -> None:
    if unknown := sorted(set(dropped) - known - {_ALL}):
        raise UsageError(f"--drop: {unknown[0]} is no sign {what}", "leave it out")


def _named(signs: list[str]) -> str:
    return ", ".join(signs[:_NAMED]) + (f" and {len(signs) - _NAMED} more" if len(signs) > _NAMED else "")


def _registers_before(
    home: Home, anchors: dict[bytes, Ed25519PublicKey], out: Path | None = None, key_id: bytes | None = None
) -> list[Register]:
    """The register that is about to be replaced, and the one that this data home trusts, as far as they are there.

    With `key_id` the latter counts only if it is of that authority: what another revoked is not this one's to list.
    Raises RegisterRollbackError where the home's is older than one that it used, or gone: what that one revoked is not
    known then.
    """
    register_guard.check(home.trust)
    trusted = home.trust / "register.cose"
    replaced = [load.register(out, anchors)] if out is not None and out.exists() else []
    own = [load.register(trusted, anchors)] if trusted != out and trusted.exists() else []
    return replaced + [earlier for earlier in own if key_id in (None, earlier.key_id)]


def _sign(home: Home, arguments: argparse.Namespace) -> int:
    entries, key = sign_list.read(arguments.list), load.signing_key(arguments.key or home.authority_key)
    out = arguments.out or home.trust / "register.cose"
    outputs.keep_inputs(out, [arguments.list, arguments.key or home.authority_key])
    told = outputs.check(out) and arguments.out is not None
    anchors = load.trust_anchors(home.trust / "authority") | {cose.key_id(key.public_key()): key.public_key()}
    if not arguments.clock_is_right:
        clock.check(home.known_past())
    before = _registers_before(home, anchors, out, cose.key_id(key.public_key()))
    _refuse_to_bring_back(before, entries, arguments.allow_unrevoke)
    replaced = load.register(out, anchors) if out.exists() else None
    dropped = _refuse_to_drop(replaced, entries, arguments.drop, time.time())
    try:
        signed = register.issue(entries, key, issued_at=_time_of_issue(before))
    except IssueError as error:
        raise UsageError(f"{arguments.list} cannot be signed ({error})", "correct that sign in it") from None
    write_private(out, signed)
    if told:
        outputs.say_replaced(out)
    if out == home.trust / "register.cose":
        register_guard.check(home.trust)
    gone = f", {dropped} of the register before dropped" if dropped else ""
    say_result(f"{counted(len(entries), 'sign')} signed, {_revoked(entries)}{gone}: {out}")
    return 0


def _refuse_to_bring_back(before: Iterable[Register], entries: list[RegisterEntry], allowed: list[str]) -> None:
    """Raises UsageError where the list brings a revoked sign back that is not allowed by its id."""
    back = {sign_id.hex() for earlier in before for sign_id in register.brought_back(earlier, entries)}
    if unknown := sorted(set(allowed) - back):
        raise UsageError(
            f"--allow-unrevoke: {unknown[0][:40]!r} is not a revoked sign that this list brings back", "leave it out"
        )
    if refused := sorted(back - set(allowed)):
        raise UsageError(
            f"the list would bring back what the register before it revoked: {_named(refused)}",
            'list it with "revoked": true, or, if it is to be believed again, add --allow-unrevoke SIGN_ID for each',
        )


def _time_of_issue(before: Iterable[Register]) -> int:
    """Now, or the second after the register before. Raises UsageError where the clock is behind that register."""
    now, latest = int(time.time()), max((earlier.issued_at for earlier in before), default=0)
    if latest > now + _CLOCK_SLACK_S:
        raise UsageError(
            f"the register before this one was issued at {iso8601(latest)}, and it is {iso8601(now)} on this machine",
            "set the clock: devices take no register that is older than the one they have",
        )
    return max(now, latest + 1)


def _show(home: Home, arguments: argparse.Namespace) -> int:
    anchors = load.trust_anchors(home.trust / "authority")
    found = load.register(arguments.file or home.trust / "register.cose", anchors)
    lines = [listed(entry) for entry in found.entries.values()]
    if arguments.json:
        facts = {"issued_at": iso8601(found.issued_at), "key_id": found.key_id.hex()}
        print(json.dumps({**facts, "signs": msgspec.to_builtins(lines)}, indent=2))
        return 0
    signs = f"{counted(len(lines), 'sign')}, {_revoked(found.entries.values())}"
    print(f"{signs}, issued {iso8601(found.issued_at)} with key {found.key_id.hex()}")
    for line in lines:
        note = "  REVOKED" if line.revoked else ""
        place = f"{line.lat:10.5f} {line.lon:11.5f} {line.heading:4.0f} deg"
        print(f"{line.sign_id}  {place}  until {line.valid_until}  {line.class_name}{note}")
    return 0


def _revoked(entries: Iterable[RegisterEntry]) -> str:
    count = sum(entry.revoked for entry in entries)
    return f"{count or 'none'} revoked"
