"""Puts mutants into copies, runs the tests that matter, and says which mutants were noticed."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from time import monotonic
from typing import Literal

from bench.mutants import matter
from bench.mutants.matter import LineRecord
from bench.mutants.sites import Site
from bench.mutants.workspace import Copy, Workspace
from wire.errors import UsageError

Status = Literal["killed", "survived", "equivalent"]
_TIMES, _LEAST = 5, 30  # a mutant may take this many times what its tests take, and this many seconds more
_NO_TESTS = 5  # exit statuses of pytest
_USABLE = (0, 1)
_CONTROLS = 3
_QUIET = ("--tb=no", "-p", "no:randomly")


class TestsError(UsageError):
    """The tests cannot be run on the code as it is; the message says what to do."""


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant, and what noticed it: a test, `timeout`, or `start` (an import or a collection)."""

    site: Site
    status: Status
    noticed_by: str = ""
    executed: bool = True
    seconds: float = 0.0


def record(copy: Copy, folders: Sequence[str]) -> tuple[LineRecord, list[str]]:
    """Which test runs which line, and the tests that fail without any mutant, which are left out."""
    file = copy.folder / "record.json"
    ran = copy.pytest([*_QUIET, *folders], None, record=file)
    if ran.status not in _USABLE or not file.is_file():
        tail = "\n".join(ran.output.splitlines()[-15:])
        raise TestsError(
            f"{tail}\nthe tests cannot be run as they are", f"make `pytest {' '.join(folders)}` work first"
        )
    return matter.load(file, ran.tests, copy.root), sorted(test for test, (_, bad) in ran.tests.items() if bad)


def control(copy: Copy, found: LineRecord, sites: Sequence[Site]) -> list[str]:
    """Runs all tests that matter as mutants get them, without a mutant. Updates their times, and leaves out and
    returns those that fail so: they depend on tests before them, and would kill any mutant."""
    failed: list[str] = []
    for _ in range(_CONTROLS):
        tests = found.ordered(frozenset().union(*(found.matter(site) | found.apart(site) for site in sites)))
        if not tests:
            break
        ran = copy.pytest([*_QUIET, *_files(tests)], None, tests)
        bad = {test for test in tests if ran.tests.get(test, (0.0, True))[1]}
        found.settle({test: seconds for test, (seconds, _) in ran.tests.items()}, bad)
        failed += sorted(bad)
        if not bad:
            break
    return failed


def trials(
    workspace: Workspace, master: Copy, found: LineRecord, sites: Sequence[Site], jobs: int
) -> Iterator[Outcome]:
    """The outcome of each mutant, as they come."""
    copies: queue.SimpleQueue[Copy] = queue.SimpleQueue()
    for number in range(min(jobs, len(sites))):
        copies.put(workspace.copy(number + 1, master.root))

    def attempt(site: Site) -> Outcome:
        copy = copies.get()
        try:
            return trial(copy, found, site)
        finally:
            copies.put(copy)

    pool = ThreadPoolExecutor(jobs)
    try:
        for future in as_completed([pool.submit(attempt, site) for site in sites]):
            yield future.result()
    except BaseException:
        workspace.stop()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def trial(copy: Copy, found: LineRecord, site: Site) -> Outcome:
    """One mutant: the tests that run its line, then those that may run it in a process of their own."""
    began = monotonic()
    near = found.matter(site)
    noticed_by = ""
    with copy.holding(site.path, site.put_in((copy.root / site.path).read_bytes())):
        for tests in (near, found.apart(site) - near):
            noticed_by = noticed_by or (_noticed(copy, found, tests) if tests else "")
    status: Status = "killed" if noticed_by else "survived"
    return Outcome(site, status, noticed_by, bool(near), monotonic() - began)


def _noticed(copy: Copy, found: LineRecord, tests: frozenset[str]) -> str:
    ordered = found.ordered(tests)
    limit = max(_LEAST, _TIMES * found.seconds(tests) + _LEAST)
    ran = copy.pytest(["-x", *_QUIET, *_files(ordered)], limit, ordered)
    if ran.status is None:
        return "timeout"
    if ran.status in (0, _NO_TESTS):
        return ""
    return next((test for test, (_, failed) in ran.tests.items() if failed), "start")


def _files(tests: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(test.split("::")[0] for test in tests))
