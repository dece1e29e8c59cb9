"""When a run is over: never by one compartment's word, and with the true cause where it cannot end well."""

from __future__ import annotations

from typing import Any

import pytest

from device.channel.failures import REFUSALS
from device.config import Config, UplinkConfig
from device.launcher.errors import GivenUpError
from device.warden import ending
from device.warden.ending import Ending
from device.warden.roster import Roster
from tests.support.warden_bench import LIMITS, FakeChild, plan


def ends(done: dict[str, int] | None, sealer: dict[str, int] | None = None, broker: str = "", **verdict: int) -> Ending:
    roster = Roster()
    for name, said in (("capture", {}), ("verdict", verdict), ("sealer", sealer or {})):
        child: Any = FakeChild(name)  # type: ignore[arg-type]
        child.say(**said)
        child.done = done if name == "capture" else None
        roster.running[name] = child  # type: ignore[index]
    config = Config(warden=LIMITS, uplink=UplinkConfig(broker))
    return Ending(plan(config=config), roster, {"home": "/h"})


@pytest.mark.parametrize(("done", "over"), [(None, False), ({"frames": 5}, True)])
def test_verdicts_word_that_all_is_judged_ends_no_run_whose_source_goes_on(
    done: dict[str, int] | None, over: bool
) -> None:
    assert ends(done, finished=1).over(100.0) is over


@pytest.mark.parametrize(
    ("refusal", "connections", "seconds"),
    [(0, 0, 30.0), (0, 1, 30.0), (13, 0, 3.0), (13, 1, 30.0), (5, 0, 3.0), (5, 1, 3.0), (11, 1, 3.0), (99, 0, 30.0)],
)
def test_receipts_are_not_waited_for_where_the_broker_is_known_to_give_none(
    refusal: int, connections: int, seconds: float
) -> None:
    """A broker that was reached in this run and went away may be back in a moment; who refuses us does not change."""
    made = ends({"frames": 5}, {"waiting": 1}, broker="broker", finished=1)
    uplink: Any = FakeChild("uplink")
    uplink.say(refusal=refusal, connections=connections)
    made._roster.running["uplink"] = uplink
    assert not made.over(100.0) and not made.over(99.9 + seconds)
    assert made.over(100.1 + seconds)


def test_a_stream_that_has_ended_and_is_not_judged_ends_the_run_after_a_while() -> None:
    made = ends({"frames": 5})
    assert not made.over(100.0) and not made.over(100.0 + 2 * LIMITS.silent_seconds)
    with pytest.raises(GivenUpError, match="was not judged to its end"):
        made.over(100.1 + 2 * LIMITS.silent_seconds)


def test_what_sealer_never_confirmed_is_not_said_to_be_a_full_disk() -> None:
    made = ends({"frames": 5}, finished=1, unstored=9)
    assert not made.over(100.0)
    with pytest.raises(GivenUpError) as raised:
        made.over(101.0 + LIMITS.deliver_seconds)
    assert raised.value.sentence == "sealer has not confirmed 9 verdicts within 30 s, and names no cause"


def test_a_disk_that_is_full_is_said_to_be_full() -> None:
    made = ends({"frames": 5}, {"trouble": 1 + REFUSALS.index("disk_full")}, finished=1, unstored=1)
    assert not made.over(100.0)
    with pytest.raises(GivenUpError, match=r"^the disk of the spool in /h is full"):
        made.over(106.0)


def test_what_stores_is_asked_to_stop_when_those_before_it_have_ended() -> None:
    """What they sent last is still on its way to it."""
    happened: list[str] = []

    class Stopping:
        def __init__(self, name: str) -> None:
            self.name, self.control = name, None

        def ask_to_stop(self) -> None:
            happened.append(f"ask {self.name}")

        def ended(self) -> str:
            return "exit_0"

        def kill(self) -> None:
            """It has ended."""

        def release(self) -> None:
            happened.append(f"{self.name} ended")

    names = ("uplink", "sealer", "verdict", "perception")  # in any order, as restarts leave them
    running: Any = {name: Stopping(name) for name in names}
    ending.stop(running)
    assert happened == [
        *("ask perception", "ask verdict", "perception ended", "verdict ended"),
        *("ask sealer", "ask uplink", "sealer ended", "uplink ended"),
    ]
