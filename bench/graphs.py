"""Which networks ours are compared with, where their files lie, and how to get them. Needs no torch."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import program
from program.arguments import new_parser

_ROOT = Path(__file__).resolve().parent.parent
CACHE = _ROOT / "build" / "bench"
"""The reference graphs: built on demand, never in git."""


@dataclass(frozen=True)
class Reference:
    """A published network. `figures`: parameters and multiply-adds in millions, and who says so."""

    name: str
    title: str
    size: tuple[int, int]
    parameters: float | None = None
    macs: float | None = None
    source: str = ""

    def path(self, precision: str, cache: Path = CACHE) -> Path:
        """The file of `precision` "int8" or "float32"."""
        return cache / f"{self.name}_{precision}.tflite"


REFERENCES = (
    Reference("ssd_mobilenet_v2_300", "SSD MobileNet v2 300", (300, 300)),
    Reference(
        "ssd_mobilenet_v2_300_k3",
        "SSD MobileNet v2 300, 3x3 heads",
        (300, 300),
        parameters=16.818,
        macs=3775 / 2,
        source="Open Model Zoo, ssd_mobilenet_v2_coco",
    ),
    Reference(
        "yolo11n_640",
        "YOLO11n 640",
        (640, 640),
        parameters=2.62408,
        macs=6600 / 2,
        source="Ultralytics, yolo11.yaml",
    ),
)
PRECISIONS = ("int8", "float32")


def missing(cache: Path = CACHE) -> list[str]:
    """Files of `REFERENCES` that have not been built."""
    paths = [reference.path(precision, cache) for reference in REFERENCES for precision in PRECISIONS]
    return [path.name for path in paths if not path.is_file()]


def how_to_get(names: list[str], cache: Path = CACHE) -> str:
    """The sentence for a person whose reference graphs are missing."""
    return (
        f"{len(names)} reference graphs are not in {cache}, and their rows are left out: "
        "`make bench-graphs` installs the train extra and builds them (minutes, once)."
    )


def main() -> int:
    """Says what is missing; returns 1 where anything is."""
    return program.run("python -m bench.graphs", _work)


def _work() -> int:
    new_parser(prog="python -m bench.graphs", description=(__doc__ or "").splitlines()[0]).parse_args()
    if lacking := missing():
        print(how_to_get(lacking))
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
