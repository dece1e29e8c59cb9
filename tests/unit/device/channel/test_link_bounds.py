"""What a peer can do to a link: nothing but fill its own queue. Sending never waits, and a flood is dropped."""

from __future__ import annotations

from device.channel.link import MOST_WAITING, Link, pair
from device.channel.messages import FrameDone, StreamEnd, Tamper
from device.confine.policy import Permit


def ends(**permit: float) -> tuple[Link, Link]:
    a, b = pair()
    limits: dict[str, object] = dict(permit)
    permits = {
        Tamper: Permit(["running"], **limits),  # type: ignore[arg-type]
        FrameDone: Permit(["running"]),
        StreamEnd: Permit(["running"]),
    }
    return Link("peer", a), Link("flooder", b, permits=permits)


def taken(link: Link, most: int) -> list[object]:
    return [message for _ in range(most) if (message := link.receive()) is not None]


def test_beyond_its_rate_a_message_is_dropped_and_counted_and_others_pass() -> None:
    sender, receiver = ends(per_second=0.001, burst=3)
    for n in range(20):
        assert sender.try_send(Tamper(True, n))
    assert sender.try_send(FrameDone(7))
    assert taken(receiver, 21) == [Tamper(True, 0), Tamper(True, 1), Tamper(True, 2), FrameDone(7)]
    assert (receiver.flooded, receiver.invalid) == (17, 0)


def test_what_has_no_rate_is_never_dropped() -> None:
    sender, receiver = ends()
    for n in range(200):
        assert sender.try_send(FrameDone(n))
    assert taken(receiver, 201) == [FrameDone(n) for n in range(200)]


def test_a_peer_that_does_not_read_makes_nobody_wait_and_gets_all_in_order_when_it_does() -> None:
    sender, receiver = ends()
    sent = 0
    while not sender.waiting:
        assert sender.post(FrameDone(sent))
        sent += 1
    for _ in range(20):
        assert sender.post(FrameDone(sent))
        sent += 1
    got = taken(receiver, 100)
    assert not sender.clear() or not sender.waiting
    while len(got) < sent:
        got += taken(receiver, 100)
        sender.clear()
    assert got == [FrameDone(n) for n in range(sent)] and sender.lost == 0


def test_what_waits_for_a_peer_that_never_reads_is_bounded_and_counted() -> None:
    sender, _ = ends()
    while not sender.waiting:
        sender.post(FrameDone(1))
    posted = [sender.post(FrameDone(1)) for _ in range(2 * MOST_WAITING)]
    assert (sender.waiting, sender.lost) == (MOST_WAITING, MOST_WAITING + 1)
    assert posted.count(False) == sender.lost


def test_what_a_peer_has_not_read_is_known_by_the_kernels_word() -> None:
    sender, receiver = ends()
    assert sender.unread() == 0
    sender.try_send(FrameDone(1))
    assert sender.unread() > 0
    receiver.receive()
    assert sender.unread() == 0
