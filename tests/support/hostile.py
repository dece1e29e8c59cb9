"""The whole device with one compartment's code changed: what an attacker who has taken it over could run there.

The product's packages are copied and edited, and run by an environment of their own in which the copy comes before the
installed packages. Everything else is as a user runs it: the policies, the filters, bubblewrap.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from identity.home import Home

ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ("device", "wire", "identity", "program", "models")
_CODE = ("device", "wire", "identity")  # what compartments can read of it


class Edit(NamedTuple):
    """One change of a file below the checkout: `old` stands there once or more, the first is replaced."""

    path: str
    old: str
    new: str


def taken_over(folder: Path, *edits: Edit) -> Path:
    """A copy of the product with these edits; returns the interpreter that runs it."""
    code = folder / "code"
    for package in _PACKAGES:
        shutil.copytree(ROOT / package, code / package, ignore=shutil.ignore_patterns("__pycache__", "data"))
    packages = sysconfig.get_paths()["purelib"]
    ours = Edit(  # compartments may read the installed packages, which are not below the copy's own environment
        "device/confine/launch.py",
        'for name in ("device", "wire", "identity")]',
        f"for name in {_CODE!r}] + [Path({packages!r})]",
    )
    for path, old, new in (*edits, ours):
        content = (code / path).read_text()
        if old not in content:
            raise LookupError(f"{path} does not hold {old!r} any more")
        (code / path).write_text(content.replace(old, new, 1))
    environment = folder / "environment"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    home = Path(sys.executable).resolve().parent
    (environment / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\n")
    site = environment / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    site.mkdir(parents=True)
    (site / "taken_over.pth").write_text(f"{code}\n{packages}\n")
    return environment / "bin" / "python"


def replay(
    python: Path, home: Home, *arguments: str | Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`sealcam replay` with this interpreter."""
    return subprocess.run(
        [python, "-P", "-m", "device.cli", "replay", *map(str, arguments)],
        env={**os.environ, "SEALCAM_HOME": str(home.path), **(environment or {})},
        cwd=home.path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
