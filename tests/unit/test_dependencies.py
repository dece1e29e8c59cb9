"""No dependency that reads what others wrote may be older than what the lock tests."""

from __future__ import annotations

import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.support.paths import ROOT

READS_WHAT_OTHERS_WROTE = {
    "av": "decodes videos, with FFmpeg inside",
    "base45": "decodes the text of sign codes",
    "cbor2": "decodes codes, registers, envelopes and receipts",
    "cryptography": "checks every signature and opens every envelope",
    "h11": "parses the page's requests",
    "jinja2": "escapes what the page shows",
    "msgspec": "decodes what compartments say, manifests and signatures",
    "numpy": "holds the pictures that are decoded",
    "opencv-python-headless": "decodes and scales pictures",
    "paho-mqtt": "parses what the broker sends",
    "pynmeagps": "parses NMEA logs",
    "pyseccomp": "makes the system call filters",
    "pyzbar": "reads QR codes, with zbar beside it",
    "starlette": "routes the page's requests; the floor 1.0 let CVE-2026-48710 in",
    "uvicorn": "serves the page",
    "zxing-cpp": "reads QR codes",
}
"""Dependency -> why an old one would matter."""


def floors() -> dict[str, Version]:
    """The lowest version that pyproject.toml admits, by dependency."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    listed = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    return {
        requirement.name: Version(clause.version)
        for requirement in map(Requirement, listed)
        for clause in requirement.specifier
        if clause.operator == ">="
    }


def locked() -> dict[str, Version]:
    """The lowest version in uv.lock (which has several where Python versions differ), by dependency."""
    lowest: dict[str, Version] = {}
    for package in tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]:
        if "version" in package:
            version = Version(package["version"])
            lowest[package["name"]] = min(version, lowest.get(package["name"], version))
    return lowest


@pytest.mark.parametrize("name", sorted(READS_WHAT_OTHERS_WROTE))
def test_a_floor_is_not_below_the_minor_release_that_is_locked(name: str) -> None:
    floor, tested = floors()[name], locked()[name]
    assert floor.release[:2] >= tested.release[:2], f"raise {name} to {tested.major}.{tested.minor} in pyproject.toml"


def test_every_floor_admits_what_is_locked() -> None:
    tested = locked()
    assert {name for name, floor in floors().items() if floor > tested[name]} == set()


def test_what_is_installed_on_a_device_or_a_receiver_has_a_floor() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    listed = [*project["dependencies"], *project["optional-dependencies"]["sink"]]
    assert {Requirement(one).name for one in listed} <= set(floors())
