"""The window: which envelopes are sent now, at exactly which moment, and how many at most."""

from __future__ import annotations

import pytest

from device.sealer.core import RESEND_SECONDS, TRIES, WINDOW, Head, SealedEvent, Window, check_receipt
from tests.support.sealer_samples import IDENTITY
from tests.support.wire_samples import RECEIPTS
from wire import receipt
from wire.envelope import FIRST_PREVIOUS
from wire.errors import ForgedError, MalformedError


@pytest.fixture
def window() -> Window:
    return Window()


def test_sixteen_are_on_their_way_each_three_times_a_second_apart() -> None:
    assert (WINDOW, RESEND_SECONDS, TRIES) == (16, 1.0, 3)


def test_a_new_window_has_sent_nothing_and_has_all_its_room(window: Window) -> None:
    assert (window.newest, window.turn, window.size, window.room) == (-1, -1, 0, WINDOW)
    assert window.due(1e9) == []
    assert 0 not in window


def test_what_is_sent_takes_its_place_until_it_is_forgotten(window: Window) -> None:
    for sequence in range(WINDOW):
        window.sent(sequence, 10.0)
    assert (window.size, window.room, window.newest) == (WINDOW, 0, WINDOW - 1)
    assert 3 in window and WINDOW not in window
    window.forget(3)
    assert (window.size, window.room) == (WINDOW - 1, 1)
    assert 3 not in window
    window.forget(3)
    assert window.room == 1


def test_an_envelope_is_due_when_exactly_a_second_has_passed_and_the_oldest_comes_first(window: Window) -> None:
    window.sent(7, 10.0)
    window.sent(2, 10.5)
    assert window.due(10.0 + RESEND_SECONDS - 0.01) == []
    assert window.due(10.0 + RESEND_SECONDS) == [7]
    assert window.due(10.5 + RESEND_SECONDS) == [2, 7]


def test_sending_again_starts_a_new_second(window: Window) -> None:
    window.sent(0, 10.0)
    window.sent(0, 11.0)
    assert window.due(11.5) == []
    assert window.due(12.0) == [0]
    assert window.size == 1


def test_an_envelope_was_tried_after_its_third_sending_and_not_before(window: Window) -> None:
    tried = []
    for number in range(TRIES):
        window.sent(0, float(number))
        tried.append(window.tried(0))
    assert tried == [False, False, True]
    window.forget(0)
    window.sent(0, 9.0)
    assert not window.tried(0)


def test_an_older_one_that_comes_round_again_moves_the_turn_and_not_the_newest(window: Window) -> None:
    window.sent(9, 10.0)
    window.again(4, 10.0)
    assert (window.newest, window.turn) == (9, 4)
    assert 4 in window
    window.sent(8, 10.0)
    assert window.newest == 9


def test_the_wait_is_until_the_oldest_is_due_and_never_below_nothing_or_above_a_second(window: Window) -> None:
    assert window.seconds_to_next(10.0) == RESEND_SECONDS
    window.sent(0, 10.0)
    window.sent(1, 10.75)
    assert window.seconds_to_next(10.75) == 0.25
    assert window.seconds_to_next(11.0) == 0.0
    assert window.seconds_to_next(12.0) == 0.0
    window.forget(0)
    assert window.seconds_to_next(11.0) == 0.75
    assert window.seconds_to_next(9.0) == RESEND_SECONDS  # a clock that went back


def test_the_head_after_an_envelope_names_it_and_the_first_head_names_nothing() -> None:
    assert Head() == Head(0, FIRST_PREVIOUS)
    assert SealedEvent(4, b"data", b"digest").next == Head(5, b"digest")


def test_a_receipt_is_taken_for_this_device_only_and_its_refusal_has_a_word() -> None:
    good = receipt.issue("cam-1", 5, bytes(32), RECEIPTS)
    assert check_receipt(good, IDENTITY) == receipt.Receipt("cam-1", 5, bytes(32))
    with pytest.raises(ForgedError) as refusal:
        check_receipt(receipt.issue("cam-2", 5, bytes(32), RECEIPTS), IDENTITY)
    assert refusal.value.reason == "receipt_for_another_device"
    with pytest.raises(MalformedError):
        check_receipt(b"<script>", IDENTITY)
