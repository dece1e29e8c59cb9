"""A token bucket: a burst, and then no more than the rate."""

from __future__ import annotations

from device.channel.rate import Bucket


def test_a_burst_passes_and_then_the_rate() -> None:
    bucket = Bucket(per_second=2.0, burst=5)
    assert [bucket.take(100.0) for _ in range(7)] == [True] * 5 + [False] * 2
    assert [bucket.take(100.0 + n / 10) for n in range(1, 21)].count(True) == 4


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    bucket = Bucket(per_second=2.0, burst=3)
    assert bucket.take(0.0)
    assert [bucket.take(1e9) for _ in range(5)] == [True] * 3 + [False] * 2


def test_to_ask_takes_nothing_and_a_clock_that_stands_gives_nothing() -> None:
    bucket = Bucket(per_second=1.0, burst=1)
    assert all(bucket.has_room(5.0) for _ in range(10))
    assert bucket.take(5.0) and not bucket.has_room(5.0)
