"""`sealcam keys` and `sealcam enroll`: the identities and certificates of this installation."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from device.sealer import inventory
from device.sealer.errors import SpoolError
from device.sealer.spool import Spool
from identity import Home, KeysError, LostReceiverKeyError, load
from identity.home import CERTIFICATES
from program.outputs import say_result
from program.wording import counted
from wire import cose, ed25519
from wire.errors import HostileInputError, UsageError, printable

_ANY_BYTES: Final = 2**20  # nothing is added
_OWN: Final = "own"
_RECEIVERS: Final = {
    "another": "of another home: trust/sink_hpke.pub and trust/receipt.pub are not of the keys in sink/",
    "mixed": "two: trust/sink_hpke.pub and trust/receipt.pub are of two receivers, so that no receipt is believed",
    "unknown": "none in this home, or its keys cannot be read",
}
"""Whose receiver the device seals for."""


def add_parser(subparsers: Any) -> None:
    """`sealcam keys` and `sealcam enroll`."""
    keys = subparsers.add_parser(
        "keys",
        help="make, show and renew this installation's keys and certificates",
        description="Keys and certificates live in the data home ($SEALCAM_HOME, else ~/.local/share/sealcam), "
        "readable by you alone. A secret is never printed.",
        epilog="Example: sealcam keys init && sealcam keys show",
    )
    actions = keys.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, text, work in (
        ("init", "make what is missing; what is there is kept", _init),
        ("show", "print the public halves, and until when the certificates are valid", _show),
        ("renew", "make a new TLS authority and certificates, good for a year; the rest stays as it is", _renew),
    ):
        described = f"{text[0].upper()}{text[1:]}."
        action = actions.add_parser(name, help=text, description=described, epilog=f"Example: sealcam keys {name}")
        action.add_argument("--json", action="store_true", help="print the public facts as JSON")
        if work is not _show:
            add_clock_is_right(action)
        action.set_defaults(run=run, work=work)
    enroll = subparsers.add_parser(
        "enroll",
        help="make a device known to the sink of this data home",
        description="Writes the device's public key to the sink's devices folder: from then on the sink takes its "
        "envelopes. Without options it enrols the device of this data home.",
        epilog="Example: sealcam enroll --id cam-1f2e3d4c --public-key HEX",
    )
    enroll.add_argument("--id", metavar="DEVICE_ID", help="another device's id (default: this home's device)")
    enroll.add_argument(
        "--public-key",
        metavar="HEX",
        help="its Ed25519 public key, 64 hex digits of `sealcam keys show` there (default: this home's)",
    )
    enroll.add_argument("--json", action="store_true", help="print JSON")
    enroll.set_defaults(run=run, work=_enroll)


def add_clock_is_right(parser: argparse.ArgumentParser) -> None:
    """`--clock-is-right`, as every command takes it that signs something with a time."""
    parser.add_argument(
        "--clock-is-right",
        action="store_true",
        help="believe this machine's clock although the keys know of a later date, made when a clock was ahead",
    )


def run(arguments: argparse.Namespace) -> int:
    """The command. Returns the exit status."""
    return int(arguments.work(Home.default(), arguments))


def facts(home: Home) -> dict[str, Any]:
    """The public facts of a data home. Raises KeysError."""
    key = load.signing_key(home.device / "signing.key").public_key()
    expiry = {name: load.certificate_any_time(home.path / name).not_valid_after_utc for name in CERTIFICATES}
    return {
        "home": str(home.path),
        "device_id": home.device_id(),
        "device_public_key": key.public_bytes_raw().hex(),
        "device_key_id": cose.key_id(key).hex(),
        "authority_key_ids": sorted(kid.hex() for kid in load.trust_anchors(home.trust / "authority")),
        "receiver": _receiver(home),
        "enrolled_devices": sorted(load.device_keys(home.sink / "devices")),
        "certificates_valid_until": {name: f"{when:%Y-%m-%dT%H:%M:%SZ}" for name, when in expiry.items()},
    }


def _receiver(home: Home) -> str:
    """Whose receiver this home's device seals for: a word of `_RECEIVERS`."""
    try:
        return {False: _OWN, True: "another", None: "mixed"}[home.seals_for_another]
    except KeysError:
        return "unknown"


def _init(home: Home, arguments: argparse.Namespace) -> int:
    try:
        new = home.ensure_development(clock_is_right=arguments.clock_is_right)
    except LostReceiverKeyError as error:
        raise LostReceiverKeyError(error.sentence + _sealed_for_it(home), error.remedy) from None
    if new:
        made = printable(f"made a data home with a road authority of its own: {home.path}")
        print(made, file=sys.stderr)
    make_spool(home)
    return _show(home, arguments)


