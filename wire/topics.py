"""Device identities, and the two MQTT topics that each of them has."""

from __future__ import annotations

import re

from wire.errors import IssueError, MalformedError

SINK_NAME = "sink"
ENVELOPE_FILTER = "sealcam/v1/+/envelope"

_DEVICE_ID = re.compile(r"[a-z][a-z0-9-]{2,31}")
_ENVELOPE_TOPIC = re.compile(r"sealcam/v1/([a-z][a-z0-9-]{2,31})/envelope")


def is_device_id(text: str) -> bool:
    """Whether `text` can name a device: a path, a topic filter or the sink's own name cannot."""
    return _DEVICE_ID.fullmatch(text) is not None and text != SINK_NAME


def envelope_topic(device_id: str) -> str:
    """The topic that the device publishes its sealed envelopes on. Raises IssueError where it is no device id."""
    return f"sealcam/v1/{_checked(device_id)}/envelope"


def receipt_topic(device_id: str) -> str:
    """The topic that the sink publishes the device's receipts on. Raises IssueError where it is no device id."""
    return f"sealcam/v1/{_checked(device_id)}/receipt"


def device_of(topic: str) -> str:
    """The device id in an envelope topic as a broker gave it. Raises MalformedError on any other topic."""
    match = _ENVELOPE_TOPIC.fullmatch(topic)
    if match is None or not is_device_id(match[1]):
        raise MalformedError("bad_topic")
    return match[1]


def _checked(device_id: str) -> str:
    if not is_device_id(device_id):
        raise IssueError("device_id: 3 to 32 lower-case letters, digits and dashes, a letter first")
    return device_id
