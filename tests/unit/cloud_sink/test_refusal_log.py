"""What the receiver refuses is said where its user looks: once at once, then counted, and a flood takes no room."""

from __future__ import annotations

import logging
from typing import get_args

import pytest

from cloud_sink.receiver import Reason
from cloud_sink.refusal_log import MOST_NAMED, SAY_AGAIN_S, RefusalLog


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING, "sink")
    return caplog


def test_the_first_is_said_at_once_and_the_rest_of_a_minute_in_one_line(said: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    log = RefusalLog(logging.getLogger("sink"), clock)
    for _ in range(5):
        log.note("cam-1", "equivocation")
    assert len(said.messages) == 1
    assert "refused (equivocation): an envelope in the name of cam-1, under numbers that were used" in said.messages[0]
    log.note("cam-2", "equivocation")
    log.note("cam-1", "unreadable")
    assert len(said.messages) == 3
    clock.now += SAY_AGAIN_S
    log.note("cam-1", "equivocation")
    assert "5 envelopes in the name of cam-1" in said.messages[-1] and len(said.messages) == 4


@pytest.mark.parametrize("reason", get_args(Reason))
def test_every_cause_has_its_sentence(reason: Reason, said: pytest.LogCaptureFixture) -> None:
    RefusalLog(logging.getLogger("sink"), Clock()).note("", reason)
    (line,) = said.messages
    assert line.startswith(f"refused ({reason}): an envelope, ")


def test_a_flood_of_names_takes_no_room(said: pytest.LogCaptureFixture) -> None:
    log = RefusalLog(logging.getLogger("sink"), Clock())
    for number in range(MOST_NAMED + 50):
        log.note(f"cam-{number}", "forged")
    assert len(said.messages) == MOST_NAMED
