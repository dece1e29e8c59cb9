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
from device.warden import artifacts
from identity import load, register_guard
from identity.errors import KeysError
from identity.home import CERTIFICATES, Home
from program.wording import counted
from wire.errors import ArtifactError, SealcamError

_LEAST_FREE_MIB = 64
_SOON = datetime.timedelta(days=30)
_TIMEX_BYTES = 256  # struct timex is 208 bytes: linux/timex.h
_UNSYNCHRONISED = 5  # TIME_ERROR, adjtimex(2)
_CLOCK_REMEDY = "let the machine set its clock (sudo timedatectl set-ntp true), or set it by hand (sudo date -s)"


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
    if now < (known := _known_past(looks.home)):
        since = time.strftime("%Y-%m-%d", time.gmtime(known))
        return Check("clock", False, f"{told} is before {since}, of which the keys know", _CLOCK_REMEDY)
    synchronised = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)) != _UNSYNCHRONISED
    kept = "a hardware clock" if any(Path("/sys/class/rtc").glob("rtc*")) else "no hardware clock"
    if synchronised:
        return Check("clock", True, f"{told}, synchronised; {kept}", "")
    return Check("clock", False, f"{told}, not known to be synchronised; {kept}", _CLOCK_REMEDY, required=False)


def _known_past(home: Home) -> float:
    """A moment that is over for certain, unix seconds: the newest signature of which the data home knows."""
    known = [0.0]
    for path in (home.path / name for name in CERTIFICATES):
        try:
            known.append(load.certificate_any_time(path).not_valid_before_utc.timestamp())
        except SealcamError:
            continue  # told by another check
    try:
        anchors = load.trust_anchors(home.trust / "authority")
        known.append(load.register_issued_at(home.trust / "register.cose", anchors))
    except SealcamError:
        pass
    return max(known)


CHECKS: Final = (_models, _keys, _certificates, _disk, _clock)
