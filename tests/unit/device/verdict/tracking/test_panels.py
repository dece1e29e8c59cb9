"""Readings of one symbol become one panel: what is noted of it, which face it hangs at, and what a flood does."""

from __future__ import annotations

import pytest

from device.channel.messages import Reading
from device.verdict.state import (
    MAX_PANELS,
    MAX_PAYLOADS,
    MAX_RATES,
    PanelTrack,
    Payload,
    Rate,
    State,
)
from device.verdict.tracking import panels
from tests.support.verdict_samples import box, moment, panel, pose, reading, sight, state
from wire.geodesy import Pose


def read(before: State, frame: int, *readings: Reading, t_ms: int | None = None, at: Pose | None = None) -> None:
    panels.read(before, moment(frame, t_ms, readings=readings), readings, at)


def one_panel(*readings: Reading) -> PanelTrack:
    """The panel of these readings, all of one frame."""
    seen = state()
    read(seen, 0, *readings)
    (only,) = seen.panels
    return only


# --- symbols ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("w", "h", "found"), [(2.0, 2.0, 1), (1.9, 2.0, 0), (2.0, 1.9, 0), (1.9, 40.0, 0)])
def test_a_symbol_of_less_than_two_pixels_either_way_is_not_used(w: float, h: float, found: int) -> None:
    seen = state()
    read(seen, 0, reading(w=w, h=h))
    assert len(seen.panels) == found


def test_a_symbol_too_small_does_not_hide_the_next() -> None:
    seen = state()
    read(seen, 0, reading(w=1.0), reading(x=700.0))
    assert len(seen.panels) == 1


@pytest.mark.parametrize(("aside", "found"), [(0.0, 1), (21.0, 1), (22.0, 2), (400.0, 2)])
def test_readings_that_overlap_are_one_symbol(aside: float, found: int) -> None:
    """Two squares of 40: 21 px aside they overlap by 0.311, 22 px aside by 0.290."""
    seen = state()
    read(seen, 0, reading(), reading(x=500.0 + aside))
    assert len(seen.panels) == found


def test_the_place_of_a_symbol_is_that_of_its_decoded_reading() -> None:
    seen = one_panel(reading(b"", x=503.0), reading(b"SR1:A", x=500.0))
    assert (seen.motion.x, seen.decoded, seen.unreadable) == (500.0, 1, 0)


# --- one panel ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("later_ms", "found"), [(1, 1), (1000, 1), (1001, 2), (0, 2), (-1, 2)])
def test_a_panel_goes_on_within_a_second_and_never_at_the_same_time(later_ms: int, found: int) -> None:
    seen = state()
    read(seen, 0, reading(), t_ms=500)
    for waited in range(200, later_ms, 200):
        read(seen, 1, t_ms=500 + waited)
    read(seen, 2, reading(), t_ms=500 + later_ms)
    assert len(seen.panels) == found


def test_a_panel_that_is_read_again_moves_and_counts() -> None:
    seen = state(next_track=3)
    read(seen, 0, reading(x=500.0), at=pose(0))
    read(seen, 1, reading(x=504.0), at=pose(1))
    (only,) = seen.panels
    assert (only.number, seen.next_track, only.motion.x, only.motion.t_ms) == (3, 4, 504.0, 40)
    assert (only.sight.seen, only.decoded, only.sight.first_pose, only.sight.last_pose) == (2, 2, pose(0), pose(1))


def test_two_panels_are_followed_each_by_itself() -> None:
    seen = state()
    for frame in range(3):
        read(seen, frame, reading(b"SR1:A", x=300.0), reading(b"SR1:B", x=900.0))
    assert [[payload.data for payload in one.payloads] for one in seen.panels] == [[b"SR1:A"], [b"SR1:B"]]
    assert [one.number for one in seen.panels] == [0, 1]


def test_a_decoded_symbol_is_noted_with_its_text_and_rate() -> None:
    seen = one_panel(reading(b"SR1:A", module_px=3.0, error_rate=0.01))
    assert seen.payloads == [Payload(b"SR1:A", 1, True)]
    assert seen.rates == [Rate(3.0, 0.01)]
    assert (seen.decoded, seen.unreadable, seen.disagreements, seen.oversized, seen.too_many) == (1, 0, 0, 0, False)


def test_a_symbol_without_a_rate_or_without_a_text_adds_no_rate() -> None:
    assert one_panel(reading(error_rate=None)).rates == []
    assert one_panel(reading(b"", error_rate=0.5)).rates == []


def test_a_symbol_that_no_decoder_reads_is_unreadable() -> None:
    seen = one_panel(reading(b""))
    assert (seen.decoded, seen.unreadable, seen.oversized, seen.payloads) == (0, 1, 0, [])


def test_an_oversized_symbol_is_not_unreadable() -> None:
    seen = one_panel(reading(b"", oversized=True))
    assert (seen.decoded, seen.unreadable, seen.oversized) == (0, 0, 1)
    both = one_panel(reading(b""), reading(b"", oversized=True))
    assert (both.unreadable, both.oversized) == (0, 1)


@pytest.mark.parametrize(
    ("texts", "disagreements"),
    [
        ((b"SR1:A", b"SR1:B"), 1),
        ((b"SR1:A", b"other"), 1),
        ((b"other", b"SR1:A"), 1),
        ((b"one", b"other"), 0),  # no code of ours among them
        ((b"SR1:A", b"SR1:A"), 0),
        ((b"SR1:A", b""), 0),
    ],
)
def test_the_decoders_disagree_about_a_code_of_ours(texts: tuple[bytes, ...], disagreements: int) -> None:
    seen = one_panel(*(reading(text, decoders=["zbar"]) for text in texts))
    assert (seen.disagreements, seen.decoded) == (disagreements, 1)


