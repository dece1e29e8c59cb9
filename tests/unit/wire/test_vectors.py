"""What is in the field stays readable: the wire writes these bytes and takes these bytes (`vectors/README.md`)."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.wire_samples import SUITE, vector
from wire import cose, envelope, events, receipt, register, signcode
from wire.envelope import Opened
from wire.events import CodeEvent, HealthEvent, PlaceEvent, VerdictEvent
from wire.receipt import Receipt
from wire.register import RegisterEntry
from wire.signcode import SignClaims
from wire.sink_key import SinkPrivateKey, SinkPublicKey

COSE, RECEIPT, CODE, REGISTER = vector("cose_sign1"), vector("receipt"), vector("sign_code"), vector("register")
EVENTS, SINK_KEY, ENVELOPE = vector("events"), vector("sink_key"), vector("envelope")


def octets(text: str) -> bytes:
    return bytes.fromhex(text)


def key(seed: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(octets(seed))


def test_a_key_id_is_the_first_eight_bytes_of_the_digest_of_the_key() -> None:
    public = key(COSE["seed"]).public_key()
    assert public.public_bytes_raw() == octets(COSE["public_key"])
    assert cose.key_id(public) == octets(COSE["key_id"])
    assert (cose.KEY_ID_BYTES, cose.SIGNATURE_BYTES) == (8, 64)


def test_a_signature_is_these_bytes() -> None:
    made = cose.sign1(
        octets(COSE["payload"]), key(COSE["seed"]), octets(COSE["key_id"]), external_aad=octets(COSE["external_aad"])
    )
    assert made == octets(COSE["signed"])
    assert len(made) == len(octets(COSE["payload"])) + 84


def test_these_bytes_are_a_signature() -> None:
    kid = octets(COSE["key_id"])
    trusted = {kid: key(COSE["seed"]).public_key()}
    assert cose.verify1(octets(COSE["signed"]), trusted, octets(COSE["external_aad"])) == (octets(COSE["payload"]), kid)


def test_a_receipt_is_these_bytes_and_these_bytes_are_a_receipt() -> None:
    sink, fields = key(RECEIPT["seed"]), (RECEIPT["device_id"], RECEIPT["sequence"], octets(RECEIPT["digest"]))
    assert receipt.issue(*fields, sink) == octets(RECEIPT["receipt"])
    assert receipt.verify(octets(RECEIPT["receipt"]), sink.public_key()) == Receipt(*fields)


def test_a_sign_code_is_this_text_and_this_text_is_a_sign_code() -> None:
    authority = key(CODE["seed"])
    kid = cose.key_id(authority.public_key())
    fields = {name: CODE[name] for name in SignClaims.__dataclass_fields__}
    claims = SignClaims(**(fields | {"sign_id": octets(CODE["sign_id"])}))
    assert signcode.issue(claims, authority) == CODE["text"]
    assert signcode.verify(CODE["text"].encode(), {kid: authority.public_key()}) == (claims, kid)


def test_a_register_is_these_bytes_and_these_bytes_are_a_register() -> None:
    authority = key(REGISTER["seed"])
    kid = cose.key_id(authority.public_key())
    trusted = {kid: authority.public_key()}
    entries = [RegisterEntry(**(entry | {"sign_id": octets(entry["sign_id"])})) for entry in REGISTER["entries"]]
    data = octets(REGISTER["register"])
    assert register.issue(reversed(entries), authority, issued_at=REGISTER["issued_at"]) == data
    read = register.verify(data, trusted)
    assert (read.issued_at, read.key_id) == (REGISTER["issued_at"], kid)
    assert list(read.entries.values()) == entries
    assert list(read.entries) == [entry.sign_id for entry in entries]
    assert register.verify_issued_at(data, trusted) == REGISTER["issued_at"]


def event_of(known: dict[str, Any]) -> events.Event:
    fields = known["fields"]
    if known["kind"] == "health":
        return HealthEvent(**fields)
    code = fields["code"] and CodeEvent(**fields["code"])
    position = fields["position"] and PlaceEvent(**fields["position"])
    return VerdictEvent(**(fields | {"code": code, "position": position, "reasons": tuple(fields["reasons"])}))


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_these_bytes_and_these_bytes_are_an_event(name: str) -> None:
    event, data = event_of(EVENTS[name]), octets(EVENTS[name]["cbor"])
    assert events.to_cbor(event).hex() == data.hex()
    assert events.parse(data) == event


def test_a_sink_key_is_these_bytes() -> None:
    sink = SinkPrivateKey.from_bytes(octets(SINK_KEY["secret"]))
    assert sink.public.raw == octets(SINK_KEY["public"])
    assert sink.to_bytes() == octets(SINK_KEY["secret"])
    assert SinkPublicKey.from_bytes(octets(SINK_KEY["public"])) == sink.public


def test_an_envelope_sealed_long_ago_opens() -> None:
    opened = envelope.open_envelope(
        octets(ENVELOPE["sealed"]),
        topic=ENVELOPE["topic"],
        device_id=ENVELOPE["device_id"],
        sink_private=SinkPrivateKey.from_bytes(octets(ENVELOPE["sink_secret"])),
        device_key=key(ENVELOPE["device_seed"]).public_key(),
    )
    lengths = ("previous", "boot_id", "event", "digest")
    assert opened == Opened(
        device_id=ENVELOPE["device_id"], sequence=7, **{name: octets(ENVELOPE[name]) for name in lengths}
    )


def test_an_envelope_holds_these_bytes_under_the_seal() -> None:
    """The seal itself differs each time; what is under it, and what it is bound to, does not."""
    sink, device = SinkPrivateKey.from_bytes(octets(ENVELOPE["sink_secret"])), key(ENVELOPE["device_seed"])
    sealed = envelope.seal(
        octets(ENVELOPE["event"]),
        device_id=ENVELOPE["device_id"],
        sequence=ENVELOPE["sequence"],
        previous=octets(ENVELOPE["previous"]),
        boot_id=octets(ENVELOPE["boot_id"]),
        topic=ENVELOPE["topic"],
        signing_key=device,
        device_kid=cose.key_id(device.public_key()),
        sink_key=sink.public,
    )
    known = octets(ENVELOPE["sealed"])
    frame = known[: known.index(b"\x07") + 4]  # [1, device id, sequence, and the head of the ciphertext
    assert sealed[: len(frame)] == frame
    assert len(sealed) == len(known)
    under = SUITE.decrypt(sealed[len(frame) :], sink.key, info=octets(ENVELOPE["info"]))
    inner = octets(ENVELOPE["inner"])
    assert under == inner + b"\x80" + bytes(ENVELOPE["padded_bytes"] - len(inner) - 1)
    trusted = {cose.key_id(device.public_key()): device.public_key()}
    assert cose.verify1(inner, trusted, octets(ENVELOPE["signed_context"]))


def test_what_was_verified_cannot_be_changed_afterwards() -> None:
    authority = key(CODE["seed"])
    trusted = {cose.key_id(authority.public_key()): authority.public_key()}
    read = register.verify(octets(REGISTER["register"]), trusted)
    verdict = event_of(EVENTS["verdict with code and place"])
    verified = [
        (receipt.verify(octets(RECEIPT["receipt"]), key(RECEIPT["seed"]).public_key()), "sequence"),
        (signcode.verify(CODE["text"].encode(), trusted)[0], "class_id"),
        (read, "issued_at"),
        (next(iter(read.entries.values())), "revoked"),
        (verdict, "state"),
        (verdict.code, "lat"),  # type: ignore[union-attr]
        (verdict.position, "lat"),  # type: ignore[union-attr]
        (event_of(EVENTS["health"]), "kind"),
        (Opened("cam-1", 7, bytes(32), bytes(16), b"", bytes(32)), "event"),
    ]
    for record, field in verified:
        with pytest.raises(AttributeError):
            setattr(record, field, 0)


def test_a_register_does_not_print_its_index() -> None:
    authority = key(REGISTER["seed"])
    trusted = {cose.key_id(authority.public_key()): authority.public_key()}
    assert "_cells" not in repr(register.verify(octets(REGISTER["register"]), trusted))
