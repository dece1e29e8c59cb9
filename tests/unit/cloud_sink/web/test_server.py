"""The socket that the page is served on, and the server behind it."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket

import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from cloud_sink.errors import PortTakenError, SetupError
from cloud_sink.web import server as servers
from cloud_sink.web.server import Server, listen


def test_a_taken_port_is_told_apart_from_an_address_that_is_not_ours() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        assert first.family is socket.AF_INET
        with pytest.raises(PortTakenError, match="is taken") as taken:
            listen("127.0.0.1", port)
    assert str(port) in str(taken.value)
    with pytest.raises(
        SetupError, match=r"cannot listen on 192.0.2.1 port 0 \(cannot assign requested address\)"
    ) as refused:
        listen("192.0.2.1", 0)  # TEST-NET-1
    assert not isinstance(refused.value, PortTakenError)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "a b", "x" * 300, "a..b"])
def test_a_host_that_is_none_is_told_with_the_option(host: str) -> None:
    with pytest.raises(SetupError, match=r"is no address or name of this machine; choose another with --host"):
        listen(host, 0)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_an_ipv6_address_is_listened_on_as_one() -> None:
    with listen("::1", 0) as listening:
        assert listening.family is socket.AF_INET6


def test_the_server_tells_nothing_of_itself_and_believes_no_proxy() -> None:
    server = Server(Starlette())
    config = server.config
    assert (config.http, config.ws, config.lifespan) == ("h11", "none", "off")
    assert (config.access_log, config.server_header, config.proxy_headers) == (False, False, False)
    assert (config.limit_concurrency, config.timeout_keep_alive, config.timeout_graceful_shutdown) == (256, 10, 3)
    assert config.log_level == "warning"


def test_what_the_server_says_is_a_line_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    Server(Starlette())
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    assert "Invalid HTTP request received." in caplog.text
    assert not logging.getLogger("uvicorn").handlers


def test_the_server_says_when_it_is_up_and_leaves_the_signals_alone() -> None:
    async def start() -> tuple[bool, bool]:
        server = Server(Starlette())
        before, handler = server.up.is_set(), signal.getsignal(signal.SIGTERM)
        with listen("127.0.0.1", 0) as listening:
            with server.capture_signals():
                assert signal.getsignal(signal.SIGTERM) is handler
            serving = asyncio.create_task(server.serve([listening]))
            await server.up.wait()
            up = server.started
            server.should_exit = True
            await serving
        return before, up

    assert asyncio.run(start()) == (False, True)


def test_who_holds_a_connection_open_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request whose body never comes, and one whose head never comes: both are cut off, and no error is logged."""
    monkeypatch.setattr(servers, "GRACE_S", 0.01)
    went: list[str] = []

    async def wait_for_a_body(request: Request) -> Response:
        try:
            await request.body()
        except ClientDisconnect:
            went.append("cut off")
        return Response()

    async def end() -> bool:
        server = Server(Starlette(routes=[Route("/", wait_for_a_body, methods=["POST"])]))
        with listen("127.0.0.1", 0) as listening:
            port = listening.getsockname()[1]
            serving = asyncio.create_task(server.serve([listening]))
            await server.up.wait()
            for sent in (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab", b"GET / HTTP/1.1\r\nHo", b""):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(sent)
                await writer.drain()
            while not server.server_state.tasks:
                await asyncio.sleep(0.001)
            server.should_exit = True
            await serving
        return bool(server.server_state.tasks)

    assert asyncio.run(end()) is False
    assert went == ["cut off"]
