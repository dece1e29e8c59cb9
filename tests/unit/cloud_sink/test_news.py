"""The event stream, the map's scales, and the socket that the page is served on."""

from __future__ import annotations

import asyncio
import signal
import socket

import pytest
from msgspec.structs import replace
from starlette.applications import Starlette

from cloud_sink.errors import PortTakenError, SetupError, StoreError
from cloud_sink.simulator import DEFAULT_CODE
from cloud_sink.web import live
from cloud_sink.web.live import KEEPALIVE_S, MAX_LISTENERS, Feed
from cloud_sink.web.plan import EARTH_RADIUS_M, REACH_UNITS, SCALE_UNITS, SCALES_M, PlanView, metres, plan
from cloud_sink.web.server import Server, listen
from wire.events import PlaceEvent

# --- news -------------------------------------------------------------------------------------------------------------


def test_an_event_is_exactly_these_bytes() -> None:
    async def first() -> bytes:
        return await anext(Feed().stream(lambda: 7))

    assert asyncio.run(first()) == b'retry: 2000\nevent: news\ndata: {"last": 7}\n\n'


def test_a_quiet_stream_says_now_and_then_that_it_is_still_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "KEEPALIVE_S", 0.01)

    async def listen_on() -> list[bytes]:
        feed = Feed()
        stream = feed.stream(lambda: 3)
        heard = [await anext(stream) for _ in range(3)]
        feed.announce()
        return [*heard, await anext(stream)]

    news, *quiet, again = asyncio.run(listen_on())
    assert quiet == [b": still here\n\n"] * 2
    assert again == news
    assert KEEPALIVE_S == 15.0


def test_a_waiting_listener_hears_of_news_and_of_the_end() -> None:
    async def wait() -> tuple[bytes, list[bytes]]:
        feed, rows = Feed(), [1]
        stream = feed.stream(lambda: rows[0])
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
        return failed, [part async for part in feed.stream(lambda: 0)], feed.full

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


# --- the map ----------------------------------------------------------------------------------------------------------


def at(north_m: float, east_m: float) -> PlanView:
    """The map of a code so many metres north and east of a vehicle on the equator."""
    degrees = 180.0 / 3.141592653589793 / EARTH_RADIUS_M
    return plan(replace(DEFAULT_CODE, lat=north_m * degrees, lon=east_m * degrees), PlaceEvent(0.0, 0.0, None, 1.0))


def test_the_maps_scale_is_the_smallest_of_1_2_5_that_reaches() -> None:
    assert (EARTH_RADIUS_M, SCALE_UNITS, REACH_UNITS) == (6_371_000.0, 25.0, 80.0)
    assert SCALES_M[:5] == (10, 20, 50, 100, 200)
    assert SCALES_M[-1] == 50_000_000
    assert [at(0, metres_).scale_m for metres_ in (0, 31.9, 32.1, 63.9, 64.1, 159, 161)] == [
        10,
        10,
        20,
        20,
        50,
        50,
        100,
    ]


@pytest.mark.parametrize(
    ("north_m", "east_m", "bearing", "x", "y"),
    [
        (20, 0, "north", 100.0, 50.0),
        (20, 20, "north-east", 150.0, 50.0),
        (0, 20, "east", 150.0, 100.0),
        (-20, 20, "south-east", 150.0, 150.0),
        (-20, 0, "south", 100.0, 150.0),
        (-20, -20, "south-west", 50.0, 150.0),
        (0, -20, "west", 50.0, 100.0),
        (20, -20, "north-west", 50.0, 50.0),
    ],
)
def test_the_map_has_eight_directions_north_up(north_m: float, east_m: float, bearing: str, x: float, y: float) -> None:
    view = at(north_m, east_m)
    assert (view.bearing, view.scale, view.scale_m) == (bearing, 25.0, 10)
    assert (view.x, view.y) == (pytest.approx(x, abs=0.11), pytest.approx(y, abs=0.11))
    assert view.distance_m == pytest.approx((north_m**2 + east_m**2) ** 0.5, abs=0.01)


def test_a_degree_of_longitude_is_shorter_away_from_the_equator() -> None:
    view = plan(replace(DEFAULT_CODE, lat=60.0, lon=0.001), PlaceEvent(60.0, 0.0, None, 1.0))
    assert view.distance_m == pytest.approx(55.6, abs=0.1)


def test_the_map_is_drawn_to_a_tenth_of_a_unit() -> None:
    view = at(3.3333, 7.7777)
    assert (view.x, view.y) == (round(view.x, 1), round(view.y, 1)) == (119.4, 91.7)


def test_a_distance_is_in_metres_below_a_kilometre() -> None:
    said = [metres(distance) for distance in (0.4, 999.4, 1000.0, 1234.5, 15_360_000.0)]
    assert said == ["0 m", "999 m", "1 km", "1.234 km", "1.536e+04 km"]


# --- the socket -------------------------------------------------------------------------------------------------------


def test_a_taken_port_is_told_apart_from_an_address_that_is_not_ours() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        assert first.family is socket.AF_INET
        with pytest.raises(PortTakenError, match="is taken") as taken:
            listen("127.0.0.1", port)
    assert str(port) in str(taken.value)
    with pytest.raises(SetupError, match="cannot listen on") as refused:
        listen("192.0.2.1", 0)  # TEST-NET-1
    assert not isinstance(refused.value, PortTakenError)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_an_ipv6_address_is_listened_on_as_one() -> None:
    with listen("::1", 0) as listening:
        assert listening.family is socket.AF_INET6


def test_the_server_tells_nothing_of_itself_and_believes_no_proxy() -> None:
    server = Server(Starlette())
    config = server.config
    assert (config.http, config.ws, config.lifespan) == ("h11", "none", "off")
    assert (config.access_log, config.server_header, config.proxy_headers) == (False, False, False)
    assert (config.limit_concurrency, config.timeout_keep_alive, config.timeout_graceful_shutdown) == (256, 10, 3)
    assert config.log_level == "warning"


def test_the_server_says_when_it_is_up_and_leaves_the_signals_alone() -> None:
    async def start() -> tuple[bool, bool]:
        server = Server(Starlette())
        before, handler = server.up.is_set(), signal.getsignal(signal.SIGTERM)
        with listen("127.0.0.1", 0) as listening:
            with server.capture_signals():
                assert signal.getsignal(signal.SIGTERM) is handler
            serving = asyncio.create_task(server.serve([listening]))
            await server.up.wait()
            up = server.started
            server.should_exit = True
            await serving
        return before, up

    assert asyncio.run(start()) == (False, True)
