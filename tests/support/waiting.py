"""Waiting for what another process or thread does."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

Found = TypeVar("Found")


def until(
    done: Callable[[], Found],
    *steps: Callable[[], object],
    what: str | Callable[[], str] = "it",
    seconds: float = 20.0,
    despite: type[Exception] | tuple[type[Exception], ...] = (),
) -> Found:
    """Wait until `done` gives something true, and return that; between two looks take each of `steps`.

    The test fails with `what` after `seconds`. An exception of the type `despite` is taken as "not yet".
    """
    give_up = time.monotonic() + seconds
    while True:
        with contextlib.suppress(*(despite if isinstance(despite, tuple) else (despite,))):
            if found := done():
                return found
        if time.monotonic() >= give_up:
            pytest.fail(f"{what() if callable(what) else what}: not within {seconds:g} s")
        for step in steps:
            step()
        time.sleep(0.01)
