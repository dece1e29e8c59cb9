"""The models' signature: whatever is not, byte for byte, what the trusted key signed is refused."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from wire import provenance
from wire.errors import ArtifactError, ProvenanceError

KEY = ec.generate_private_key(ec.SECP256R1())
FILES = {"README.md": b"card", "detector.tflite": b"weights" * 9, "manifest.json": b'{"schema": 1}'}
Change = Callable[[Any], object]

# Made by model_signing 1.1.1 (`model_signing sign key`) over one file, manifest.json with the two bytes {}.
OFFICIAL_KEY = b"""-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE0JiQRGH5zTbxuqbsy8ex1OZxlQaW
YA91NWQsVEZMkF0y2Jqvn/2KbxIGc7k4XStOCKdjYKEBrbaovOj3nYFNgQ==
-----END PUBLIC KEY-----
"""
OFFICIAL_SIGNATURE = (
    '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint"'
    ':"71e73b1b0524f247c191785533ad18ecf464ea437d08266d489f4f72b48e28a4"},"tlogEntries":[]},"dsseEnvelope":{"'
    'payload":"ewogICJfdHlwZSI6ICJodHRwczovL2luLXRvdG8uaW8vU3RhdGVtZW50L3YxIiwKICAic3ViamVjdCI6IFsKICAgIHsKIC'
    "AgICAgIm5hbWUiOiAidiIsCiAgICAgICJkaWdlc3QiOiB7CiAgICAgICAgInNoYTI1NiI6ICJjNzRmMzAwOGZkZDJmN2M1YWU1NDQ2YW"
    "IyZTUyMjYyOWY2MzM0NmY2OGE0MDI2YjRmNzJiOTFiMzkzNDc1ZmY2IgogICAgICB9CiAgICB9CiAgXSwKICAicHJlZGljYXRlVHlwZS"
    "I6ICJodHRwczovL21vZGVsX3NpZ25pbmcvc2lnbmF0dXJlL3YxLjAiLAogICJwcmVkaWNhdGUiOiB7CiAgICAic2VyaWFsaXphdGlvbi"
    "I6IHsKICAgICAgImlnbm9yZV9wYXRocyI6IFsKICAgICAgICAibW9kZWwuc2lnIiwKICAgICAgICAiLmdpdCIsCiAgICAgICAgIi5naX"
    "RhdHRyaWJ1dGVzIiwKICAgICAgICAiLmdpdGh1YiIsCiAgICAgICAgIi5naXRpZ25vcmUiCiAgICAgIF0sCiAgICAgICJhbGxvd19zeW"
    "1saW5rcyI6IGZhbHNlLAogICAgICAibWV0aG9kIjogImZpbGVzIiwKICAgICAgImhhc2hfdHlwZSI6ICJzaGEyNTYiCiAgICB9LAogIC"
    "AgInJlc291cmNlcyI6IFsKICAgICAgewogICAgICAgICJuYW1lIjogIm1hbmlmZXN0Lmpzb24iLAogICAgICAgICJkaWdlc3QiOiAiND"
    "QxMzZmYTM1NWIzNjc4YTExNDZhZDE2ZjdlODY0OWU5NGZiNGZjMjFmZTc3ZTgzMTBjMDYwZjYxY2FhZmY4YSIsCiAgICAgICAgImFsZ2"
    '9yaXRobSI6ICJzaGEyNTYiCiAgICAgIH0KICAgIF0KICB9Cn0=","payloadType":"application/vnd.in-toto+json","signat'
    'ures":[{"sig":"MEYCIQCJESCNd0Vskdj+WdIf6iEbUVgsqC7KQvyULTEcYc1dtAIhAMvxpMtwesCuEjqySFnfuGDJnx9aK2dncym7x'
    '7/nps7W","keyid":""}]}}'
)


def pem(key: Any) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return bytes(key.public_key().public_bytes(serialization.Encoding.PEM, form))


TRUSTED = provenance.anchor(pem(KEY), "the key")


def statement(change: Change = lambda s: None) -> dict[str, Any]:
    """The payload as `model_signing` makes it, then changed; the digest of the whole is made to fit."""
    made: dict[str, Any] = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "models", "digest": {"sha256": ""}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": ["model.sig"],
            },
            "resources": [
                {"name": name, "algorithm": "sha256", "digest": hashlib.sha256(content).hexdigest()}
                for name, content in FILES.items()
            ],
        },
    }
    change(made["predicate"]["resources"])
    digests = b"".join(bytes.fromhex(r["digest"]) for r in made["predicate"]["resources"])
    made["subject"][0]["digest"]["sha256"] = hashlib.sha256(digests).hexdigest()
    return made


def bundle(payload: bytes, key: ec.EllipticCurvePrivateKey = KEY) -> dict[str, Any]:
    signature = key.sign(provenance.pae(payload), ec.ECDSA(hashes.SHA256()))
    return {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": provenance.key_id(key.public_key())}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"sig": base64.b64encode(signature).decode(), "keyid": ""}],
        },
    }


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


GOOD_PAYLOAD = compact(statement())
GOOD = compact(bundle(GOOD_PAYLOAD))


def refused(content: bytes, said: str | None = None, trusted: provenance.Anchor = TRUSTED) -> str:
    with pytest.raises(ProvenanceError, match=said) as caught:
        provenance.verify(content, trusted, "model.sig")
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.isprintable() and ";" in sentence
    return sentence


def test_a_good_signature_gives_each_files_digest() -> None:
    signed = provenance.verify(GOOD, TRUSTED, "model.sig")
    assert list(signed) == list(FILES)
    for name, content in FILES.items():
        provenance.check(signed, name, content, name)


def test_a_signature_made_by_the_official_library_is_accepted() -> None:
    signed = provenance.verify(OFFICIAL_SIGNATURE.encode(), provenance.anchor(OFFICIAL_KEY, "key"), "model.sig")
    provenance.check(signed, "manifest.json", b"{}", "manifest.json")


def test_each_flipped_bit_of_the_file_is_refused() -> None:
    for position in range(len(GOOD)):
        for bit in range(8):
            changed = bytearray(GOOD)
            changed[position] ^= 1 << bit
            with pytest.raises(ProvenanceError):
                provenance.verify(bytes(changed), TRUSTED, "model.sig")


def test_each_flipped_bit_of_the_payload_is_refused() -> None:
    good = bundle(GOOD_PAYLOAD)
    for position in range(len(GOOD_PAYLOAD)):
        for bit in range(8):
            changed = bytearray(GOOD_PAYLOAD)
            changed[position] ^= 1 << bit
            good["dsseEnvelope"]["payload"] = base64.b64encode(changed).decode()
            with pytest.raises(ProvenanceError, match="not good"):
                provenance.verify(compact(good), TRUSTED, "model.sig")


def test_each_flipped_bit_of_the_signature_is_refused() -> None:
    good = bundle(GOOD_PAYLOAD)
    signature = base64.b64decode(good["dsseEnvelope"]["signatures"][0]["sig"])
    for position in range(len(signature)):
        for bit in range(8):
            changed = bytearray(signature)
            changed[position] ^= 1 << bit
            good["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(changed).decode()
            with pytest.raises(ProvenanceError, match="not good"):
                provenance.verify(compact(good), TRUSTED, "model.sig")


def test_each_flipped_bit_of_a_file_is_refused() -> None:
    signed = provenance.verify(GOOD, TRUSTED, "model.sig")
    for name, content in FILES.items():
        for position in range(len(content)):
            for bit in range(8):
                changed = bytearray(content)
                changed[position] ^= 1 << bit
                with pytest.raises(ProvenanceError, match="not the file that was signed"):
                    provenance.check(signed, name, bytes(changed), name)


def test_a_cut_off_or_lengthened_file_is_refused() -> None:
    signed = provenance.verify(GOOD, TRUSTED, "model.sig")
    for content in (b"", FILES["detector.tflite"][:-1], FILES["detector.tflite"] + b"\0"):
        with pytest.raises(ProvenanceError, match=r"detector\.tflite is not the file"):
            provenance.check(signed, "detector.tflite", content, "detector.tflite")


def test_a_file_that_is_not_signed_is_refused() -> None:
    with pytest.raises(ProvenanceError, match=r"other\.tflite is not among the signed"):
        provenance.check(provenance.verify(GOOD, TRUSTED, "model.sig"), "other.tflite", b"", "other.tflite")


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_one_sentence(content: bytes) -> None:
    refused(content)


@given(st.binary(max_size=300))
def test_any_payload_even_well_signed_is_refused_in_one_sentence(payload: bytes) -> None:
    with pytest.raises(ProvenanceError):
        provenance.verify(compact(bundle(payload)), TRUSTED, "model.sig")


def test_another_key_is_named() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    assert TRUSTED.key_id[:16] in refused(compact(bundle(GOOD_PAYLOAD, other)), "signed with the key")


def test_another_key_under_the_name_of_the_trusted_key_is_refused() -> None:
    forged = bundle(GOOD_PAYLOAD, ec.generate_private_key(ec.SECP256R1()))
    forged["verificationMaterial"]["publicKey"]["hint"] = TRUSTED.key_id
    refused(compact(forged), "not good")


def test_the_payload_is_not_looked_at_before_its_signature_is_good() -> None:
    forged = bundle(b"\x1b[2Jno statement", ec.generate_private_key(ec.SECP256R1()))
    forged["verificationMaterial"]["publicKey"]["hint"] = TRUSTED.key_id
    assert "statement" not in refused(compact(forged), "not good")


@pytest.mark.parametrize(
    "change",
    [
        lambda b: b["dsseEnvelope"]["signatures"].append(b["dsseEnvelope"]["signatures"][0]),
        lambda b: b["dsseEnvelope"]["signatures"].clear(),
        lambda b: b["dsseEnvelope"]["signatures"][0].update(keyid="x"),
        lambda b: b["dsseEnvelope"]["signatures"][0].update(extra=1),
        lambda b: b["dsseEnvelope"].update(payloadType="application/json"),
        lambda b: b["dsseEnvelope"].update(payload=b["dsseEnvelope"]["payload"] + "\n"),
        lambda b: b["dsseEnvelope"].update(extra=1),
        lambda b: b.update(extra=1),
        lambda b: b.update({"\x1b[31m": 1}),
        lambda b: b.update(mediaType="application/vnd.dev.sigstore.bundle.v0.2+json"),
        lambda b: b["verificationMaterial"].pop("publicKey"),
        lambda b: b["verificationMaterial"].update(certificate={"rawBytes": "AA=="}),
        lambda b: b["verificationMaterial"].update(tlogEntries=[None]),
        lambda b: b["verificationMaterial"]["publicKey"].update(hint=""),
        lambda b: b.pop("dsseEnvelope"),
    ],
)
def test_a_bundle_that_holds_more_or_less_than_it_must_is_refused(change: Change) -> None:
    made = bundle(GOOD_PAYLOAD)
    change(made)
    refused(compact(made), "no Sigstore bundle")


def test_base64_that_spells_the_same_bytes_in_another_way_is_refused() -> None:
    made = bundle(GOOD_PAYLOAD + b" " * ((2 - len(GOOD_PAYLOAD)) % 3))  # ends with one "="
    text = made["dsseEnvelope"]["payload"]
    assert text.endswith("=") and not text.endswith("==")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    made["dsseEnvelope"]["payload"] = text[:-2] + alphabet[alphabet.index(text[-2]) + 1] + "="
    refused(compact(made), "no Sigstore bundle")


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.update(_type="https://in-toto.io/Statement/v0.1"),
        lambda s: s.update(predicateType="https://model_signing/Digests/v0.1"),
        lambda s: s.update(predicateType="https://slsa.dev/provenance/v1"),
        lambda s: s.update(extra=1),
        lambda s: s.update(subject=s["subject"] * 2),
        lambda s: s.update(subject=[]),
        lambda s: s["subject"][0]["digest"].update(sha512="0" * 128),
        lambda s: s["predicate"].update(extra=1),
        lambda s: s["predicate"].update(resources=[]),
        lambda s: s["predicate"]["serialization"].update(method="shards"),
        lambda s: s["predicate"]["serialization"].update(hash_type="blake2b"),
        lambda s: s["predicate"]["serialization"].update(extra=1),
        lambda s: s["predicate"]["resources"][0].update(algorithm="blake3"),
        lambda s: s["predicate"]["resources"][0].update(digest="0" * 63),
        lambda s: s["predicate"]["resources"][0].update(extra=1),
    ],
)
def test_another_statement_is_refused_although_it_is_well_signed(change: Change) -> None:
    made = statement()
    change(made)
    refused(compact(bundle(compact(made))), "signs no OpenSSF model signature")


@pytest.mark.parametrize(
    "name",
    [
        "../manifest.json",
        "/etc/passwd",
        "a/../../b",
        "a//b",
        "./a",
        "a/",
        "",
        ".hidden",
        "a\\b",
        "a\nb",
        "x" * 81,
        "a/b/c/d/e",
    ],
)
def test_a_name_that_could_leave_the_folder_is_refused(name: str) -> None:
    made = statement(lambda resources: resources[0].update(name=name))
    refused(compact(bundle(compact(made))), "signs no OpenSSF model signature")


def test_a_file_listed_twice_is_refused() -> None:
    made = statement(lambda resources: resources.append({**resources[0], "digest": "0" * 64}))
    refused(compact(bundle(compact(made))), "twice")


def test_symbolic_links_are_refused() -> None:
    made = statement()
    made["predicate"]["serialization"]["allow_symlinks"] = True
    refused(compact(bundle(compact(made))), "symbolic links")


def test_a_digest_of_the_whole_that_does_not_fit_is_refused() -> None:
    made = statement()
    made["subject"][0]["digest"]["sha256"] = "0" * 64
    refused(compact(bundle(compact(made))), "digest of the whole")


def test_too_many_files_are_refused() -> None:
    template = {"algorithm": "sha256", "digest": "0" * 64}
    made = statement(lambda resources: resources.extend({"name": f"f{n}", **template} for n in range(64)))
    refused(compact(bundle(compact(made))), "signs no OpenSSF model signature")


def test_an_oversized_signature_is_refused_before_it_is_parsed() -> None:
    refused(GOOD + b" " * provenance.MAX_BUNDLE_BYTES, "over 64 KiB")


def test_a_deeply_nested_file_is_refused() -> None:
    refused(b"[" * 60_000)
    refused(b'{"mediaType":' + b"[" * 60_000)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no key",
        pem(ec.generate_private_key(ec.SECP384R1())),
        KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        pem(KEY) + b" " * provenance.MAX_KEY_BYTES,
    ],
)
def test_what_is_no_release_key_is_named(content: bytes) -> None:
    with pytest.raises(ArtifactError, match=r"k\.pem is no release key") as caught:
        provenance.anchor(content, "k.pem")
    assert caught.value.exit_status == 2
