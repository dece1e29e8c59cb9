"""The data home: the folder of an installation's keys, certificates and spool, and how they are first made.

    device/      id, signing.key (Ed25519), tls.key, tls.crt, ca.crt
    sink/        hpke.key (ML-KEM-768 with X25519), receipt.key (Ed25519), tls.key, tls.crt, ca.crt, devices/<id>.pub
    broker/      tls.key, tls.crt, ca.crt, ca.key; the broker's own acl, mosquitto.conf and mosquitto.log
    authority/   authority.key (Ed25519): signs sign codes and the register
    trust/       authority/<key id>.pub, register.cose, register.seen, sink_hpke.pub, receipt.pub
    spool/       spool.db, sealed envelopes that wait for their receipts; reserved

A development home holds all the parts on one machine. Folders are 0700 and files 0600 from the moment they exist.
"""

from __future__ import annotations

import datetime
import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from identity import clock, load, place
from identity.errors import (
    DamagedKeyError,
    ExpiredCertificateError,
    KeysError,
    LostReceiverKeyError,
    MissingKeyError,
    UnsafeKeyFileError,
)
from identity.files import (
    PRIVATE_FILE,
    close_if_empty,
    command,
    is_a_home,
    make_folder,
    read_public,
    write_private,
    write_together,
)
from identity.pki import Authority, trusted
from identity.register_guard import SEEN
from wire import cose, ed25519, register, topics
from wire.errors import HostileInputError
from wire.sink_key import SinkPrivateKey

_FOLDERS = (
    "device",
    "sink",
    "sink/devices",
    "broker",
    "authority",
    "trust",
    "trust/authority",
    "spool",
)
CERTIFICATES = (
    "broker/ca.crt",
    "broker/tls.crt",
    "device/tls.crt",
    "device/ca.crt",
    "sink/tls.crt",
    "sink/ca.crt",
)
DEVICE_CERTIFICATES = ("device/tls.crt", "device/ca.crt")
_PKI_FILES = (*CERTIFICATES, "broker/ca.key", "broker/tls.key", "device/tls.key", "sink/tls.key")


