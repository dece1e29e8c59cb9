"""`python -m hardware.rig --seed N --out DIR`: renders a drive, its codes signed with a key made for it alone."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from hardware.rig import drive, preview
from hardware.rig.scene import RECIPES
from wire import register
from wire.errors import INTERRUPTED, SealcamError

_CLASSIFIER = Path(__file__).parents[2] / "models" / "artifacts" / "classifier.tflite"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hardware.rig", description="Render a drive past attacked signs.")
    parser.add_argument("--seed", type=int, default=1, help="varies signs, stickers, order and scenery (default: 1)")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder for drive.mp4, drive.gpx, expected.json, the register and its keys",
    )
    parser.add_argument("--scenes", default="", metavar="A,B", help=f"of {', '.join(RECIPES)} (default: all)")
    parser.add_argument("--preview", type=Path, metavar="OUT.png", help="one near frame of each scene on one picture")
    parser.add_argument("--classifier", type=Path, default=_CLASSIFIER, help="classifier that the sticker attacks")
    return parser


def _show(what: str, done: int, total: int) -> None:
    if done % 50 == 0 or done == total:
        print(f"\r{what}: {done} of {total}   ", end="", file=sys.stderr, flush=True)


def _write(arguments: argparse.Namespace, names: list[str]) -> None:
    authority = Ed25519PrivateKey.generate()
    now_ms = int(time.time() * 1000)
    result = drive.render(
        arguments.out, arguments.seed, authority, now_ms, arguments.classifier, progress=_show, names=names
    )
    print(file=sys.stderr)
    secret = authority.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = authority.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key_file = arguments.out / "authority.key"
    key_file.touch(0o600)
    key_file.write_bytes(secret)
    (arguments.out / "authority.pub").write_text(public.hex() + "\n", encoding="ascii")
    (arguments.out / "register.cose").write_bytes(register.issue(result.register, authority, issued_at=now_ms // 1000))
    for scene in result.expected["scenes"]:
        frames = f"{scene['first_frame']:4d} to {scene['last_frame']:4d}"
        print(f"{scene['name']:16s} {frames}  class {scene['class_id']:2d}  {scene['expected_state']}")


def main() -> int:
    """Returns the exit status."""
    parser = _parser()
    arguments = parser.parse_args()
    names = [name for name in arguments.scenes.split(",") if name]
    if not arguments.out and not arguments.preview:
        parser.error("give --out DIR, --preview OUT.png, or both")
    try:
        if arguments.out:
            _write(arguments, names)
        if arguments.preview:
            preview.write(arguments.preview, arguments.seed, arguments.classifier, names)
    except SealcamError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return error.exit_status
    except OSError as error:
        print(
            f"{parser.prog}: {error.filename} cannot be written ({error.strerror}); give another path", file=sys.stderr
        )
        return 2
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
