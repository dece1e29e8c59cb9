"""What every request must satisfy and every response carries.

A web page anywhere may make a visitor's browser call 127.0.0.1, and by DNS rebinding under a name of the attacker's.
So the Host header must be an address or a name of ours, and no response may be framed, sniffed, read by another origin
or run anything but a file served from here.

What changes something must come from a page of ours: a browser says so in `Sec-Fetch-Site` (Fetch Metadata), which no
script can set, or, where it does not, in `Origin`, which must be the very host that was asked. There is no cookie that
another page could make a browser send, but a login at a proxy is sent as readily.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
        "trusted-types 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Guard:
    """ASGI middleware.

    Args:
        names: the host names, besides localhost and plain addresses, that the page goes by.
        writes: the paths where POST is possible; everything else can only be read.
    """

    def __init__(self, app: ASGIApp, names: Collection[str] = (), writes: Collection[str] = ()) -> None:
        self._app = app
        self._names = {"localhost", *(name.lower() for name in names)}
        self._writes = frozenset(writes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                headers.setdefault("cache-control", "no-cache" if scope["path"].startswith("/static/") else "no-store")
            await send(message)

        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            refusal = PlainTextResponse("This server is not known by that name.\n", 421)
            await refusal(scope, receive, send_guarded)
        elif scope["method"] == "POST" and scope["path"] in self._writes:
            if _is_from_a_page_of_ours(headers):
                await self._app(scope, receive, send_guarded)
            else:
                await PlainTextResponse("This was not asked by a page of this server.\n", 403)(
                    scope, receive, send_guarded
                )
        elif scope["method"] not in ("GET", "HEAD"):
            refusal = PlainTextResponse("Only reading is possible here.\n", 405, {"allow": "GET, HEAD"})
            await refusal(scope, receive, send_guarded)
        else:
            await self._app(scope, receive, send_guarded)

    def _is_ours(self, host: str) -> bool:
        """A plain address cannot be rebound; a name can, and must be ours."""
        name = host
        if not name.endswith("]"):  # not a bare [IPv6]
            head, colon, port = host.rpartition(":")
            name = head if colon and port.isascii() and port.isdigit() else host
        if name.lower() in self._names:
            return True
        try:
            ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
        except ValueError:
            return False
        return True


def _is_from_a_page_of_ours(headers: Headers) -> bool:
    """Whether a page of this very origin made the request, as far as the browser tells; if it tells nothing, no."""
    site, origin = headers.getlist("sec-fetch-site"), headers.getlist("origin")
    if site:
        return site == ["same-origin"]
    try:
        return len(origin) == 1 and urlsplit(origin[0]).netloc.lower() == headers["host"].lower() != ""
    except ValueError:
        return False
