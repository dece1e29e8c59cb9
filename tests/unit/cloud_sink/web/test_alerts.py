"""What a person is told to look at, how loudly, and from which millisecond on a device counts as silent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cloud_sink.archive import DeviceFacts, StoredHealth, TallyRow
from cloud_sink.chain import Span
from cloud_sink.mqtt import BrokerState
from cloud_sink.silence import SILENT_AFTER_MS, silent_since
from cloud_sink.simulator import EPOCH_MS, health
from cloud_sink.web.alerts import (
    ALERT_STATES,
    LOUDEST_FIRST,
    Alert,
    broker_alerts,
    device_alerts,
    loudest_first,
    tally_alerts,
    verdict_alerts,
)
from cloud_sink.web.verdicts import moment, verdict_view
from cloud_sink.web.words import BROKER, HEALTH, STATES, TALLIES
from tests.support.sink_samples import QUIET, WHEN, stored_health, stored_verdict
from wire.events import HealthEvent
from wire.vocabulary import HEALTH_KINDS


def with_health(*events: StoredHealth) -> DeviceFacts:
    return replace(QUIET, latest_health={stored.event.kind: stored for stored in events})


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
    assert "Envelope 9, 4 does not continue" in alert.text


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
    alerts = device_alerts(with_health(stored_health(kind, compartment="codes")), EPOCH_MS)
    words = HEALTH[kind]
    expected = Alert(
        words.tone, words.title, f"{words.meaning} Reported by codes.", "cam-one", WHEN, "/devices/cam-one"
    )
    assert alerts == ([expected] if words.alert else [])


def test_what_is_an_alert_at_all_is_settled_in_the_table() -> None:
    alert_health = {"invalid_message", "budget_spent", "degraded", "tamper", "spool_full"}
    alert_health |= {"overload", "input_damaged", "clock_unsure"}
    assert {kind for kind, words in HEALTH.items() if words.alert} == alert_health
    assert {reason for reason, words in TALLIES.items() if not words.alert} == {"duplicate", "not_stored"}


def test_an_opened_case_is_an_alert_and_so_is_what_is_down() -> None:
    assert len(device_alerts(with_health(stored_health("tamper", detail="case_opened")), EPOCH_MS)) == 1
    assert len(device_alerts(with_health(stored_health("degraded", detail="closed")), EPOCH_MS)) == 1


def test_a_device_that_does_not_know_the_time_gets_the_time_of_arrival() -> None:
    (alert,) = device_alerts(with_health(stored_health("degraded", at_ms=0)), EPOCH_MS)
    assert alert.at == moment(EPOCH_MS + 5000)


def test_the_loudest_come_first_and_equally_loud_ones_stay_in_order() -> None:
    assert LOUDEST_FIRST == ("alarm", "warn", "plain", "good")
    alerts = [Alert(tone, title, "", "", None, "/") for tone, title in (("good", "a"), ("warn", "b"), ("plain", "c"))]
    alerts += [Alert("alarm", "d", "", "", None, "/"), Alert("warn", "e", "", "", None, "/")]
    assert [alert.title for alert in loudest_first(alerts)] == ["d", "b", "e", "c", "a"]
    facts = replace(with_health(stored_health("tamper", detail="case_opened")), gaps=(Span(0, 0),), breaks=(4,))
    assert [alert.tone for alert in device_alerts(facts, EPOCH_MS)] == ["alarm", "alarm", "warn"]


# --- refusals, verdicts, the broker -----------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", TALLIES)
def test_each_refusal_is_an_alert_exactly_when_its_words_say_so(reason: str) -> None:
    words = TALLIES[reason]
    own = Alert(words.tone, words.title, f"{words.meaning} 3 so far.", "cam-one", WHEN, "/devices/cam-one")
    assert tally_alerts([TallyRow("cam-one", reason, 3, 1, EPOCH_MS)]) == ([own] if words.alert else [])
    nobodys = replace(own, device_id="", link="/alerts")
    assert tally_alerts([TallyRow("", reason, 3, 1, EPOCH_MS)]) == ([nobodys] if words.alert else [])


def test_a_refusal_without_words_is_no_alert() -> None:
    assert tally_alerts([TallyRow("cam-one", "of_a_later_version", 3, 1, EPOCH_MS)]) == []


@pytest.mark.parametrize("state", STATES)
def test_five_states_are_alerts(state: str) -> None:
    assert ALERT_STATES == ("CONTRADICTED", "FORGED", "MISPLACED", "DAMAGED", "MISSING")
    view = verdict_view(stored_verdict(state))
    words = STATES[state]
    expected = Alert(words.tone, words.title, view.summary, "cam-one", moment(EPOCH_MS + 7000), "/verdicts/4", view)
    assert verdict_alerts([view]) == ([expected] if state in ALERT_STATES else [])


@pytest.mark.parametrize(
    ("phase", "alert"),
    [
        ("connecting", False),
        ("connected", False),
        ("stopped", False),
        ("unreachable", True),
        ("refused", True),
        ("store_failed", True),
    ],
)
def test_the_brokers_trouble_is_an_alert(phase: str, alert: bool) -> None:
    words = BROKER[phase]
    expected = [Alert(words.tone, words.title, words.meaning, "", WHEN, "/")]
    assert broker_alerts(BrokerState(phase, EPOCH_MS)) == (expected if alert else [])  # type: ignore[arg-type]
