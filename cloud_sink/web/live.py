"""News from the receiver to the open pages: server-sent events (WHATWG HTML, section 9.2).

An event says only that there is news, and the latest envelope's row; the page then asks for what it shows. So a page
that was asleep misses nothing, and a burst of verdicts costs one refresh.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

from cloud_sink.errors import StoreError

MAX_LISTENERS = 64
KEEPALIVE_S = 15.0


class Feed:
    """A counter that goes up with all news, and the streams that wait for it. All in one event loop."""

    def __init__(self) -> None:
        self._version = 0
        self._closed = False
        self._news = asyncio.Event()
        self._listeners = 0

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

    async def stream(self, last_row: Callable[[], int]) -> AsyncIterator[bytes]:
        """The bytes of one listener's event stream, from now on. `last_row` reads the database."""
        self._listeners += 1
        try:
            seen = -1
            while not self._closed:
                if seen != self._version:
                    seen = self._version
                    try:
                        data = json.dumps({"last": await asyncio.to_thread(last_row)})
                    except StoreError:
                        return  # the page says why; the browser connects again by itself
                    yield f"retry: 2000\nevent: news\ndata: {data}\n\n".encode()
                    continue
                try:
                    await asyncio.wait_for(self._news.wait(), KEEPALIVE_S)
                except TimeoutError:
                    yield b": still here\n\n"
        finally:
            self._listeners -= 1
