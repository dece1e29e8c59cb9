"""Command line: `python -m models.train classifier|detector --data PATH [--scenes PATH | --crops PATH]`.

PATH is a folder or a zip in its publisher's layout (GTSRB for the classifier, GTSDB for the detector). Exit status 2
and one line when the data or the usage is wrong, 130 after an interrupt. `python -m models.ship` makes artifacts of
the checkpoints.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2

import program
from models.errors import ModelsError
from program.arguments import new_parser, place

_DEFAULT_OUT = Path("train-out")


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    result = new_parser(prog="python -m models.train", description=(__doc__ or "").splitlines()[0])
    result.add_argument("network", choices=["classifier", "detector"])
    result.add_argument("--data", required=True, type=place, help="GTSRB or GTSDB, folder or zip")
    result.add_argument("--scenes", type=place, help="classifier: GTSDB, for patches that hold no sign")
    result.add_argument(
        "--detector",
        type=place,
        metavar="MODELS",
        help="folder of earlier models: what their detector mistakes for signs, and what their classifier is sure of",
    )
    result.add_argument("--crops", type=place, help="detector: GTSRB, for signs to paste into the scenes")
    result.add_argument(
        "--no-drawings",
        action="store_true",
        help="do without the drawings of hardware.signs; detector: also without rendered roads",
    )
    result.add_argument(
        "--out", type=place, default=_DEFAULT_OUT, help="folder of the checkpoints (default: train-out)"
    )
    result.add_argument(
        "--steps",
        type=_at_least(1),
        help="number of batches (default: 16000; detector: 13000, and 5/13 of it more in its second stage)",
    )
    result.add_argument("--rate", type=_rate, help="highest learning rate")
    result.add_argument("--seed", type=_at_least(0), default=1)
    result.add_argument(
        "--threads", type=_at_least(1), default=2, help="threads of the processor (default: %(default)s)"
    )
    result.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    result.add_argument("--start-from", type=place, help="checkpoint to take weights from, to fine-tune")
    return result


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if (value := int(text)) < least:
            raise argparse.ArgumentTypeError(f"{value} is less than {least}")
        return value

    return number


def _rate(text: str) -> float:
    if not 0 < (value := float(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def _misplaced(options: argparse.Namespace) -> str | None:
    """What is wrong with the options: an option of the other network is given, or another option is missing."""
    if options.network == "detector" and options.scenes is not None:
        return "--scenes is for the classifier; the detector takes its scenes from --data"
    if options.network == "classifier" and options.crops is not None:
        return "--crops is for the detector; the classifier takes its crops from --data"
    if options.network == "classifier" and options.detector is not None and options.scenes is None:
        return "--detector looks for its mistakes in --scenes: give both"
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one training; returns the exit status."""
    return program.run(
        "python -m models.train", lambda: _work(arguments), after_interrupt="--resume goes on from the last checkpoint"
    )


def _work(arguments: Sequence[str] | None = None) -> int | None:
    grammar = parser()
    options = grammar.parse_args(arguments)
    if wrong := _misplaced(options):
        grammar.error(wrong)
    _train(options)
    return 0


def _train(options: argparse.Namespace) -> None:
    try:
        import torch
    except ImportError:
        raise ModelsError("torch is not installed", "install the project's `train` extra") from None
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    cv2.setNumThreads(1)
    if options.network == "classifier":
        from models.training import fit_classifier

        fit_classifier.run(options)
    else:
        from models.training import fit_detector

        fit_detector.run(options)


if __name__ == "__main__":
    sys.exit(main())