@pytest.mark.parametrize(
    ("decoders", "both"), [(["zbar"], False), (["zbar", "zxing"], True), (["zbar", "zbar"], False), ([], False)]
)
def test_both_decoders_are_two_different_ones(decoders: list[str], both: bool) -> None:
    assert one_panel(reading(decoders=decoders)).payloads[0].both_decoders is both


def test_what_both_decoders_once_said_stays_said() -> None:
    seen = state()
    read(seen, 0, reading())
    read(seen, 1, reading(decoders=["zbar"]))
    assert seen.panels[0].payloads == [Payload(b"SR1:A", 2, True)]


# --- twins --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "y", "text", "twins"),
    [
        (560.1, 340.0, b"SR1:A", 1),
        (560.0, 340.0, b"SR1:A", 0),
        (439.9, 340.0, b"SR1:A", 1),
        (440.0, 340.0, b"SR1:A", 0),
        (500.0, 400.1, b"SR1:A", 1),
        (500.0, 400.0, b"SR1:A", 0),
        (500.0, 279.9, b"SR1:A", 1),
        (560.1, 340.0, b"SR1:B", 0),
    ],
)
def test_twins_say_the_same_and_are_one_and_a_half_sizes_apart(x: float, y: float, text: bytes, twins: int) -> None:
    seen = state()
    read(seen, 0, reading(), reading(text, x=x, y=y))
    assert [one.twins for one in seen.panels] == [twins, twins]


def test_a_mirror_image_is_no_twin_and_no_panel_and_is_counted() -> None:
    made = state()
    for frame in range(3):
        read(made, frame, reading(x=500.0, mirrored=True), reading(x=300.0))
    assert [(one.twins, one.decoded) for one in made.panels] == [(0.0, 3)] and made.mirrored == 3


def test_two_symbols_without_a_text_are_no_twins() -> None:
    seen = state()
    read(seen, 0, reading(b""), reading(b"", x=900.0))
    assert [one.twins for one in seen.panels] == [0, 0]


@pytest.mark.parametrize("sides", [(60.0, 20.0), (20.0, 60.0)])
@pytest.mark.parametrize(("apart", "twins"), [(90.1, 1), (90.0, 0)])
def test_the_longest_side_of_both_is_the_size(sides: tuple[float, float], apart: float, twins: int) -> None:
    for w, h, other_w, other_h in ((20.0, 20.0, *sides), (*sides, 20.0, 20.0)):
        one = Reading(b"SR1:A", [], 500.0 - w / 2, -h / 2, w, h, 4.0, None)
        other = Reading(b"SR1:A", [], 500.0 + apart - other_w / 2, -other_h / 2, other_w, other_h, 4.0, None)
        seen = state()
        read(seen, 0, one, other)
        assert [panel.twins for panel in seen.panels] == [twins, twins]


# --- caps ---------------------------------------------------------------------------------------------------------


def test_at_the_cap_the_panel_that_was_decoded_least_goes_and_of_equals_the_oldest() -> None:
    assert MAX_PANELS == 32
    for odd, dropped in (({"decoded": 1}, 20), ({"sight": sight(0, 5), "decoded": 2}, 20)):
        held = [panel(number, decoded=2, last=10) for number in range(MAX_PANELS)]
        for name, value in odd.items():
            setattr(held[20], name, value)
        seen = state(panels=held, next_track=MAX_PANELS)
        read(seen, 100, reading(), t_ms=90_000)
        assert [one.number for one in seen.panels] == [n for n in range(MAX_PANELS + 1) if n != dropped]


def test_up_to_the_cap_no_panel_goes() -> None:
    seen = state(panels=[panel(number) for number in range(MAX_PANELS - 1)], next_track=MAX_PANELS - 1)
    read(seen, 100, reading(), t_ms=90_000)
    assert [one.number for one in seen.panels] == [*range(MAX_PANELS)]


def test_a_panel_that_shows_more_texts_than_the_cap_keeps_the_first_and_is_marked() -> None:
    assert MAX_PAYLOADS == 6
    seen = state()
    for frame in range(MAX_PAYLOADS):
        read(seen, frame, reading(b"SR1:%d" % frame))
    assert (len(seen.panels[0].payloads), seen.panels[0].too_many) == (MAX_PAYLOADS, False)
    read(seen, MAX_PAYLOADS, reading(b"SR1:new"))
    read(seen, MAX_PAYLOADS + 1, reading(b"SR1:0"))
    (only,) = seen.panels
    assert ([one.data for one in only.payloads], only.too_many) == ([b"SR1:%d" % n for n in range(MAX_PAYLOADS)], True)
    assert [one.seen for one in only.payloads] == [2, 1, 1, 1, 1, 1]


def test_the_rates_of_the_largest_modules_are_kept() -> None:
    assert MAX_RATES == 32
    seen = state()
    for frame in range(MAX_RATES):
        read(seen, frame, reading(module_px=100.0 - frame))
    assert len(seen.panels[0].rates) == MAX_RATES
    read(seen, MAX_RATES, reading(module_px=200.0))
    kept = [rate.module_px for rate in seen.panels[0].rates]
    assert kept == [100.0 - frame for frame in range(MAX_RATES - 1)] + [200.0]


def test_a_box_is_no_symbol() -> None:
    seen = state()
    panels.read(seen, moment(0, boxes=[box()]), [], None)
    assert seen.panels == []
