"""A device, a verdict and a chain in the words that the page shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cloud_sink.archive import TallyRow
from cloud_sink.chain import Span, gaps, joined, listed
from cloud_sink.simulator import EPOCH_MS
from cloud_sink.web.alerts import Alert, device_alerts, ranked, tally_alerts
from cloud_sink.web.devices import chain_words, device_names, device_view, health_line
from cloud_sink.web.verdicts import HELD_FROM_ELSEWHERE, SignView, moment, sign, verdict_view
from cloud_sink.web.words import HEALTH, STATES, TALLIES, UNKNOWN_REASON, reason_sentence
from device.verdict.decision.table import ACTED_ON
from tests.support.sink_samples import QUIET, WHEN, stored_health, stored_verdict

# --- a device in words ------------------------------------------------------------------------------------------------


def test_the_chain_in_words_is_broken_before_it_is_incomplete_before_it_is_whole() -> None:
    broken = replace(QUIET, breaks=(4, 2), gaps=(Span(3, 3),))
    assert chain_words(broken) == ("broken at 4, 2", "alarm")
    assert chain_words(replace(QUIET, gaps=(Span(0, 1), Span(3, 3)))) == ("3 missing: 0 to 1, 3", "warn")
    assert chain_words(QUIET) == ("complete, 0 to 6", "good")


def test_a_device_view_says_the_loudest_of_its_alerts_and_only_its_own_refusals() -> None:
    rows = [
        TallyRow("cam-one", "duplicate", 2, 1, 2),
        TallyRow("cam-two", "forged", 9, 1, 2),
        TallyRow("cam-one", "of_a_later_version", 1, 1, 2),
    ]
    facts = replace(
        QUIET, states={"VERIFIED": 3, "FORGED": 1}, health_counts={"alive": 2, "started": 1}, gaps=(Span(2, 2),)
    )
    alerts = ranked([*device_alerts(facts, EPOCH_MS), *tally_alerts(rows)])
    view = device_view("cam-one", facts, rows, alerts)
    assert (view.device_id, view.tone, view.standing) == ("cam-one", "warn", "telemetry missing")
    assert (view.last_heard, view.envelopes, view.chain, view.chain_tone) == (WHEN, 7, "1 missing: 2", "warn")
    assert view.states == (("VERIFIED", STATES["VERIFIED"], 3), ("FORGED", STATES["FORGED"], 1))
    assert view.health == ((HEALTH["started"], 1), (HEALTH["alive"], 2))
    assert view.tallies == ((TALLIES["duplicate"], rows[0]),)
    forged = [TallyRow("cam-one", "forged", 1, 1, 2)]
    assert device_view("cam-one", QUIET, forged, tally_alerts(forged)).tone == "alarm"


def test_a_device_without_alerts_is_in_good_order_and_one_that_never_spoke_is_enrolled() -> None:
    view = device_view("cam-one", QUIET, [], [])
    assert (view.tone, view.standing, view.states, view.health, view.tallies) == ("good", "in good order", (), (), ())
    rows = [TallyRow("cam-one", "forged", 2, 1, 2)]
    never = device_view("cam-one", None, rows, [])
    assert (never.tone, never.standing, never.last_heard) == ("plain", "enrolled, nothing received yet", None)
    assert (never.envelopes, never.chain, never.chain_tone, never.states, never.health) == (0, "", "plain", (), ())
    assert never.tallies == ((TALLIES["forged"], rows[0]),)


def test_what_a_device_says_of_signs_is_not_how_it_is_doing() -> None:
    forged = Alert("alarm", "Forged", "", "cam-one", None, "/", kind="verdict.FORGED")
    other = Alert("alarm", "Chain broken", "", "cam-two", None, "/", kind="device.chain_broken")
    assert device_view("cam-one", QUIET, [], [forged, other]).standing == "in good order"
    silent = Alert("warn", "Silent", "", "cam-one", None, "/", kind="device.silent")
    assert device_view("cam-one", QUIET, [], [forged, other, silent]).standing == "silent"


def test_names_are_those_enrolled_and_those_heard_in_order_and_once() -> None:
    heard_ones = [replace(QUIET, device_id=name) for name in ("cam-two", "cam-four")]
    assert device_names(["cam-three", "cam-two"], heard_ones) == ["cam-four", "cam-three", "cam-two"]


def test_a_line_of_the_health_log_has_its_words_time_part_and_count() -> None:
    line = health_line(stored_health("restarted", compartment="codes", count=3))
    assert (line.words, line.at, line.compartment, line.count) == (HEALTH["restarted"], WHEN, "codes", 3)


# --- a verdict in words -----------------------------------------------------------------------------------------------


def test_a_time_that_is_not_known_or_not_possible_is_none() -> None:
    assert moment(None) is moment(0) is None
    assert moment(2**48) is None
    assert moment(1) == datetime(1970, 1, 1, 0, 0, 0, 1000, UTC)
    assert moment(EPOCH_MS) == WHEN == datetime(2025, 11, 24, 16, 0, tzinfo=UTC)


def test_a_verdict_view_shows_both_signs_and_the_first_reason() -> None:
    view = verdict_view(
        stored_verdict("CONTRADICTED", perceived_class_id=5, reasons=("perception_says_otherwise", "class_flips"))
    )
    assert (view.state, view.words, view.refuted) == ("CONTRADICTED", STATES["CONTRADICTED"], True)
    assert (view.seen, view.held, view.title) == (SignView(5, "speed limit 80"), SignView(14, "stop"), "Stop")
    assert view.reasons == (
        "The signed code says “stop”; the camera saw “speed limit 80”.",
        reason_sentence("class_flips", "", ""),
    )
    assert (view.summary, view.passed, view.received) == (view.reasons[0], WHEN, moment(EPOCH_MS + 7000))


@pytest.mark.parametrize(
    ("held", "seen", "refuted"),
    [(14, 14, False), (14, 5, True), (14, None, False), (None, 5, True), (None, None, False)],
)
def test_a_sign_that_was_seen_and_is_not_held_is_refuted(held: int | None, seen: int | None, refuted: bool) -> None:
    view = verdict_view(stored_verdict(class_id=held, perceived_class_id=seen))
    assert view.refuted is refuted
    assert view.held.name == ("nothing believed" if held is None else "stop")
    assert view.seen.name == ("no sign seen" if seen is None else sign(seen, "").name)


@pytest.mark.parametrize("state", ACTED_ON)
def test_the_confidence_is_called_the_cameras_only_where_it_is(state: str) -> None:
    assert (state in HELD_FROM_ELSEWHERE) == (ACTED_ON[state] in ("code", "register"))
    view = verdict_view(stored_verdict(state, confidence=0.5))
    assert view.camera_confidence == (None if state in HELD_FROM_ELSEWHERE else 0.5)


def test_a_verdict_without_reasons_is_summed_up_by_its_meaning_and_one_without_a_time_has_none() -> None:
    view = verdict_view(replace(stored_verdict("MISSING", reasons=(), utc_ms=0), received_ms=0))
    assert (view.summary, view.reasons, view.passed) == (STATES["MISSING"].meaning, (), None)
    assert view.received == datetime(1970, 1, 1, tzinfo=UTC)


def test_what_is_not_believed_or_not_seen_has_words_in_a_reason() -> None:
    view = verdict_view(
        stored_verdict(class_id=None, perceived_class_id=None, reasons=("perception_says_otherwise", "no_such_word"))
    )
    assert view.reasons == ("The signed code says a sign; the camera saw no sign.", UNKNOWN_REASON)


def test_a_class_or_none_has_a_picture_and_a_name() -> None:
    assert (sign(14, "no code"), sign(None, "no code")) == (SignView(14, "stop"), SignView(None, "no code"))
    assert sign(0, "no code").class_id == 0


# --- spans ------------------------------------------------------------------------------------------------------------


def test_a_span_counts_both_its_ends() -> None:
    assert (Span(3, 3).count, Span(3, 5).count) == (1, 3)


def test_a_number_joins_what_ends_below_it_and_begins_above_it() -> None:
    assert joined(None, 5, None) == Span(5, 5)
    assert joined(Span(2, 4), 5, None) == Span(2, 5)
    assert joined(None, 5, Span(6, 8)) == Span(5, 8)
    assert joined(Span(2, 4), 5, Span(6, 8)) == Span(2, 8)


def test_gaps_begin_at_nothing_and_end_before_the_last_span() -> None:
    assert gaps([]) == []
    assert gaps([Span(0, 4)]) == []
    assert gaps([Span(1, 4)]) == [Span(0, 0)]
    assert gaps([Span(0, 1), Span(3, 4), Span(7, 7)]) == [Span(2, 2), Span(5, 6)]


def test_four_spans_are_named_and_a_fifth_is_counted() -> None:
    assert listed([]) == ""
    assert listed(Span(n, n + 1) for n in (0, 3, 6, 9)) == "0 to 1, 3 to 4, 6 to 7, 9 to 10"
    assert listed(Span(n, n) for n in (0, 2, 4, 6, 8)) == "0, 2, 4, 6 and 1 more"
    assert listed([Span(7, 7), Span(5, 5)], 9) == "7, 5 and 7 more"
