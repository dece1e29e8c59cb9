"""Code evidence: checks what was read on a sign's panels, and whether it is in force, in its place and undamaged."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from device.channel.messages import CodeClaims
from device.verdict.decision.table import Code, ErrorRate, InForce, Where
from device.verdict.state import PanelTrack, Payload, Shown
from wire import signcode
from wire.errors import ForgedError, MalformedError, NotOursError, UnknownKeyError
from wire.geodesy import Pose, distance_m, heading_difference
from wire.register import Register, RegisterEntry
from wire.signcode import SignClaims
from wire.vocabulary import ReasonName

MAX_DISTANCE_M: Final = 20.0
"""A code is read from less than this (17 m); the fix's accuracy comes on top..."""
MAX_ACCURACY_M: Final = 10.0
"""...but with a fix that is worse than this the place is not known."""
UNSEEN_M: Final = 60.0
ACCURACIES: Final = 10.0
"""A code is out of its place beyond all doubt from this much further on, metres, or from so many times the accuracy if
that is more. Between houses a receiver is off by tens of metres for minutes and says that it is sure: nothing shows it,
since an even offset looks like a drive. A code that is out of reach by less is not believed, and accuses nobody."""
SAME_POLE_M: Final = 10.0
"""Two registered places nearer to each other than this may be one pole."""
MAX_READ_OVER_M: Final = 16.0
"""A code is read over no more of the way than this; the same code read further on hangs at another place."""
WANDERS_AFTER_MS: Final = 5000
WANDER_M_PER_S: Final = 1.0
MAX_WANDER_M: Final = 30.0
"""By how much a receiver's error changes meanwhile: who drives a lap is told to be elsewhere at the same sign."""
MIN_TWINS: Final = 2
"""Frames that showed the same code at two places at once, before it is believed."""
MAX_HEADING_DEGREES: Final = 45.0
"""A sign speaks to who drives its way within this..."""
UNSEEN_DEGREES: Final = 120.0
"""...and shows its face to nobody who drives another way by more than this: a code is read from up to 65 degrees aside,
30 degrees from the picture's middle, and signs are hung up to 25 degrees out of their road's direction. Between the two
it may be the sign of a side road, and an honest one: it is not believed, and accuses nobody."""
HIGH_ERROR_RATE: Final = 0.025
"""Above this median share of wrong modules a code is damaged: sound panels stay below 0.01 from 2.5 px a module on."""
RATES_USED: Final = 7
MIN_UNREADABLE: Final = 3
MIN_DISAGREEMENTS: Final = 2
MAX_CACHED: Final = 256


@dataclass(frozen=True)
class Checked:
    """One payload after its signature was checked."""

    code: Code
    claims: SignClaims | None = None
    key_id: bytes = b""


class SignatureCheck:
    """Checks payloads against the trust anchors, each distinct payload once (a bounded memory of SHA-256 digests)."""

    def __init__(self, anchors: Mapping[bytes, Ed25519PublicKey]) -> None:
        self._anchors = anchors
        self._known: OrderedDict[bytes, Checked] = OrderedDict()

    def __call__(self, data: bytes) -> Checked:
        digest = hashlib.sha256(data).digest()
        if digest in self._known:
            self._known.move_to_end(digest)
            return self._known[digest]
        checked = self._checked(data)
        self._known[digest] = checked
        if len(self._known) > MAX_CACHED:
            self._known.popitem(last=False)
        return checked

    def _checked(self, data: bytes) -> Checked:
        try:
            claims, key_id = signcode.verify(data, self._anchors)
        except NotOursError:
            return Checked(Code.FOREIGN)
        except UnknownKeyError:
            return Checked(Code.UNKNOWN_KEY)
        except ForgedError:
            return Checked(Code.BAD_SIGNATURE)
        except MalformedError:
            return Checked(Code.BAD_FORMAT)
        return Checked(Code.AUTHENTIC, claims, key_id)


@dataclass(frozen=True)
class CodeEvidence:
    """What all panels of one physical sign say together; the worst of it decides.

    `panel` is the panel that showed the code (None: no code); `reasons` are words for the verdict.
    """

    code: Code = Code.NONE
    checked: Checked | None = None
    error_rate: float | None = None
    readings: int = 0
    panel: PanelTrack | None = None
    reasons: tuple[ReasonName, ...] = ()

    @property
    def claims(self) -> SignClaims | None:
        """What the code says, where it is authentic."""
        return self.checked.claims if self.checked is not None else None


# --- what the panels say ----------------------------------------------------------------------------------------

