"""A broker for tests: where mosquitto is missing, and how its clients show who they are."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from identity import load, mosquitto
from identity.errors import MissingBrokerError


def _has_broker() -> bool:
    try:
        mosquitto.find()
    except MissingBrokerError:
        return False
    return True


needs_broker = pytest.mark.skipif(not _has_broker(), reason="mosquitto is not installed: apt-get install mosquitto")


def context_of(folder: Path) -> ssl.SSLContext:
    """The TLS of a client whose key and certificates are in this folder of a data home."""
    return load.client_context(folder / "tls.key", folder / "tls.crt", folder / "ca.crt")
