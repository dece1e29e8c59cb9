"""A pytest plugin for the child processes of `bench.mutants`. It stands alone: it is copied beside the tests.

`MUTANTS_RECORD=FILE`: which test runs which line, as JSON. Fixtures wider than a test count for all tests that use
them. `MUTANTS_SELECT=FILE`: run the tests listed there, in that order. `MUTANTS_REPORT=FILE`: seconds and outcome of
each test, one JSON line each.
"""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_PROCESS_STARTS = ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn")


class Recorder:
    """Coverage with the running test as its context."""

    def __init__(self, out: Path, root: Path) -> None:
        from coverage import Coverage

        self._out, self._root = out, root
        self._fixtures: dict[str, set[str]] = defaultdict(set)
        self._starting: set[str] = set()
        self._test = self._context = ""
        self._coverage = Coverage(data_file=None, config_file=False, source=[str(root)], omit=[f"{root}/tests/*"])
        self._coverage.start()
        sys.addaudithook(self._audit)

    def _audit(self, event: str, _arguments: tuple[Any, ...]) -> None:
        if event in _PROCESS_STARTS:
            self._starting.add(self._context)

    def _switch(self, context: str) -> str:
        before, self._context = self._context, context
        self._coverage.switch_context(context)
        return before

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._test = item.nodeid
        for name in getattr(item, "fixturenames", ()):
            self._fixtures[f"fixture {name}"].add(item.nodeid)
        self._switch(item.nodeid)
        try:
            return (yield)
        finally:
            self._switch("")

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
        if fixturedef.scope == "function":
            return (yield)
        context = f"fixture {fixturedef.argname}"
        self._fixtures[context].add(self._test)
        before = self._switch(context)
        try:
            return (yield)
        finally:
            self._switch(before)

    def pytest_sessionfinish(self) -> None:
        self._coverage.stop()
        data = self._coverage.get_data()
        lines = {
            Path(file).relative_to(self._root).as_posix(): data.contexts_by_lineno(file)
            for file in sorted(data.measured_files())
        }
        fixtures = {name: sorted(tests) for name, tests in self._fixtures.items()}
        recorded = {"lines": lines, "fixtures": fixtures, "starting": sorted(self._starting - {""})}
        self._out.write_text(json.dumps(recorded))


class Selector:
    """Only the listed tests, in their order; where the cases of a test have changed, all its cases."""

    def __init__(self, listed: Path) -> None:
        self._rank = {nodeid: rank for rank, nodeid in enumerate(json.loads(listed.read_text()))}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        there = {item.nodeid for item in items}
        gone = {nodeid.split("[")[0]: rank for nodeid, rank in self._rank.items() if nodeid not in there}

        def rank(item: pytest.Item) -> int | None:
            return self._rank.get(item.nodeid, gone.get(item.nodeid.split("[")[0]))

        ranked = [(rank(item), item) for item in items]
        kept = sorted(((at, item) for at, item in ranked if at is not None), key=lambda pair: pair[0])
        items[:] = [item for _, item in kept]


class Reporter:
    """Seconds and outcome of each test."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._seconds: dict[str, float] = defaultdict(float)
        self._failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] += report.duration
        if report.failed:
            self._failed.add(report.nodeid)
        if report.when == "teardown":
            line = [report.nodeid, self._seconds[report.nodeid], report.nodeid in self._failed]
            with self._out.open("a") as file:
                file.write(json.dumps(line) + "\n")


def pytest_configure(config: pytest.Config) -> None:
    """Reporter and selector."""
    if report := os.environ.get("MUTANTS_REPORT"):
        config.pluginmanager.register(Reporter(Path(report)))
    if select := os.environ.get("MUTANTS_SELECT"):
        config.pluginmanager.register(Selector(Path(select)))


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """The recorder starts here, before any test or `conftest.py` imports what is recorded."""
    if record := os.environ.get("MUTANTS_RECORD"):
        pluginmanager.register(Recorder(Path(record), Path.cwd()))
