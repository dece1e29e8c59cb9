"""From the evidence for one physical sign to its verdict, by the verdict table."""

from __future__ import annotations

from dataclasses import dataclass

from device.channel.messages import Place, Verdict
from device.verdict.decision import code_evidence, table
from device.verdict.decision.code_evidence import EXACT, CodeEvidence, Dates
from device.verdict.decision.table import ClassSource, Code, Consistency, Inputs, Perception, Registered, Rule, Where
from device.verdict.decision.whereabouts import NO_LACK, Lack
from device.verdict.state import ExpectedSign
from device.verdict.tracking.association import PhysicalSign
from device.verdict.tracking.faces import Perceived
from wire.geodesy import Pose
from wire.register import Register, RegisterEntry
from wire.signcode import SignClaims


@dataclass(frozen=True)
class Case:
    """One physical sign with all its evidence.

    `entry` is the registered sign that stands at its place, if any; `where` whether its code is in its place;
    `can_tell` whether place and time are known well enough for the register to be asked; `lack` why the track does not
    tell where its code was read. `reached` whether its code, if one hangs there, would have been read; `unfinished`
    whether the recording ended while it was still far away. `near` is the registered sign of which it may show
    something, where that is not sure enough to be its `entry`.
    """

    sign: PhysicalSign
    found: CodeEvidence
    seen: Perceived
    entry: RegisterEntry | None
    where: Where
    can_tell: bool
    lack: Lack = NO_LACK
    reached: bool = True
    unfinished: bool = False
    near: RegisterEntry | None = None

    @property
    def shown(self) -> SignClaims | None:
        """The claims of an authentic code that hangs in its place, also where it hangs at another place as well."""
        return self.found.claims if self.where in (Where.FITS, Where.TWICE) else None


def about(case: Case) -> set[bytes]:
    """The registered signs of which this case shows something: by its code where that fits, else by its place."""
    if case.shown is not None:
        return {case.shown.sign_id}
    entry = case.entry or case.near
    return {entry.sign_id} if entry is not None else set()


def judge(case: Case, register: Register | None, verdict_id: str, dates: Dates = EXACT) -> Verdict | None:
    """The verdict on one sign that has gone by; None where the table gives no verdict.

    Args:
        dates: when else the pass may have been than it is said.
    """
    row = table.decide(inputs(case, register, dates))
    if row.state == "NO_VERDICT":
        return None
    claims = code_evidence.report(case.found)
    classes: dict[ClassSource, int | None] = {
        "code": claims.class_id if claims is not None else None,
        "register": case.entry.class_id if case.entry is not None else None,
        "perception": case.seen.class_id,
        "nothing": None,
    }
    source = table.ACTED_ON[row.state]
    last = case.sign.last
    return Verdict(
        verdict_id=verdict_id,
        state=row.state,
        class_id=classes[source],
        perceived_class_id=case.seen.class_id,
        confidence=1.0 if source == "code" else min(1.0, round(case.seen.share * case.seen.certainty, 4)),
        first_frame=case.sign.first_frame,
        last_frame=last.last_frame,
        utc_ms=last.utc_ms,
        sightings=case.seen.seen,
        code=claims,
        position=_place(case.sign.last_pose),
        reasons=_reasons(row, case),
    )


def absent(expected: ExpectedSign, register: Register | None, verdict_id: str) -> Verdict:
    """The verdict on a registered sign that the vehicle passed without seeing anything of it."""
    entry = register.lookup(expected.sign_id) if register is not None else None
    return Verdict(
        verdict_id=verdict_id,
        state="MISSING",
        class_id=entry.class_id if entry is not None else None,
        perceived_class_id=None,
        confidence=1.0,
        first_frame=expected.first_frame,
        last_frame=expected.last_frame,
        utc_ms=expected.utc_ms,
        sightings=0,
        code=None,
        position=_place(expected.pose),
        reasons=[table.decide(Inputs(registered=Registered.ENTRY)).because],
    )


def inputs(case: Case, register: Register | None, dates: Dates = EXACT) -> Inputs:
    """The evidence in the table's terms."""
    claims, entry = case.found.claims, case.entry
    claimed = claims.class_id if claims is not None else entry.class_id if entry is not None else None
    perception = _against(claimed, case.seen)
    return Inputs(
        code=case.found.code,
        in_force=code_evidence.in_force(case.found, register, dates),
        where=case.where,
        error_rate=code_evidence.grade(case.found.error_rate),
        perception=perception,
        registered=_registered(case),
        consistency=_consistency(case, perception),
    )


def _registered(case: Case) -> Registered:
    if case.entry is not None:
        return Registered.ENTRY if case.reached or case.found.code is not Code.NONE else Registered.UNREACHED
    return Registered.NO_ENTRY if case.can_tell else Registered.UNKNOWN


def _consistency(case: Case, perception: Perception) -> Consistency:
    """What a nearer look might have settled accuses nobody; what did not come nearer although the vehicle did does."""
    unsettled = bool(case.seen.doubts) or perception is Perception.UNSTABLE
    if case.unfinished and unsettled and "moves_with_vehicle" not in case.seen.doubts:
        return Consistency.UNFINISHED
    return Consistency.DISAGREES if case.seen.doubts else Consistency.OK


def _against(claimed: int | None, seen: Perceived) -> Perception:
    """What perception says, against the claimed class."""
    if seen.class_id is None:
        return Perception.NOTHING
    if not seen.stable:
        return Perception.UNSTABLE
    if claimed in (None, seen.class_id):
        return Perception.AGREES
    return Perception.OTHER_CLASS_STABLE if seen.insists else Perception.UNSTABLE


def _place(pose: Pose | None) -> Place | None:
    return Place(pose.lat, pose.lon, pose.heading, pose.accuracy_m) if pose is not None else None


def _reasons(row: Rule, case: Case) -> list[str]:
    words: list[str] = [row.because, *case.found.reasons, *case.seen.doubts]
    return list(dict.fromkeys(words))[:16]
