"""`sealcam sign issue`: a road authority's signature under what one sign says."""

from __future__ import annotations

import argparse
import json
import re
import secrets
import time
from typing import Any

from device.cli.keys import add_clock_is_right
from device.cli.sign_list import is_nowhere
from identity import Home, clock, load
from program.arguments import place, real
from program.wording import nearest
from wire import signcode
from wire.classes import CLASS_NAMES
from wire.errors import IssueError, UsageError
from wire.signcode import SignClaims
from wire.times import iso8601, unix_seconds

_LATEST = unix_seconds("2105-12-31T23:59:59Z")
_OPTIONS = {
    "sign_id": "--id",
    "class_id": "--class",
    "lat": "--lat",
    "lon": "--lon",
    "heading": "--heading",
    "valid_from": "--valid-from",
    "valid_until": "--valid-until",
}
"""A claim of a code -> the option that says it."""


def add_parser(actions: Any) -> None:
    """`sealcam sign issue`."""
    issue = actions.add_parser(
        "issue",
        help="sign a code for one sign and print its text",
        description="Signs what the road authority says about one sign, and prints the code's text: SR1:...",
        epilog="Example: sealcam sign issue --class 'speed limit 50' --lat 52.52001 --lon 13.40495 --heading 270 "
        "> sign.txt",
    )
    issue.add_argument(
        "--class",
        dest="class_name",
        required=True,
        metavar="CLASS",
        help=f"name or number (0 to {len(CLASS_NAMES) - 1}), see `sealcam sign classes`",
    )
    issue.add_argument("--lat", type=real(-90, 90), required=True, metavar="DEGREES", help="degrees north, WGS 84")
    issue.add_argument("--lon", type=real(-180, 180), required=True, metavar="DEGREES", help="degrees east, WGS 84")
    issue.add_argument(
        "--heading",
        type=real(0, 360),
        required=True,
        metavar="DEGREES",
        help="in which direction the traffic drives that the sign speaks to, degrees clockwise from north, 0 to 360",
    )
    issue.add_argument("--valid-from", metavar="TIME", help="ISO 8601, UTC without a zone (default: now)")
    issue.add_argument(
        "--valid-until", metavar="TIME", help="ISO 8601, UTC without a zone (default: a year after the start)"
    )
    issue.add_argument("--id", metavar="SIGN_ID", help="the sign's id, 16 hex digits (default: random)")
    issue.add_argument("--key", type=place, metavar="FILE", help="the authority's key (default: this data home's)")
    issue.add_argument("--allow-expired", action="store_true", help="issue it although its time is over already")
    add_clock_is_right(issue)
    issue.set_defaults(work=_issue)


def _issue(home: Home, arguments: argparse.Namespace) -> int:
    if not arguments.clock_is_right and (arguments.valid_from is None or arguments.valid_until is None):
        clock.check(home.known_past())
    begin = int(time.time()) if arguments.valid_from is None else moment(arguments.valid_from, "--valid-from")
    until = arguments.valid_until
    end = begin + 365 * 86400 if until is None else moment(until, "--valid-until")
    if end <= max(time.time(), home.known_past()) and not arguments.allow_expired:
        raise UsageError(
            f"--valid-until: {iso8601(end)} is over, so that no device will believe the code",
            "give a later end, or --allow-expired to issue it all the same",
        )
    if is_nowhere(arguments.lat, arguments.lon):
        raise UsageError(
            "--lat 0 and --lon 0 are where receivers without a fix say they are: no device takes that for a place",
            "give the place of the sign, in degrees",
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
        sentence = re.sub(r"\b(" + "|".join(_OPTIONS) + r")\b", lambda found: _OPTIONS[found[0]], error.sentence)
        raise UsageError(sentence, "change that option") from None
    read_back, kid = signcode.verify(text.encode(), {signcode.key_id(key.public_key()): key.public_key()})
    print(json.dumps({"text": text, **facts(read_back, kid)}, indent=2) if arguments.json else text)
    return 0


def class_id_of(text: str) -> int:
    """A class by its number or its English name. Raises UsageError."""
    if text.isascii() and text.isdigit() and len(text) <= 2 and int(text) < len(CLASS_NAMES):
        return int(text)
    wanted = text.lower().replace("_", " ").replace("-", " ").strip()
    if wanted in CLASS_NAMES:
        return CLASS_NAMES.index(wanted)
    near = nearest(wanted, CLASS_NAMES)
    meant = (
        f"did you mean {near!r}? All are listed by: sealcam sign classes"
        if near
        else "list them with: sealcam sign classes"
    )
    raise UsageError(f"--class: {text[:40]!r} is no sign class", meant)


def moment(text: str, option: str) -> int:
    """ISO 8601 -> unix seconds; without an offset it is UTC. Raises UsageError naming the option."""
    try:
        seconds = unix_seconds(text)
    except ValueError:
        raise UsageError(f"{option}: no ISO 8601 time", "write 2026-11-23 or 2026-11-23T10:00:00Z") from None
    if not 0 < seconds <= _LATEST:
        raise UsageError(
            f"{option}: {text} is no time that a code can carry", "write one from 1970-01-02 to 2105-12-31"
        )
    return seconds


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


def facts(claims: SignClaims, kid: bytes) -> dict[str, Any]:
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
