"""What warden tells: each thing once, or at most so often, whatever compartments say."""

from __future__ import annotations

from typing import Any

import pytest

from device.channel import damage
from device.config import Config, UplinkConfig
from device.launcher.report import Notice
from device.warden.roster import Roster
from device.warden.stream import StreamClock
from device.warden.telling import Teller
from tests.support.warden_bench import LIMITS, FakeChild, Heard, plan

CORRUPT, CUT = damage.fact("frames_corrupt"), damage.fact("cut_off")
UNSURE = StreamClock(5, "container", doubts=("label_unsure", "time_old"))


def telling(
    clock: StreamClock | None = None, untimed: int = 0, refusal: int = 0, **changes: Any
) -> tuple[Teller, Heard]:
    """A teller that goes by this clock, and what it tells."""
    roster, heard = Roster(), Heard()
    verdict, uplink = FakeChild("verdict"), FakeChild("uplink")
    verdict.say(untimed_codes=untimed)
    uplink.say(refusal=refusal)
    made: dict[Any, Any] = {"verdict": verdict, "uplink": uplink}
    roster.running.update(made)
    config = Config(warden=LIMITS, uplink=UplinkConfig("broker"))
    parts: Any = (plan(config=config, **changes), roster, heard, heard)
    teller = Teller(*parts, {})
    teller.clock = clock or StreamClock()
    return teller, heard


@pytest.mark.parametrize(
    ("changes", "tells"), [({}, False), ({"gpx": "/g"}, True), ({"kind": "camera"}, True), ({"untimed": 1}, True)]
)
def test_each_doubt_about_the_start_is_told_once_where_anything_is_judged_by_it(
    changes: dict[str, Any], tells: bool
) -> None:
    teller, heard = telling(UNSURE, **changes)
    teller.look(1.0)
    teller.look(2.0)
    both = [("clock_unsure", "warden", doubt) for doubt in ("label_unsure", "time_old")]
    assert heard.incidents == (both if tells else [])


def test_a_sure_start_is_not_told_and_a_wrong_machine_clock_always() -> None:
    teller, heard = telling(StreamClock(5, "given"), gpx="/g")
    teller.look(1.0)
    assert heard.incidents == []
    teller, heard = telling(StreamClock(0, "system", wall=False, doubts=("clock_impossible",)), kind="camera")
    teller.look(1.0)
    assert heard.incidents == [("clock_unsure", "warden", "clock_impossible")]


def test_each_cause_for_which_the_broker_cannot_be_reached_is_told_once() -> None:
    teller, heard = telling(StreamClock(5, "given"), refusal=1)
    for now in (1.0, 2.0):
        teller.look(now)
    assert heard.incidents == [("degraded", "uplink", "certificate_not_yet_valid")]
    teller._roster.running["uplink"].say(refusal=99)  # type: ignore[attr-defined]
    teller.look(3.0)
    assert len(heard.incidents) == 1


def test_a_camera_whose_broker_is_away_says_so_once_and_telemetry_is_not_told() -> None:
    teller, heard = telling(StreamClock(5, "system"), refusal=13, kind="camera")
    for now in (1.0, 2.0):
        teller.look(now)
    (notice,) = [message for message in heard.messages if isinstance(message, Notice)]
    assert notice.sentence == "broker:8883 refuses the connection: nothing listens there"
    assert notice.remedy.endswith("; until then events wait in the spool")
    assert heard.incidents == []
    on_a_file, heard = telling(StreamClock(5, "given"), refusal=13)
    on_a_file.look(1.0)
    assert not [message for message in heard.messages if isinstance(message, Notice)]


def test_damage_is_told_when_it_is_found_and_its_sum_at_the_end_and_no_more() -> None:
    teller, heard = telling()
    source: Any = FakeChild("capture")
    teller._roster.running["capture"] = source
    for count in range(1, 50):
        source.say(**{CORRUPT: count})
        teller.damage()
    source.done = {CORRUPT: 60, CUT: 2**53}
    for _ in range(3):
        teller.damage()
    told = [(m.kind, m.detail, m.count) for m in heard.messages if hasattr(m, "count")]
    assert told == [
        ("input_damaged", "frames_corrupt", 1),
        ("input_damaged", "frames_corrupt", 60),
        ("input_damaged", "cut_off", 2**40),
    ]
