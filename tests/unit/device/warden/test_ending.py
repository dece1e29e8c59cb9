"""When a run is over: never by one compartment's word, and with the true cause where it cannot end well."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from device.channel.failures import REFUSALS
from device.config import Config, UplinkConfig
from device.launcher import session
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
    return Ending(plan(config=config), roster, {"home": "/h"}, lambda: ("codes", "capture"))


@pytest.mark.parametrize(("done", "over"), [(None, False), ({"frames": 5}, True)])
def test_verdicts_word_that_all_is_judged_ends_no_run_whose_source_goes_on(
    done: dict[str, int] | None, over: bool
) -> None:
    assert ends(done, finished=1).over(100.0) is over


@pytest.mark.parametrize("back", [False, True])
def test_a_store_that_fell_at_the_end_is_waited_for_with_what_waits_for_it(back: bool) -> None:
    made = ends({"frames": 5}, finished=1)
    fell = made._roster.end("sealer")
    assert not made.over(100.0) and not made.over(101.0)
    if back:
        made._roster.running["sealer"] = fell
        fell.told = False  # it is still loading
        assert not made.over(102.0)
        fell.told = True
        assert made.over(102.1)
    assert made.over(100.1 + LIMITS.deliver_seconds)


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
    with pytest.raises(GivenUpError, match="was not judged to its end: codes or capture is at fault"):
        made.over(100.1 + 2 * LIMITS.silent_seconds)


def test_a_stream_that_is_said_to_have_ended_and_is_judged_on_is_not_cut_off() -> None:
    """Capture may say so at any time: the frames that are still judged are not lost for it."""
    made = ends({"frames": 500})
    parts: Any = made._roster.running
    for name in ("perception", "codes"):
        parts[name] = FakeChild(name)  # type: ignore[arg-type]
    parts["capture"].say(500)
    for n in range(1, 50):
        for name in ("perception", "codes"):
            parts[name].say(5 * n)
        parts["verdict"].say(perception_judged=5 * n, codes_judged=5 * n)
        assert not made.over(100.0 + 30.0 * n)
    assert not made.over(100.0 + 30.0 * 49 + 2 * LIMITS.silent_seconds)
    with pytest.raises(GivenUpError):
        made.over(100.1 + 30.0 * 49 + 2 * LIMITS.silent_seconds)


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


class Leaving:
    """A compartment that ends so long after it was asked to; None: never."""

    def __init__(self, name: str, after: float | None, clock: list[float], *, told: bool = True) -> None:
        self.name, self.told, self.control = name, told, None
        self.after, self.clock = after, clock
        self.asked_at = self.killed_at = 0.0

    def ask_to_stop(self) -> None:
        self.asked_at = self.clock[0]

    def ended(self) -> str | None:
        return "exit_0" if self.after is not None and self.clock[0] >= self.asked_at + self.after else None

    def listen(self) -> None:
        """It says nothing more."""

    def kill(self) -> None:
        self.killed_at = self.clock[0]

    def release(self) -> None:
        """It is gone."""


def stop(monkeypatch: pytest.MonkeyPatch, **seconds: float | None) -> tuple[list[str], dict[str, Leaving], list[str]]:
    """Who was killed, the compartments, and who was told to be killed while sealer still ran."""
    clock = [100.0]

    def waited(*_: object) -> None:
        clock[0] += 0.1

    monkeypatch.setattr(ending, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(ending, "select", SimpleNamespace(select=waited))
    running: Any = {name: Leaving(name, after, clock) for name, after in seconds.items()}
    told: list[str] = []

    def tell(name: str) -> None:
        if not running["sealer"].asked_at:
            told.append(name)

    return list(ending.stop(running, tell)), running, told


def test_who_does_not_end_takes_no_time_from_what_stores_and_is_told_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sealer writes its last event after all others have ended."""
    killed, running, told = stop(monkeypatch, position=None, verdict=1.0, sealer=5.0, uplink=1.0)
    assert killed == told == ["position"]
    sealer = running["sealer"]
    assert sealer.killed_at >= sealer.asked_at + 5.0 and sealer.asked_at >= 106.0


@pytest.mark.parametrize("name", ["uplink", "indicator"])
def test_who_ends_beside_sealer_takes_no_time_from_it(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    seconds: dict[str, float | None] = {"verdict": 0.0, name: None, "sealer": 5.5}
    killed, running, _ = stop(monkeypatch, **seconds)
    assert killed == [name] and running["sealer"].killed_at >= running["sealer"].asked_at + 5.5


def test_both_groups_together_take_less_than_the_command_waits_for() -> None:
    assert 2 * ending.STOP_SECONDS < session._STOP_SECONDS


def test_who_is_still_loading_is_not_said_to_have_been_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(ending, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(ending, "select", SimpleNamespace(select=lambda *_: clock.__setitem__(0, clock[0] + 1.0)))
    running: Any = {"codes": Leaving("codes", None, clock, told=False)}
    assert ending.stop(running) == []
