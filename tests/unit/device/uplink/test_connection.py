"""A certificate out of its time, or a wrong clock, is told by cause, and uplink goes on trying until it connects."""

from __future__ import annotations

import datetime
import select
import socket
import ssl
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from device.channel.messages import DialFailure
from device.config import UplinkConfig
from device.uplink.connection import READS_A_SECOND, Connection, Phase
from device.uplink.refusal import BY_DIALLING, Refusal
from device.uplink.service import (
    ANSWER_SECONDS,
    CALM_SECONDS,
    FIRST_PAUSE_SECONDS,
    LONGEST_REFUSED_SECONDS,
    UP_SECONDS,
    UplinkService,
)
from device.warden.refusals import REFUSALS, words
from identity import ExpiredCertificateError, load
from identity.files import write_private
from identity.pki import Authority, Pair

NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
LONG_AGO, LATER = NOW - datetime.timedelta(days=800), NOW + datetime.timedelta(days=800)
ROUNDS = 30


class Ends:
    """The TLS files of a broker and a device whose certificates were made at these times, by one authority of today."""

    def __init__(self, folder: Path, theirs: datetime.datetime, ours: datetime.datetime) -> None:
        self.device, self.broker, self._authority = folder / "device", folder / "broker", Authority.create(NOW)
        for place in (self.device, self.broker):
            place.mkdir(mode=0o700, parents=True)
            write_private(place / "ca.crt", self._authority.pair.certificate)
        self._write(self.device, self._authority.issue("cam-one", "client", ours))
        self.renew_broker(theirs)

    def renew_broker(self, made: datetime.datetime) -> None:
        self._write(self.broker, self._authority.issue("localhost", "server", made))

    def _write(self, place: Path, pair: Pair) -> None:
        write_private(place / "tls.key", pair.key)
        write_private(place / "tls.crt", pair.certificate)

    def client(self) -> ssl.SSLContext:
        files = (self.device / name for name in ("tls.key", "tls.crt", "ca.crt"))
        return load.client_context(*files, at_any_time=True)

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.broker / "tls.crt", self.broker / "tls.key")
        context.load_verify_locations(self.broker / "ca.crt")
        context.verify_mode = ssl.CERT_REQUIRED
        return context


class BrokerEnd:
    """The broker's end of a connection, as far as the handshake."""

    def __init__(self, ends: Ends) -> None:
        self.given, theirs = socket.socketpair()
        theirs.setblocking(False)
        self._tls = ends.server().wrap_socket(theirs, server_side=True, do_handshake_on_connect=False)
        self._done = False

    def say(self, data: bytes) -> None:
        """Send what fits."""
        with suppress(ssl.SSLWantWriteError, OSError):
            self._tls.send(data)

    def step(self) -> None:
        if self._done:
            return
        try:
            self._tls.do_handshake()
            self._done = True
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except (ssl.SSLError, OSError):
            self._done = True
            self._tls.close()


@pytest.mark.parametrize(
    ("theirs", "ours", "said"),
    [
        (NOW, NOW, Refusal.NONE),
        (LATER, NOW, Refusal.THEIRS_NOT_YET_VALID),
        (LONG_AGO, NOW, Refusal.THEIRS_EXPIRED),
        (NOW, LONG_AGO, Refusal.OURS_EXPIRED),
        (NOW, LATER, Refusal.OURS_REFUSED),
    ],
)
def test_a_handshake_that_fails_for_a_certificates_time_says_whose(
    tmp_path: Path, theirs: datetime.datetime, ours: datetime.datetime, said: Refusal
) -> None:
    ends = Ends(tmp_path, theirs, ours)
    broker = BrokerEnd(ends)
    made = Connection(broker.given, ends.client(), host="localhost", device_id="cam-one", receipt=lambda _: None)
    for _ in range(ROUNDS):
        broker.step()
        if made.phase is not Phase.CLOSED and (made.phase is Phase.SHAKING or made.refusal is Refusal.NONE):
            made.serve(made.wants())
    assert made.refusal is said
    assert made.phase is (Phase.JOINING if said is Refusal.NONE else Phase.CLOSED)


def test_another_tls_fault_is_not_taken_for_a_certificates_time(tmp_path: Path) -> None:
    ends, stranger = Ends(tmp_path / "one", NOW, NOW), Ends(tmp_path / "other", NOW, NOW)
    broker = BrokerEnd(stranger)
    made = Connection(broker.given, ends.client(), host="localhost", device_id="cam-one", receipt=lambda _: None)
    for _ in range(ROUNDS):
        broker.step()
        made.serve(made.wants())
    assert (made.phase, made.refusal) == (Phase.CLOSED, Refusal.THEIRS_UNTRUSTED)


