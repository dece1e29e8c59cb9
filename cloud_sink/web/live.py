"""News from the receiver to the open pages: server-sent events (WHATWG HTML, section 9.2).

An event says only that there is news, and the latest envelope's row; the page then asks for what it shows. So a page
that was asleep misses nothing, and a burst of verdicts costs one refresh. An event's id names the state of what is
known: who connects again with the id of the present state (`Last-Event-ID`) is told nothing, and whoever cannot hold a
stream compares the same word now and then (`/api/news`).
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Final

from cloud_sink.errors import StoreError

MAX_LISTENERS = 64
KEEPALIVE_S = 15.0
"""Proxies give a connection up on which nothing came for a while: nginx after 60 seconds."""
HEADERS: Final = {
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",  # nginx would keep the events back until its buffer is full
}
_OPENING: Final = b":" + b" " * 2048 + b"\n\n"
"""A comment, at once: the page knows that it is connected, and what buffers by size lets the next event through."""
_BEAT: Final = b"event: beat\ndata: {}\n\n"
"""An event and no comment: the page's script hears it, and so knows a dead connection by its silence."""


class Feed:
    """A counter that goes up with all news, and the streams that wait for it. All in one event loop."""

    def __init__(self) -> None:
        self._version = 0
        self._start = secrets.token_hex(4)  # the counter of another start is another
        self._closed = False
        self._news = asyncio.Event()
        self._listeners = 0

    @property
    def version(self) -> str:
        """A word for the state of what is known; it is another whenever there is news."""
        return f"{self._start}-{self._version}"

    def announce(self) -> None:
        """There is news. Call in the loop."""
        self._version += 1
        news, self._news = self._news, asyncio.Event()
        news.set()

    def close(self) -> None:
        """End every stream, so that the server can end."""
        self._closed = True
        self.announce()

    @property
    def full(self) -> bool:
        """Whether there are as many listeners as may be served."""
        return self._listeners >= MAX_LISTENERS

    async def stream(self, last_row: Callable[[], int], seen: str = "") -> AsyncIterator[bytes]:
        """The bytes of one listener's event stream, from now on.

        Args:
            last_row: reads the database.
            seen: the version that the listener knows, "" where it knows none.
        """
        self._listeners += 1
        try:
            yield _OPENING
            if seen == self.version:
                yield _BEAT
            while not self._closed:
                if seen != self.version:
                    seen = self.version
                    try:
                        data = json.dumps({"last": await asyncio.to_thread(last_row)})
                    except StoreError:
                        return  # the page says why; the browser connects again by itself
                    yield f"retry: 2000\nid: {seen}\nevent: news\ndata: {data}\n\n".encode()
                    continue
                try:
                    await asyncio.wait_for(self._news.wait(), KEEPALIVE_S)
                except TimeoutError:
                    yield _BEAT
        finally:
            self._listeners -= 1
