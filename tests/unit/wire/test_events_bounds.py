"""Each field of an event at both sides of each of its bounds: what the sink takes, and what the device would say."""

from __future__ import annotations

import copy
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.wire_samples import vector
from wire import events, vocabulary
from wire.classes import NUMBER_OF_CLASSES
from wire.errors import HostileInputError, IssueError, MalformedError
from wire.events import HealthEvent, VerdictEvent

KNOWN = vector("events")
VERDICT: list[Any] = cbor2.loads(bytes.fromhex(KNOWN["verdict with code and place"]["cbor"]))
HEALTH: list[Any] = cbor2.loads(bytes.fromhex(KNOWN["health"]["cbor"]))
CODE, PLACE = 9, 10  # where a verdict has its code and its place
LAST_CLASS, MILLION = NUMBER_OF_CLASSES - 1, 1_000_000
DEGREES, HUNDREDTHS = 10_000_000, 100

_FIELDS = KNOWN["verdict with code and place"]["fields"]
NAMES = {  # in the order in which they travel
    "verdict": tuple(_FIELDS),
    "code": tuple(_FIELDS["code"]),
    "place": tuple(_FIELDS["position"]),
    "health": tuple(KNOWN["health"]["fields"]),
}

# where a field is (the path of its names), the least and the greatest that travel, and the steps per unit
NUMBERS: dict[str, tuple[int, int, int | None]] = {
    "verdict.class_id": (0, LAST_CLASS, None),
    "verdict.perceived_class_id": (0, LAST_CLASS, None),
    "verdict.confidence": (0, MILLION, MILLION),
    "verdict.first_frame": (0, 2**40, None),
    "verdict.last_frame": (0, 2**40, None),
    "verdict.utc_ms": (0, 2**48, None),
    "verdict.sightings": (0, 100_000, None),
    "code.class_id": (0, LAST_CLASS, None),
    "code.lat": (-90 * DEGREES, 90 * DEGREES, DEGREES),
    "code.lon": (-180 * DEGREES, 180 * DEGREES, DEGREES),
    "code.heading": (0, 36_000, HUNDREDTHS),
    "code.valid_from": (0, 2**48, None),
    "code.valid_until": (0, 2**48, None),
    "code.error_rate": (0, MILLION, MILLION),
    "code.readings": (0, 100_000, None),
    "place.lat": (-90 * DEGREES, 90 * DEGREES, DEGREES),
    "place.lon": (-180 * DEGREES, 180 * DEGREES, DEGREES),
    "place.heading": (0, 36_000, HUNDREDTHS),
    "place.accuracy_m": (0, 10_000 * HUNDREDTHS, HUNDREDTHS),
    "health.count": (0, 2**40, None),
    "health.at_ms": (0, 2**48, None),
}
NULLABLE = ["verdict.class_id", "verdict.perceived_class_id", "verdict.code", "verdict.position"]
NULLABLE += ["code.error_rate", "place.heading"]
TEXTS = ["verdict.verdict_id", "code.sign_id", "code.key_id", "health.detail"]
WORDS = {
    "verdict.state": vocabulary.STATES,
    "health.kind": vocabulary.HEALTH_KINDS,
    "health.compartment": vocabulary.COMPARTMENTS,
}
EVERY_FIELD = [*NUMBERS, *TEXTS, *WORDS, "verdict.code", "verdict.position", "verdict.reasons"]


def travelling(path: str, value: object) -> bytes:
    """The known event with one field changed, as a thief of the device's key would write it."""
    part, name = path.split(".")
    event = copy.deepcopy(HEALTH if part == "health" else VERDICT)
    fields = {"health": event[1], "verdict": event[1]}.get(part) or event[1][CODE if part == "code" else PLACE]
    fields[NAMES[part].index(name)] = value
    return cbor2.dumps(event, canonical=True)


def changed(part: str, record: Any, **changes: object) -> Any:
    """The record with some of its fields changed."""
    return type(record)(**({name: getattr(record, name) for name in NAMES[part]} | changes))


