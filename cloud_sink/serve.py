"""`sealcam-sink serve`: the receiving thread, the page, and how they start and end together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from cloud_sink.archive import Archive
from cloud_sink.errors import AlreadyServingError, SetupError, StoreError
from cloud_sink.keys import EnrolledDevices, sink_keys, tls_context
from cloud_sink.lock import only_one
from cloud_sink.mqtt import Subscriber
from cloud_sink.receiver import Receiver
from cloud_sink.silence import silent_since
from cloud_sink.store import Store
from cloud_sink.web.app import Sources, make_app
from cloud_sink.web.live import Feed
from cloud_sink.web.server import Server, listen
from program.ending import ENDING_SIGNALS, StopWish, StopWord, end_at_once

LOOPBACK = ("127.0.0.1", "::1", "localhost")
FIRST_TRY_S = 3.0
"""So long the page's address waits for the first try to reach the broker: a foreign broker ends the start before it."""
THREAD_ENDS_WITHIN_S = 5.0
LOOK_FOR_SILENCE_S = 30.0

_log = logging.getLogger("sealcam-sink")


@dataclass(frozen=True)
class Settings:
    """What the command line says. `folder`: `sink/` of the data home; `names`, `user_header`, `root`: as `make_app`."""

    folder: Path
    broker: tuple[str, int]
    host: str
    port: int
    names: tuple[str, ...] = ()
    user_header: str = ""
    root: str = ""

    @property
    def database(self) -> Path:
        """Where everything is stored."""
        return self.folder / "sink.db"


def now_ms() -> int:
    """The time, unix milliseconds."""
    return time.time_ns() // 1_000_000


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Receive and show until SIGTERM or SIGINT.

    `say` gets "page ADDRESS" once the page can be opened, with or without a broker, and "ready ADDRESS" once the broker
    is connected too. A broker that is away or goes away is tried again for ever; one that answers the first try and
    cannot prove who it is ends the start, because nothing but a person mends that.

    Raises SetupError, and KeysError of `identity`, each with the sentence for the user.
    """
    keys, tls = sink_keys(settings.folder), tls_context(settings.folder)
    devices = EnrolledDevices(settings.folder / "devices")
    taken = AlreadyServingError(
        f"another sealcam-sink serves {settings.folder} already", "open its page, or end it first"
    )
    with only_one(settings.folder / "serve.lock", taken), _opened(settings.database) as store:
        receiver = Receiver(store, keys, devices, now_ms)
        with listen(settings.host, settings.port) as listening:
            if settings.host not in LOOPBACK:
                _log.warning("the page at %s can be read by anyone who reaches this machine", settings.host)
            asyncio.run(Serving(settings, receiver, tls, devices).run(listening, say))


def _opened(database: Path) -> Store:
    """The store. Raises SetupError where it cannot be opened: nothing was run then."""
    try:
        return Store(database)
    except StoreError as error:
        raise SetupError(error.sentence, error.remedy) from None


class Serving:
    """One run: the receiving thread and the server, from start to end."""

    def __init__(self, settings: Settings, receiver: Receiver, tls: ssl.SSLContext, devices: EnrolledDevices) -> None:
        self._settings = settings
        self._feed = Feed()
        self._tried = asyncio.Event()
        self._subscribed = asyncio.Event()
        self._ending = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        authority = str(settings.folder / "ca.crt")
        self._subscriber = Subscriber(
            settings.broker, tls, receiver, changed=self._changed, now_ms=now_ms, authority=authority
        )
        self._archive, self._enrolled = Archive(settings.database), devices.names
        sources = Sources(self._archive, self._feed, lambda: self._subscriber.state, self._enrolled, now_ms)
        self._server = Server(make_app(sources, settings.names, user_header=settings.user_header, root=settings.root))

    async def run(self, listening: socket.socket, say: Callable[[str], None]) -> None:
        """Until a signal, or until the thread ends by itself: then its failure, if any, is raised."""
        self._loop = asyncio.get_running_loop()
        for number in ENDING_SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # as nohup asks
                self._loop.add_signal_handler(number, self._end)
        serving = asyncio.create_task(self._server.serve([listening]))
        self._subscriber.start()
        announcing = asyncio.create_task(self._announce(say))
        watching = asyncio.create_task(self._watch())
        ending = asyncio.create_task(self._ending.wait())
        try:
            await asyncio.wait((serving, ending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            announcing.cancel()
            watching.cancel()
            ending.cancel()
            self._subscriber.stop()
            self._feed.close()
            self._server.should_exit = True
            await serving
            await asyncio.to_thread(self._subscriber.join, THREAD_ENDS_WITHIN_S)
        if self._subscriber.failure is not None:
            raise self._subscriber.failure

    def _end(self) -> None:
        """The first signal ends in order; a further wish to stop ends this process, whatever it waits for."""
        wish = StopWish()
        wish.signal()

        def further(number: int, frame: FrameType | None) -> None:
            if wish.signal() is StopWord.AT_ONCE:
                end_at_once("sealcam-sink")

        if self._loop is not None:
            for number in ENDING_SIGNALS:
                if self._loop.remove_signal_handler(number):
                    signal.signal(number, further)
        self._ending.set()

    async def _announce(self, say: Callable[[str], None]) -> None:
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        address = f"http://{host}:{self._settings.port}/"
        await self._server.up.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._tried.wait(), FIRST_TRY_S)
        say(f"page {address}")
        await self._subscribed.wait()
        say(f"ready {address}")

    async def _watch(self) -> None:
        """Log each device that falls silent, and announce it to the pages: no message arrives then that would."""
        before: set[str] = set()
        while True:
            await asyncio.sleep(LOOK_FOR_SILENCE_S)
            try:
                silent = await asyncio.to_thread(self._silent)
            except StoreError as error:
                _log.warning("%s", error)
                continue
            for device_id in sorted(silent - before):
                _log.warning("%s is silent, and did not say that it stops; see its page", device_id)
            if silent != before:
                self._feed.announce()
            before = silent

    def _silent(self) -> set[str]:
        enrolled, now = self._enrolled(), now_ms()
        found = (device for device in self._archive.devices() if device.device_id in enrolled)
        return {device.device_id for device in found if silent_since(device, now) is not None}

    def _changed(self) -> None:
        """Called in the receiving thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._on_change)

    def _on_change(self) -> None:
        phase = self._subscriber.state.phase
        if phase not in ("connecting", "stopped"):
            self._tried.set()
        if phase == "connected":
            self._subscribed.set()
        if phase == "stopped":
            self._ending.set()
        self._feed.announce()
