"""What the kernel says of a process is held against what the policy needs, layer by layer."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.confine import verify
from device.confine.policy import REQUIRED_LAYERS, load

ZERO = dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), "0000000000000000")
HELD = {"Seccomp": "2", "NoNewPrivs": "1", **ZERO}


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, str]]:
    """What the kernel says of the compartment and of us, as the test changes it."""
    said = {"theirs": {**HELD, "Seccomp_filters": "3"}, "ours": {"Seccomp_filters": "1"}}
    monkeypatch.setattr(verify, "_status", lambda process: said["ours" if process.name == "self" else "theirs"])
    return said


def enforced() -> dict[str, bool]:
    return verify.enforced(load("codes"), os.getpid())


@pytest.mark.parametrize(
    ("theirs", "ours", "held"), [(3, 1, True), (2, 1, False), (2, 0, True), (1, 0, False), (4, 1, True)]
)
def test_both_filters_have_to_be_there_beside_those_that_are_inherited(
    kernel: dict[str, dict[str, str]], theirs: int, ours: int, held: bool
) -> None:
    kernel["theirs"]["Seccomp_filters"], kernel["ours"]["Seccomp_filters"] = str(theirs), str(ours)
    assert enforced()["seccomp"] == held


def test_a_kernel_that_does_not_count_filters_is_believed_that_there_is_one(kernel: dict[str, dict[str, str]]) -> None:
    del kernel["ours"]["Seccomp_filters"], kernel["theirs"]["Seccomp_filters"]
    assert enforced()["seccomp"]
    kernel["theirs"]["Seccomp"] = "0"
    assert not enforced()["seccomp"]


@pytest.mark.parametrize("capability", list(ZERO))
def test_each_set_of_capabilities_has_to_be_empty(kernel: dict[str, dict[str, str]], capability: str) -> None:
    assert enforced()["capabilities"]
    kernel["theirs"][capability] = "0000000000000001"
    assert not enforced()["capabilities"]


def test_new_privileges_have_to_be_refused(kernel: dict[str, dict[str, str]]) -> None:
    assert enforced()["no_new_privs"]
    kernel["theirs"]["NoNewPrivs"] = "0"
    assert not enforced()["no_new_privs"]


def test_our_own_process_has_neither_namespaces_nor_limits_of_a_compartment(kernel: dict[str, dict[str, str]]) -> None:
    found = enforced()
    assert not found["namespaces"] and not found["rlimits"]


def test_a_process_that_is_gone_has_no_layer() -> None:
    assert verify.enforced(load("codes"), 2**22 + 1) == dict.fromkeys(REQUIRED_LAYERS, False)


@pytest.fixture
def renamed() -> Iterator[None]:
    """Gives this process its own name back."""
    before = Path("/proc/self/comm").read_bytes().strip()
    yield
    rename(before)


def rename(name: bytes) -> None:
    """What any process can do to its line `Name:` in /proc."""
    ctypes.CDLL(None).prctl(15, name, 0, 0, 0)  # PR_SET_NAME


@pytest.mark.usefixtures("renamed")
@pytest.mark.parametrize("name", [b"\xff\xfe", b"x\x0bCapOdd:\t1", b"x\rCapOdd:\t1"])
def test_a_process_cannot_name_itself_so_that_it_cannot_be_looked_at(name: bytes) -> None:
    before = verify._status(Path("/proc/self"))
    rename(name)
    after = verify._status(Path("/proc/self"))
    assert after.keys() == before.keys() and after["CapAmb"] == before["CapAmb"]
    assert not enforced()["namespaces"]
