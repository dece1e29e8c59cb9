"""Device ids and topics: what a device may be called, at both sides of each bound."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wire import topics
from wire.errors import IssueError, MalformedError

GOOD = ["cam", "c-1", "abc", "zzz", "a09", "c--", "c" * 32, "sin", "sinks", "sink1"]
BAD = [
    "",
    "ca",
    "c" * 33,
    "sink",
    "1cam",
    "-cam",
    "Cam",
    "cAm",
    "ca_m",
    "ca.m",
    "ca m",
    "caf\u00e9",
    "cam\n",
    "\ncam",
    "ca/m",
]


@pytest.mark.parametrize("name", GOOD)
def test_a_device_id_names_two_topics(name: str) -> None:
    assert topics.is_device_id(name)
    assert topics.envelope_topic(name) == f"sealcam/v1/{name}/envelope"
    assert topics.receipt_topic(name) == f"sealcam/v1/{name}/receipt"
    assert topics.device_of(f"sealcam/v1/{name}/envelope") == name


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_device_id_names_no_topic(name: str) -> None:
    assert not topics.is_device_id(name)
    for topic_of in (topics.envelope_topic, topics.receipt_topic):
        with pytest.raises(IssueError, match="device_id"):
            topic_of(name)
    with pytest.raises(MalformedError, match="bad_topic"):
        topics.device_of(f"sealcam/v1/{name}/envelope")


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "cam-1",
        "sealcam/v1/cam-1/receipt",
        "sealcam/v2/cam-1/envelope",
        "sealcam/v1/cam-1/envelope/",
        "sealcam/v1/cam-1/envelope\n",
        "/sealcam/v1/cam-1/envelope",
        "Sealcam/v1/cam-1/envelope",
        "sealcam/v1/cam-1/cam-1/envelope",
        "sealcam/v1/+/envelope",
    ],
)
def test_another_topic_names_no_device(topic: str) -> None:
    with pytest.raises(MalformedError, match="bad_topic"):
        topics.device_of(topic)


def test_the_sink_listens_to_every_device_and_to_nothing_else() -> None:
    assert topics.ENVELOPE_FILTER == "sealcam/v1/+/envelope"
    assert topics.SINK_NAME == "sink"
    pattern = topics.ENVELOPE_FILTER.replace("+", "*")
    assert fnmatch.fnmatchcase(topics.envelope_topic("cam-1"), pattern)
    assert not fnmatch.fnmatchcase(topics.receipt_topic("cam-1"), pattern)


@given(st.text(max_size=40) | st.from_regex(r"[a-z][a-z0-9-]{0,40}", fullmatch=True))
@settings(max_examples=200, deadline=None)
def test_a_name_is_a_device_id_or_is_refused_everywhere(name: str) -> None:
    allowed = set("abcdefghijklmnopqrstuvwxyz0123456789-")
    good = 3 <= len(name) <= 32 and set(name) <= allowed and name[0].isalpha() and name != "sink"
    assert topics.is_device_id(name) == good
