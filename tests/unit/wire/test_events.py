"""Events: what a stolen device key can put into the sink is a bounded record of harmless characters, or nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.channel import messages
from tests.support.wire_samples import PAYLOADS, reason_of_refusal
from wire import cbor, events
from wire.errors import HostileInputError, IssueError
from wire.events import CodeEvent, HealthEvent, PlaceEvent, VerdictEvent

CODE = CodeEvent(
    "0001020304050607", 14, 52.52001, 13.40495, 271.0, 1_700_000_000, 1_800_000_000, "00112233aabbccdd", 0.015, 12
)
VERDICT = VerdictEvent(
    verdict_id="v-1",
    state="CONTRADICTED",
    class_id=14,
    perceived_class_id=13,
    confidence=0.875,
    first_frame=100,
    last_frame=180,
    utc_ms=1_700_000_000_000,
    sightings=44,
    code=CODE,
    position=PlaceEvent(52.52, 13.405, None, 2.5),
    reasons=("perception_disagrees", "in_place"),
)
HEALTH = HealthEvent("restarted", "perception", 1, 1_700_000_000_000, "sigkill")


@pytest.mark.parametrize("event", [VERDICT, replace(VERDICT, code=None, position=None, class_id=None), HEALTH])
def test_an_event_survives_the_way_to_the_sink(event: events.Event) -> None:
    assert events.parse(events.to_cbor(event)) == event


def test_the_fields_are_those_of_the_devices_messages() -> None:
    pairs = (
        (messages.Verdict, VerdictEvent),
        (messages.Health, HealthEvent),
        (messages.CodeClaims, CodeEvent),
        (messages.Place, PlaceEvent),
    )
    for message, event in pairs:
        assert message.__struct_fields__ == tuple(event.__dataclass_fields__)


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("field", ["verdict_id", "state", "reasons"])
def test_hostile_text_is_neither_sealed_nor_parsed(field: str, payload: bytes) -> None:
    text = payload.decode("utf-8")
    value = (text,) if field == "reasons" else text
    with pytest.raises(IssueError, match=field):
        events.to_cbor(replace(VERDICT, **{field: value}))  # type: ignore[arg-type]
    number, fields = cbor.decode(events.to_cbor(VERDICT), max_bytes=8192, simple=True)  # type: ignore[misc]
    fields[list(VerdictEvent.__dataclass_fields__).index(field)] = list(value) if field == "reasons" else value
    reason_of_refusal(lambda: events.parse(cbor.encode([number, fields])))


def test_a_text_with_a_line_end_is_refused() -> None:
    with pytest.raises(IssueError, match="verdict_id"):
        events.to_cbor(replace(VERDICT, verdict_id="v-1\n"))


@pytest.mark.parametrize(
    "change",
    [{"class_id": 43}, {"confidence": float("nan")}, {"confidence": 1.1}, {"sightings": -1}, {"utc_ms": 2**60}],
    ids=str,
)
def test_a_number_out_of_range_is_not_sealed(change: dict[str, object]) -> None:
    with pytest.raises(IssueError, match=next(iter(change))):
        events.to_cbor(replace(VERDICT, **change))  # type: ignore[arg-type]


HOSTILE_VALUES = st.one_of(
    st.integers(-(2**63), 2**63),
    st.text(max_size=20),
    st.binary(max_size=20),
    st.booleans(),
    st.none(),
    st.lists(st.integers(), max_size=20),
    st.dictionaries(st.integers(0, 9), st.integers(), max_size=3),
)


@given(st.integers(0, 11), HOSTILE_VALUES)
@settings(max_examples=300, deadline=None)
def test_any_value_in_any_field_is_refused_or_bounded(field: int, value: object) -> None:
    number, fields = cbor.decode(events.to_cbor(VERDICT), max_bytes=8192, simple=True)  # type: ignore[misc]
    fields[field] = value
    try:
        data = cbor.encode([number, fields])
        event = events.parse(data)
    except (HostileInputError, ValueError):
        return
    assert events.to_cbor(event) == data  # what was taken is within what we ourselves would say


@given(st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_random_bytes_are_refused(data: bytes) -> None:
    reason_of_refusal(lambda: events.parse(data))
