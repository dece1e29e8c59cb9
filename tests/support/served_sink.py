"""`sealcam-sink serve` as a process, and a device that publishes real envelopes to it."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from cloud_sink.keys import sink_keys
from cloud_sink.simulator import PretendDevice, PublishedEnvelope
from demo.broker import free_port
from identity import Home, load
from tests.support.brokers import context_of
from tests.support.waiting import until
from wire import receipt, topics

WITHIN_S = 20.0


@dataclass
class ServedSink:
    """`sealcam-sink serve` as a process."""

    home: Home
    broker_port: int
    port: int = field(default_factory=free_port)

    def command(self, *more: str) -> list[str]:
        where = ["--home", str(self.home.path)]
        if more:
            return [sys.executable, "-m", "cloud_sink", *more, *where]
        link = ["--broker", f"127.0.0.1:{self.broker_port}", "--port", str(self.port)]
        return [sys.executable, "-m", "cloud_sink", "serve", *where, *link]

    def run(self, *more: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(self.command(*more), capture_output=True, text=True, timeout=60, check=False)

    @contextlib.contextmanager
    def serving(self, ready: bool = True) -> Iterator[subprocess.Popen[str]]:
        """Let it serve while the block lasts; with `ready`, first wait for its ready line."""
        errors = self.home.path / "sink.err"
        with (
            errors.open("a") as log,
            subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=log, text=True) as process,
        ):
            try:
                if ready:
                    assert process.stdout is not None
                    said = [process.stdout.readline() for _ in range(2)]
                    address = f"http://127.0.0.1:{self.port}/\n"
                    expected = [f"sealcam-sink: page {address}", f"sealcam-sink: ready {address}"]
                    assert said == expected, errors.read_text()
                yield process
            finally:
                process.kill()

    def get(self, target: str) -> Any:
        """What the API says."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{target}", timeout=10) as answer:
            return json.load(answer)

    def until(self, holds: Callable[[], Any], what: str) -> Any:
        """Wait for `holds`, which may ask a receiver that does not answer yet."""
        return until(holds, what=what, seconds=WITHIN_S, despite=OSError)

    def states(self) -> list[str]:
        """The states of all stored verdicts, in order of arrival."""
        return [row["state"] for row in self.get("/api/verdicts")["verdicts"]]


class Sender:
    """The home's device as an MQTT client: publishes envelopes, collects receipts."""

    def __init__(self, home: Home, port: int) -> None:
        self.device = PretendDevice(
            home.device_id(), sink_keys(home.sink).opening.public, load.signing_key(home.device / "signing.key")
        )
        self._receipt_key = load.public_key(home.trust / "receipt.pub")
        self._receipts: queue.Queue[bytes] = queue.Queue()
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=home.device_id(), protocol=MQTTProtocolVersion.MQTTv5
        )
        folder = home.device
        self._client.tls_set_context(context_of(folder))
        self._client.on_message = lambda client, data, message: self._receipts.put(bytes(message.payload))
        self._client.on_connect = lambda client, *_: client.subscribe(topics.receipt_topic(home.device_id()), qos=1)
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def publish(self, message: PublishedEnvelope) -> None:
        """Publish at least once."""
        until(self._client.is_connected, what="the device is connected", seconds=WITHIN_S)
        self._client.publish(message.topic, message.sealed, qos=1).wait_for_publish(WITHIN_S)

    def receipt(self) -> receipt.Receipt:
        """The next receipt, verified as the sealer verifies it."""
        return receipt.verify(self._receipts.get(timeout=WITHIN_S), self._receipt_key)

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()
