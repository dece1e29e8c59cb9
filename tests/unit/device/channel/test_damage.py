"""Damage is counted in words of ours, and told in a sentence of ours."""

from __future__ import annotations

import pytest

from device.channel import damage, messages
from device.channel.damage import DAMAGES, DamageName


def test_each_word_is_a_fact_that_is_found_again() -> None:
    facts = {damage.fact(name): number for number, name in enumerate(DAMAGES, 1)}
    assert damage.counts(facts) == {name: number for number, name in enumerate(DAMAGES, 1)}


SOURCES = ("time.holes", "time.hole_ms", "time.missing", "time.turn", "time.sets", "rate.named", "rate.coded",
           "rate.stamped", "index.hidden")  # fmt: skip
"""What a folder or a video tells beside it: no source tells all."""


def test_the_facts_of_capture_have_room_in_a_message() -> None:
    facts = dict.fromkeys(
        [*map(damage.fact, DAMAGES), "frames", "time.breaks", "time.guessed", "time.unknown", *SOURCES], 2**53
    )
    messages.encode(messages.Done(facts))
    assert messages.Codec(messages.Done).decode(messages.encode(messages.Done(facts))) == messages.Done(facts)


def test_what_is_no_word_of_ours_is_left_out() -> None:
    assert damage.counts({"frames": 5, "damage.sabotage": 3, "frames_corrupt": 7, "damage.cut_off": 0}) == {}


@pytest.mark.parametrize("name", DAMAGES)
def test_each_word_has_a_sentence_for_one_and_for_more(name: DamageName) -> None:
    one, more = damage.sentence("x.ts", {name: 1}), damage.sentence("x.ts", {name: 7})
    assert one.startswith("x.ts is damaged: ") and "{" not in one + more
    assert ("7" in more) == (one != more)


def test_the_sentence_names_every_kind() -> None:
    found: dict[DamageName, int] = {"frames_corrupt": 71, "cut_off": 1}
    assert damage.sentence("x.ts", found) == "x.ts is damaged: 71 frames are corrupt, it is cut off"
