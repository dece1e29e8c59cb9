"""Who may import whom: a table for the top-level packages, a table for the parts of the device. Nothing else may.

Tests share through `tests/support`, never with each other.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from wire.vocabulary import COMPARTMENTS

PACKAGES: dict[str, set[str]] = {
    "wire": set(),
    "program": {"wire"},
    "identity": {"wire"},
    "device": {"wire", "identity", "program"},
    "cloud_sink": {"wire", "identity", "program"},
    "hardware": {"wire", "device", "program"},
    "models": {"wire", "identity", "device", "hardware", "program"},
    "demo": {"wire", "identity", "device", "hardware", "program"},  # the receiver is a program of its own
    "bench": {"wire", "identity", "device", "hardware", "models", "demo", "program"},
}
"""Top-level package -> the others that it may import."""

_COMPARTMENTS = {f"device.{name}" for name in COMPARTMENTS if name != "warden"}
_SETTINGS = {f"{package}.settings" for package in _COMPARTMENTS}
_COMPARTMENT = {"device.channel", "wire"}
PARTS: dict[str, set[str]] = {
    "device.confine": {"wire", "program"},  # its linter is a program
    "device.channel": {"device.confine", "wire"},
    "device.config": {"wire", "program"},
    "device.launcher": {"device.channel", "device.confine", "device.config", "program", "wire", *_SETTINGS},
    "device.warden": {
        "device.channel",
        "device.confine",
        "device.config",
        "device.launcher",
        "identity",
        "program.bound",
        "wire",
    },
    "device.redteam": {
        "device.channel",
        "device.confine",
        "device.config",
        "device.launcher",
        "device.warden.table",
        "wire",
    },
    "device.cli": {"device", "wire", "identity", "program"},  # the command line reaches into every part
    **{package: _COMPARTMENT for package in _COMPARTMENTS},
    "device.annotator": _COMPARTMENT | {"device.capture"},  # decodes the same frames as capture, by the same code
    "device.verdict": _COMPARTMENT | {"identity"},  # loads trust anchors
    "device.sealer": _COMPARTMENT | {"identity"},  # loads the signing key
    "device.uplink": _COMPARTMENT | {"identity"},  # loads the TLS client key
}
"""Part of the device -> what it may import of ours. A compartment imports no other compartment."""

CLOUD_SINK_WEB = {"cloud_sink", "cloud_sink.web"}
"""The page reads the archive; nothing of the receiver but its start reads the page."""


def modules(folder: str) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        yield module_of(path), ast.parse(path.read_text(encoding="utf-8"))


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(tree: ast.Module) -> Iterator[str]:
    """Every module of ours that is imported anywhere, also inside functions; `from a import b` gives a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_ours(name: str) -> bool:
    return name.partition(".")[0] in {*PACKAGES, "tests"}


def within(name: str, parts: set[str]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in parts)


def strangers(part: str, allowed: set[str], names: Iterator[str]) -> list[str]:
    return [name for name in names if is_ours(name) and not within(name, {part, *allowed})]


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_a_package_imports_no_other_than_the_table_says(package: str) -> None:
    found = {m: strangers(package, PACKAGES[package], imported(tree)) for m, tree in modules(package)}
    wrong = {module: names for module, names in found.items() if names}
    assert not wrong, f"PACKAGES does not let {package} import what these modules import"


@pytest.mark.parametrize("part", sorted(PARTS))
def test_a_part_of_the_device_imports_no_other_than_the_table_says(part: str) -> None:
    path = ROOT / part.replace(".", "/")
    trees = (
        modules(part.replace(".", "/")) if path.is_dir() else [(part, ast.parse(path.with_suffix(".py").read_text()))]
    )
    found = {module: strangers(part, PARTS[part], imported(tree)) for module, tree in trees}
    wrong = {module: names for module, names in found.items() if names}
    assert not wrong, f"PARTS does not let {part} import what these modules import"


def test_every_part_of_the_device_stands_in_the_table() -> None:
    inside = (ROOT / "device").iterdir()
    parts = {f"device.{p.stem}" for p in inside if p.suffix == ".py" or (p / "__init__.py").is_file()} - {
        "device.__init__"
    }
    assert parts - set(PARTS) == set(), "a new part of the device: say in PARTS what it may import"
    assert set(PARTS) - parts == set(), "a part of PARTS is not there: a compartment lacks its folder, or was renamed"


def test_every_package_stands_in_the_table() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert folders - {"tests"} == set(PACKAGES), "PACKAGES says for each top-level package what it may import"


def test_the_receiver_and_its_page_do_not_import_each_other_in_a_circle() -> None:
    graph = {
        module: {n for n in imported(tree) if n.startswith("cloud_sink")} for module, tree in modules("cloud_sink")
    }
    known = set(graph)

    def targets(module: str) -> set[str]:
        named = {name if name in known else name.rpartition(".")[0] for name in graph[module]}
        return named & known - {module}

    def reaches(start: str) -> set[str]:
        seen: set[str] = set()
        left = [start]
        while left:
            for target in targets(left.pop()) - seen:
                seen.add(target)
                left.append(target)
        return seen

    assert not [module for module in known if module in reaches(module)]
    core = {m for m in known if not m.startswith("cloud_sink.web")}
    assert {m for m in core if any(t.startswith("cloud_sink.web") for t in targets(m))} <= {
        "cloud_sink.cli",
        "cloud_sink.serve",
    }


def test_no_class_name_stands_in_two_modules() -> None:
    names: Counter[str] = Counter()
    for package in PACKAGES:
        for _, tree in modules(package):
            names.update(node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    assert not [name for name, times in names.items() if times > 1]


@pytest.mark.parametrize("name", [name for name in COMPARTMENTS if name != "warden"])
def test_a_compartment_is_a_policy_settings_and_a_thin_main(name: str) -> None:
    folder = ROOT / "device" / name
    assert (folder / "policy.toml").is_file()
    assert (folder / "settings.py").is_file()
    assert len((folder / "__main__.py").read_text(encoding="utf-8").splitlines()) <= 60


def of_other_tests(tree: ast.Module) -> list[str]:
    """The imports that lead to a test module or a `conftest.py`: with `tests.` before it, without, or relative."""
    found = [name for name in imported(tree) if not within(name, {"tests.support"}) and _is_of_a_test(name.split("."))]
    relative = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level)
    return found + ["." * node.level + (node.module or "") for node in relative]


def _is_of_a_test(words: list[str]) -> bool:
    return words[0] in {"tests", "conftest"} or any(word.startswith("test_") for word in words)


def test_no_test_imports_another_test_module() -> None:
    """What two of them need is in `tests/support`, or a fixture of a `conftest.py`."""
    found = {module: of_other_tests(tree) for module, tree in modules("tests")}
    assert not {module: names for module, names in found.items() if names}


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("from tests.unit.wire.test_cbor import SAMPLE", ["tests.unit.wire.test_cbor.SAMPLE"]),
        ("from tests import conftest", ["tests.conftest"]),
        ("import test_cbor", ["test_cbor"]),
        ("def inside():\n    from test_cbor import SAMPLE", ["test_cbor.SAMPLE"]),
        ("from .test_cbor import SAMPLE", [".test_cbor"]),
        ("from . import test_cbor", ["."]),
        ("from tests.support.paths import ROOT", []),
        ("from wire import cbor", []),
    ],
)
def test_an_import_of_another_test_is_found(line: str, names: list[str]) -> None:
    assert of_other_tests(ast.parse(line)) == names
