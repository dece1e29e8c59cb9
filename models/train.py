"""Command line: `python -m models.train classifier|detector --data PATH [--scenes PATH | --crops PATH]`.

PATH is a folder or a zip in its publisher's layout (GTSRB for the classifier, GTSDB for the detector). Exit status 2
and one sentence when the data or the usage is wrong. `python -m models.ship` makes artifacts of the checkpoints.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2

from models.errors import ModelsError

_DEFAULT_OUT = Path("train-out")


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    result = argparse.ArgumentParser(prog="python -m models.train", description=(__doc__ or "").splitlines()[0])
    result.add_argument("network", choices=["classifier", "detector"])
    result.add_argument("--data", required=True, type=Path, help="GTSRB or GTSDB, folder or zip")
    result.add_argument("--scenes", type=Path, help="classifier: GTSDB, for patches that hold no sign")
    result.add_argument(
        "--detector",
        type=Path,
        metavar="MODELS",
        help="folder of earlier models: what their detector mistakes for signs, and what their classifier is sure of",
    )
    result.add_argument("--crops", type=Path, help="detector: GTSRB, for signs to paste into the scenes")
    result.add_argument("--no-drawings", action="store_true", help="do without the drawings of hardware.signs")
    result.add_argument("--out", type=Path, default=_DEFAULT_OUT, help="folder of the checkpoints (default: train-out)")
    result.add_argument("--steps", type=int, help="number of batches (default: what the shipped model took)")
    result.add_argument("--rate", type=float, help="highest learning rate")
    result.add_argument("--seed", type=int, default=1)
    result.add_argument("--threads", type=int, default=2)
    result.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    result.add_argument("--start-from", type=Path, help="checkpoint to take weights from, to fine-tune")
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one training; returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        import torch
    except ImportError:
        print("torch is missing: install the project's `train` extra", file=sys.stderr)
        return 2
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    cv2.setNumThreads(1)
    try:
        if options.network == "classifier":
            from models import fit_classifier

            fit_classifier.run(options)
        else:
            from models import fit_detector

            fit_detector.run(options)
    except (ModelsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; --resume goes on from the last checkpoint", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
