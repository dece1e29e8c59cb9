"""The event stream: its bytes, its end, and how many may listen."""

from __future__ import annotations

import asyncio
import re

import pytest

from cloud_sink.errors import StoreError
from cloud_sink.web import live
from cloud_sink.web.live import KEEPALIVE_S, MAX_LISTENERS, Feed


def test_an_event_is_exactly_these_bytes() -> None:
    async def first() -> tuple[str, bytes, bytes]:
        feed = Feed()
        stream = feed.stream(lambda: 7)
        return feed.version, await anext(stream), await anext(stream)

    version, opening, news = asyncio.run(first())
    assert re.fullmatch(r"[0-9a-f]{8}-0", version)
    assert opening == b":" + b" " * 2048 + b"\n\n"
    assert news == f'retry: 2000\nid: {version}\nevent: news\ndata: {{"last": 7}}\n\n'.encode()


def test_who_knows_the_present_state_is_told_that_it_is_connected_and_no_news() -> None:
    async def again() -> list[bytes]:
        feed = Feed()
        feed.announce()
        heard = []
        for seen in (feed.version, f"{feed.version}0", "", "x\ny"):
            stream = feed.stream(lambda: 7, seen)
            await anext(stream)
            heard.append((await anext(stream)).partition(b"data")[0])
        return [part.rpartition(b"event: ")[2] for part in heard]

    assert asyncio.run(again()) == [b"beat\n", b"news\n", b"news\n", b"news\n"]


def test_each_start_and_each_news_is_another_version() -> None:
    first, second = Feed(), Feed()
    versions = {first.version, second.version}
    first.announce()
    assert len(versions | {first.version}) == 3


def test_a_quiet_stream_says_now_and_then_that_it_is_still_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "KEEPALIVE_S", 0.01)

    async def listen_on() -> list[bytes]:
        feed = Feed()
        stream = feed.stream(lambda: 3)
        await anext(stream)
        heard = [await anext(stream) for _ in range(3)]
        feed.announce()
        return [*heard, await anext(stream)]

    news, *quiet, again = asyncio.run(listen_on())
    assert quiet == [b"event: beat\ndata: {}\n\n"] * 2
    assert again.partition(b"event")[2] == news.partition(b"event")[2]
    assert KEEPALIVE_S == 15.0


def test_a_waiting_listener_hears_of_news_and_of_the_end() -> None:
    async def wait() -> tuple[bytes, list[bytes]]:
        feed, rows = Feed(), [1]
        stream = feed.stream(lambda: rows[0])
        await anext(stream)
        await anext(stream)
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        rows[0] = 2
        feed.announce()
        heard = await waiting
        ending = asyncio.ensure_future(_rest(stream))
        await asyncio.sleep(0)
        feed.close()
        return heard, await ending

    async def _rest(stream: object) -> list[bytes]:
        return [part async for part in stream]  # type: ignore[attr-defined]

    heard, rest = asyncio.run(wait())
    assert b'{"last": 2}' in heard
    assert rest == []


def test_a_closed_feed_says_nothing_and_a_failing_database_ends_a_stream() -> None:
    def fails() -> int:
        raise StoreError("cannot read")

    async def streams() -> tuple[list[bytes], list[bytes], bool]:
        feed = Feed()
        failed = [part async for part in feed.stream(fails)]
        feed.close()
        return failed[1:], [part async for part in feed.stream(lambda: 0)][1:], feed.full

    assert asyncio.run(streams()) == ([], [], False)


def test_a_feed_is_full_at_64_listeners_and_each_that_leaves_makes_room() -> None:
    async def crowd() -> list[bool]:
        feed, full = Feed(), []
        streams = [feed.stream(lambda: 0) for _ in range(64)]
        for stream in streams:
            full.append(feed.full)
            await anext(stream)
        full.append(feed.full)
        await streams[0].aclose()  # type: ignore[attr-defined]
        return [*full, feed.full]

    assert MAX_LISTENERS == 64
    assert asyncio.run(crowd()) == [*[False] * 64, True, False]
