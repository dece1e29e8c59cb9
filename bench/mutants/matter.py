"""Which tests matter for a mutant: those that run its line, as recorded once on the code as it is."""

from __future__ import annotations

import ast
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from bench.mutants.sites import Site

WHOLE = ("tests/integration", "tests/threats")
"""Tests that start the whole device, as confined processes: any module may run in them."""


@dataclass
class LineRecord:
    """The tests by file and line, what each takes in seconds, and those that start processes.

    A constant, a table or a default takes effect while its module is imported, before any test. Then the tests matter
    that run a function of the module, or of a module that imports it, and the test files that import it.
    """

    lines: Mapping[str, Mapping[int, frozenset[str]]]
    starting: frozenset[str]
    tests: Mapping[str, float]
    importers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    imported: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """Lines that ran outside of any test: functions, too, that a module calls while it is imported."""

    def matter(self, site: Site) -> frozenset[str]:
        """The tests for a mutant; none: no test runs the line."""
        rows = self.lines.get(site.path, {})
        span = range(site.lines[0], site.lines[1] + 1)
        found: frozenset[str] = frozenset().union(*(rows.get(line, frozenset()) for line in span))
        if site.at_import or self.imported.get(site.path, frozenset()).intersection(span):
            return found | self._at_import(site.path)
        return found

    def apart(self, site: Site) -> frozenset[str]:
        """The tests that start processes, whose lines are not recorded, and may load the module of a mutant there."""
        users, ahead = {site.path}, [site.path]
        while ahead:
            more = self.importers.get(ahead.pop(), frozenset()) - users
            users |= more
            ahead += more
        known = frozenset().union(*self.importers.values())  # a test file that imports nothing may start anything

        def may(file: str) -> bool:
            return file in users or file not in known or file.startswith(WHOLE)

        return frozenset(test for test in self.starting if may(test.split("::")[0]))

    def _at_import(self, path: str) -> frozenset[str]:
        found, seen, ahead = set(self._within(path)), {path}, [path]
        while ahead:
            for importer in self.importers.get(ahead.pop(), frozenset()) - seen:
                seen.add(importer)
                within = self._within(importer)
                found |= within
                if not within:  # constants alone, or a package that passes names on
                    ahead.append(importer)
        return frozenset(found)

    def _within(self, path: str) -> frozenset[str]:
        files = {test for test in self.tests if test.split("::")[0] == path}
        return frozenset(files).union(*self.lines.get(path, {}).values())

    def settle(self, seconds: Mapping[str, float], failed: Set[str]) -> None:
        """Takes new times of tests over, and leaves the failed tests out."""
        self.tests = {test: seconds.get(test, took) for test, took in self.tests.items() if test not in failed}
        self.starting = self.starting - failed
        self.lines = {path: {line: tests - failed for line, tests in rows.items()} for path, rows in self.lines.items()}

    def ordered(self, tests: Iterable[str]) -> list[str]:
        """The quickest files first, and in each the quickest tests, so that a mutant is killed soon."""
        by_file: dict[str, list[str]] = defaultdict(list)
        for test in tests:
            by_file[test.split("::")[0]].append(test)
        seconds = {file: sum(self.tests[test] for test in listed) for file, listed in by_file.items()}
        files = sorted(by_file, key=lambda file: (seconds[file], file))
        return [test for file in files for test in sorted(by_file[file], key=lambda name: (self.tests[name], name))]

    def seconds(self, tests: Iterable[str]) -> float:
        """What these tests take together, on the code as it is."""
        return sum(self.tests[test] for test in tests)


def load(recorded: Path, tests: Mapping[str, tuple[float, bool]], root: Path) -> LineRecord:
    """What the recorder wrote, without tests that fail on the code as it is."""
    found = json.loads(recorded.read_text())
    good = {test: seconds for test, (seconds, failed) in tests.items() if not failed}
    users = {context: frozenset(listed) & good.keys() for context, listed in found["fixtures"].items()}

    def of(contexts: Sequence[str]) -> frozenset[str]:
        return frozenset().union(*(users.get(context, {context} & good.keys()) for context in contexts))

    lines = {path: {int(line): of(names) for line, names in rows.items()} for path, rows in found["lines"].items()}
    imported = {
        path: frozenset(int(line) for line in rows if "" in rows[line]) for path, rows in found["lines"].items()
    }
    return LineRecord(lines, of(found["starting"]), good, importers(root), imported)


def importers(root: Path) -> dict[str, frozenset[str]]:
    """For each module of a checkout, the modules that import it or a name of it."""
    modules = {path.relative_to(root).as_posix(): path for path in root.rglob("*.py")}
    found: dict[str, set[str]] = defaultdict(set)
    for name, path in modules.items():
        for node in ast.walk(ast.parse(path.read_bytes())):
            for imported in _imported(node, name):
                for candidate in (f"{imported}.py", f"{imported}/__init__.py"):
                    if candidate in modules and candidate != name:
                        found[candidate].add(name)
    return {name: frozenset(listed) for name, listed in found.items()}


def _imported(node: ast.AST, importer: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.replace(".", "/") for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    parts = importer.split("/")[: -node.level] if node.level else []
    base = "/".join([*parts, *(node.module or "").split(".")]).strip("/")
    return [base, *(f"{base}/{alias.name}" for alias in node.names)]
