"""The HTTP edge: uvicorn on a socket that is ours already, ended by us and not by its own signal handlers."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette

from cloud_sink.errors import PortTakenError, SetupError

GRACE_S = 1.0


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket. Raises PortTakenError or SetupError with the remedy."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except (OSError, UnicodeError) as error:
        if isinstance(error, UnicodeError) or (error.errno or 0) < 0:  # getaddrinfo's numbers are negative
            raise SetupError(f"{host} is no address or name of this machine", "choose another with --host") from None
        if error.errno == errno.EADDRINUSE:
            raise PortTakenError(
                f"port {port} on {host} is taken", "end the program that listens there, or choose another with --port"
            ) from None
        if error.errno == errno.EACCES:
            raise SetupError(f"port {port} is not for ordinary users", "choose one above 1023 with --port") from None
        why = os.strerror(error.errno or 0).lower()
        raise SetupError(f"cannot listen on {host} port {port} ({why})", "choose another with --host") from None


class Server(uvicorn.Server):
    """A uvicorn server that sets `up` when it is up and leaves the signals alone."""

    def __init__(self, app: Starlette) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="off",
                access_log=False,
                log_level="warning",
                log_config=None,  # its lines are lines of ours
                server_header=False,
                proxy_headers=False,
                limit_concurrency=256,
                timeout_keep_alive=10,
                timeout_graceful_shutdown=3,
            )
        )
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then set `up`."""
        await super().startup(sockets)
        self.up.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End within about a second: who has not sent or taken all by then is cut off, not waited for."""
        asyncio.get_running_loop().call_later(GRACE_S, self._cut_off)
        await super().shutdown(sockets)

    def _cut_off(self) -> None:
        for connection in list(self.server_state.connections):
            if (transport := connection.transport) is not None:
                transport.abort()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The command line handles the signals."""
        yield