class Home:
    """One data home. The properties are paths; what they hold is read by `identity.load`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def default(cls) -> Home:
        """`$SEALCAM_HOME`, else `$XDG_DATA_HOME/sealcam`, else `~/.local/share/sealcam`.

        Raises KeysError as `place.default`.
        """
        return cls(place.default())

    @classmethod
    def at(cls, named: Path) -> Home:
        """The home in a folder that a user named. Raises KeysError where `~` stands for no folder."""
        return cls(place.expanded(named))

    def inner(self, name: str) -> Home:
        """A home of its own inside this one: the demo's, the red team's. Raises UnsafeKeyFileError as `check_made`."""
        self._check_place()
        return Home(self.path / name)

    @property
    def device(self) -> Path:
        """The device's identity."""
        return self.path / "device"

    @property
    def sink(self) -> Path:
        """The sink's identity, and the devices that it knows."""
        return self.path / "sink"

    @property
    def broker(self) -> Path:
        """The broker's certificates and configuration."""
        return self.path / "broker"

    @property
    def trust(self) -> Path:
        """What the device trusts: the road authorities' keys and register, the sink's public keys."""
        return self.path / "trust"

    @property
    def spool(self) -> Path:
        """Sealed envelopes that wait for their receipts."""
        return self.path / "spool"

    @property
    def authority_key(self) -> Path:
        """The road authority's signing key."""
        return self.path / "authority" / "authority.key"

    def ensure_development(self, *, clock_is_right: bool = False) -> bool:
        """Make what is missing of a development home; what is there is kept. Safe to run at once from two places.

        Only `sealcam keys init`, the demo and the red team call this: it makes a road authority where there is none.

        Returns:
            whether there was none: a road authority was made.

        Raises:
            UnsafeKeyFileError: the place is a folder of something else.
            MissingKeyError: a device id is there without its key; an identity is never replaced silently.
            LostReceiverKeyError: a private key of the sink is missing, and its public half is there.
            ClockBehindError: something with a time is to be made, and the clock is wrong; unless `clock_is_right`.
            DamagedKeyError: a key is damaged, or one of the sink's two public keys is not that of this home's.
            KeysError: the place cannot be written, or is open to other users and not empty.
        """
        self._check_place()
        close_if_empty(self.path)
        new = not self.authority_key.exists()
        unmade = any(not (self.path / name).exists() for name in _PKI_FILES)
        if not clock_is_right and (unmade or new):
            self._check_clock("sealcam keys init")
        with self._locked():
            self._ensure_device()
            self._ensure_sink()
            self._ensure_authority()
            if any(not (self.path / name).exists() for name in _PKI_FILES):
                self._make_certificates()
            key = load.signing_key(self.device / "signing.key").public_key()
            if not (self.sink / "devices" / f"{self.device_id()}.pub").exists():
                self.enroll(self.device_id(), key)
        return new

    def check_made(self, parts: Sequence[str] = ("device", "trust"), option: str = place.HOME_VARIABLE) -> None:
        """That there is a data home: a mistyped name must not become a new road authority.

        Args:
            parts: the folders of which at least one must be there for what is about to be done.
            option: with what the user names a home.

        Raises:
            MissingKeyError: nothing is there yet. UnsafeKeyFileError: the place is a folder of something else.
        """
        self._check_place()
        if not any((self.path / part).is_dir() for part in parts):
            make = place.command("sealcam keys init", self.path)
            raise MissingKeyError(
                f"there is no data home at {self.path}", f"make one there with `{make}`, or name yours with {option}"
            )

    def check_device(self) -> None:
        """That a device can run from this home, and its folder for the spool. Nothing but that folder is made.

        Raises:
            MissingKeyError: there is no data home here, or a part of it is missing.
            KeysError: a part is damaged, or open to other users.
        """
        self.check_made()
        for folder in (self.path, self.device, self.trust, self.trust / "authority", self.spool):
            make_folder(folder)
        self.device_id()
        load.signing_key(self.device / "signing.key")
        load.sink_public(self.trust / "sink_hpke.pub")
        load.public_key(self.trust / "receipt.pub")
        load.trust_anchors(self.trust / "authority")

    def renew(self, *, clock_is_right: bool = False) -> list[Path]:
        """Make a new certificate authority and new certificates and TLS keys. Identities and spool stay as they are.

        Returns:
            the ca.crt files in which authorities of others were found, and kept.

        Raises:
            ClockBehindError: the clock is wrong, unless `clock_is_right`.
            KeysError: there is no home, or it cannot be written.
        """
        self.check_made()
        if not clock_is_right:
            self._check_clock("sealcam keys renew")
        with self._locked():
            return self._make_certificates()

    def check_certificates(self, now: datetime.datetime | None = None) -> None:
        """Raises ExpiredCertificateError when one of the certificates is not valid now."""
        for name in CERTIFICATES:
            load.certificate(self.path / name, now)

    def certificates_out_of_time(self, now: datetime.datetime | None = None) -> list[ExpiredCertificateError]:
        """What keeps the device from its broker now: a certificate, or this machine's clock. Raises KeysError."""
        found: list[ExpiredCertificateError] = []
        for name in DEVICE_CERTIFICATES:
            try:
                load.certificate(self.path / name, now)
            except ExpiredCertificateError as error:
                found.append(error)
        return found

    def certified_since(self) -> int:
        """When the newest of the device's certificates was made, unix seconds: no right clock says less.

        A certificate that cannot be read says nothing here.
        """
        since = 0
        for name in DEVICE_CERTIFICATES:
            with suppress(KeysError):
                loaded = load.certificate_any_time(self.path / name)
                since = max(since, round(loaded.not_valid_before_utc.timestamp()))
        return since

    def known_past(self) -> int:
        """A moment that is over for certain, unix seconds: no right clock says less."""
        return clock.known_past(self.path, CERTIFICATES)

    def _check_clock(self, words: str) -> None:
        clock.check(self.known_past(), f"run: {place.command(words, self.path)} --clock-is-right")

    @property
    def seals_for_another(self) -> bool | None:
        """Whether the device seals for the receiver of another home: neither of its keys is this home's.

        None: they are of two receivers, so that no receipt is ever believed. Raises KeysError.
        """
        sealing = load.sink_private(self.sink / "hpke.key").public
        receipts = load.signing_key(self.sink / "receipt.key").public_key()
        ours = (
            load.sink_public(self.trust / "sink_hpke.pub") == sealing,
            load.public_key(self.trust / "receipt.pub") == receipts,
        )
        return None if len(set(ours)) > 1 else not ours[0]

    def _check_place(self) -> None:
        """Raises UnsafeKeyFileError where the place is a folder of something else, such as /etc, or another user's."""
        try:
            there = self.path.is_dir()
            other = not there and self.path.exists()
            if there:
                next(self.path.iterdir(), None)
        except PermissionError:
            raise UnsafeKeyFileError(
                f"the data home {self.path} cannot be read by this user",
                "run it as the user who made it, or set SEALCAM_HOME to a folder of your own",
            ) from None
        if other or (there and not is_a_home(self.path)):
            raise UnsafeKeyFileError(
                f"{self.path} is {'not a folder' if other else 'no data home'}",
                "set SEALCAM_HOME to a data home, or to a folder that is not there yet",
            )

    def enroll(self, device_id: str, key: Ed25519PublicKey) -> Path:
        """Let the sink know a device's key.

        Raises KeysError when it is no device id, another key has it already, or the key is of low order.
        """
        try:
            raw = ed25519.public_key(key.public_bytes_raw()).public_bytes_raw()
        except HostileInputError:
            raise KeysError(
                "the public key is one that every device could have", "get the key of `sealcam keys show` there"
            ) from None
        path: Path = self.sink / "devices" / f"{device_id}.pub"
        if not topics.is_device_id(device_id):
            raise KeysError(
                f"{device_id[:40]!r} is no device id",
                "give 3 to 32 lower-case letters, digits and dashes, a letter first",
            )
        if path.exists() and load.public_key(path) != key:
            raise KeysError(
                f"{path} holds another key for this device id", "remove it first if the device was replaced"
            )
        _ensure_public(path, raw)
        return path

    def device_id(self) -> str:
        """The device's id."""
        return load.device_id(self.device / "id")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """The folders exist, and no other process that takes this lock changes the home meanwhile."""
        for folder in (self.path, *(self.path / name for name in _FOLDERS)):
            make_folder(folder)
        try:
            descriptor = os.open(
                self.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE
            )
        except OSError as error:
            raise KeysError(
                f"the data home {self.path} cannot be written ({error.strerror})",
                "check what is there and who may write there, or set SEALCAM_HOME to another folder",
            ) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _ensure_device(self) -> None:
        identity, path = self.device / "id", self.device / "signing.key"
        if identity.exists() and not path.exists():
            raise MissingKeyError(
                f"{path} is missing, {identity} is there", "restore it, or move the id away for a new identity"
            )
        if not path.exists():
            write_private(path, _pem(Ed25519PrivateKey.generate()))
        if not identity.exists():
            key_id = cose.key_id(load.signing_key(path).public_key())
            write_private(identity, f"cam-{key_id.hex()[:8]}\n".encode())

    def _ensure_sink(self) -> None:
        for secret in (self.sink / "hpke.key", self.sink / "receipt.key"):
            public = load.public_half(secret)
            if public is not None and public.exists() and not secret.exists():
                make = command("sealcam keys init", self.path / "sink")
                raise LostReceiverKeyError(
                    f"{secret} is missing, {public} is there",
                    f"restore it from a copy, or, if there is none, move {public} away and run, for a new key: {make}",
                )
        if not (self.sink / "hpke.key").exists():
            write_private(self.sink / "hpke.key", SinkPrivateKey.generate().to_bytes().hex().encode() + b"\n")
        if not (self.sink / "receipt.key").exists():
            write_private(self.sink / "receipt.key", _pem(Ed25519PrivateKey.generate()))
        sealing = load.sink_private(self.sink / "hpke.key").public.raw
        receipts = load.signing_key(self.sink / "receipt.key").public_key().public_bytes_raw()
        if all((self.trust / name).exists() for name in ("sink_hpke.pub", "receipt.pub")) and self.seals_for_another:
            return
        _ensure_public(self.trust / "sink_hpke.pub", sealing)
        _ensure_public(self.trust / "receipt.pub", receipts)

    def _ensure_authority(self) -> None:
        if not self.authority_key.exists():
            write_private(self.authority_key, _pem(Ed25519PrivateKey.generate()))
        key = load.signing_key(self.authority_key)
        public = key.public_key()
        anchor = self.trust / "authority" / f"{cose.key_id(public).hex()}.pub"
        _ensure_public(anchor, public.public_bytes_raw())
        if not (self.trust / "register.cose").exists() and not (self.trust / SEEN).exists():
            write_private(self.trust / "register.cose", register.issue([], key, issued_at=int(time.time())))

    def _make_certificates(self) -> list[Path]:
        """Gives the ca.crt files that keep authorities of others, a second device's or its broker's."""
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        authority = Authority.create(now)
        contents, kept = {self.broker / "ca.key": authority.pair.key}, []
        before = _content(self.broker / "ca.key"), _content(self.broker / "tls.crt")
        for folder, pair in (
            (self.broker, authority.issue("localhost", "server", now)),
            (self.device, authority.issue(self.device_id(), "client", now)),
            (self.sink, authority.issue(topics.SINK_NAME, "client", now)),
        ):
            path = folder / "ca.crt"
            found = trusted(_content(path), *before)
            needs_ours = found.had_ours or not found.others or folder == self.broker
            authorities = (authority.pair.certificate if needs_ours else b"") + found.others
            contents |= {folder / "tls.key": pair.key, folder / "tls.crt": pair.certificate, path: authorities}
            kept += [path] if found.others else []
        write_together(contents)  # certificates of two authorities do not know each other
        return kept


def _content(path: Path) -> bytes:
    """Of a file that is about to be replaced, empty where it cannot be read."""
    try:
        return read_public(path)
    except KeysError:
        return b""


def _ensure_public(path: Path, raw: bytes) -> None:
    """Make the file with `raw` in hex when it is missing. Raises DamagedKeyError when it holds something else."""
    text = raw.hex().encode() + b"\n"
    if not path.exists():
        write_private(path, text)
    elif read_public(path) != text:
        raise DamagedKeyError(
            f"{path} is not the public key of this home's private one",
            "of another receiver put both sink_hpke.pub and receipt.pub there, or, for this home's own, move it away "
            "and run: "
            f"{command('sealcam keys init', path)}",
        )


def _pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