def said(path: str, value: object) -> events.Event:
    """The known event with one field changed, as the device itself would say it."""
    part, name = path.split(".")
    event: Any = events.parse(cbor2.dumps(HEALTH if part == "health" else VERDICT))
    if part == "code":
        return changed("verdict", event, code=changed("code", event.code, **{name: value}))
    if part == "place":
        return changed("verdict", event, position=changed("place", event.position, **{name: value}))
    return changed(part, event, **{name: value})


def accepted(path: str, written: object, read: object) -> None:
    """The field is taken as `read`, with its type, and the device would write it as `written`."""
    event = events.parse(travelling(path, written))
    assert event == said(path, read)
    part, name = path.split(".")
    holder = {"code": "code", "place": "position"}.get(part)
    value = getattr(getattr(event, holder) if holder else event, name)
    assert type(value) is type(read)
    assert events.to_cbor(event) == travelling(path, written)


def refused(path: str, written: object) -> None:
    with pytest.raises(MalformedError):
        events.parse(travelling(path, written))


def not_said(path: str, value: object) -> None:
    with pytest.raises(IssueError, match=path.split(".")[1]):
        events.to_cbor(said(path, value))


@pytest.mark.parametrize("path", NUMBERS)
def test_a_number_is_taken_up_to_its_bounds_and_not_beyond(path: str) -> None:
    least, greatest, per_unit = NUMBERS[path]
    for steps in (least, least + 1, greatest - 1, greatest):
        accepted(path, steps, steps if per_unit is None else steps / per_unit)
    for steps in (least - 1, greatest + 1, -(2**64), 2**64 - 1):
        refused(path, steps)
        not_said(path, steps if per_unit is None else steps / per_unit)


@pytest.mark.parametrize("path", [path for path in NUMBERS if NUMBERS[path][2]])
def test_a_fraction_is_kept_to_its_step_and_is_never_nan(path: str) -> None:
    per_unit = NUMBERS[path][2]
    assert per_unit is not None
    assert events.to_cbor(said(path, 0.4 / per_unit)) == travelling(path, 0)
    assert events.to_cbor(said(path, 0.6 / per_unit)) == travelling(path, 1)
    for value in (float("nan"), float("inf"), float("-inf")):
        not_said(path, value)


@pytest.mark.parametrize("path", [path for path in NUMBERS if NUMBERS[path][2] is None])
def test_a_whole_number_is_never_a_truth_value_or_a_fraction(path: str) -> None:
    not_said(path, True)
    not_said(path, 1.0)


@pytest.mark.parametrize("path", NUMBERS)
@pytest.mark.parametrize("value", [True, False, "1", b"1", [1], {}], ids=repr)
def test_another_type_is_not_a_number(path: str, value: object) -> None:
    refused(path, value)


@pytest.mark.parametrize("path", EVERY_FIELD)
def test_null_is_taken_only_where_something_may_be_unknown(path: str) -> None:
    if path in NULLABLE:
        accepted(path, None, None)
    else:
        refused(path, None)


IDENTIFIER_CHARACTERS = "0123456789abcdefghijklmnopqrstuvwxyz_.:-"


@pytest.mark.parametrize("path", ["verdict.verdict_id", "code.sign_id", "health.detail"])
def test_an_identifier_has_1_to_64_harmless_characters(path: str) -> None:
    for text in ("a", "z" * 64, IDENTIFIER_CHARACTERS):
        accepted(path, text, text)
    every_other = {chr(code) for code in range(0x180)} - set(IDENTIFIER_CHARACTERS)
    for text in ("", "z" * 65, "a\n", "\na", *every_other, *(f"a{other}z" for other in every_other)):
        refused(path, text)
        not_said(path, text)
    for value in (b"a", 1, ["a"], True):
        refused(path, value)


def test_a_key_id_has_16_hexadecimal_digits() -> None:
    for text in ("0123456789abcdef", "f" * 16):
        accepted("code.key_id", text, text)
    for text in (
        "",
        "0" * 15,
        "0" * 17,
        "0123456789ABCDEF",
        "0123456789abcdeg",
        "0123456789abcde\n",
        "0123456789abcdef\n",
    ):
        refused("code.key_id", text)
        not_said("code.key_id", text)
    refused("code.key_id", b"0123456789abcdef")


