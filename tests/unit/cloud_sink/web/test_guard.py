"""The guard before every page: each condition broken by itself, and every answer with all of its headers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from cloud_sink.web.guard import Guard

HEADERS = {
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


Headers = tuple[tuple[str, str], ...]


class Inside:
    """What the guard guards: it notes each scope that reaches it, and answers."""

    def __init__(self, **headers: str) -> None:
        self.reached: list[str] = []
        self._headers = {name.replace("_", "-"): value for name, value in headers.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached.append(scope["type"])
        if scope["type"] == "http":
            await PlainTextResponse("inside", headers=self._headers)(scope, receive, send)


def ask(
    guard: Guard, *hosts: str, method: str = "GET", path: str = "/", kind: str = "http", more: Headers = ()
) -> tuple[int, dict[str, str], bytes]:
    """One request: status, headers and body of the answer; status 0 where there is none."""
    sent: list[Any] = []
    lines = [(b"host", host.encode()) for host in hosts] + [(name.encode(), value.encode()) for name, value in more]
    scope = {"type": kind, "method": method, "path": path, "headers": lines}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(guard(scope, receive, send))
    if not sent:
        return 0, {}, b""
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8620",
        "127.0.0.1",
        "127.0.0.1:8620",
        "[::1]",
        "[::1]:8620",
        "192.168.1.7:80",
        "receiver.example",
        "Receiver.Example:8620",
    ],
)
def test_an_address_and_a_name_of_ours_pass_with_or_without_a_port(host: str) -> None:
    inside = Inside()
    status, _, body = ask(Guard(inside, ["receiver.example"]), host)
    assert (status, body, inside.reached) == (200, b"inside", ["http"])


@pytest.mark.parametrize(
    "hosts",
    [
        (),
        ("localhost", "localhost"),
        ("localhost", "evil.example"),
        ("evil.example",),
        ("receiver.example",),  # not named to this guard
        ("localhost:80x",),
        ("localhost:\u0663",),
        ("localhost.evil.example",),
        ("127.0.0.1.evil.example",),
        ("evil.example:80",),
        ("127.0.0.256",),
        ("[evil.example]",),
        ("localhost:",),
        ("::1",),  # without brackets its last part is a port
        ("",),
    ],
)
def test_any_other_host_header_and_none_or_two_are_refused_before_anything_is_served(hosts: tuple[str, ...]) -> None:
    inside = Inside()
    status, headers, body = ask(Guard(inside), *hosts)
    assert (status, inside.reached) == (421, [])
    assert b"not known by that name" in body
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_is_possible(method: str) -> None:
    inside = Inside()
    assert ask(Guard(inside), "localhost", method=method)[0] == 200
    assert inside.reached == ["http"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", ""])
def test_no_other_method_is(method: str) -> None:
    inside = Inside()
    status, headers, _ = ask(Guard(inside), "localhost", method=method)
    assert (status, headers["allow"], inside.reached) == (405, "GET, HEAD", [])


# --- what writes ------------------------------------------------------------------------------------------------------


def ask_to_write(*more: tuple[str, str], host: str = "receiver.example", path: str = "/write") -> tuple[int, list[str]]:
    inside = Inside()
    guard = Guard(inside, ["Receiver.example"], ["/write"])
    return ask(guard, host, method="POST", path=path, more=more)[0], inside.reached


@pytest.mark.parametrize(
    "more",
    [
        (("sec-fetch-site", "same-origin"),),
        (("sec-fetch-site", "same-origin"), ("origin", "https://behind.a.proxy")),
        (("origin", "http://receiver.example"),),
        (("origin", "https://RECEIVER.example"),),
    ],
)
def test_a_page_of_ours_may_write(more: Headers) -> None:
    assert ask_to_write(*more) == (200, ["http"])
    assert ask_to_write(*more, path="/")[0] == 405


@pytest.mark.parametrize(
    "more",
    [
        (),
        (("sec-fetch-site", "cross-site"),),
        (("sec-fetch-site", "same-site"),),
        (("sec-fetch-site", "none"),),
        (("sec-fetch-site", ""),),
        (("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")),
        (("sec-fetch-site", "cross-site"), ("origin", "http://receiver.example")),
        (("origin", "null"),),
        (("origin", ""),),
        (("origin", "http://evil.example"),),
        (("origin", "http://receiver.example.evil.example"),),
        (("origin", "http://receiver.example:8000"),),
        (("origin", "http://receiver.example"), ("origin", "http://evil.example")),
        (("origin", "http://[receiver.example"),),
        (("referer", "http://receiver.example/"),),
    ],
)
def test_no_other_page_and_nobody_who_does_not_say_so_may_write(more: Headers) -> None:
    assert ask_to_write(*more) == (403, [])


def test_a_name_that_is_not_ours_writes_nothing_whatever_its_origin_is() -> None:
    mine = ("origin", "http://evil.example"), ("sec-fetch-site", "same-origin")
    assert ask_to_write(*mine, host="evil.example") == (421, [])


@pytest.mark.parametrize(("host", "method"), [("localhost", "GET"), ("localhost", "POST"), ("evil.example", "GET")])
def test_every_answer_has_exactly_these_headers_also_a_refusal(host: str, method: str) -> None:
    _, headers, _ = ask(Guard(Inside()), host, method=method)
    assert {name: headers.get(name) for name in HEADERS} == HEADERS


def test_what_is_inside_cannot_loosen_a_header() -> None:
    inside = Inside(x_frame_options="ALLOWALL", content_security_policy="default-src *")
    _, headers, _ = ask(Guard(inside), "localhost")
    assert {name: headers.get(name) for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    ("path", "kept"),
    [("/", "no-store"), ("/api/stats", "no-store"), ("/static/page.css", "no-cache"), ("/static", "no-store")],
)
def test_only_files_may_be_kept_and_are_asked_for_again(path: str, kept: str) -> None:
    assert ask(Guard(Inside()), "localhost", path=path)[1]["cache-control"] == kept
    own = Inside(cache_control="max-age=5")
    assert ask(Guard(own), "localhost", path=path)[1]["cache-control"] == "max-age=5"


def test_what_is_no_request_goes_through_untouched() -> None:
    inside = Inside()
    assert ask(Guard(inside), kind="lifespan") == (0, {}, b"")
    assert inside.reached == ["lifespan"]
