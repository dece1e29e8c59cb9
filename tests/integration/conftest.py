"""Fixtures of the integration tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from demo.broker import Broker, free_port
from identity import Home


@pytest.fixture
def broker(home: Home) -> Iterator[Broker]:
    """A real broker of the test's own data home."""
    with Broker(home, free_port()) as running:
        yield running
