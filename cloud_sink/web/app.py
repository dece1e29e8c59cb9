"""The routes: pages for people, JSON for programs, one event stream. All of them only read."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from cloud_sink.archive import Archive, StoredVerdict
from cloud_sink.errors import StoreError
from cloud_sink.mqtt import BrokerState
from cloud_sink.stats import stats
from cloud_sink.web import api
from cloud_sink.web.alerts import (
    ALERT_STATES,
    Alert,
    broker_alerts,
    device_alerts,
    loudest_first,
    tally_alerts,
    verdict_alerts,
)
from cloud_sink.web.devices import device_names, device_view, health_line
from cloud_sink.web.guard import Guard
from cloud_sink.web.live import HEADERS as STREAM_HEADERS
from cloud_sink.web.live import Feed
from cloud_sink.web.plan import metres, plan
from cloud_sink.web.verdicts import moment, sign, verdict_view
from cloud_sink.web.words import BROKER, STATES

PAGE_VERDICTS = 40
TOP_ALERTS = 6
ALL_ALERTS = 200
_ROW_ID = re.compile(r"[0-9]{1,16}")
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Sources:
    """Where the pages get what they show."""

    archive: Archive
    feed: Feed
    broker: Callable[[], BrokerState]
    enrolled: Callable[[], Collection[str]]
    now_ms: Callable[[], int]


class Pages:
    """The handlers. Those that read the database are plain functions, so the server runs them in its threads."""

    def __init__(self, sources: Sources) -> None:
        self._from = sources
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(STATES=STATES)
        self._templates.filters.update(metres=metres)

    def routes(self) -> list[Route | Mount]:
        """Every address that is served."""
        return [
            Route("/", self.overview),
            Route("/alerts", self.alerts),
            Route("/verdicts/{row_id}", self.verdict),
            Route("/devices/{device_id}", self.device),
            Route("/events", self.events),
            Route("/api/news", self.api_news),
            Route("/api/devices", self.api_devices),
            Route("/api/verdicts", self.api_verdicts),
            Route("/api/verdicts/{row_id}", self.api_verdict),
            Route("/api/alerts", self.api_alerts),
            Route("/api/stats", self.api_stats),
            Mount("/static", StaticFiles(directory=_HERE / "static")),
        ]

    # --- pages ------------------------------------------------------------------------------------------------------

    def overview(self, request: Request) -> Response:
        """Alerts on top, then verdicts as they come, and the devices."""
        archive, tallies = self._from.archive, self._from.archive.tallies()
        state = request.query_params.get("state")
        if state is not None and state not in STATES:
            raise HTTPException(404)
        before = _number(request, "before", 2**53)
        facts = {device.device_id: device for device in archive.devices()}
        alerts = self._alerts(TOP_ALERTS + 1)
        verdicts = archive.verdicts(before=before, limit=PAGE_VERDICTS + 1, states=[state] if state else [])
        enrolled, now_ms = self._from.enrolled(), self._from.now_ms()
        names = device_names(enrolled, facts.values())
        return self._page(
            "overview.html",
            alerts=alerts[:TOP_ALERTS],
            more_alerts=len(alerts) > TOP_ALERTS,
            verdicts=[verdict_view(stored) for stored in verdicts[:PAGE_VERDICTS]],
            older=verdicts[PAGE_VERDICTS - 1].row_id if len(verdicts) > PAGE_VERDICTS else None,
            paged="before" in request.query_params,
            chosen=state,
            counts={name: sum(device.states.get(name, 0) for device in facts.values()) for name in STATES},
            devices=[device_view(name, facts.get(name), tallies, now_ms, enrolled=name in enrolled) for name in names],
        )

    def alerts(self, request: Request) -> Response:
        """Every alert; of verdicts the latest `ALL_ALERTS` or so."""
        return self._page("alerts.html", alerts=self._alerts(ALL_ALERTS))

    def verdict(self, request: Request) -> Response:
        """One verdict in detail."""
        stored = self._stored(request)
        if stored is None:
            raise HTTPException(404)
        code, place = stored.event.code, stored.event.position
        return self._page(
            "verdict.html",
            view=verdict_view(stored),
            plan=plan(code, place) if code and place else None,
            link_holds=self._from.archive.link_holds(stored),
            code_sign=sign(code.class_id if code else None, "no code"),
            valid_from=moment(code.valid_from * 1000) if code else None,
            valid_until=moment(code.valid_until * 1000) if code else None,
        )

    def device(self, request: Request) -> Response:
        """One device in detail."""
        device_id = request.path_params["device_id"]
        facts = {device.device_id: device for device in self._from.archive.devices()}.get(device_id)
        enrolled, now_ms = device_id in self._from.enrolled(), self._from.now_ms()
        if facts is None and not enrolled:
            raise HTTPException(404)
        tallies = self._from.archive.tallies()
        alerts = [
            *(device_alerts(facts, now_ms, enrolled=enrolled) if facts else []),
            *tally_alerts(t for t in tallies if t.device_id == device_id),
        ]
        return self._page(
            "device.html",
            device=device_view(device_id, facts, tallies, now_ms, enrolled=enrolled),
            alerts=alerts,
            health=[health_line(stored) for stored in self._from.archive.health(device_id=device_id)],
            verdicts=[verdict_view(v) for v in self._from.archive.verdicts(device_id=device_id, limit=PAGE_VERDICTS)],
        )

    async def events(self, request: Request) -> Response:
        """News, as they come. Who was here before says in `Last-Event-ID` what it knows."""
        feed = self._from.feed
        if request.method == "HEAD":
            return Response(headers=STREAM_HEADERS, media_type="text/event-stream")
        if feed.full:
            return PlainTextResponse("Too many pages are open.\n", 503)
        stream = feed.stream(self._from.archive.last_row, request.headers.get("last-event-id", ""))
        return StreamingResponse(stream, headers=STREAM_HEADERS, media_type="text/event-stream")

    # --- JSON -------------------------------------------------------------------------------------------------------

    def api_news(self, request: Request) -> Response:
        """`{"version": WORD, "last": ID}`, for whoever cannot hold a stream: another word means that there is news."""
        return JSONResponse({"version": self._from.feed.version, "last": self._from.archive.last_row()})

    def api_devices(self, request: Request) -> Response:
        """`{"devices": [...]}`, enrolled devices that were never heard included."""
        facts = {device.device_id: device for device in self._from.archive.devices()}
        tallies = self._from.archive.tallies()
        names = device_names(self._from.enrolled(), facts.values())
        return JSONResponse({"devices": [api.device_json(name, facts.get(name), tallies) for name in names]})

    def api_verdicts(self, request: Request) -> Response:
        """`?after=ID&limit=N&state=S&device=D` -> `{"verdicts": [...], "next": ID}` in order of arrival."""
        after, limit = _number(request, "after", 0), _number(request, "limit", 100)
        state, device_id = request.query_params.get("state"), request.query_params.get("device")
        if state is not None and state not in STATES:
            raise HTTPException(400, f"state must be one of {', '.join(STATES)}")
        states = [state] if state else []
        found = self._from.archive.verdicts(
            after=after, limit=limit, newest_first=False, states=states, device_id=device_id
        )
        return JSONResponse(api.verdicts_json(found, after))

    def api_verdict(self, request: Request) -> Response:
        """One verdict."""
        stored = self._stored(request)
        if stored is None:
            raise HTTPException(404, "there is no such verdict")
        return JSONResponse(api.verdict_json(stored))

    def api_alerts(self, request: Request) -> Response:
        """`{"alerts": [...]}`, the receiver's own first, then the devices', then the signs', the latest first."""
        return JSONResponse({"alerts": [api.alert_json(alert) for alert in self._alerts(ALL_ALERTS)]})

    def api_stats(self, request: Request) -> Response:
        """The counts of `sealcam-sink stats`, and how the broker's connection stands."""
        state = self._from.broker()
        return JSONResponse({**stats(self._from.archive), "broker": state.phase, "broker_since_ms": state.since_ms})

    def _stored(self, request: Request) -> StoredVerdict | None:
        """The verdict that the address names, by at most 16 digits; None where there is none."""
        text = request.path_params["row_id"]
        return self._from.archive.verdict(int(text)) if _ROW_ID.fullmatch(text) else None

    # --- parts ------------------------------------------------------------------------------------------------------

    def _alerts(self, limit: int) -> list[Alert]:
        archive = self._from.archive
        verdicts = [verdict_view(stored) for stored in archive.verdicts(states=ALERT_STATES, limit=limit)]
        enrolled, now_ms = self._from.enrolled(), self._from.now_ms()
        of_devices = [
            alert
            for device in archive.devices()
            for alert in device_alerts(device, now_ms, enrolled=device.device_id in enrolled)
        ]
        return [
            *broker_alerts(self._from.broker()),
            *loudest_first([*of_devices, *tally_alerts(archive.tallies())]),
            *verdict_alerts(verdicts),
        ]

    def _page(self, template: str, status: int = 200, **values: Any) -> Response:
        broker, now = BROKER[self._from.broker().phase], moment(self._from.now_ms())
        return HTMLResponse(self._templates.get_template(template).render(broker=broker, now=now, **values), status)

    def failed(self, request: Request, error: Exception) -> Response:
        """The answer to a request that failed: a page, or JSON under /api/."""
        match error:
            case HTTPException(status_code=status, detail=detail):
                pass
            case StoreError():
                status, detail = 503, "the database cannot be read"
            case _:
                raise error
        if request.url.path.startswith("/api/"):
            return JSONResponse({"error": detail}, status)
        return self._page("failed.html", status, code=status, known=status == 404)


def make_app(sources: Sources, names: Collection[str] = ()) -> Starlette:
    """The whole web side. `names`: host names that the page is also served under."""
    pages = Pages(sources)
    return Starlette(
        routes=pages.routes(),
        middleware=[Middleware(Guard, names=names)],
        exception_handlers={HTTPException: pages.failed, StoreError: pages.failed},
    )


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise HTTPException(400, f"{name} must be a whole number")
    return int(text)
