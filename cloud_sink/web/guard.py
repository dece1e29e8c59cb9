"""What every request must satisfy and every response carries.

A web page anywhere may make a visitor's browser call 127.0.0.1, and by DNS rebinding under a name of the attacker's.
So the Host header must be an address or a name of ours, and no response may be framed, sniffed, read by another origin
or run anything but a file served from here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
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
    """ASGI middleware. `names` are the host names, besides localhost and plain addresses, that the page goes by."""

    def __init__(self, app: ASGIApp, names: Collection[str] = ()) -> None:
        self._app = app
        self._names = {"localhost", *names}

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

        hosts = Headers(scope=scope).getlist("host")
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            refusal = PlainTextResponse("This server is not known by that name.\n", 421)
            await refusal(scope, receive, send_guarded)
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
