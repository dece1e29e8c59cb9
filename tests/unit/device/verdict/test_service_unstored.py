"""A verdict is remembered before it is sent, and sent again until it is on disk, within bounds."""

from __future__ import annotations

import os
import time
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from device.channel import memory
from device.channel.messages import FixesEnd, Go, Health, Verdict, VerdictStored
from device.verdict import persistence
from device.verdict.__main__ import main
from device.verdict.judge import Judge
from device.verdict.service import VerdictService
from device.verdict.settings import VerdictSettings
from tests.support.verdict_bench import Bench
from tests.support.verdict_drive import UTC_S

VERDICT = Verdict("test:1:2:1", "UNVERIFIED", 1, 1, 0.9, 1, 2, UTC_S * 1000, 8, None, None, ["perception_alone"])
UNSOUND = msgspec.structs.replace(VERDICT, utc_ms=2**50)


def verdict(number: int) -> Verdict:
    return msgspec.structs.replace(VERDICT, verdict_id=f"test:1:2:{number}")


@pytest.fixture
def descriptor() -> int:
    return memory.create()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock, to be set."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def unstored(bench: Bench) -> list[str]:
    """The ids of the verdicts that a successor would find."""
    return [one.verdict_id for one in persistence.from_bytes(bench.remembers()).unstored]


def remember(descriptor: int, judge: bytes, *kept: Verdict) -> None:
    memory.Memory(os.dup(descriptor)).save(persistence.to_bytes(judge, kept, set(), False))


def test_a_verdict_is_remembered_at_once_and_goes_to_all_three(descriptor: int) -> None:
    bench = Bench(descriptor)
    bench.service._give([verdict(1)])
    assert unstored(bench) == ["test:1:2:1"]
    for peer in ("recorder", "indicator", "sealer"):
        assert bench.heard_by(peer) == [verdict(1)]


def test_a_verdict_that_is_stored_is_forgotten_and_an_unknown_one_is_no_matter(descriptor: int) -> None:
    bench = Bench(descriptor)
    bench.service._give([verdict(1), verdict(2)])
    bench.say(VerdictStored("test:1:2:1"), "sealer")
    bench.service.step()
    assert unstored(bench) == ["test:1:2:2"]
    memory.Memory(os.dup(descriptor)).save(b"untouched")
    bench.say(VerdictStored("test:9:9:9"), "sealer")
    bench.service.step()
    assert bench.remembers() == b"untouched"


def test_what_is_not_stored_is_sent_again_each_second(descriptor: int, clock: list[float]) -> None:
    bench = Bench(descriptor)
    bench.service._give([verdict(1)])
    bench.heard_by("sealer")
    sent = []
    for now in (100.0, 100.9, 100.99, 101.0, 101.5, 102.0):
        clock[0] = now
        sent.append(bench.hears() == [verdict(1)])
    assert sent == [True, False, False, True, False, True]


def test_what_is_not_stored_is_sent_with_the_first_step_however_young_the_clock(
    descriptor: int, clock: list[float]
) -> None:
    clock[0] = 0.0
    remember(descriptor, Judge({}, None, stream="test").snapshot(), verdict(1))
    assert Bench(descriptor).hears() == [verdict(1)]


def test_at_the_cap_a_verdict_is_sent_but_not_kept(descriptor: int) -> None:
    bench = Bench(descriptor)
    bench.service._give([verdict(number) for number in range(511)])
    bench.service._give([verdict(511), verdict(512)])
    assert unstored(bench) == [f"test:1:2:{number}" for number in range(512)]
    assert bench.heard_by("recorder")[-1] == verdict(512)
    bench.service._give([verdict(513)])
    assert (len(unstored(bench)), bench.heard_by("recorder")) == (512, [verdict(513)])
    bench.say(VerdictStored("test:1:2:0"), "sealer")
    bench.service._give([verdict(514)])
    assert unstored(bench) == [*(f"test:1:2:{number}" for number in range(1, 512)), "test:1:2:514"]


def test_with_too_many_unstored_no_negative_number_is_kept(descriptor: int) -> None:
    """A memory of a version with a higher cap."""
    remember(descriptor, Judge({}, None, stream="test").snapshot(), *(verdict(number) for number in range(514)))
    bench = Bench(descriptor)
    bench.service._give([verdict(600), verdict(601), verdict(602)])
    assert len(unstored(bench)) == 514


def test_what_there_is_no_memory_for_is_counted_and_told_to_sealer_until_it_takes_it(
    descriptor: int, clock: list[float]
) -> None:
    bench = Bench(descriptor)
    bench.service._give([verdict(number) for number in range(512)])
    bench.heard_by("sealer")
    bench.service._give([verdict(600), verdict(601)])
    assert bench.heard_by("sealer") == []  # nothing that would be counted twice
    assert bench.service._dropped == 2
    while bench.links["sealer"].try_send(verdict(3)):
        pass
    bench.service.step()
    assert bench.me.facts["dropped"] == 2  # not told: sealer's queue is full
    bench.heard_by("sealer")
    bench.service._give([verdict(602)])
    clock[0] += 10.0
    told = [one for one in bench.hears() if isinstance(one, Health)]
    assert [(one.kind, one.compartment, one.count, one.detail) for one in told] == [
        ("unsealed", "verdict", 3, "dropped")
    ]
    assert bench.me.facts["dropped"] == 0
    clock[0] += 10.0
    assert [one for one in bench.hears() if isinstance(one, Health)] == []


