"""The receiving thread: an error of our own ends it and is kept; a broker's address is checked."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from cloud_sink.mqtt import Subscriber, parse_address
from cloud_sink.receiver import Receiver
from cloud_sink.simulator import SimulatedFleet
from cloud_sink.store import Store
from wire.errors import IssueError, UsageError


def test_an_error_of_our_own_is_not_taken_for_the_brokers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = SimulatedFleet()
    with Store(tmp_path / "sink.db") as store:
        receiver: Receiver = fleet.receiver(store)
        subscriber = Subscriber(
            ("127.0.0.1", 1),
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            receiver,
            changed=lambda: None,
            now_ms=lambda: fleet.now_ms,
        )

        def connect(*arguments: Any, **options: Any) -> None:
            raise IssueError("sequence: out of range")

        monkeypatch.setattr(subscriber._client, "connect", connect)
        subscriber.run()
    assert isinstance(subscriber.failure, IssueError)


@pytest.mark.parametrize("text", ["nowhere", "nowhere:99999", ":8883", "host:", "host:x"])
def test_a_wrong_address_is_answered_with_how_to_write_it(text: str) -> None:
    with pytest.raises(UsageError, match="is not HOST:PORT; write it as localhost:8883"):
        parse_address(text)
