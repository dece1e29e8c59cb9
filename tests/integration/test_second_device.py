"""The walk of docs/operations.md that gives one receiver a second device, typed as it stands there."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from device.cli.doctor import installation
from device.cli.doctor.check import Looks
from device.config import Config, UplinkConfig
from identity import Home, load
from tests.support.paths import ROOT
from wire import cose

_MARK = "<!-- second device: a test types this block -->"


def typed(first: Path, second: Path) -> str:
    """The block up to `doctor`, which wants a broker, for these two homes."""
    text = (ROOT / "docs" / "operations.md").read_text()
    lines = text.split(_MARK)[1].split("```sh\n")[1].split("```")[0].splitlines()
    assert lines[0] == "first=~/first second=~/second" and "sealcam doctor" in lines[-1]
    return "\n".join([f"first={first} second={second}", *lines[1:-1]])


@pytest.fixture
def homes(tmp_path: Path) -> tuple[Home, Home]:
    first, second = Home(tmp_path / "first"), Home(tmp_path / "second")
    first.ensure_development()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", typed(first.path, second.path)],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return first, second


def shake(server: ssl.SSLContext, client: ssl.SSLContext) -> str:
    """A handshake in memory; the name in the certificate that the client showed."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    ours = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    for end in (ours, theirs, ours, theirs):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    shown = theirs.getpeercert() or {}
    return str(dict(pair for row in shown["subject"] for pair in row)["commonName"])


def test_the_second_device_is_enrolled_seals_for_the_receiver_and_connects_to_its_broker(
    homes: tuple[Home, Home],
) -> None:
    first, second = homes
    key = load.signing_key(second.device / "signing.key").public_key()
    assert load.device_keys(first.sink / "devices")[second.device_id()] == key
    assert second.seals_for_another is True
    check = installation._receiver(Looks(Config(uplink=UplinkConfig("localhost", 8883)), frozenset(), second))
    assert check.good and "of another home" in check.found
    authority = load.signing_key(first.authority_key).public_key()
    assert cose.key_id(authority) in load.trust_anchors(second.trust / "authority")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(first.broker / "tls.crt", first.broker / "tls.key")
    server.load_verify_locations(first.broker / "ca.crt")
    server.verify_mode = ssl.CERT_REQUIRED
    for home in homes:
        client = load.client_context(*(home.device / name for name in ("tls.key", "tls.crt", "ca.crt")))
        assert shake(server, client) == home.device_id()
