"""The page behind a real nginx: with its defaults, as the documentation has it, and under a path."""

from __future__ import annotations

import base64
import datetime
import http.client
import re
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest

from cloud_sink.simulator import verdict
from cloud_sink.web.live import KEEPALIVE_S
from demo.broker import free_port
from identity.pki import Authority
from tests.support.browser import Site
from tests.support.nginx import needs_nginx, nginx
from tests.support.paths import ROOT

pytestmark = [needs_nginx, pytest.mark.slow]

WITHIN_S = 20.0
PROXY_GIVES_UP_S = 60
"""nginx's default of proxy_read_timeout, and that of many others."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "nginx").mkdir()
    return tmp_path / "nginx"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path) as served:
        yield served


def opened(connection: http.client.HTTPConnection, target: str, **headers: str) -> http.client.HTTPResponse:
    connection.request("GET", target, headers=headers)
    return connection.getresponse()


def heard(response: http.client.HTTPResponse, until: bytes) -> bytes:
    """What has come by the line that begins so; the socket's timeout ends the wait."""
    lines = [response.readline()]
    while lines[-1] and not lines[-1].startswith(until):
        lines.append(response.readline())
    return b"".join(lines)


def acknowledging(site: Site) -> str:
    site.report(verdict("FORGED"))
    return urlencode({"device": "cam-one", "kind": "verdict.FORGED", "through": 1, "back": "overview"})


FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("more", ["", "gzip on; gzip_types *; gzip_proxied any;"], ids=["defaults", "gzip"])
def test_news_come_through_at_once(site: Site, folder: Path, more: str) -> None:
    port = free_port()
    server = f"server {{ listen 127.0.0.1:{port}; {more} location / {{ proxy_pass http://127.0.0.1:{site.port}; }} }}"
    with (
        nginx(folder, server, port),
        closing(http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)) as connection,
    ):
        response = opened(connection, "/events")
        assert response.status == 200
        assert response.getheader("content-type") == "text/event-stream; charset=utf-8"
        assert response.getheader("cache-control") == "no-store, no-transform"
        assert response.readline().startswith(b":"), "a comment, before anything has happened"
        assert b"event: news\n" in heard(response, b"data:")
        site.report(verdict("VERIFIED"))
        assert b'{"last": 1}' in heard(response, b"data:")
    assert KEEPALIVE_S < PROXY_GIVES_UP_S / 2


def test_an_acknowledgement_comes_through_with_defaults(site: Site, folder: Path) -> None:
    port, form = free_port(), acknowledging(site)
    server = f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{site.port}; }} }}"
    with nginx(folder, server, port):
        for fetched_by, status in (("cross-site", 403), ("same-origin", 303)):
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)) as connection:
                headers = {**FORM, "sec-fetch-site": fetched_by, "origin": f"http://127.0.0.1:{port}"}
                connection.request("POST", "/acknowledge", form, headers)
                assert connection.getresponse().status == status


def documented() -> str:
    """The block of docs/operations.md."""
    found = re.search(
        r"<!-- nginx: .*?-->\s*```nginx\n(.*?)```", (ROOT / "docs" / "operations.md").read_text(), re.DOTALL
    )
    assert found is not None
    return found[1]


def placed(server: str, changes: dict[str, object]) -> str:
    for old, new in changes.items():
        assert old in server, old
        server = server.replace(old, str(new))
    return server


def test_the_documented_proxy_asks_for_a_login_and_says_who_it_was(tmp_path: Path, folder: Path) -> None:
    authority = Authority.create(datetime.datetime.now(datetime.UTC))
    pair = authority.issue("localhost", "server", datetime.datetime.now(datetime.UTC))
    for name, content in (("sealcam.crt", pair.certificate), ("sealcam.key", pair.key)):
        (folder / name).write_bytes(content)
    (folder / "sealcam.users").write_text("ann:{PLAIN}secret\n")
    port = free_port()
    trusting = ssl.create_default_context(cadata=authority.pair.certificate.decode())
    login = {"authorization": f"Basic {base64.b64encode(b'ann:secret').decode()}"}
    with Site(tmp_path, ("localhost",), user_header="X-Sealcam-User") as site:
        places = {"443": f"127.0.0.1:{port}", "8620": site.port, "/etc/nginx": folder, "sealcam.example": "localhost"}
        form = acknowledging(site)
        with nginx(folder, placed(documented(), places), port):

            def ask(method: str, target: str, body: str = "", **headers: str) -> tuple[int, str]:
                connection = http.client.HTTPSConnection("localhost", port, timeout=WITHIN_S, context=trusting)
                with closing(connection):
                    connection.request(
                        method, target, body or None, {n.replace("_", "-"): v for n, v in headers.items()}
                    )
                    response = connection.getresponse()
                    return response.status, response.read().decode()

            assert ask("GET", "/")[0] == 401
            assert ask("GET", "/events")[0] == 401
            assert ask("POST", "/acknowledge", form, **FORM, sec_fetch_site="same-origin")[0] == 401
            status, page = ask("GET", "/", **login)
            assert status == 200 and "Forged" in page
            asked = {**login, **FORM, "sec_fetch_site": "same-origin", "x_sealcam_user": "somebody.else"}
            assert ask("POST", "/acknowledge", form, **asked)[0] == 303
            assert "Acknowledged by ann," in ask("GET", "/alerts/acknowledged", **login)[1]
            connection = http.client.HTTPSConnection("localhost", port, timeout=WITHIN_S, context=trusting)
            with closing(connection):
                response = opened(connection, "/events", **login)
                assert b"event: news\n" in heard(response, b"data:")


def test_under_a_path_pages_files_and_news_come_through(tmp_path: Path, folder: Path) -> None:
    port = free_port()
    with Site(tmp_path, root="/sealcam") as site:
        location = f"location /sealcam/ {{ proxy_pass http://127.0.0.1:{site.port}/; }}"
        with nginx(folder, f"server {{ listen 127.0.0.1:{port}; {location} }}", port):
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)) as connection:
                page = opened(connection, "/sealcam/").read().decode()
                links = set(re.findall(r'(?:href|src)="(/[^"#]*)"', page))
                assert len(links) >= 4
                assert {link: opened(connection, link).read() and 200 for link in links} == dict.fromkeys(links, 200)
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)) as connection:
                assert b"event: news\n" in heard(opened(connection, "/sealcam/events"), b"data:")