def dialling(ends: Ends, now: list[float], dialled: list[float]) -> UplinkService:
    """Uplink by a clock of the test's own, which notes when it dials."""
    return UplinkService(
        ends.client(),
        host="localhost",
        device_id="cam-one",
        dial=lambda: dialled.append(now[0]),
        receipt=lambda _: None,
        clock=lambda: now[0],
    )


def test_uplink_goes_on_trying_ever_more_slowly_and_connects_once_the_certificate_is_good(tmp_path: Path) -> None:
    ends, now, dialled = Ends(tmp_path, LONG_AGO, NOW), [0.0], []
    service = dialling(ends, now, dialled)

    def try_once() -> None:
        """Until the next dial, and its handshake."""
        tried = len(dialled)
        while len(dialled) == tried:
            now[0] += 0.1
            service.tick()
        broker = BrokerEnd(ends)
        service.dialled(broker.given)
        for _ in range(ROUNDS):
            broker.step()
            if service.connection is not None and service.connection.phase is Phase.SHAKING:
                service.serve(service.connection.wants())
            service.tick()

    for _ in range(12):
        try_once()
        assert service.connection is None and service.refusal is Refusal.THEIRS_EXPIRED
    pauses = [round(after - before, 1) for before, after in pairwise(dialled)]
    assert pauses[0] < 2 * FIRST_PAUSE_SECONDS and pauses == sorted(pauses)
    assert LONGEST_REFUSED_SECONDS <= pauses[-1] < LONGEST_REFUSED_SECONDS + 1.0
    ends.renew_broker(NOW)
    try_once()
    assert service.connection is not None and service.connection.phase is Phase.JOINING


@pytest.fixture
def service(tmp_path: Path) -> UplinkService:
    """An uplink whose first request to dialer is out, at the second 0."""
    now[0] = 0.0
    made = UplinkService(
        Ends(tmp_path, NOW, NOW).client(),
        host="localhost",
        device_id="cam-one",
        dial=lambda: None,
        receipt=lambda _: None,
        clock=lambda: now[0],
    )
    made.tick()
    return made


now = [0.0]


@pytest.mark.parametrize("failure", [failure for failure in BY_DIALLING if failure != "none"])
def test_why_dialer_could_not_connect_is_kept(service: UplinkService, failure: DialFailure) -> None:
    service.dialled(failure)
    assert service.refusal is BY_DIALLING[failure] is not Refusal.NONE


def test_a_dialer_that_does_not_answer_is_told(service: UplinkService) -> None:
    now[0] = ANSWER_SECONDS
    service.tick()
    assert service.refusal is Refusal.NOT_DIALLED


@pytest.mark.parametrize(
    ("broker_says", "why"),
    [(b"", Refusal.HANGS_UP), (b"HTTP/1.1 400 Bad Request\r\n\r\n", Refusal.NO_TLS), (None, Refusal.SILENT)],
)
def test_what_answers_and_is_no_broker_is_told_by_what_it_does(
    service: UplinkService, broker_says: bytes | None, why: Refusal
) -> None:
    given, theirs = socket.socketpair()
    service.dialled(given)
    assert service.connection is not None
    service.serve(service.connection.wants())
    if broker_says is not None:
        theirs.sendall(broker_says)
        theirs.shutdown(socket.SHUT_WR)
        for _ in range(3):
            service.serve(1)
    now[0] = UP_SECONDS
    service.tick()
    assert service.refusal is why
    theirs.close()


def test_every_refusal_has_its_word_sentence_and_remedy() -> None:
    assert set(REFUSALS) == {int(refusal) for refusal in Refusal} - {0}
    assert len({row.word for row in REFUSALS.values()}) == len(REFUSALS)
    uplink = UplinkConfig("::1", 8884)
    for number in REFUSALS:
        row = words(number, uplink)
        assert row is not None and row.remedy and ("::1" in row.sentence) and "{" not in row.sentence
    assert words(0, uplink) is words(99, uplink) is None


def test_uplink_and_warden_agree_on_what_lasts() -> None:
    assert {number for number, row in REFUSALS.items() if row.lasting} == {int(r) for r in Refusal if r.lasting}


