"""What is passed around cannot be changed on the way."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest

from cloud_sink import archive, chain, mqtt, receiver, serve, simulator, store, verify
from cloud_sink.web import alerts, app, devices, plan, verdicts, words
from device.sealer import core

VALUES = [
    *(core.Identity, core.Head, core.SealedEvent),
    *(archive.Stored, archive.StoredVerdict, archive.StoredHealth, archive.StoredLink, archive.TallyRow),
    *(archive.DeviceFacts, chain.Span, mqtt.BrokerState, receiver.SinkKeys, receiver.Accepted, receiver.Refused),
    *(serve.Settings, simulator.PublishedEnvelope, store.Arrival, store.AddResult, store.Tally, verify.ChainFinding),
    *(alerts.Alert, app.Sources, devices.DeviceView, devices.HealthLine, plan.PlanView),
    *(verdicts.SignView, verdicts.VerdictView, words.StateWords, words.Words),
]


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__qualname__)
def test_a_value_cannot_be_changed(kind: type) -> None:
    value = object.__new__(kind)
    with pytest.raises(FrozenInstanceError):
        setattr(value, fields(kind)[0].name, None)
