"""A receiver that a test drives step by step."""

from __future__ import annotations

from demo.broker import Broker
from identity import Home, load
from tests.support.brokers import context_of
from wire import envelope, receipt, topics

RUN = "00" * 16


class Sink:
    """The far end: opens envelopes and answers with receipts unless `answers` is False. It uses paho's plain client."""

    def __init__(self, home: Home, broker: Broker) -> None:
        import paho.mqtt.client as mqtt
        from paho.mqtt.enums import CallbackAPIVersion

        folder = home.sink
        self.private = load.sink_private(folder / "hpke.key")
        self.key = load.signing_key(folder / "receipt.key")
        self.devices = load.device_keys(folder / "devices")
        self.opened: dict[int, envelope.Opened] = {}
        self.answers = True
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.client.tls_set_context(context_of(folder))
        self.client.on_connect = lambda c, *_: c.subscribe(topics.ENVELOPE_FILTER, qos=1)
        self.client.on_message = self._got
        self.port = broker.port

    def step(self) -> None:
        if self.client.is_connected() or self.client.socket():
            self.client.loop(0.0)
        else:
            try:
                self.client.connect("localhost", self.port)
            except OSError:
                return

    def _got(self, client: object, data: object, message: object) -> None:
        topic, sealed = message.topic, bytes(message.payload)  # type: ignore[attr-defined]
        device_id = topics.device_of(topic)
        opened = envelope.open_envelope(
            sealed,
            topic=topic,
            device_id=device_id,
            sink_private=self.private,
            device_key=self.devices[device_id],
        )
        self.opened[opened.sequence] = opened
        if self.answers:
            proof = receipt.issue(device_id, opened.sequence, opened.digest, self.key)
            self.client.publish(topics.receipt_topic(device_id), proof, qos=1)