_STRANGE: Final[tuple[tuple[Code, ReasonName, Callable[[PanelTrack], bool]], ...]] = (
    (Code.BAD_FORMAT, "decoders_disagree", lambda panel: panel.disagreements >= MIN_DISAGREEMENTS),
    (Code.FOREIGN, "code_oversized", lambda panel: panel.oversized > 0),
    (Code.FOREIGN, "code_keeps_changing", lambda panel: panel.too_many),
)
"""What no honest panel does, whatever can be read on it."""
_WORST_FIRST: Final = (Code.BAD_FORMAT, Code.BAD_SIGNATURE, Code.UNKNOWN_KEY, Code.FOREIGN, Code.AUTHENTIC)


def evidence(panels: Sequence[PanelTrack], check: SignatureCheck) -> CodeEvidence:
    """What the panels of one physical sign say together. The worst of them decides."""
    for code, word, is_so in _STRANGE:
        strange = [panel for panel in panels if is_so(panel)]
        if strange:
            return CodeEvidence(code, readings=_total(panels), panel=strange[0], reasons=(word,))
    found = [(check(payload.data), payload, panel) for panel in panels for payload in _counted(panel)]
    if any(checked.code is Code.AUTHENTIC for checked, _, _ in found):
        # A foreign symbol elsewhere on the pole is no code; on the very panel of the code it is a swap.
        real = {panel.number for checked, _, panel in found if checked.code is Code.AUTHENTIC}
        found = [item for item in found if item[0].code is not Code.FOREIGN or item[2].number in real]
    if not found:
        return _undecoded(panels)
    checked, _, panel = min(found, key=lambda item: _WORST_FIRST.index(item[0].code))
    claims = {code.claims for code, _, _ in found if code.claims is not None}
    if checked.code is Code.AUTHENTIC and len(claims) > 1:
        return CodeEvidence(Code.CONFLICTING, readings=_total(panels), panel=panel)
    return CodeEvidence(checked.code, checked, error_rate(panels), _total(panels), panel)


def error_rate(panels: Sequence[PanelTrack]) -> float | None:
    """The median error rate of the readings with the largest modules: blur and pixels count least there."""
    rates = sorted((rate for panel in panels for rate in panel.rates), key=lambda rate: -rate.module_px)[:RATES_USED]
    return median(rate.error_rate for rate in rates) if rates else None


def _counted(panel: PanelTrack) -> list[Payload]:
    """The payloads that count: a single odd reading by one decoder among several good readings is a slip."""
    sure = [payload for payload in panel.payloads if payload.seen > 1 or payload.both_decoders]
    return sure or panel.payloads


def _undecoded(panels: Sequence[PanelTrack]) -> CodeEvidence:
    unreadable = [panel for panel in panels if panel.unreadable >= MIN_UNREADABLE]
    if not unreadable:
        return CodeEvidence()
    return CodeEvidence(Code.UNREADABLE, panel=max(unreadable, key=lambda panel: panel.unreadable))


def _total(panels: Sequence[PanelTrack]) -> int:
    return min(sum(panel.decoded for panel in panels), 100_000)


# --- whether an authentic code fits -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Dates:
    """When else a code may have been read than it is said, in milliseconds.

    Attributes:
        earliest_ms, latest_ms: by the start that is not sure; a code is in force if it was at all these times.
        doubt_earlier_ms, doubt_later_ms: by the date that nothing confirms; a code that is out of its time is so at all
            these times too.
        untimed_utc_ms: what these count from where the code's own moment has no time.
    """

    earliest_ms: int = 0
    latest_ms: int = 0
    doubt_earlier_ms: int = 0
    doubt_later_ms: int = 0
    untimed_utc_ms: int = 0


EXACT: Final = Dates()


def in_force(found: CodeEvidence, register: Register | None, dates: Dates = EXACT) -> InForce:
    """Whether the authority stood by the claims when the code was seen, by the code itself and by the register.

    Args:
        dates: when else that may have been; the answer holds for all of it.
    """
    claims = found.claims
    if claims is None or found.panel is None:
        return InForce.UNKNOWN_TIME
    utc_ms = found.panel.sight.utc_ms or dates.untimed_utc_ms
    entry = register.lookup(claims.sign_id) if register is not None else None
    if entry is not None and entry.revoked:
        return InForce.REVOKED
    if entry is not None and (
        entry.class_id != claims.class_id
        or distance_m(entry.lat, entry.lon, claims.lat, claims.lon) > MAX_DISTANCE_M
        or heading_difference(entry.heading, claims.heading) > MAX_HEADING_DEGREES
    ):
        return InForce.SUPERSEDED
    if not utc_ms:
        return InForce.UNKNOWN_TIME
    spans = [(claims.valid_from, claims.valid_until)]
    if entry is not None:
        spans.append((entry.valid_from, entry.valid_until))
    earliest, latest = utc_ms + dates.earliest_ms, utc_ms + dates.latest_ms
    if any(earliest - dates.doubt_earlier_ms >= 1000 * until for _, until in spans):
        return InForce.EXPIRED
    if any(latest + dates.doubt_later_ms < 1000 * since for since, _ in spans):
        return InForce.NOT_YET
    always = all(1000 * since <= earliest and latest < 1000 * until for since, until in spans)
    return InForce.YES if always else InForce.UNKNOWN_TIME


