"""One run of the receiver: the only one in its home, ready when both sides are, ended by a signal; and silence."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import ssl
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from cloud_sink import serve as serving
from cloud_sink.errors import AlreadyServingError, SetupError
from cloud_sink.keys import EnrolledDevices
from cloud_sink.lock import only_one
from cloud_sink.mqtt import BrokerState
from cloud_sink.serve import LOOPBACK, Serving, Settings, now_ms, serve
from cloud_sink.simulator import SimulatedFleet, health
from cloud_sink.store import SCHEMA_VERSION, Store
from demo.broker import free_port
from identity import Home
from program.ending import ENDING_SIGNALS
from tests.support.sink_samples import accepted, changed

TAKEN = AlreadyServingError("another sealcam-sink serves here already", "end it first")
HERE = ("127.0.0.1", 1)


class Bench:
    """A `Serving` over a database of its own, made inside a loop; `cam-one` is enrolled and long silent."""

    def __init__(self, folder: Path, store: Store, host: str = "127.0.0.1") -> None:
        world = SimulatedFleet()
        camera = world.enrol("cam-one")
        accepted(world.receiver(store), camera.seal(health("started", "sealer", detail="camera")))
        stranger = world.enrol("cam-two")
        accepted(world.receiver(store), stranger.seal(health("alive", "sealer")))
        (folder / "devices").mkdir(exist_ok=True)
        key = folder / "devices" / "cam-one.pub"
        key.write_text(camera.key.public_key().public_bytes_raw().hex())
        key.chmod(0o600)
        self.key, self.store = key, store
        settings = Settings(folder, HERE, host, 8620)
        self.serving = Serving(
            settings, world.receiver(store), ssl.create_default_context(), EnrolledDevices(folder / "devices")
        )
        self.news = 0
        announce = self.serving._feed.announce

        def counted() -> None:
            self.news += 1
            announce()

        self.serving._feed.announce = counted  # type: ignore[method-assign]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(Settings(tmp_path, HERE, "", 0).database) as made:
        yield made


# --- one at a time ----------------------------------------------------------------------------------------------------


def test_one_holds_the_lock_and_lets_go_of_it(tmp_path: Path) -> None:
    lock = tmp_path / "serve.lock"
    with only_one(lock, TAKEN):
        with pytest.raises(AlreadyServingError, match="another sealcam-sink"), only_one(lock, TAKEN):
            pytest.fail("two at once")
        with pytest.raises(AlreadyServingError), only_one(lock, TAKEN):
            pytest.fail("two at once")
    with suppress(ZeroDivisionError), only_one(lock, TAKEN):
        raise ZeroDivisionError
    with only_one(lock, TAKEN):
        assert lock.stat().st_mode & 0o777 == 0o600


def test_a_lock_that_cannot_be_made_or_is_a_link_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for lock in (tmp_path / "none" / "serve.lock", tmp_path / "link"):
        with pytest.raises(SetupError, match="cannot write"), only_one(lock, TAKEN):
            pytest.fail("no lock")
    assert not (tmp_path / "elsewhere").exists()


def test_the_time_is_in_unix_milliseconds() -> None:
    assert abs(now_ms() - time.time() * 1000) < 5000


# --- ready ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("host", "address"), [("127.0.0.1", "http://127.0.0.1:8620/"), ("::1", "http://[::1]:8620/")])
def test_the_page_is_told_as_soon_as_it_is_up_and_ready_when_the_broker_is_too(
    tmp_path: Path, store: Store, host: str, address: str
) -> None:
    async def start(first: str) -> list[list[str]]:
        bench, said = Bench(tmp_path / first, store_of(tmp_path / first), host), []
        own = bench.serving
        own._tried.set()
        announcing = asyncio.create_task(own._announce(said.append))
        after = []
        for side in (own._server.up, own._subscribed) if first == "page" else (own._subscribed, own._server.up):
            await asyncio.sleep(0.01)
            after.append(list(said))
            side.set()
        await asyncio.sleep(0)
        await announcing
        return [*after, said]

    def store_of(folder: Path) -> Store:
        folder.mkdir()
        opened.append(Store(folder / "sink.db"))
        return opened[-1]

    opened: list[Store] = []
    page, ready = f"page {address}", f"ready {address}"
    assert asyncio.run(start("page")) == [[], [page], [page, ready]]
    assert asyncio.run(start("broker")) == [[], [], [page, ready]]
    for made in opened:
        made.close()


def test_the_page_waits_for_the_first_try_to_reach_the_broker_but_not_for_long(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def told() -> tuple[list[str], list[str]]:
        bench, said = Bench(tmp_path, store), list[str]()
        bench.serving._loop = asyncio.get_running_loop()
        bench.serving._server.up.set()
        announcing = asyncio.create_task(bench.serving._announce(said.append))
        await asyncio.sleep(0.01)
        before = list(said)
        monkeypatch.setattr(serving, "FIRST_TRY_S", 0.0)
        patient = asyncio.create_task(bench.serving._announce(said.append))
        async with asyncio.timeout(60):
            while not said:
                await asyncio.sleep(0.001)
        announcing.cancel()
        patient.cancel()
        return before, said

    assert asyncio.run(told()) == ([], ["page http://127.0.0.1:8620/"])


def test_the_first_signal_ends_in_order_and_the_second_ends_at_once(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    monkeypatch.setattr(serving, "end_at_once", ended.append)
    before = {number: signal.getsignal(number) for number in ENDING_SIGNALS}

    async def twice() -> tuple[bool, list[str]]:
        own = Bench(tmp_path, store).serving
        own._loop = asyncio.get_running_loop()
        own._loop.add_signal_handler(signal.SIGINT, own._end)
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.wait_for(own._ending.wait(), 20)
        for _ in range(2):  # the second comes with the first, as from timeout(1); the third is another wish
            first = list(ended)
            os.kill(os.getpid(), signal.SIGINT)
        return own._ending.is_set(), first

    try:
        assert asyncio.run(twice()) == (True, [])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert ended == ["sealcam-sink"]


def test_each_change_of_the_thread_is_news_and_some_mean_more(tmp_path: Path, store: Store) -> None:
    async def changes() -> list[tuple[bool, bool, int]]:
        bench = Bench(tmp_path, store)
        own, seen = bench.serving, []
        own._changed()  # before the loop is known: nothing to wake
        own._loop = asyncio.get_running_loop()
        for phase in ("unreachable", "connected", "stopped"):
            own._subscriber.state = BrokerState(phase, 1)  # type: ignore[arg-type]
            own._changed()
            await asyncio.sleep(0.01)
            seen.append((own._subscribed.is_set(), own._ending.is_set(), bench.news))
        return seen

    assert asyncio.run(changes()) == [(False, False, 1), (True, False, 2), (True, True, 3)]


# --- silence ----------------------------------------------------------------------------------------------------------


def test_only_enrolled_devices_are_called_silent(tmp_path: Path, store: Store) -> None:
    async def silent() -> set[str]:
        return Bench(tmp_path, store).serving._silent()

    assert asyncio.run(silent()) == {"cam-one"}


def test_a_device_that_falls_silent_or_speaks_again_is_news_once(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert serving.LOOK_FOR_SILENCE_S == 30.0
    monkeypatch.setattr(serving, "LOOK_FOR_SILENCE_S", 0.001)

    async def watch() -> list[int]:
        bench = Bench(tmp_path, store)
        looks, seen = 0, []
        look = bench.serving._silent

        def counted() -> set[str]:
            nonlocal looks
            looks += 1
            return look()

        bench.serving._silent = counted  # type: ignore[method-assign]
        watching = asyncio.create_task(bench.serving._watch())

        async def rounds() -> None:
            until = looks + 3
            while looks < until:
                await asyncio.sleep(0.001)
            seen.append(bench.news)

        changed(store.path, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
        await rounds()
        changed(store.path, f"PRAGMA user_version = {SCHEMA_VERSION}")
        await rounds()
        changed(store.path, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
        await rounds()
        changed(store.path, f"PRAGMA user_version = {SCHEMA_VERSION}")
        await rounds()
        changed(store.path, "UPDATE envelope SET received_ms = 99999999999999")
        await rounds()
        watching.cancel()
        return seen

    assert asyncio.run(watch()) == [0, 1, 1, 1, 2]
    assert caplog.text.count("cam-one is silent") == 1
    assert "cam-two" not in caplog.text
    assert "not a database of this Sealcam version" in caplog.text


# --- a whole run ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104
def test_a_run_serves_its_page_until_a_signal_and_warns_where_others_can_read_it(
    home: Home, host: str, number: signal.Signals, caplog: pytest.LogCaptureFixture
) -> None:
    assert LOOPBACK == ("127.0.0.1", "::1", "localhost")
    port, statuses = free_port(), []

    def visit() -> None:
        give_up = time.monotonic() + 20
        while not statuses and time.monotonic() < give_up:
            request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Host": "page.example"})
            with suppress(OSError), urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
                statuses.append(answer.status)
            time.sleep(0.02)
        os.kill(os.getpid(), number)

    visitor = threading.Thread(target=visit)
    visitor.start()
    caplog.set_level(logging.DEBUG)
    serve(Settings(home.sink, ("127.0.0.1", free_port()), host, port, ("page.example",)), lambda _: None)
    visitor.join()
    assert statuses == [200]
    assert ("can be read by anyone" in caplog.text) is (host != "127.0.0.1")
    assert "no longer connected" in caplog.text
    with only_one(home.sink / "serve.lock", TAKEN):
        assert (home.sink / "sink.db").is_file()
