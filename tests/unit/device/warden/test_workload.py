"""How many frames were judged: no compartment's word alone, and no event without end."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from device.channel import damage
from device.channel.damage import DamageName
from device.channel.messages import MAX_COUNT, Beat, DropCause
from device.warden import workload
from device.warden.workload import REPEAT_SECONDS, Workload
from wire.vocabulary import CompartmentName


@dataclass
class Device:
    """The last beats, one for each start of a compartment, the newest first."""

    said: dict[str, list[Beat]] = field(default_factory=dict)

    def say(
        self,
        name: str,
        handled: int,
        dropped: dict[DropCause, int] | None = None,
        facts: dict[str, int] | None = None,
        *,
        again: bool = False,
    ) -> None:
        beat = Beat(handled, dropped or {}, {}, {}, facts or {})
        self.said[name] = [beat, *(self.said.get(name, []) if again else [])]

    def generations(self, name: CompartmentName) -> list[Any]:
        return [SimpleNamespace(beat=beat) for beat in self.said.get(name, [])]

    def total(self, name: CompartmentName, key: str) -> int:
        return sum(beat.facts.get(key, 0) for beat in self.said.get(name, []))

    def fact(self, name: CompartmentName, key: str) -> int:
        return next((beat.facts[key] for beat in self.said.get(name, []) if key in beat.facts), 0)

    def told_in_all(self, name: CompartmentName, key: str) -> int:
        return self.total(name, key)

    def of_the_input(self, key: str) -> int:
        return max((beat.facts.get(key, 0) for beat in self.said.get("capture", [])), default=0)

    def damage(self) -> dict[DamageName, int]:
        found: Counter[DamageName] = Counter()
        for beat in self.said.get("capture", []):
            found.update(damage.counts(beat.facts))
        return dict(found)

    def at(self, frames: int, perception: int, codes: int, light: int = 0) -> Device:
        self.say("capture", frames)
        self.say("perception", perception, {"skipped": frames - perception}, {"light": light})
        self.say("codes", codes, {"skipped": frames - codes})
        self.say("verdict", perception, facts={"perception_judged": perception, "codes_judged": codes})
        return self


def test_what_is_not_judged_has_a_cause() -> None:
    device = Device().at(100, 40, 90)
    assert workload.dropped(device, "perception", lockstep=False) == {"skipped": 60}
    assert workload.judged_share(device, "perception", lockstep=False) == pytest.approx(0.4)
    assert workload.judged_share(device, "codes", lockstep=False) == pytest.approx(0.9)


def test_frames_that_came_while_a_reader_was_restarted_count_as_away() -> None:
    device = Device().at(100, 20, 100)
    device.say("perception", 30, {"skipped": 10})
    device.say("perception", 20, {"skipped": 5, "lease_lost": 1}, again=True)
    device.say("verdict", 50, facts={"perception_judged": 50, "codes_judged": 100})
    assert workload.dropped(device, "perception", lockstep=False) == {"skipped": 15, "lease_lost": 1, "away": 34}


def test_in_lockstep_what_a_killed_reader_had_done_is_not_missed() -> None:
    device = Device().at(100, 100, 100)
    device.say("perception", 40)
    device.say("perception", 33, again=True)  # the first had judged 67 when it was killed
    assert workload.dropped(device, "perception", lockstep=True) == {}
    assert workload.judged_share(device, "perception", lockstep=True) == 1.0
    device = Device().at(100, 100, 100)
    for name in ("perception", "codes"):
        device.say(name, 100)
    device.say("verdict", 60, facts={"perception_judged": 60, "codes_judged": 60})
    device.say("verdict", 20, facts={"perception_judged": 20, "codes_judged": 20}, again=True)
    assert workload.judged_share(device, "codes", lockstep=True) == 1.0


@pytest.mark.parametrize("who", ["capture", "perception", "codes"])
def test_a_restart_excuses_no_more_than_the_frames_in_flight(who: str) -> None:
    device = Device().at(126, 20, 20)
    for name in ("perception", "codes"):
        device.say(name, 20)
    if who != "capture":
        device.say(who, 12)
    device.say(who, 126 if who == "capture" else 8, again=True)
    assert workload.dropped(device, "perception", lockstep=True) == {"away": 106}
    assert workload.judged_share(device, "perception", lockstep=True) == pytest.approx(20 / 126)


def test_frames_that_came_after_the_end_are_not_judged() -> None:
    device = Device().at(100, 100, 100)
    for name in ("perception", "codes"):
        device.say(name, 100)
    device.say("verdict", 100, facts={"perception_judged": 100, "codes_judged": 6, "codes_late": 94})
    assert (workload.late(device), workload.judged(device, "codes")) == (94, 6)
    assert workload.judged_share(device, "codes", lockstep=True) == pytest.approx(0.06)


def test_a_reader_that_claims_frames_of_which_verdict_heard_nothing_has_not_judged_them() -> None:
    device = Device().at(100, 10, 100)
    device.say("perception", 100)
    assert workload.judged(device, "perception") == 10
    assert workload.dropped(device, "perception", lockstep=False) == {"away": 90}


def test_a_reader_cannot_have_judged_or_dropped_more_than_there_was() -> None:
    device = Device().at(100, 100, 100)
    device.say("perception", MAX_COUNT, {"skipped": MAX_COUNT, "unreadable": MAX_COUNT})
    device.say("verdict", 0, facts={"perception_judged": MAX_COUNT})
    assert workload.dropped(device, "perception", lockstep=False) == {}
    device.say("verdict", 0, facts={"perception_judged": 30})
    assert workload.dropped(device, "perception", lockstep=False) == {"skipped": 70}


def test_before_the_first_frame_nothing_is_missed() -> None:
    assert workload.judged_share(Device(), "codes", lockstep=False) == 1.0
    assert workload.dropped(Device(), "uplink", lockstep=False) == {}


def test_what_others_drop_is_told_by_cause() -> None:
    device = Device()
    device.say("uplink", 9, {"unconnected": 4})
    assert workload.dropped(device, "uplink", lockstep=True) == {"unconnected": 4}


# --- while it runs ------------------------------------------------------------------------------------------------


def events(shares: list[float], least: float = 0.5, light: int = 0) -> list[tuple[int, str, str]]:
    """(second, reader, word), for one share of perception a second, at 30 frames a second."""
    watch, device, told, judged = Workload(least), Device(), [], 0
    for second, share in enumerate(shares):
        judged += round(30 * share)
        device.at((second + 1) * 30, judged, (second + 1) * 30, light)
        told += [(second, reader, word) for reader, word in watch.look(device, float(second))]
    return told


def test_a_share_below_the_limit_is_told_once_a_minute() -> None:
    told = events([0.4] * 150)
    assert {(reader, word) for _, reader, word in told} == {("perception", "few_judged")}
    seconds = [second for second, _, _ in told]
    assert seconds[0] <= 4 and len(seconds) == 3
    assert all(after - before >= REPEAT_SECONDS for before, after in itertools.pairwise(seconds))


def test_a_share_at_the_limit_is_not_told() -> None:
    assert events([0.5] * 30) == []


def test_a_short_absence_is_not_told() -> None:
    assert events([1.0] * 20 + [0.0] * 2 + [1.0] * 20) == []


def test_a_long_absence_after_good_minutes_is_told() -> None:
    assert [(reader, word) for _, reader, word in events([1.0] * 600 + [0.0] * 10)] == [("perception", "few_judged")]


def test_a_reader_that_changes_its_way_all_the_time_is_told_once_a_minute() -> None:
    watch, device, told = Workload(0.5), Device(), []
    for second in range(130):
        told += watch.look(device.at(30 * second, 30 * second, 30 * second, second % 2), float(second))
    assert told == [("perception", "lightened")] * 3


# --- what capture shows to nobody -----------------------------------------------------------------------------------


def test_frames_that_capture_passes_over_count_against_the_share_unless_damage_is_told() -> None:
    device = Device().at(100, 50, 50)
    device.say("perception", 50)
    device.say("capture", 100, facts={"passed_over": 50})
    assert workload.judged_share(device, "perception", lockstep=True) == pytest.approx(0.5)
    device.say("capture", 100, facts={"passed_over": 50, "damage.frames_corrupt": 20, "damage.images_unreadable": 30})
    assert workload.judged_share(device, "perception", lockstep=True) == 1.0
    device.say("capture", 100, facts={"passed_over": 50, "damage.stream_gaps": 50, "damage.container_broken": 50})
    assert workload.judged_share(device, "perception", lockstep=True) == pytest.approx(0.5)


def test_in_lockstep_a_reader_that_tells_verdict_nothing_is_not_taken_to_have_judged() -> None:
    device = Device().at(100, 100, 100)
    device.say("verdict", 100, facts={"perception_judged": 100, "codes_judged": 0})
    assert workload.judged_share(device, "codes", lockstep=True) == 0.0
    assert workload.dropped(device, "codes", lockstep=True) == {"away": 100}


def test_in_lockstep_the_frames_that_are_on_their_way_when_a_run_is_cut_off_are_not_missed() -> None:
    assert workload.dropped(Device().at(100, 97, 97), "codes", lockstep=True) == {"skipped": 3}
    device = Device().at(100, 100, 100)
    device.say("perception", 97)
    assert workload.dropped(device, "perception", lockstep=True) == {}
