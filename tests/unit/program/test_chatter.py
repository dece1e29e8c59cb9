"""A library's line that tells a user nothing is dropped, and nothing else is."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from program.chatter import TFLITE, without
from tests.support.paths import ROOT

LOAD = """
from pathlib import Path
from hardware.rig.views import AttackedClassifier
AttackedClassifier.load(Path("models/artifacts/classifier.tflite"))
"""


def test_what_else_is_written_comes_afterwards_in_order(capfd: pytest.CaptureFixture[str]) -> None:
    with without(TFLITE):
        os.write(2, b"one\n" + TFLITE + b" XNNPACK delegate for CPU.\n")
        os.write(2, b"ERROR: two\nthree without an end")
    os.write(2, b", four\n")
    assert capfd.readouterr().err.splitlines() == ["one", "ERROR: two", "three without an end, four"]


def test_it_comes_also_where_the_work_fails(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="no model"), without(TFLITE):
        os.write(2, TFLITE + b"\nERROR: why\n")
        raise ValueError("no model")
    assert capfd.readouterr().err == "ERROR: why\n"


def test_a_closed_standard_error_is_no_fault() -> None:
    script = "import os; os.close(2)\nfrom program.chatter import *\nwith without(TFLITE): print('done')"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    assert done.stdout == b"done\n"


def test_loading_the_shipped_classifier_says_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", LOAD], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