def test_only_who_asks_for_it_gets_a_context_of_certificates_out_of_their_time(tmp_path: Path) -> None:
    ends = Ends(tmp_path, NOW, LONG_AGO)
    with pytest.raises(ExpiredCertificateError):
        load.client_context(*(ends.device / name for name in ("tls.key", "tls.crt", "ca.crt")))
    assert ends.client().minimum_version is ssl.TLSVersion.TLSv1_3


CONNACK, SUBACK, PINGRESP = b"\x20\x03\x00\x00\x00", b"\x90\x04\x00\x01\x00\x01", b"\xd0\x00"


def joined(broker: BrokerEnd, made: Connection) -> None:
    """Until the connection is up."""
    for _ in range(ROUNDS):
        broker.step()
        made.serve(made.wants())
    broker.say(CONNACK)
    made.serve(select.POLLIN)
    broker.say(SUBACK)
    made.serve(select.POLLIN)
    assert made.phase is Phase.UP


@pytest.mark.parametrize("record", [PINGRESP * 8000, b"\x00" + PINGRESP * 7999 + b"\xd0", PINGRESP])
def test_a_broker_that_sends_without_end_is_hung_up_on_after_a_bounded_number_of_packets(
    tmp_path: Path, record: bytes
) -> None:
    ends = Ends(tmp_path, NOW, NOW)
    broker = BrokerEnd(ends)
    made = Connection(broker.given, ends.client(), host="localhost", device_id="cam-one", receipt=lambda _: None)
    joined(broker, made)
    if record.startswith(b"\x00"):
        broker.say(b"\xd0")  # from here on no record ends where a packet does
    turns = 0
    while made.phase is Phase.UP:
        for _ in range(4):
            broker.say(record)
        turns += 1
        made.serve(select.POLLIN)
    assert turns <= READS_A_SECOND and made.refusal is Refusal.FLOODS


def test_what_answers_to_envelopes_is_no_flood(tmp_path: Path) -> None:
    ends, receipts = Ends(tmp_path, NOW, NOW), []
    broker = BrokerEnd(ends)
    made = Connection(broker.given, ends.client(), host="localhost", device_id="cam-one", receipt=receipts.append)
    joined(broker, made)
    topic = b"sealcam/v1/cam-one/receipt"
    receipt = b"\x30" + bytes([2 + len(topic) + 1 + 5, 0, len(topic)]) + topic + b"\x00sign!"
    for number in range(3 * READS_A_SECOND):
        assert made.publish(number, b"sealed")
        mid = number + 2  # 1 was the subscription's
        broker.say(b"\x40\x02" + mid.to_bytes(2, "big") + receipt)
        made.serve(select.POLLIN)
    assert (made.phase, made.delivered, len(receipts)) == (Phase.UP, 3 * READS_A_SECOND, 3 * READS_A_SECOND)


def test_a_second_without_an_envelope_has_room_for_an_honest_brokers_words(tmp_path: Path) -> None:
    ends = Ends(tmp_path, NOW, NOW)
    broker = BrokerEnd(ends)
    made = Connection(broker.given, ends.client(), host="localhost", device_id="cam-one", receipt=lambda _: None)
    joined(broker, made)
    for _ in range(5):
        for _ in range(READS_A_SECOND // 2):
            broker.say(PINGRESP)
            made.serve(select.POLLIN)
        made.keep_alive()
    assert made.phase is Phase.UP


def test_who_flooded_is_told_and_tried_ever_more_slowly_until_it_is_calm(tmp_path: Path) -> None:
    ends, now, dialled = Ends(tmp_path, NOW, NOW), [0.0], []
    service = dialling(ends, now, dialled)

    def join() -> BrokerEnd:
        tried = len(dialled)
        while len(dialled) == tried:
            now[0] += 0.1
            service.tick()
        broker = BrokerEnd(ends)
        service.dialled(broker.given)
        assert service.connection is not None
        joined(broker, service.connection)
        service.tick()
        return broker

    for _ in range(6):
        broker = join()
        assert service.refusal is (Refusal.FLOODS if len(dialled) > 1 else Refusal.NONE)
        while service.connection is not None:
            broker.say(PINGRESP * 8000)
            service.serve(select.POLLIN)
            service.tick()
        assert service.refusal is Refusal.FLOODS
    pauses = [after - before for before, after in pairwise(dialled)]
    assert pauses == sorted(pauses) and pauses[-1] > 3.0
    join()
    now[0] += CALM_SECONDS
    service.tick()
    assert service.up and service.refusal is Refusal.NONE
