"""The routes: pages for people, JSON for programs, one event stream; and one that writes, to acknowledge an alert."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import jinja2
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from cloud_sink.archive import Archive, StoredVerdict
from cloud_sink.errors import StoreError
from cloud_sink.mqtt import BrokerState
from cloud_sink.stats import stats
from cloud_sink.web import api
from cloud_sink.web.ages import ago, iso
from cloud_sink.web.alerts import Alert
from cloud_sink.web.attention import AlertBoard
from cloud_sink.web.devices import device_names, device_view, health_line
from cloud_sink.web.forms import form_fields
from cloud_sink.web.guard import Guard
from cloud_sink.web.live import HEADERS as STREAM_HEADERS
from cloud_sink.web.live import Feed
from cloud_sink.web.plan import metres, plan
from cloud_sink.web.verdicts import moment, sign, verdict_view
from cloud_sink.web.words import BROKER, STATES

PAGE_VERDICTS = 40
PAGE_HEALTH = 50
PAGE_ALERTS = 100
TOP_ALERTS = 12
ACKNOWLEDGE = "/acknowledge"
_ROW_ID = re.compile(r"[0-9]{1,16}")
_USER = re.compile(r"[A-Za-z0-9._@+-]{1,64}")
_BACK: Final = {
    "overview": "/",
    "alerts": "/alerts",
    "device": "/devices/{device}",
    "verdict": "/verdicts/{row}",
}
"""Where an acknowledgement leads back to, by the word in the form: never to an address that a form names."""
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

    def __init__(self, sources: Sources, user_header: str = "", root: str = "") -> None:
        """`user_header`: where a proxy says who logged in, "" for no login. `root`: the path that a proxy takes off."""
        self._from, self._user_header, self._root = sources, user_header, root
        self._attention = AlertBoard(sources.archive, sources.broker, sources.enrolled, sources.now_ms)
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(STATES=STATES, root=root)
        self._templates.filters.update(metres=metres, moment=moment, ago=ago, iso=iso)

    def routes(self) -> list[Route | Mount]:
        """Every address that is served."""
        return [
            Route("/", self.overview),
            Route("/alerts", self.alerts),
            Route("/alerts/acknowledged", self.acknowledged),
            Route(ACKNOWLEDGE, self.acknowledge, methods=["POST"]),
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
        """Alerts on top, then verdicts as they come, and the devices. `?state=S&device=D&before=ID`: some verdicts."""
        picture, enrolled = self._attention.picture(), self._from.enrolled()
        names = device_names(enrolled, picture.devices.values())
        state, device = request.query_params.get("state"), request.query_params.get("device")
        if (state is not None and state not in STATES) or (device is not None and device not in names):
            raise HTTPException(404)
        before = _number(request, "before", 2**53)
        verdicts = self._from.archive.verdicts(
            before=before, limit=PAGE_VERDICTS + 1, states=[state] if state else [], device_id=device
        )
        shown = [facts for facts in picture.devices.values() if device in (None, facts.device_id)]
        alerts = picture.open()
        return self._page(
            "overview.html",
            alerts=alerts[:TOP_ALERTS],
            more_alerts=len(alerts) - TOP_ALERTS,
            put_away=len(picture.put_away()),
            verdicts=[verdict_view(stored) for stored in verdicts[:PAGE_VERDICTS]],
            older=verdicts[PAGE_VERDICTS - 1].row_id if len(verdicts) > PAGE_VERDICTS else None,
            paged="before" in request.query_params,
            chosen=state,
            of_device=device,
            counts={name: sum(facts.states.get(name, 0) for facts in shown) for name in STATES},
            devices=[device_view(name, picture.devices.get(name), picture.tallies, alerts) for name in names],
        )

    def alerts(self, request: Request) -> Response:
        """Every alert that nobody acknowledged, `PAGE_ALERTS` on a page."""
        picture = self._attention.picture()
        return self._alerts_page(request, picture.open(), other=len(picture.put_away()), put_away=False)

    def acknowledged(self, request: Request) -> Response:
        """Every alert that somebody acknowledged, with who and when."""
        picture = self._attention.picture()
        return self._alerts_page(request, picture.put_away(), other=len(picture.open()), put_away=True)

    def _alerts_page(self, request: Request, alerts: list[Alert], *, other: int, put_away: bool) -> Response:
        start = _number(request, "from", 0)
        return self._page(
            "alerts.html",
            alerts=alerts[start : start + PAGE_ALERTS],
            count=len(alerts),
            start=start,
            following=start + PAGE_ALERTS if len(alerts) > start + PAGE_ALERTS else None,
            other=other,
            put_away=put_away,
        )

    async def acknowledge(self, request: Request) -> Response:
        """A form with `device`, `kind`, `through` and `back`: puts an alert away, and goes back to a page."""
        who = ""
        if self._user_header:
            who = request.headers.get(self._user_header, "")
            if not _USER.fullmatch(who):
                raise HTTPException(403, "nobody is logged in")
        fields = await form_fields(request, ("device", "kind", "through", "back"))
        if not _ROW_ID.fullmatch(fields["through"]) or fields["back"] not in _BACK:
            raise HTTPException(400, "the form holds something that this page does not know")
        device_id, through = fields["device"], int(fields["through"])
        if await asyncio.to_thread(self._attention.acknowledge, device_id, fields["kind"], through, who):
            self._from.feed.announce()
        back = _BACK[fields["back"]].format(device=quote(device_id, safe=""), row=through)
        return RedirectResponse(f"{self._root}{back}", 303)

    def verdict(self, request: Request) -> Response:
        """One verdict in detail."""
        stored = self._stored(request)
        if stored is None:
            raise HTTPException(404)
        code, place = stored.event.code, stored.event.position
        return self._page(
            "verdict.html",
            view=verdict_view(stored),
            alert=self._attention.of_verdict(stored),
            plan=plan(code, place) if code and place else None,
            link_holds=self._from.archive.link_holds(stored),
            code_sign=sign(code.class_id if code else None, "no code"),
            valid_from=moment(code.valid_from * 1000) if code else None,
            valid_until=moment(code.valid_until * 1000) if code else None,
        )

    def device(self, request: Request) -> Response:
        """One device in detail. `?health_before=ID` goes back in its health log."""
        device_id, archive = request.path_params["device_id"], self._from.archive
        picture = self._attention.picture()
        facts = picture.devices.get(device_id)
        if facts is None and device_id not in self._from.enrolled():
            raise HTTPException(404)
        before = _number(request, "health_before", 2**53)
        health = archive.health(device_id=device_id, before=before, limit=PAGE_HEALTH + 1)
        verdicts = archive.verdicts(device_id=device_id, limit=PAGE_VERDICTS + 1)
        return self._page(
            "device.html",
            device=device_view(device_id, facts, picture.tallies, picture.open()),
            alerts=[alert for alert in picture.open(device_id) if alert.verdict is None],
            put_away=[alert for alert in picture.put_away(device_id) if alert.verdict is None],
            health=[health_line(stored) for stored in health[:PAGE_HEALTH]],
            paged="health_before" in request.query_params,
            older_health=health[PAGE_HEALTH - 1].row_id if len(health) > PAGE_HEALTH else None,
            verdicts=[verdict_view(stored) for stored in verdicts[:PAGE_VERDICTS]],
            older=verdicts[PAGE_VERDICTS - 1].row_id if len(verdicts) > PAGE_VERDICTS else None,
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
        """`{"alerts": [...], "acknowledged": [...]}`: one for each kind and device, the loudest first."""
        picture = self._attention.picture()
        return JSONResponse(
            {
                "alerts": [api.alert_json(alert) for alert in picture.open()],
                "acknowledged": [api.alert_json(alert) for alert in picture.put_away()],
            }
        )

    def api_stats(self, request: Request) -> Response:
        """The counts of `sealcam-sink stats`, and how the broker's connection stands."""
        state = self._from.broker()
        return JSONResponse({**stats(self._from.archive), "broker": state.phase, "broker_since_ms": state.since_ms})

    def _stored(self, request: Request) -> StoredVerdict | None:
        """The verdict that the address names, by at most 16 digits; None where there is none."""
        text = request.path_params["row_id"]
        return self._from.archive.verdict(int(text)) if _ROW_ID.fullmatch(text) else None

    # --- parts ------------------------------------------------------------------------------------------------------

    def _page(self, template: str, status: int = 200, **values: Any) -> Response:
        broker = BROKER[self._from.broker().phase]
        now = datetime.fromtimestamp(self._from.now_ms() / 1000, UTC)
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


def make_app(sources: Sources, names: Collection[str] = (), *, user_header: str = "", root: str = "") -> Starlette:
    """The whole web side.

    Args:
        names: host names that the page is also served under.
        user_header: the request header in which a proxy says who logged in, "" where nobody has to.
        root: the path under which a proxy serves the page, and which it takes off: "" or as "/sealcam".
    """
    pages = Pages(sources, user_header, root)
    return Starlette(
        routes=pages.routes(),
        middleware=[Middleware(Guard, names=names, writes=(ACKNOWLEDGE,))],
        exception_handlers={HTTPException: pages.failed, StoreError: pages.failed},
    )


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise HTTPException(400, f"{name} must be a whole number")
    return int(text)
