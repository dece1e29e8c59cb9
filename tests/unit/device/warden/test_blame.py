"""Whose word restarts whom, and who pays: never a third, and never one of two alone."""

from __future__ import annotations

import pytest

from device.warden.blame import FLOOD_EVERY_SECONDS, Blame
from wire.vocabulary import CompartmentName


def test_a_peer_that_is_accused_is_restarted_and_the_pair_pays() -> None:
    blame = Blame(5, 60.0)
    (sentence,) = blame.hear("verdict", 7, {"codes": 3}, 0.0)
    assert (sentence.restarts, sentence.pair, sentence.alone) == (("codes",), ("codes", "verdict"), False)
    assert blame.hear("verdict", 7, {"codes": 3}, 1.0) == []  # the same three
    assert blame.invalid == {"codes": 3}


def test_a_new_process_counts_from_nothing() -> None:
    blame = Blame(5, 60.0)
    blame.hear("verdict", 7, {"codes": 3}, 0.0)
    assert len(blame.hear("verdict", 8, {"codes": 1}, 1.0)) == 1
    assert blame.invalid == {"codes": 4}


def test_who_accuses_a_compartment_without_a_link_pays_alone() -> None:
    blame = Blame(5, 60.0)
    (sentence,) = blame.hear("indicator", 7, {"sealer": 1}, 0.0)
    assert sentence.alone and sentence.restarts == ("indicator",)
    assert blame.invalid == {"indicator": 1}


def test_of_two_that_are_needed_both_are_restarted_from_the_second_time_on() -> None:
    blame = Blame(5, 60.0)
    restarts = [blame.hear("codes", 7, {"capture": n}, float(n))[0].restarts for n in (1, 2, 3)]
    assert restarts == [("capture",), ("capture", "codes"), ("capture", "codes")]


@pytest.mark.parametrize(("needed", "optional"), [("sealer", "uplink"), ("verdict", "indicator")])
def test_whoever_accuses_whom_the_one_that_can_be_missed_is_restarted(
    needed: CompartmentName, optional: CompartmentName
) -> None:
    for accuser, peer in ((needed, optional), (optional, needed)):
        blame = Blame(50, 60.0)
        for n in range(1, 6):
            (sentence,) = blame.hear(accuser, 7, {peer: n}, float(n))
            assert sentence.restarts == (optional,)


def test_a_pair_that_has_spent_its_budget_leaves_every_other_pair_its_own() -> None:
    blame = Blame(2, 60.0)
    waits = [blame.hear("uplink", 7, {"sealer": n}, float(n))[0].wait for n in (1, 2, 3)]
    assert waits[2] is None and None not in waits[:2]
    (other,) = blame.hear("verdict", 9, {"sealer": 1}, 4.0)
    assert other.wait is not None


def test_dialer_is_not_wardens_to_restart() -> None:
    blame = Blame(5, 60.0)
    assert blame.hear("uplink", 7, {"dialer": 1}, 0.0) == []
    assert blame.invalid == {"dialer": 1}


def test_a_flood_is_told_once_a_minute_and_restarts_nobody() -> None:
    blame = Blame(5, 60.0)
    told = [blame.floods("verdict", 7, {"indicator": 1000 * n}, float(n)) for n in range(1, 200)]
    assert [n for n, due in enumerate(told, 1) if due] == [1, 1 + FLOOD_EVERY_SECONDS, 1 + 2 * FLOOD_EVERY_SECONDS, 181]
    assert {(s.restarts, s.accused, s.alone) for due in told for s in due} == {((), ("indicator",), False)}
    assert blame.flooded == {"indicator": 199_000}


@pytest.mark.parametrize(
    ("liar", "peer"),
    [("indicator", "verdict"), ("uplink", "sealer"), ("indicator", "sealer"), ("verdict", "perception")],
)
def test_a_flood_on_a_link_without_a_rate_is_held_against_who_says_it(
    liar: CompartmentName, peer: CompartmentName
) -> None:
    blame = Blame(5, 60.0)
    (sentence,) = blame.floods(liar, 7, {peer: 2**39}, 0.0)
    assert sentence.alone and sentence.restarts == (liar,)
    assert blame.flooded == {} and blame.invalid == {liar: 1}


def test_a_dispute_about_frames_is_paid_by_all_who_may_have_lied() -> None:
    """First the readers are restarted, then all four; every pair keeps its own budget."""
    blame = Blame(2, 60.0)
    first, second, third = (blame.disputes(7, n, float(n))[0] for n in (1, 2, 3))
    group = ("capture", "perception", "codes", "verdict")
    assert (first.restarts, second.restarts) == (("perception", "codes"), group)
    assert first.accused == ("capture", "perception", "codes")
    assert (second.wait, third.wait) != (None, None) and third.wait is None
    (other,) = blame.hear("verdict", 7, {"perception": 1}, 4.0)
    assert other.wait is not None
    assert blame.disputes(7, 3, 5.0) == []


def test_a_dispute_names_capture_and_both_readers_and_whose_word_it_is() -> None:
    (sentence,) = Blame(5, 60.0).disputes(7, 1, 0.0)
    assert sentence.reproach == (
        "by verdict's word, capture, perception and codes contradict each other about the times of frames"
    )
