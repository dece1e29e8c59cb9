"""A broker that does not take what the device sends: the cause is known by name, and everything is kept."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from demo.broker import Broker, free_port
from device.uplink.refusal import Refusal
from identity import Home, mosquitto
from tests.support.device_chain import Chain
from tests.support.running import sealcam
from tests.support.sealer_samples import a_verdict
from tests.support.sink import Sink
from tests.support.videos import VideoMaker
from tests.support.waiting import until


def refused(chain: Chain, by: Refusal) -> None:
    """The device seals a verdict, learns why it is not taken, and keeps it."""
    chain.say(a_verdict(0))
    until(lambda: chain.uplink.refusal is by, chain.step, what=lambda: str(chain.uplink.refusal))
    assert (chain.spool.waiting, chain.uplink.delivered) == (1, 0)


def test_a_port_where_nothing_listens(home: Home) -> None:
    refused(Chain(home, free_port()), Refusal.NOT_LISTENING)


def test_a_broker_whose_authority_is_another(home: Home, tmp_path: Path) -> None:
    stranger = Home(tmp_path / "stranger")
    stranger.ensure_development()
    with Broker(stranger, free_port()) as impostor:
        refused(Chain(home, impostor.port), Refusal.THEIRS_UNTRUSTED)


def test_a_broker_that_does_not_trust_the_devices_authority(home: Home, tmp_path: Path) -> None:
    stranger = Home(tmp_path / "stranger")
    stranger.ensure_development()
    for name in ("tls.key", "tls.crt"):
        shutil.copy(stranger.device / name, home.device / name)
    with Broker(home, free_port()) as broker:
        refused(Chain(home, broker.port), Refusal.OURS_UNTRUSTED)


@pytest.mark.parametrize("host", ["broker.example", "192.0.2.1"])
def test_a_broker_whose_certificate_has_another_name(home: Home, broker: Broker, host: str) -> None:
    refused(Chain(home, broker.port, host), Refusal.THEIRS_OTHER_NAME)


def test_a_broker_whose_access_list_refuses_events(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    without = mosquitto.ACCESS_LIST.replace("pattern write sealcam/v1/%u/envelope", "")
    monkeypatch.setattr(mosquitto, "ACCESS_LIST", without)
    with Broker(home, free_port()) as broker:
        refused(Chain(home, broker.port), Refusal.TAKES_NO_EVENTS)


def test_what_a_broker_refused_is_sent_once_it_takes_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    with monkeypatch.context() as patched:
        patched.setattr(mosquitto, "ACCESS_LIST", "user nobody\n")
        with Broker(home, port):
            chain = Chain(home, port)
            chain.say(a_verdict(0))
            until(lambda: chain.uplink.refusal is not Refusal.NONE, chain.step)
    with Broker(home, port) as broker:
        sink = Sink(home, broker)
        until(lambda: chain.spool.waiting == 0, chain.step, sink.step)
        assert (list(sink.opened), chain.uplink.refusal) == ([0], Refusal.NONE)


def test_a_backlog_of_500_goes_out_after_an_outage_each_once_confirmed(home: Home, broker: Broker) -> None:
    chain = Chain(home, broker.port)
    broker.kill()
    for number in range(500):
        chain.say(a_verdict(number))
    assert chain.spool.waiting == 500
    broker.start()
    sink = Sink(home, broker)
    until(lambda: chain.spool.waiting == 0, chain.step, sink.step)
    assert sorted(sink.opened) == list(range(500))
    assert chain.service.receipted == 500


def test_a_replay_names_the_broker_that_refuses_and_what_becomes_of_its_events(
    home: Home, make_video: VideoMaker
) -> None:
    port = free_port()
    video, to = make_video(frames=5, size=(320, 192)), {"SEALCAM_UPLINK_HOST": "localhost"}
    done = sealcam(home, "replay", video, "--json", SEALCAM_UPLINK_PORT=str(port), **to)
    summary = json.loads(done.stdout)
    assert (summary["broker"], summary["waiting"], summary["complete"]) == ("not_listening", 1, True)
    sending, *_, waits = done.stderr.splitlines()
    assert sending == f"sending 1 event to localhost:{port}; Ctrl-C ends the wait and keeps what has no receipt"
    assert waits.startswith(f"sealcam: 1 sealed event waits in the spool: localhost:{port} refuses the connection")
    assert waits.endswith("; it goes with the next replay or run that reaches the broker")
