"""`python -m hardware.rig --seed N --out DIR`: renders a drive, its codes signed with a key made for it alone."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

import program
from hardware.rig import drive, preview
from hardware.rig.scene import RECIPES
from program import outputs
from program.arguments import MAX_SEED, new_parser, place, whole
from program.claim import claimed
from wire import register

_CLASSIFIER = Path(__file__).parents[2] / "models" / "artifacts" / "classifier.tflite"


def _parser() -> argparse.ArgumentParser:
    parser = new_parser(prog="python -m hardware.rig", description="Render a drive past attacked signs.")
    parser.add_argument(
        "--seed", type=whole(0, MAX_SEED), default=1, help="varies signs, stickers, order and scenery (default: 1)"
    )
    parser.add_argument(
        "--out",
        type=place,
        metavar="DIR",
        help="folder for drive.mp4, drive.gpx, expected.json, the register and its keys",
    )
    parser.add_argument("--scenes", default="", metavar="A,B", help=f"of {', '.join(RECIPES)} (default: all)")
    parser.add_argument("--preview", type=place, metavar="OUT.png", help="one near frame of each scene on one picture")
    parser.add_argument("--classifier", type=place, default=_CLASSIFIER, help="classifier that the sticker attacks")
    return parser


def _show(what: str, done: int, total: int) -> None:
    if done % 50 == 0 or done == total:
        print(f"\r{what}: {done} of {total}   ", end="", file=sys.stderr, flush=True)


def _write(arguments: argparse.Namespace, names: list[str]) -> None:
    with claimed(arguments.out):
        _write_drive(arguments, names)


def _write_drive(arguments: argparse.Namespace, names: list[str]) -> None:
    authority = Ed25519PrivateKey.generate()
    now_ms = int(time.time() * 1000)
    result = drive.render(
        arguments.out, arguments.seed, authority, now_ms, arguments.classifier, progress=_show, names=names
    )
    print(file=sys.stderr)
    secret = authority.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = authority.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    signed = register.issue(result.register, authority, issued_at=now_ms // 1000)
    outputs.write(arguments.out / "authority.key", secret)
    outputs.write(arguments.out / "authority.pub", f"{public.hex()}\n".encode())
    outputs.write(arguments.out / "register.cose", signed)
    for scene in result.expected["scenes"]:
        frames = f"{scene['first_frame']:4d} to {scene['last_frame']:4d}"
        print(f"{scene['name']:16s} {frames}  class {scene['class_id']:2d}  {scene['expected_state']}")


def main() -> int:
    """Returns the exit status."""
    return program.run("python -m hardware.rig", _work, private=True)


def _work() -> int:
    parser = _parser()
    arguments = parser.parse_args()
    names = [name for name in arguments.scenes.split(",") if name]
    if not arguments.out and not arguments.preview:
        parser.error("give --out DIR, --preview OUT.png, or both")
    if arguments.preview and arguments.preview.suffix.lower() not in (".png", ".jpg"):
        parser.error("--preview is a picture: end its name in .png or .jpg")
    if arguments.out:
        _write(arguments, names)
    if arguments.preview:
        preview.write(arguments.preview, arguments.seed, arguments.classifier, names)
    return 0


if __name__ == "__main__":
    sys.exit(main())
