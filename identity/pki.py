"""The development certificate authority of one data home, for the broker's mutual TLS.

EC P-256 throughout. One certificate for the broker (names localhost, 127.0.0.1, ::1), one for the device (its id as
common name) and one for the sink. A deployment brings its own; only the file names stay.
"""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes, PublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_DAYS = 365
_CLOCK_SLACK = datetime.timedelta(hours=1)


@dataclass(frozen=True)
class Pair:
    """A private key and its certificate, both PEM. The key never shows in a repr."""

    certificate: bytes
    key: bytes

    def __repr__(self) -> str:
        return "Pair(...)"


@dataclass(frozen=True)
class Authority:
    """A certificate authority that can issue."""

    pair: Pair
    _key: ec.EllipticCurvePrivateKey
    _name: x509.Name

    @classmethod
    def create(cls, now: datetime.datetime) -> Authority:
        """A new authority, valid for a year from `now`."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("Sealcam development CA")
        builder = _builder(name, name, key.public_key(), now)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        return cls(_pair(builder.sign(key, hashes.SHA256()), key), key, name)

    def issue(self, common_name: str, role: Literal["server", "client"], now: datetime.datetime) -> Pair:
        """A key pair with a certificate for one role, valid for a year from `now`."""
        key = ec.generate_private_key(ec.SECP256R1())
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if role == "server" else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = _builder(_name(common_name), self._name, key.public_key(), now)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(digital_signature=True), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(issuer, critical=False)
        if role == "server":
            addresses = [x509.IPAddress(ipaddress.ip_address(a)) for a in ("127.0.0.1", "::1")]
            names = x509.SubjectAlternativeName([x509.DNSName("localhost"), *addresses])
            builder = builder.add_extension(names, critical=False)
        return _pair(builder.sign(self._key, hashes.SHA256()), key)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SLACK)
        .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    return Pair(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )


@dataclass(frozen=True)
class Trusted:
    """What a bundle of authorities' certificates holds beside those of this home.

    Attributes:
        others: certificates of others' authorities, PEM.
        had_ours: whether one of this home's was among them, as far as that can be told.
    """

    others: bytes = b""
    had_ours: bool = False


def trusted(bundle: bytes, key: bytes, issued: bytes) -> Trusted:
    """A ca.crt, told apart into this home's authority and others'.

    What cannot be read holds nobody's, and where neither `key` nor `issued` can be read, nothing is held to be others'.

    Args:
        key: this home's authority's private key, PEM.
        issued: a certificate that it issued, PEM: where the key is lost, that tells as well.
    """
    ours, certificate = _key_of(key), _first(issued)
    if not ours and certificate is None:
        return Trusted()  # then none of them can be told from one of ours, which is to be trusted no more
    try:
        found = x509.load_pem_x509_certificates(bundle)
    except ValueError:
        return Trusted()
    others = [c for c in found if _public(c.public_key()) != ours and not _issued(c, certificate)]
    return Trusted(b"".join(c.public_bytes(serialization.Encoding.PEM) for c in others), len(others) < len(found))


def _key_of(key: bytes) -> bytes:
    """The public half of a private key in PEM, empty where it cannot be read."""
    try:
        loaded = serialization.load_pem_private_key(key, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return b""
    return _public(loaded.public_key())


def _first(content: bytes) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(content)
    except ValueError:
        return None


def _issued(authority: x509.Certificate, certificate: x509.Certificate | None) -> bool:
    if certificate is None:
        return False
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _public(key: CertificatePublicKeyTypes | PublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
