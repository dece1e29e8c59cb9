"""A receiver's page over a real database, asked without a socket."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from cloud_sink.archive import Archive, DeviceFacts, StoredHealth, StoredVerdict
from cloud_sink.mqtt import BrokerState
from cloud_sink.receiver import Accepted, Receiver
from cloud_sink.simulator import EPOCH_MS, PretendDevice, PublishedEnvelope, SimulatedFleet, health, verdict
from cloud_sink.store import Store
from cloud_sink.web.app import Sources, make_app
from cloud_sink.web.live import Feed
from wire.events import Event

QUIET = DeviceFacts("cam-one", EPOCH_MS, 7, 6, (), (), {}, {}, {}, None)
WHEN = datetime.fromtimestamp(EPOCH_MS / 1000, UTC)


def stored_health(kind: str = "restarted", row_id: int = 3, **fields: object) -> StoredHealth:
    event = health(kind, **fields)
    return StoredHealth(row_id, "cam-one", 2, bytes(32), bytes(32), bytes(16), 900, event, EPOCH_MS + 5000)


def stored_verdict(state: str = "FORGED", row_id: int = 4, **fields: object) -> StoredVerdict:
    event = verdict(state, **fields)
    return StoredVerdict(row_id, "cam-one", 3, bytes(32), bytes(32), bytes(16), 1600, event, EPOCH_MS + 7000)


def accepted(receiver: Receiver, message: PublishedEnvelope) -> Accepted:
    """Give the receiver what it must accept."""
    decision = receiver.handle(message.topic, message.sealed)
    assert isinstance(decision, Accepted)
    return decision


def changed(path: Path, *statements: str) -> None:
    """Change the database at `path` as somebody with the file in hand can."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


def asked(path: Path, query: str) -> list[tuple[Any, ...]]:
    """What another program reads in the database at `path`."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        return db.execute(query).fetchall()


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Site:
    """The whole web side over a real database. `broker` may be replaced."""

    world: SimulatedFleet
    store: Store
    feed: Feed
    broker: BrokerState = field(default_factory=lambda: BrokerState("connected", 1))
    enrolled: tuple[str, ...] = ("cam-one",)
    user_header: str = ""
    root: str = ""

    def __post_init__(self) -> None:
        self.receiver = self.world.receiver(self.store)
        self.camera = self.world.enrol("cam-one")
        sources = Sources(
            Archive(self.store.path), self.feed, lambda: self.broker, lambda: self.enrolled, lambda: self.world.now_ms
        )
        self.app = make_app(sources, ["receiver.example"], user_header=self.user_header, root=self.root)

    def report(self, event: Event, device: PretendDevice | None = None) -> None:
        message = (device or self.camera).seal(event)
        self.receiver.handle(message.topic, message.sealed)
        self.receiver.settle()

    def get(self, target: str, host: str | None = "127.0.0.1:8620", method: str = "GET") -> Answer:
        lines = [] if host is None else [(b"host", host.encode())]
        return asyncio.run(self._ask(target, method, lines, b""))

    def post(self, target: str, body: str | dict[str, Any], **headers: str) -> Answer:
        """A form, as a page of ours sends it; `headers` replace or add some, with _ for -."""
        sent = {
            "host": "127.0.0.1:8620",
            "sec_fetch_site": "same-origin",
            "content_type": "application/x-www-form-urlencoded",
            **headers,
        }
        lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in sent.items()]
        form = body if isinstance(body, str) else urlencode(body)
        return asyncio.run(self._ask(target, "POST", lines, form.encode()))

    async def _ask(self, target: str, method: str, headers: list[tuple[bytes, bytes]], body: bytes) -> Answer:
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8620),
        }
        answer = Answer(0, {}, b"")

        asked = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> dict[str, Any]:
            for message in asked:
                return message
            return await asyncio.Future()  # the browser stays

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            else:
                answer.body += message.get("body", b"")

        await self.app(scope, receive, send)
        return answer
