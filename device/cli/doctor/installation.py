"""Models, keys, certificates, disk and clock: what this installation must have in order before a drive."""

from __future__ import annotations

import ctypes
import datetime
import os
import time
from pathlib import Path
from typing import Final

from device.cli.doctor.check import Check, Looks
from device.config import MODELS
from device.sealer import inventory
from device.sealer.errors import SpoolError
from device.warden import artifacts
from identity import clock, load, register_guard
from identity.errors import KeysError, UnrememberedRegisterError
from identity.files import read_public
from identity.home import CERTIFICATES
from program.wording import counted
from wire.errors import ArtifactError

_LEAST_FREE_MIB = 64
_SOON = datetime.timedelta(days=30)
_TIMEX_BYTES = 256  # struct timex is 208 bytes: linux/timex.h
_BOTH_KEYS = (
    "copy both trust/sink_hpke.pub and trust/receipt.pub of the receiver's home into trust here, before the next drive "
    "(docs/operations.md, A second device)"
)
_UNSYNCHRONISED = 5  # TIME_ERROR, adjtimex(2)


def _models(looks: Looks) -> Check:
    try:
        manifest, models = artifacts.load_signed(MODELS, looks.config.models.release_key)
    except ArtifactError as error:
        return Check("models", False, error.sentence, error.remedy)
    for number in models.values():
        os.close(number)
    whose = looks.config.models.release_key or "the release key"
    names = f"{manifest.detector.file} and {manifest.classifier.file}"
    return Check("models", True, f"{names}, as signed by {whose}", "")


def _keys(looks: Looks) -> Check:
    home = looks.home
    try:
        home.check_device()
        anchors = load.trust_anchors(home.trust / "authority")
        register_guard.check(home.trust)
    except UnrememberedRegisterError as error:
        return Check("keys", False, error.sentence, error.remedy, required=False)
    except KeysError as error:
        return Check("keys", False, error.sentence, error.remedy)
    if not anchors:
        return Check(
            "keys",
            False,
            f"{home.path} trusts no road authority: every code is FORGED",
            f"put the authority's public key into {home.trust / 'authority'}",
            required=False,
        )
    trusted = counted(len(anchors), "trusted road authority", "trusted road authorities")
    return Check("keys", True, f"{home.device_id()} in {home.path}, {trusted}", "")


def _certificates(looks: Looks) -> Check:
    needed = bool(looks.config.uplink.host)
    paths = [looks.home.path / name for name in CERTIFICATES if name.startswith("device/")]
    if not looks.home.device.is_dir():
        return Check("certificates", False, "none without a data home", "run: sealcam keys init", required=needed)
    try:
        ends = min(load.certificate(path).not_valid_after_utc for path in paths)
    except KeysError as error:
        return Check("certificates", False, error.sentence, error.remedy, required=needed)
    soon = ends - _now() < _SOON
    advice = "; renew them soon (sealcam keys renew)" if soon else ""
    return Check("certificates", True, f"valid until {ends:%Y-%m-%d}{advice}", "")


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _disk(looks: Looks) -> Check:
    place = next(path for path in (looks.home.spool, *looks.home.spool.parents) if path.is_dir())
    state = os.statvfs(place)
    free = state.f_bavail * state.f_frsize // 2**20
    wanted = looks.config.spool.max_mib
    if state.f_flag & os.ST_RDONLY or not os.access(place, os.W_OK):
        return Check("disk", False, f"{place} cannot be written", "set SEALCAM_HOME to a place that can be written")
    if free < _LEAST_FREE_MIB or (state.f_files and not state.f_favail):
        return Check("disk", False, f"{free} MiB free at {place}", f"free at least {_LEAST_FREE_MIB} MiB there")
    if free < wanted:
        return Check(
            "disk",
            False,
            f"{free} MiB free at {place}, the spool may take {wanted} MiB",
            "free some space, or lower [spool] max_mib",
            required=False,
        )
    return Check("disk", True, f"{free} MiB free at {place}, the spool may take {wanted} MiB", "")


def _clock(looks: Looks) -> Check:
    now = time.time()
    told = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    if now < (known := looks.home.known_past()) - clock.SLACK_S:
        since = time.strftime("%Y-%m-%d", time.gmtime(known))
        return Check("clock", False, f"{told} is before {since}, of which the keys or this release know", clock.SET_IT)
    synchronised = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)) != _UNSYNCHRONISED
    kept = "a hardware clock" if any(Path("/sys/class/rtc").glob("rtc*")) else "no hardware clock"
    if synchronised:
        return Check("clock", True, f"{told}, synchronised; {kept}", "")
    return Check("clock", False, f"{told}, not known to be synchronised; {kept}", clock.SET_IT, required=False)


def _receiver(looks: Looks) -> Check:
    """Whose keys the device seals for: what another receiver's key sealed, this one can never open."""
    home = looks.home
    if not home.device.is_dir():
        return Check("receiver", False, "none without a data home", "run: sealcam keys init", required=False)
    try:
        return _whose_receiver(looks)
    except SpoolError:
        return Check("receiver", True, "not looked at: the spool is in use, or cannot be read", "")
    except KeysError as error:
        return Check("receiver", False, error.sentence, error.remedy, required=False)


def _whose_receiver(looks: Looks) -> Check:
    home = looks.home
    sealing = load.sink_public(home.trust / "sink_hpke.pub")
    load.public_key(home.trust / "receipt.pub")
    mine = (home.sink / "hpke.key").exists() and (home.sink / "receipt.key").exists()
    another = home.seals_for_another if mine else True
    if another is None:
        return Check("receiver", False, f"{home.trust} has the public keys of two receivers", _BOTH_KEYS)
    apart = not another and looks.config.uplink.host and _content(home.device) != _content(home.sink)
    if apart:
        return Check(
            "receiver",
            False,
            "the device trusts another broker (device/ca.crt) than this home's receiver, and seals for that receiver "
            "(trust/sink_hpke.pub): it connects, and nobody there can open what it sends",
            _BOTH_KEYS,
        )
    held = inventory.look(home.spool, sealing.digest).held
    if held:
        return Check(
            "receiver",
            False,
            f"{counted(held, 'event')} in the spool {'is' if held == 1 else 'are'} sealed for another receiver's key",
            "to deliver, put that receiver's sink_hpke.pub and receipt.pub back into trust, and name its broker",
            required=False,
        )
    whose = "of another home" if another else "of this home"
    return Check("receiver", True, f"the device seals for the receiver {whose}, key {sealing.digest.hex()[:16]}", "")


def _content(folder: Path) -> bytes:
    """Whom the certificates in a folder of the home trust."""
    return read_public(folder / "ca.crt")


CHECKS: Final = (_models, _keys, _certificates, _receiver, _disk, _clock)
OF_THE_HOME: Final = (_certificates, _receiver, _disk)
"""They look into the data home as `_keys` does, which says why where it cannot be read."""