def where(found: CodeEvidence, pose: Pose | None, ahead: RegisterEntry | None, shown: Sequence[Shown]) -> Where:
    """Whether the vehicle was where the claims place the sign, driving the way that the sign speaks to.

    Args:
        found: the code.
        pose: the vehicle's when the code was last read.
        ahead: the nearest registered sign ahead of the vehicle.
        shown: codes that were found in their place before, within the last minute.
    """
    claims = found.claims
    if claims is None or pose is None:
        return Where.UNKNOWN
    far = distance_m(pose.lat, pose.lon, claims.lat, claims.lon)
    if far > elsewhere_from_m(pose.accuracy_m):
        return Where.ELSEWHERE
    if pose.accuracy_m > MAX_ACCURACY_M or pose.heading is None:
        return Where.UNKNOWN
    turned = heading_difference(pose.heading, claims.heading)
    if turned > MAX_HEADING_DEGREES:
        return Where.WRONG_HEADING if turned > UNSEEN_DEGREES + pose.heading_error else Where.UNKNOWN
    if _was_read_elsewhere(found, claims, pose, shown):
        return Where.TWICE
    if ahead is not None and is_anothers_place(claims, far, pose, pose.accuracy_m, ahead):
        return Where.ANOTHERS
    return Where.FITS if far <= MAX_DISTANCE_M + pose.accuracy_m else Where.UNKNOWN


def elsewhere_from_m(accuracy_m: float) -> float:
    """From how far away, metres, a code that was read cannot hang at its place, by a fix of this accuracy."""
    return MAX_DISTANCE_M + max(UNSEEN_M, ACCURACIES * accuracy_m)


def is_anothers_place(claims: SignClaims, far: float, pose: Pose, accuracy_m: float, ahead: RegisterEntry) -> bool:
    """True where clearly another sign hangs here: nearer, and not at the claimed sign's own pole."""
    if ahead.sign_id == claims.sign_id or distance_m(ahead.lat, ahead.lon, claims.lat, claims.lon) <= SAME_POLE_M:
        return False
    return far > distance_m(pose.lat, pose.lon, ahead.lat, ahead.lon) + accuracy_m


def _was_read_elsewhere(found: CodeEvidence, claims: SignClaims, pose: Pose, shown: Sequence[Shown]) -> bool:
    """True where the same code hangs, or hung a moment ago, at another place as well."""
    panel = found.panel
    if panel is not None and panel.twins >= MIN_TWINS:
        return True
    return any(
        at.sign_id == claims.sign_id
        and distance_m(pose.lat, pose.lon, at.pose.lat, at.pose.lon)
        > _same_within_m(panel.sight.last_ms - at.last_ms if panel is not None else 0)
        for at in shown
    )


def _same_within_m(later_ms: int) -> float:
    """How far apart two places may be told, this much later, at which one code was read."""
    return MAX_READ_OVER_M + min(max(later_ms - WANDERS_AFTER_MS, 0) / 1000 * WANDER_M_PER_S, MAX_WANDER_M)


def grade(rate: float | None) -> ErrorRate:
    """The value of the table's column for a rate."""
    if rate is None:
        return ErrorRate.UNMEASURED
    return ErrorRate.HIGH if rate > HIGH_ERROR_RATE else ErrorRate.NORMAL


def report(found: CodeEvidence) -> CodeClaims | None:
    """The claims for the verdict, where the code is authentic. Never the raw bytes."""
    claims = found.claims
    if claims is None or found.checked is None:
        return None
    return CodeClaims(
        sign_id=claims.sign_id.hex(),
        class_id=claims.class_id,
        lat=claims.lat,
        lon=claims.lon,
        heading=claims.heading,
        valid_from=claims.valid_from,
        valid_until=claims.valid_until,
        key_id=found.checked.key_id.hex(),
        error_rate=None if found.error_rate is None else round(found.error_rate, 5),
        readings=found.readings,
    )