@pytest.mark.parametrize("path", WORDS)
def test_a_word_is_one_of_its_vocabulary(path: str) -> None:
    for word in WORDS[path]:
        accepted(path, word, word)
    first = WORDS[path][0]
    for text in ("", first.swapcase(), first[:-1], first + " ", first + "\n", "other"):
        refused(path, text)
        not_said(path, text)
    for value in (0, True, first.encode(), [first], {}):
        refused(path, value)


def test_a_verdict_has_up_to_16_reasons_of_up_to_64_characters() -> None:
    for reasons in ((), ("a",), tuple(f"r{number}" for number in range(16)), ("z" * 64,) * 16):
        accepted("verdict.reasons", list(reasons), reasons)
    for reasons in (("a",) * 17, ("z" * 65,), ("a", "B"), ("a", "")):
        refused("verdict.reasons", list(reasons))
        not_said("verdict.reasons", reasons)
    for value in ("a", b"a", 1, {}, {0: "a"}, [1], [["a"]], [None], ["a", b"b"]):
        refused("verdict.reasons", value)


@pytest.mark.parametrize("part", ["verdict", "health", "code", "place"])
def test_a_record_has_exactly_its_fields(part: str) -> None:
    event = HEALTH if part == "health" else VERDICT
    whole = {"code": VERDICT[1][CODE], "place": VERDICT[1][PLACE]}.get(part, event[1])
    for other in (whole[:-1], whole[1:], [*whole, 0], [*whole, None], [], {}, {0: 1}, "fields", b"fields", 1, True):
        if part in ("code", "place"):
            refused("verdict.code" if part == "code" else "verdict.position", other)
        else:
            with pytest.raises(MalformedError):
                events.parse(cbor2.dumps([event[0], other]))


def test_the_format_number_and_the_fields_belong_together() -> None:
    frames = [[number, HEALTH[1]] for number in (-1, 0, 1, 3, "2", b"2", [2], None, True)]
    frames += [[number, VERDICT[1]] for number in (-1, 0, 2, 3, True)]
    for frame in (*frames, [2], [], [*HEALTH, 0], [HEALTH], {2: HEALTH[1]}, 2, "health", None, True):
        with pytest.raises(MalformedError):
            events.parse(cbor2.dumps(frame))
    assert isinstance(events.parse(cbor2.dumps(HEALTH)), HealthEvent)
    assert isinstance(events.parse(cbor2.dumps(VERDICT)), VerdictEvent)


def test_what_is_no_event_is_not_said() -> None:
    verdict = events.parse(cbor2.dumps(VERDICT))
    for other in (verdict.code, verdict.position, None, 1, "health"):  # type: ignore[union-attr]
        with pytest.raises(IssueError, match="neither a verdict, nor health, nor a gap"):
            events.to_cbor(other)  # type: ignore[arg-type]


def test_the_words_that_device_and_sink_share() -> None:
    assert (events.ALIVE_EVERY_S, events.ON_CAMERA, events.ON_RECORDING) == (300, "camera", "replay")
    assert events.MAX_EVENT_BYTES == 8192


ANY_VALUE = st.one_of(
    st.integers(-(2**64), 2**64 - 1), st.text(max_size=70), st.binary(max_size=20), st.booleans(), st.none()
)


@given(st.sampled_from(EVERY_FIELD), ANY_VALUE | st.lists(ANY_VALUE, max_size=18) | st.text("az_.:-09", max_size=66))
@settings(max_examples=300, deadline=None)
def test_any_value_in_any_field_is_refused_or_is_what_we_would_say(path: str, value: object) -> None:
    data = travelling(path, value)
    try:
        event = events.parse(data)
    except HostileInputError as error:
        assert isinstance(error, MalformedError)
        return
    assert events.to_cbor(event) == data