def test_a_successor_tells_what_was_dropped_before_it(descriptor: int) -> None:
    kept = persistence.to_bytes(Judge({}, None, stream="test").snapshot(), [], set(), False, dropped=4)
    memory.Memory(os.dup(descriptor)).save(kept)
    told = [one for one in Bench(descriptor).hears() if isinstance(one, Health)]
    assert [(one.kind, one.count) for one in told] == [("unsealed", 4)]


def test_an_unsound_verdict_is_reported_and_the_others_go_out(descriptor: int) -> None:
    bench = Bench(descriptor)
    bench.service._give([UNSOUND, verdict(1)])
    assert (unstored(bench), bench.heard_by("recorder")) == (["test:1:2:1"], [verdict(1)])
    bench.heard_by("sealer")
    (health,) = [one for one in bench.hears() if isinstance(one, Health)]
    assert (health.kind, health.compartment, health.count, health.detail) == (
        "invalid_message",
        "verdict",
        1,
        "verdict_out_of_bounds",
    )
    assert abs(health.at_ms - time.time() * 1000) < 60_000


def test_the_reports_that_wait_are_bounded(descriptor: int) -> None:
    bench = Bench(descriptor)
    for _ in range(17):
        bench.service._give([UNSOUND])
    assert len(bench.hears()) == 16
    bench.service._give([UNSOUND])
    assert len(bench.hears()) == 1


def test_without_a_sound_verdict_nothing_is_sent_and_the_judge_is_remembered_with_the_next_step(
    descriptor: int,
) -> None:
    bench = Bench(descriptor)
    bench.service._give([])
    assert bench.remembers() == b""
    bench.service.step()
    assert persistence.from_bytes(bench.remembers()).judge == bench.service._judge.snapshot()
    memory.Memory(os.dup(descriptor)).save(b"untouched")
    bench.service.step()
    assert bench.remembers() == b"untouched"


def test_a_sealer_that_is_slow_gets_all_of_it_later(descriptor: int, clock: list[float]) -> None:
    bench = Bench(descriptor)
    bench.service._give([UNSOUND, verdict(1), verdict(2)])
    while bench.links["sealer"].try_send(verdict(3)):
        pass
    bench.service.step()
    assert Health not in [type(one) for one in bench.heard_by("sealer")]
    clock[0] += 1.0
    heard = bench.hears()
    assert [type(one) for one in heard] == [Health, Verdict, Verdict]
    assert heard[1:] == [verdict(1), verdict(2)]


# --- a successor --------------------------------------------------------------------------------------------------


def test_a_successor_knows_the_judges_state_and_what_has_ended(descriptor: int) -> None:
    first = Bench(descriptor)
    first.say(FixesEnd(), "position")
    first.service.step()
    second = Bench(descriptor)
    assert second.service._judge._state.fixes_ended
    assert [one for one in second.hears() if isinstance(one, Health)] == []


@pytest.mark.parametrize(
    ("judge", "kept", "lost"),
    [
        (Judge({}, None, stream="test").snapshot(), VERDICT, 0),
        (Judge({}, None, stream="other").snapshot(), VERDICT, 1),
        (Judge({}, None, stream="test").snapshot(), UNSOUND, 1),
    ],
)
def test_a_loss_is_told_once_whatever_is_lost(descriptor: int, judge: bytes, kept: Verdict, lost: int) -> None:
    remember(descriptor, judge, kept)
    bench = Bench(descriptor)
    heard = [(one.kind, one.detail) for one in bench.hears() if isinstance(one, Health)]
    assert heard == [("restarted", "memory_lost")] * lost
    assert [one for one in bench.hears() if isinstance(one, Health)] == []


def test_what_happened_first_is_told_first(descriptor: int) -> None:
    remember(descriptor, b"spoilt")
    bench = Bench(descriptor)
    bench.service._give([UNSOUND])
    assert [one.kind for one in bench.hears() if isinstance(one, Health)] == ["restarted", "invalid_message"]


def test_a_first_start_has_lost_nothing(descriptor: int) -> None:
    assert Bench(descriptor).hears() == []


def test_it_waits_for_warden_and_tells_the_recorder_again_before_it_serves(descriptor: int) -> None:
    remember(descriptor, Judge({}, None, stream="test").snapshot(), verdict(1), verdict(2))
    bench = Bench(descriptor)
    done: list[str] = []

    def ready() -> Go:
        done.append("ready")
        return Go(UTC_S * 1000)

    def serve(handlers: dict[Any, Any], *, tick: Any) -> None:
        done.append("serve")
        assert {link.peer for link in handlers} == {"perception", "codes", "position", "indicator", "sealer"}
        assert tick.__func__ is VerdictService.step
        assert bench.heard_by("recorder") == [verdict(1), verdict(2)]

    def serve_until(settled: Any, handlers: dict[Any, Any], **said: Any) -> None:
        done.append("hand over")
        assert not settled() and {link.peer for link in handlers} == {"sealer"}

    settings = VerdictSettings(None, "test", True, {"far": 0.5})
    own = {"settings": lambda kind: settings, "ready": ready, "serve": serve, "serve_until": serve_until}
    me = SimpleNamespace(**vars(bench.me) | own)
    main(me)  # type: ignore[arg-type]
    assert done == ["ready", "serve", "hand over"]
