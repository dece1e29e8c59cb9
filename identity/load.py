"""Files -> typed keys. A file that does not hold exactly what it must hold is refused with a remedy."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from identity.errors import DamagedKeyError, ExpiredCertificateError, MissingKeyError
from identity.files import HOME_ENTRIES, NAME_A_KEY, command, in_a_home, read_private, read_public
from wire import cose, ed25519, topics
from wire.errors import ForgedError, HostileInputError
from wire.register import MAX_REGISTER_BYTES, Register, verify_issued_at
from wire.register import verify as verify_register
from wire.sink_key import SinkPrivateKey, SinkPublicKey

_MAX_KEYS = 256
_PUBLIC_HALVES = {"hpke.key": "sink_hpke.pub", "receipt.key": "receipt.pub"}
_A_REGISTER = "name a signed register (sealcam sign register sign makes one) that only you can change"
_MAKE_A_REGISTER = "get it from the road authority, or sign one: sealcam sign register --help"


def device_id(path: Path) -> str:
    """The device's id, a text file of one line."""
    text = read_private(path, 64).decode("ascii", "replace").strip()
    if not topics.is_device_id(text):
        raise DamagedKeyError(
            f"{path} holds no device id", f"move it away and run: {command('sealcam keys init', path)}"
        )
    return text


def signing_key(path: Path) -> Ed25519PrivateKey:
    """An Ed25519 private key in PEM (PKCS 8)."""
    content = read_private(path, make=_lost_half(path))
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise DamagedKeyError(f"{path} is no private key in PEM", _restore(path)) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise DamagedKeyError(f"{path} is not an Ed25519 key", _restore(path))
    return key


def _renew(path: Path) -> str:
    return f"run: {command('sealcam keys renew', path)}"


def _restore(path: Path) -> str:
    """What to do about a file that a data home, or else the user, takes for a private key."""
    return "restore it from your backup" if in_a_home(path) else NAME_A_KEY


def _lost_half(path: Path) -> str | None:
    """The remedy where a private key of the receiver is missing beside its public half: no new one takes its place."""
    public = public_half(path)
    if public is None or not public.exists():
        return None
    return f"restore it from a copy: {public} is there, and a new key cannot take its place"


def public_half(path: Path) -> Path | None:
    """Where the device has the public half of one of the receiver's private keys; None for other files."""
    name = _PUBLIC_HALVES.get(path.name)
    return None if name is None or path.parent.name != "sink" else path.parent.parent / "trust" / name


def public_key(path: Path) -> Ed25519PublicKey:
    """An Ed25519 public key: 32 raw bytes in hex, and not of low order, which would be everybody's."""
    try:
        return ed25519.public_key(_hex(path, read_public(path)))
    except HostileInputError:
        raise DamagedKeyError(f"{path} is no Ed25519 public key in hex", "get it again from where it came") from None


def sink_public(path: Path) -> SinkPublicKey:
    """The sink's HPKE public key, in hex."""
    try:
        return SinkPublicKey.from_bytes(_hex(path, read_public(path)))
    except HostileInputError:
        raise DamagedKeyError(f"{path} is no HPKE public key", "get it again from the sink") from None


def sink_private(path: Path) -> SinkPrivateKey:
    """The sink's HPKE private key, in hex."""
    try:
        return SinkPrivateKey.from_bytes(_hex(path, read_private(path, make=_lost_half(path))))
    except HostileInputError:
        raise DamagedKeyError(f"{path} is no HPKE private key", "restore it from your backup") from None


def trust_anchors(folder: Path) -> dict[bytes, Ed25519PublicKey]:
    """The road authorities' keys: `<key id in hex>.pub` each. A file under another key's name is refused."""
    anchors: dict[bytes, Ed25519PublicKey] = {}
    for path in _listed(folder):
        key = public_key(path)
        if path.stem != cose.key_id(key).hex():
            raise DamagedKeyError(f"{path} does not hold the key of that id", "get it again from the road authority")
        anchors[cose.key_id(key)] = key
    return anchors


def device_keys(folder: Path) -> dict[str, Ed25519PublicKey]:
    """The enrolled devices' keys: `<device id>.pub` each."""
    keys: dict[str, Ed25519PublicKey] = {}
    for path in _listed(folder):
        if not topics.is_device_id(path.stem):
            raise DamagedKeyError(f"{path} is not named after a device", "move it away")
        keys[path.stem] = public_key(path)
    return keys