def _sealed_for_it(home: Home) -> str:
    """What a lost key of the receiver costs, as far as this home knows."""
    try:
        found = inventory.look(home.spool, load.sink_public(home.trust / "sink_hpke.pub").digest)
        waiting = found.count - found.held
    except (SpoolError, KeysError):
        waiting = 0
    opened = f"{counted(waiting, 'envelope')} in the spool and " if waiting else ""
    return f": {opened}what the receiver has stored can be opened with the lost key alone"


def make_spool(home: Home) -> None:
    """The spool, and what it keeps for a full disk, while there is room: a drive may begin on a disk that is full.

    One that is in use or damaged is left alone: a run says so.
    """
    with contextlib.suppress(SpoolError):
        Spool(
            home.spool,
            device_id=home.device_id(),
            run_id="",
            max_bytes=_ANY_BYTES,
            sink_key=load.sink_public(home.trust / "sink_hpke.pub").digest,
        ).close()


def _renew(home: Home, arguments: argparse.Namespace) -> int:
    kept = home.renew(clock_is_right=arguments.clock_is_right)
    if arguments.json:
        return _show(home, arguments)
    until = {name: load.certificate_any_time(home.path / name).not_valid_after_utc for name in CERTIFICATES}
    say_result(f"renewed in {home.path}: the TLS authority, and keys and certificates of broker, device and sink")
    say_result(f"valid until {min(until.values()):%Y-%m-%dT%H:%M:%SZ}")
    say_result("unchanged: identities, trusted authorities, enrolled devices, spool")
    if kept:
        say_result(f"kept: the authorities of others in {', '.join(str(path) for path in kept)}")
    say_result(
        "restart now: the broker (sealcam-sink broker), the receiver (sealcam-sink serve) and every running device; "
        "a device on another machine needs its new device/tls.key, tls.crt and ca.crt; a home that trusts this one's "
        "authority, to connect to its broker or to let it connect, needs the first certificate of broker/ca.crt"
    )
    return 0


def _show(home: Home, arguments: argparse.Namespace) -> int:
    home.check_made()
    found = facts(home)
    if arguments.json:
        print(json.dumps(found, indent=2))
        return 0
    say_result(f"home              {found['home']}")
    print(f"device            {found['device_id']}")
    print(f"public key        {found['device_public_key']}")
    print(f"road authorities  {' '.join(found['authority_key_ids'])}")
    print(f"enrolled devices  {' '.join(found['enrolled_devices'])}")
    if found["receiver"] != _OWN:
        print(f"receiver          {_RECEIVERS[found['receiver']]}")
    print(f"certificates      valid until {min(found['certificates_valid_until'].values())}")
    return 0


def _enroll(home: Home, arguments: argparse.Namespace) -> int:
    if (arguments.id is None) != (arguments.public_key is None):
        raise UsageError("--id and --public-key go together", "give both, or neither for this device")
    home.check_made()
    if arguments.id is None:
        device_id = home.device_id()
        key = load.signing_key(home.device / "signing.key").public_key()
    else:
        device_id, key = arguments.id, _public_key(arguments.public_key)
    path: Path = home.enroll(device_id, key)
    if arguments.json:
        print(json.dumps({"device_id": device_id, "key_id": cose.key_id(key).hex(), "file": str(path)}))
    else:
        say_result(f"{device_id} is enrolled: {path}")
        if arguments.id is not None and arguments.id != _own_id(home):
            say_result(
                f"that device must seal for this receiver: copy {home.trust / 'sink_hpke.pub'} and receipt.pub beside "
                "it into trust of its home before it drives (docs/operations.md, A second device)"
            )
    return 0


def _own_id(home: Home) -> str:
    """This home's device, empty where it has none."""
    try:
        return home.device_id()
    except KeysError:
        return ""


def _public_key(text: str) -> Ed25519PublicKey:
    try:
        return ed25519.public_key(bytes.fromhex(text))
    except HostileInputError:
        wrong = "is no Ed25519 public key that a device can have" if _is_key_sized(text) else "must be 64 hex digits"
    except ValueError:
        wrong = "must be 64 hex digits"
    raise UsageError(f"--public-key: {wrong}", "run `sealcam keys show` on the device")


def _is_key_sized(text: str) -> bool:
    return len(bytes.fromhex(text)) == ed25519.PUBLIC_KEY_BYTES
