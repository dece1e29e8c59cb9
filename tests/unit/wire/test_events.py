"""Events: what a stolen device key can put into the sink is a bounded record of harmless characters, or nothing."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from device.channel import messages
from tests.support.wire_samples import PAYLOADS, reason_of_refusal
from wire import cbor, events
from wire.errors import HostileInputError, IssueError
from wire.events import CodeEvent, GapEvent, HealthEvent, PlaceEvent, VerdictEvent
from wire.vocabulary import HEALTH_KINDS, CompartmentName, HealthKind

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


KNOWN = (  # an event, and its bytes as they were when the format was fixed: devices in the field send exactly these
    (
        VerdictEvent(
            *("v-1", "CONTRADICTED", 14, 13, 0.8751234, 100, 180, 1_700_000_000_123, 44),
            CodeEvent(
                *("0001020304050607", 14, 52.52001, -13.40495, 271.05, 1_700_000_000, 1_800_000_000),
                *("00112233aabbccdd", 0.015625, 12),
            ),
            PlaceEvent(-52.5200066, 13.405, 359.99, 2.55),
            ("perception_says_otherwise", "class_flips"),
        ),
        "82018c63762d316c434f4e5452414449435445440e0d1a000d5a73186418b41b0000018bcfe5687b182c8a70303030313032"
        "303330343035303630370e1a1f4deae43a07fd6edb1969e11a6553f1001a6b49d20070303031313232333361616262636364"
        "64193d090c843a1f4deac11a07fd70d0198c9f18ff82781970657263657074696f6e5f736179735f6f74686572776973656b"
        "636c6173735f666c697073",
    ),
    (
        VerdictEvent("v:0.z_9", "MISSING", None, None, 1.0, 0, 0, 0, 0, None, None, ()),
        "82018c67763a302e7a5f39674d495353494e47f6f61a000f424000000000f6f680",
    ),
    (  # every number at its bound
        VerdictEvent(
            *("v-1", "SUSPECT", 0, 42, 0.0, 2**40, 2**40, 2**48, 100_000),
            CodeEvent("a", 42, -90.0, 180.0, 360.0, 0, 2**48, "f" * 16, None, 0),
            PlaceEvent(90, -180, None, 10_000.0),
            ("x",) * 16,
        ),
        "82018c63762d31675355535045435400182a001b00000100000000001b00000100000000001b00010000000000001a000186"
        "a08a6161182a3a35a4e8ff1a6b49d200198ca0001b00010000000000007066666666666666666666666666666666f600841a"
        "35a4e9003a6b49d1fff61a000f4240906178617861786178617861786178617861786178617861786178617861786178",
    ),
)
KNOWN_HEALTH: dict[HealthKind, tuple[CompartmentName, str]] = {  # kind -> who says it here, and the bytes
    "started": ("capture", "82028567737461727465646763617074757265001b0000018bcfe56800677369676b696c6c"),
    "stopped": ("perception", "8202856773746f707065646a70657263657074696f6e011b0000018bcfe56801677369676b696c6c"),
    "restarted": ("codes", "8202856972657374617274656465636f646573021b0000018bcfe56802677369676b696c6c"),
    "invalid_message": (
        "position",
        "8202856f696e76616c69645f6d65737361676568706f736974696f6e031b0000018bcfe56803677369676b696c6c",
    ),
    "budget_spent": ("verdict", "8202856c6275646765745f7370656e746776657264696374041b0000018bcfe56804677369676b696c6c"),
    "degraded": ("sealer", "820285686465677261646564667365616c6572051b0000018bcfe56805677369676b696c6c"),
    "tamper": ("uplink", "8202856674616d7065726675706c696e6b061b0000018bcfe56806677369676b696c6c"),
    "spool_full": ("indicator", "8202856a73706f6f6c5f66756c6c69696e64696361746f72071b0000018bcfe56807677369676b696c6c"),
    "alive": ("dialer", "82028565616c697665666469616c6572081b0000018bcfe56808677369676b696c6c"),
    "overload": ("warden", "820285686f7665726c6f61646677617264656e091b0000018bcfe56809677369676b696c6c"),
    "unsealed": ("warden", "82028568756e7365616c65646677617264656e0a1b0000018bcfe5680a677369676b696c6c"),
    "clock_unsure": ("warden", "8202856c636c6f636b5f756e737572656677617264656e0b1b0000018bcfe5680b677369676b696c6c"),
    "input_damaged": (
        "warden",
        "8202856d696e7075745f64616d616765646677617264656e0c1b0000018bcfe5680c677369676b696c6c",
    ),
}


@pytest.mark.parametrize(("event", "known"), KNOWN)
def test_a_verdict_has_the_bytes_that_it_always_had(event: VerdictEvent, known: str) -> None:
    assert events.to_cbor(event).hex() == known


def test_the_bytes_of_every_kind_of_health_are_known() -> None:
    assert set(KNOWN_HEALTH) == set(HEALTH_KINDS), "a new kind has its row at the end of KNOWN_HEALTH"


@pytest.mark.parametrize(("number", "kind"), list(enumerate(KNOWN_HEALTH)))
def test_a_health_event_has_the_bytes_that_it_always_had(number: int, kind: HealthKind) -> None:
    compartment, known = KNOWN_HEALTH[kind]
    event = HealthEvent(kind, compartment, number, 1_700_000_000_000 + number, "sigkill")
    assert events.to_cbor(event).hex() == known


@pytest.mark.parametrize(
    ("gap", "known"),
    [
        (GapEvent(1_700_000_000_000, 1_700_000_060_000, 12, 3), "8203841b0000018bcfe568001b0000018bcfe652600c03"),
        (GapEvent(0, 0, 0, 1), "82038400000001"),
        (
            GapEvent(2**48, 2**48, 2**40, 2**40),
            "8203841b00010000000000001b00010000000000001b00000100000000001b0000010000000000",
        ),
    ],
)
def test_a_gap_has_the_bytes_that_it_always_had(gap: GapEvent, known: str) -> None:
    assert events.to_cbor(gap).hex() == known
    assert events.parse(bytes.fromhex(known)) == gap


@pytest.mark.parametrize(
    "fields",
    [
        [2, 1, 3, 0],  # ends before it begins
        [1, 2, 0, 0],  # nothing in it
        [1, 2, -1, 2],
        [-1, 2, 1, 1],
        [1, 2**48 + 1, 1, 1],
        [1, 2, 2**40 + 1, 0],
        [1, 2, 0, 2**40 + 1],
        [1, 2, True, 0],
        [1, 2, 1.0, 0],
        [1, 2, "1", 0],
        [1, 2, None, 1],
        [1, 2, 3],
        [1, 2, 3, 0, 0],
        [],
    ],
)
def test_a_gap_that_no_device_has_is_refused(fields: list[Any]) -> None:
    assert reason_of_refusal(lambda: events.parse(cbor2.dumps([3, fields]))) in ("bad_event", "float_or_simple")


@pytest.mark.parametrize("fields", [(2, 1, 3, 0), (1, 2, 0, 0)])
def test_a_gap_that_makes_no_sense_is_not_said(fields: tuple[int, int, int, int]) -> None:
    with pytest.raises(IssueError, match="gap"):
        GapEvent(*fields)


def test_a_gap_out_of_range_is_not_said() -> None:
    for name, value in {"to_ms": 2**48 + 1, "verdicts": 2**40 + 1, "health": -1}.items():
        with pytest.raises(IssueError, match=name):
            events.to_cbor(GapEvent(**{"from_ms": 1, "to_ms": 2, "verdicts": 2, "health": 2, name: value}))


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
        assert message.__struct_fields__ == event.__struct_fields__


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("field", ["verdict_id", "state", "reasons"])
def test_hostile_text_is_neither_sealed_nor_parsed(field: str, payload: bytes) -> None:
    text = payload.decode("utf-8")
    value = (text,) if field == "reasons" else text
    with pytest.raises(IssueError, match=field):
        events.to_cbor(replace(VERDICT, **{field: value}))  # type: ignore[arg-type]
    number, fields = cbor.decode(events.to_cbor(VERDICT), max_bytes=8192, simple=True)  # type: ignore[misc]
    fields[list(VerdictEvent.__struct_fields__).index(field)] = list(value) if field == "reasons" else value
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


def changed(at: tuple[int, ...], value: object) -> bytes:
    """The bytes of `VERDICT` with another value in the field at `at`; past the end of a record: with one field more."""
    whole: list[Any] = cbor.decode(events.to_cbor(VERDICT), max_bytes=8192, simple=True)  # type: ignore[assignment]
    record = whole[1]
    for index in at[:-1]:
        record = record[index]
    record[at[-1] : at[-1] + 1] = [value]
    return cbor.encode(whole)


CODE_AT, PLACE_AT, REASONS_AT = (VerdictEvent.__struct_fields__.index(name) for name in ("code", "position", "reasons"))


@pytest.mark.parametrize(
    ("at", "value"),
    [
        ((2,), True),  # is no number
        ((2,), 43),
        ((4,), 1_000_001),  # one step above the bound
        ((4,), False),
        ((4,), -1),
        ((4,), None),
        ((5,), 2**64 - 1),
        ((1,), "VERIFIED\n"),
        ((1,), b"VERIFIED"),
        ((0,), "v-1\n"),
        ((0,), "v" * 65),
        ((12,), 0),  # a thirteenth field
        ((CODE_AT,), []),
        ((CODE_AT,), {}),
        ((CODE_AT,), [0] * 10),
        ((CODE_AT, 2), 900_000_001),
        ((CODE_AT, 2), True),
        ((CODE_AT, 4), -1),
        ((CODE_AT, 10), 0),
        ((PLACE_AT,), [0, 0, None]),
        ((PLACE_AT, 1), -1_800_000_001),
        ((PLACE_AT, 3), None),
        ((PLACE_AT, 4), 0),
        ((REASONS_AT,), ["word"] * 17),
        ((REASONS_AT,), "word"),
        ((REASONS_AT,), None),
        ((REASONS_AT, 0), "two words"),
        ((REASONS_AT, 0), 3),
    ],
    ids=str,
)
def test_a_field_that_is_not_what_it_must_be_is_refused(at: tuple[int, ...], value: object) -> None:
    assert reason_of_refusal(lambda: events.parse(changed(at, value))) in ("bad_event", "number_not_in_steps")


def test_a_record_with_a_field_too_few_is_refused() -> None:
    for event in (VERDICT, HEALTH):
        number, fields = cbor.decode(events.to_cbor(event), max_bytes=8192, simple=True)  # type: ignore[misc]
        data = cbor.encode([number, fields[:-1]])
        assert reason_of_refusal(lambda data=data: events.parse(data)) == "bad_event"  # type: ignore[misc]


@pytest.mark.parametrize("number", [0, 4, True, "1", None])
def test_a_format_that_is_not_known_is_refused(number: object) -> None:
    _, fields = cbor.decode(events.to_cbor(HEALTH), max_bytes=8192, simple=True)  # type: ignore[misc]
    assert reason_of_refusal(lambda: events.parse(cbor.encode([number, fields]))) == "unknown_event_format"


def test_a_field_of_the_code_that_is_out_of_range_is_named_and_not_shown() -> None:
    with pytest.raises(IssueError, match=r"^code\.lat: not what an event can hold$"):
        events.to_cbor(replace(VERDICT, code=replace(CODE, lat=90.000001)))
    with pytest.raises(IssueError, match=r"^state: not what an event can hold$"):
        events.to_cbor(replace(VERDICT, state="HIJACKED"))  # type: ignore[arg-type]


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
    assert events.to_cbor(event) == data  # what was accepted is within what we ourselves would send


@given(st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_random_bytes_are_refused(data: bytes) -> None:
    reason_of_refusal(lambda: events.parse(data))