def register(path: Path, anchors: dict[bytes, Ed25519PublicKey]) -> Register:
    """The road authority's register, verified against `anchors`."""
    content = register_bytes(path)
    try:
        return verify_register(content, anchors)
    except HostileInputError as error:
        raise _refused_register(path, error) from None


def register_issued_at(path: Path, anchors: dict[bytes, Ed25519PublicKey]) -> int:
    """When the register was issued, unix seconds, verified against `anchors`."""
    content = register_bytes(path)
    try:
        return verify_issued_at(content, anchors)
    except HostileInputError as error:
        raise _refused_register(path, error) from None


def register_bytes(path: Path) -> bytes:
    """A register's file, not verified. Raises as `files.read_public`."""
    return read_public(path, MAX_REGISTER_BYTES, another=_A_REGISTER, make=_MAKE_A_REGISTER)


def _refused_register(path: Path, error: HostileInputError) -> DamagedKeyError:
    """One that a trusted authority did not sign; or a file that is no register, where a user named it."""
    other_file = not isinstance(error, ForgedError) and not in_a_home(path)
    remedy = _A_REGISTER if other_file else "get it again from the road authority"
    return DamagedKeyError(f"{path} is refused: {error}", remedy)


def certificate(path: Path, now: datetime.datetime | None = None) -> x509.Certificate:
    """A certificate in PEM that is valid at `now`. Raises ExpiredCertificateError when it is not."""
    loaded = certificate_any_time(path)
    now = now or datetime.datetime.now(datetime.UTC)
    if now >= loaded.not_valid_after_utc:
        raise ExpiredCertificateError(
            f"the certificate {path} expired on {loaded.not_valid_after_utc:%Y-%m-%d}", _renew(path)
        )
    if now < loaded.not_valid_before_utc:
        raise ExpiredCertificateError(
            f"the certificate {path} is not valid before {loaded.not_valid_before_utc:%Y-%m-%d %H:%M} UTC",
            "set this machine's clock",
        )
    return loaded


def certificate_any_time(path: Path) -> x509.Certificate:
    """A certificate in PEM, expired or not: to be shown, not to be relied on."""
    content = read_public(path)
    try:
        return x509.load_pem_x509_certificate(content)
    except ValueError:
        raise DamagedKeyError(f"{path} is no certificate in PEM", _renew(path)) from None


def client_context(key: Path, chain: Path, authority: Path, *, at_any_time: bool = False) -> ssl.SSLContext:
    """TLS 1.3 as a client with a certificate: verifies the server's name and chain. Files are read now, never again.

    Args:
        at_any_time: take certificates that are out of their time too. Each handshake is still refused while they are,
            so that a client that goes on trying connects once its clock is right.

    Raises:
        ExpiredCertificateError, MissingKeyError, UnsafeKeyFileError, DamagedKeyError.
    """
    content = read_private(key)
    try:
        serialization.load_pem_private_key(content, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise DamagedKeyError(f"{key} is no private key in PEM", _renew(key)) from None
    for path in (chain, authority):
        certificate_any_time(path) if at_any_time else certificate(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_verify_locations(cafile=str(authority))
        context.load_cert_chain(str(chain), str(key))
    except ssl.SSLError:
        raise DamagedKeyError(f"{key} and {chain} do not belong together", _renew(key)) from None
    return context


def _listed(folder: Path) -> list[Path]:
    """The `.pub` files of a folder, in order; bounded."""
    if not folder.is_dir():
        make = (
            f"run: {command('sealcam keys init', folder)}"
            if folder.parent.name in HOME_ENTRIES
            else "name a folder with the authorities' keys in authority/ (--trust)"
        )
        shown = f"./{folder}" if len(folder.parts) == 1 and not folder.is_absolute() else folder
        raise MissingKeyError(f"{shown} is missing", make)
    paths = sorted(folder.glob("*.pub"))
    if len(paths) > _MAX_KEYS:
        raise DamagedKeyError(f"{folder} holds more than {_MAX_KEYS} keys", "move away what does not belong there")
    return paths


def _hex(path: Path, content: bytes) -> bytes:
    try:
        return bytes.fromhex(content.decode("ascii"))
    except ValueError:
        raise DamagedKeyError(f"{path} is not in hex", "get it again from where it came") from None
