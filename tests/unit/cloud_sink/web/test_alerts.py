"""What a person is told to look at, how loudly, and from which millisecond on a device counts as silent."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from cloud_sink.acknowledgements import Acknowledgement
from cloud_sink.archive import DeviceFacts, StoredGroup, StoredHealth, StoredVerdict, TallyRow
from cloud_sink.chain import Span
from cloud_sink.mqtt import BrokerState
from cloud_sink.silence import SILENT_AFTER_MS, silent_since
from cloud_sink.simulator import EPOCH_MS, health
from cloud_sink.web.alerts import (
    ALERT_HEALTH,
    ALERT_STATES,
    KINDS,
    LOUDEST_FIRST,
    Alert,
    broker_alerts,
    device_alerts,
    group_alerts,
    marked,
    ranked,
    tally_alerts,
)
from cloud_sink.web.verdicts import moment, verdict_view
from cloud_sink.web.words import BROKER, HEALTH, STATES, TALLIES
from tests.support.sink_samples import QUIET, WHEN, stored_health, stored_verdict
from wire.events import HealthEvent
from wire.vocabulary import HEALTH_KINDS


def of_health(stored: StoredHealth, total: int = 1, fresh: int = 1) -> list[Alert]:
    return group_alerts([StoredGroup(stored.device_id, stored.event.kind, total, fresh, stored)])


def of_verdict(stored: StoredVerdict, total: int = 1, fresh: int = 1) -> list[Alert]:
    return group_alerts([StoredGroup(stored.device_id, stored.event.state, total, fresh, stored)])


# --- silence ----------------------------------------------------------------------------------------------------------


def heard(last: HealthEvent | None) -> DeviceFacts:
    return replace(QUIET, last_sign_of_life=last)


def test_a_device_is_silent_after_ten_minutes_and_a_millisecond() -> None:
    assert SILENT_AFTER_MS == 600_000
    facts = heard(health("alive"))
    assert silent_since(facts, EPOCH_MS + 600_000) is None
    assert silent_since(facts, EPOCH_MS + 600_001) == EPOCH_MS


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (health("alive", detail="camera"), True),
        (health("alive", detail="none"), True),
        (health("started", detail="camera"), True),
        (health("started", detail="replay"), False),
        (health("stopped", detail="camera"), False),
        (None, False),
    ],
)
def test_only_one_that_is_on_its_camera_is_expected_to_speak(last: HealthEvent | None, expected: bool) -> None:
    assert silent_since(heard(last), EPOCH_MS + 10**9) == (EPOCH_MS if expected else None)


def test_a_device_whose_envelopes_are_all_erased_is_not_called_silent() -> None:
    assert silent_since(replace(heard(health("alive")), last_received_ms=None), EPOCH_MS + 10**9) is None


# --- one device -------------------------------------------------------------------------------------------------------


def test_a_quiet_device_has_no_alerts() -> None:
    assert device_alerts(QUIET, EPOCH_MS + 10**9) == []


def test_breaks_are_an_alarm_that_names_them() -> None:
    (alert,) = device_alerts(replace(QUIET, breaks=(9, 4)), EPOCH_MS)
    assert (alert.tone, alert.title, alert.device_id, alert.at, alert.link, alert.verdict) == (
        *("alarm", "Chain broken", "cam-one", WHEN, "/devices/cam-one"),
        None,
    )
    assert "Envelopes 9, 4 do not continue" in alert.text


def test_gaps_are_a_warning_that_counts_and_names_them() -> None:
    (alert,) = device_alerts(replace(QUIET, gaps=(Span(0, 0), Span(3, 5))), EPOCH_MS)
    assert (alert.tone, alert.title) == ("warn", "Telemetry missing")
    assert "4 of this device's envelopes" in alert.text and "0, 3 to 5" in alert.text


def test_silence_is_a_warning_for_an_enrolled_device() -> None:
    facts, late = heard(health("alive")), EPOCH_MS + 600_001
    (alert,) = device_alerts(facts, late)
    assert (alert.tone, alert.title) == ("warn", "Silent")
    assert "more than 10 minutes" in alert.text
    assert device_alerts(facts, late, enrolled=True) == [alert]
    assert device_alerts(facts, late, enrolled=False) == []


@pytest.mark.parametrize("kind", HEALTH_KINDS)
def test_each_kind_of_health_is_an_alert_exactly_when_its_words_say_so(kind: str) -> None:
    alerts = of_health(stored_health(kind, compartment="codes"))
    words = HEALTH[kind]
    expected = Alert(
        words.tone,
        words.title,
        f"{words.meaning} Reported by codes.",
        "cam-one",
        WHEN,
        "/devices/cam-one",
        kind=f"health.{kind}",
        mark=3,
    )
    assert alerts == ([expected] if words.alert else [])
    assert (kind in ALERT_HEALTH) == words.alert


def test_what_is_an_alert_at_all_is_settled_in_the_table() -> None:
    alert_health = {"invalid_message", "budget_spent", "degraded", "tamper", "spool_full"}
    alert_health |= {"overload", "input_damaged", "clock_unsure"}
    assert {kind for kind, words in HEALTH.items() if words.alert} == alert_health
    assert {reason for reason, words in TALLIES.items() if not words.alert} == {"duplicate", "not_stored"}


def test_a_device_that_does_not_know_the_time_gets_the_time_of_arrival() -> None:
    (alert,) = of_health(stored_health("degraded", at_ms=0))
    assert alert.at == moment(EPOCH_MS + 5000)


# --- which comes first ------------------------------------------------------------------------------------------------


def named(tone: str, kind: str, device: str = "cam-one", at: datetime | None = None) -> Alert:
    return Alert(tone, kind, "", device, at, "/", kind=kind)  # type: ignore[arg-type]


def test_the_loudest_come_first_then_by_kind_then_the_latest() -> None:
    assert LOUDEST_FIRST == ("alarm", "warn", "plain", "good")
    earlier = WHEN - timedelta(seconds=1)
    alerts = [
        named("warn", "device.silent"),
        named("warn", "device.telemetry_missing", "cam-two"),
        named("alarm", "verdict.FORGED", "cam-three", earlier),
        named("alarm", "verdict.FORGED", "cam-two", WHEN),
        named("alarm", "device.chain_broken"),
        named("good", "of_a_later_version"),
    ]
    assert [(alert.kind, alert.device_id) for alert in ranked(alerts)] == [
        ("device.chain_broken", "cam-one"),
        ("verdict.FORGED", "cam-two"),
        ("verdict.FORGED", "cam-three"),
        ("device.telemetry_missing", "cam-two"),
        ("device.silent", "cam-one"),
        ("of_a_later_version", "cam-one"),
    ]


def test_of_equally_loud_alerts_each_devices_first_comes_before_any_devices_second() -> None:
    flood = [named("alarm", kind, "cam-bad") for kind in KINDS if kind.startswith(("verdict.", "health."))]
    first, second, *_ = ranked([*flood, named("alarm", "refused.forged", "cam-one"), named("warn", "device.silent")])
    assert (first.device_id, second.device_id) == ("cam-bad", "cam-one")


def test_every_alert_that_there_can_be_has_its_place_in_the_order() -> None:
    assert len(set(KINDS)) == len(KINDS)
    made = [
        *(f"verdict.{state}" for state in ALERT_STATES),
        *(f"health.{kind}" for kind in ALERT_HEALTH),
        *(f"refused.{reason}" for reason in TALLIES),
        *(f"receiver.{phase}" for phase in BROKER),
    ]
    assert {*made, "device.chain_broken", "device.telemetry_missing", "device.silent"} == set(KINDS)


# --- acknowledged -----------------------------------------------------------------------------------------------------


def through(alert: Alert, mark: int) -> Alert:
    (found,) = marked([alert], {alert.key: Acknowledgement(*alert.key, mark, "ann", EPOCH_MS)})
    return found


def test_an_alert_is_open_while_its_mark_is_beyond_what_was_acknowledged() -> None:
    (alert,) = of_verdict(stored_verdict("FORGED", row_id=9))
    assert alert.open
    assert marked([alert], {}) == [alert]
    assert through(alert, 8).open
    assert not through(alert, 9).open
    assert through(alert, 9).acknowledged == Acknowledgement("cam-one", "verdict.FORGED", 9, "ann", EPOCH_MS)
    other = {("cam-two", alert.kind): Acknowledgement("cam-two", alert.kind, 99, "", 1)}
    assert marked([alert], other) == [alert]


def test_each_alert_opens_again_with_what_happens_next_and_with_nothing_else() -> None:
    gap = device_alerts(replace(QUIET, gaps=(Span(3, 5),)), EPOCH_MS)[0]
    more = device_alerts(replace(QUIET, gaps=(Span(3, 3), Span(9, 9))), EPOCH_MS)[0]
    less = device_alerts(replace(QUIET, gaps=(Span(3, 3),)), EPOCH_MS)[0]
    assert [through(a, gap.mark).open for a in (gap, more, less)] == [False, True, False]
    late = EPOCH_MS + 10**7
    silent = device_alerts(heard(health("alive")), late)[0]
    again = device_alerts(replace(heard(health("alive")), envelopes=8), late)[0]
    assert [through(a, silent.mark).open for a in (silent, again)] == [False, True]
    broken = device_alerts(replace(QUIET, breaks=(9,), break_count=1), EPOCH_MS)[0]
    earlier_too = device_alerts(replace(QUIET, breaks=(9, 4), break_count=2), EPOCH_MS)[0]
    assert [through(a, broken.mark).open for a in (broken, earlier_too)] == [False, True]
    assert device_alerts(replace(QUIET, gaps=(Span(0, 0),)), EPOCH_MS)[0].mark > 0


def test_what_counts_up_tells_how_many_came_since() -> None:
    (refused,) = tally_alerts([TallyRow("cam-one", "forged", 7, 1, EPOCH_MS)])
    assert [through(refused, mark).count for mark in (5, 7)] == [2, 7]
    (forged,) = of_verdict(stored_verdict("FORGED", row_id=900), total=12, fresh=2)
    assert (forged.count, through(forged, 500).count) == (2, 2)
    (all_seen,) = of_verdict(stored_verdict("FORGED", row_id=900), total=12, fresh=0)
    assert all_seen.count == 12


def test_the_receivers_own_trouble_cannot_be_acknowledged() -> None:
    (alert,) = broker_alerts(BrokerState("unreachable", EPOCH_MS))
    assert alert.mark == 0
    assert through(alert, 5) == alert and alert.open


# --- refusals, verdicts, the broker -----------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", TALLIES)
def test_each_refusal_is_an_alert_exactly_when_its_words_say_so(reason: str) -> None:
    words = TALLIES[reason]
    own = Alert(
        words.tone,
        words.title,
        f"{words.meaning} 3 so far.",
        "cam-one",
        WHEN,
        "/devices/cam-one",
        kind=f"refused.{reason}",
        count=3,
        mark=3,
    )
    assert tally_alerts([TallyRow("cam-one", reason, 3, 1, EPOCH_MS)]) == ([own] if words.alert else [])
    nobodys = replace(own, device_id="", link="/alerts")
    assert tally_alerts([TallyRow("", reason, 3, 1, EPOCH_MS)]) == ([nobodys] if words.alert else [])


def test_a_refusal_without_words_is_no_alert() -> None:
    assert tally_alerts([TallyRow("cam-one", "of_a_later_version", 3, 1, EPOCH_MS)]) == []


@pytest.mark.parametrize("state", STATES)
def test_five_states_are_alerts(state: str) -> None:
    assert ALERT_STATES == ("CONTRADICTED", "FORGED", "MISPLACED", "DAMAGED", "MISSING")
    view, words = verdict_view(stored_verdict(state)), STATES[state]
    arrived = moment(EPOCH_MS + 7000)
    expected = Alert(
        words.tone,
        words.title,
        view.summary,
        "cam-one",
        arrived,
        "/verdicts/4",
        view,
        kind=f"verdict.{state}",
        mark=4,
    )
    assert of_verdict(stored_verdict(state)) == ([expected] if state in ALERT_STATES else [])


def test_many_verdicts_of_one_state_are_one_alert_that_leads_to_all_of_them() -> None:
    (alert,) = of_verdict(stored_verdict("FORGED"), total=5, fresh=3)
    assert (alert.count, alert.link) == (3, "/?state=FORGED&device=cam-one")


def test_the_reason_of_the_latest_is_not_told_as_that_of_all() -> None:
    stored = stored_verdict("FORGED", reasons=("codes_conflict",))
    (many,), (single,) = of_verdict(stored, total=9, fresh=9), of_verdict(stored)
    assert single.text == verdict_view(stored).summary
    assert many.text == f"The latest of 9: {single.text} The others may have other reasons."
    (reports,) = of_health(stored_health("tamper", compartment="indicator"), 4, 4)
    assert reports.text.endswith(" The latest of 4 was reported by indicator.")


def test_every_alert_says_what_its_time_is_the_time_of() -> None:
    (single,), (many,) = of_verdict(stored_verdict("FORGED")), of_verdict(stored_verdict("FORGED"), total=2, fresh=2)
    assert (single.when, many.when) == ("Received", "Latest")
    assert of_health(stored_health("tamper"))[0].when == "Reported"
    assert device_alerts(replace(QUIET, breaks=(9,), break_count=1), EPOCH_MS)[0].when == "Device last heard"
    assert tally_alerts([TallyRow("cam-one", "forged", 1, 1, EPOCH_MS)])[0].when == "Latest"
    assert broker_alerts(BrokerState("unreachable", EPOCH_MS))[0].when == "Since"


def test_one_break_and_one_gap_are_told_as_one() -> None:
    (broken,) = device_alerts(replace(QUIET, breaks=(9,), break_count=1), EPOCH_MS)
    assert broken.text.startswith("Envelope 9 does not continue the envelope before")
    (gap,) = device_alerts(replace(QUIET, gaps=(Span(3, 3),)), EPOCH_MS)
    assert gap.text == "1 of this device's envelopes did not arrive: 3. If it arrives late, the gap closes."


@pytest.mark.parametrize(
    ("phase", "alert"),
    [
        ("connecting", False),
        ("connected", False),
        ("stopped", False),
        ("unreachable", True),
        ("untrusted", True),
        ("refused", True),
        ("store_failed", True),
    ],
)
def test_the_brokers_trouble_is_an_alert(phase: str, alert: bool) -> None:
    words = BROKER[phase]
    expected = [Alert(words.tone, words.title, words.meaning, "", WHEN, "/", kind=f"receiver.{phase}")]
    assert broker_alerts(BrokerState(phase, EPOCH_MS)) == (expected if alert else [])  # type: ignore[arg-type]
    for told in broker_alerts(BrokerState(phase, EPOCH_MS, "nothing listens there")):  # type: ignore[arg-type]
        assert told.text == f"{words.meaning} The cause: nothing listens there."
