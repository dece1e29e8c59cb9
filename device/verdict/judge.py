"""The judge: sightings, readings and fixes in, verdicts out. No clock, no randomness, no I/O.

How a verdict comes about: `timeline` joins the three inputs into one ordered sequence of moments, for which
`cross_check` compares the two readers; `faces` and `panels` follow sign faces and code panels through it; `association`
puts those of one physical sign together; once the sign has gone by, its evidence (`faces.perceived`,
`code_evidence.evidence`, the entry from `expected_signs`) becomes a verdict in `judgement`, by `table`. Registered
signs of which nothing was seen end as MISSING. All that is remembered is in `state`, bounded, and survives a restart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec.structs import replace

from device.channel.messages import Fix, PlaceRepeated, Readings, Sightings, Verdict
from device.verdict import state
from device.verdict.decision import code_evidence, judgement, offset, read_codes, remoteness, table, whereabouts
from device.verdict.decision.code_evidence import CodeEvidence, SignatureCheck
from device.verdict.decision.judgement import Case
from device.verdict.decision.offset import Offset
from device.verdict.decision.remoteness import Remote
from device.verdict.decision.table import Code, Where
from device.verdict.intake import cross_check, fixes, outline, route, timeline
from device.verdict.intake.cross_check import Side
from device.verdict.intake.timeline import MAX_UTC_MS
from device.verdict.state import Moment, PanelTrack, State
from device.verdict.tracking import (
    approach,
    association,
    carried,
    expected_signs,
    faces,
    interrupted,
    panels,
    rescaled,
    view,
)
from device.verdict.tracking.association import PhysicalSign
from device.verdict.tracking.expected_signs import Surroundings
from device.verdict.tracking.faces import Perceived
from wire.geodesy import Pose
from wire.manifest import PointName
from wire.register import Register
from wire.vocabulary import ReasonName

NOT_OURS: Final = (Code.FOREIGN, Code.UNREADABLE)
_UNREAD: Final[ReasonName] = "registered_code_not_seen"
UNPLACED: Final = (Code.NONE, *NOT_OURS)
"""What tells nothing of its own place: only where the vehicle was says which registered sign it hangs for."""


class Judge:
    """Holds what is known of the signs in sight and says what is true of each once it has gone by.

    Args:
        anchors: the trusted road authorities' keys by 8-byte key id.
        register: the verified register, None where there is none.
        stream: names the stream ([0-9a-z_.-], at most 24 characters); goes into every verdict's id, so that the same
            stream judged again gives the same ids.
        lockstep: every input is waited for, so the result does not depend on the order in which the three inputs
            arrive, as long as no more than `state.MAX_PENDING` moments are held back.
        sure_score: score of both networks from which on a box is surely a sign (`score_high` in the models' manifest).
        sure_scores: that score by operating point, since perception may change its point while frames come too fast;
            `sure_score` holds for a point that is not in it.
        track: whether there is a position source, as the plan of the run says, so that a source that is silent is not
            taken for none. None: nobody says, and whoever tells of a fix is one.
    """

    def __init__(
        self,
        anchors: Mapping[bytes, Ed25519PublicKey],
        register: Register | None,
        *,
        stream: str,
        lockstep: bool = False,
        sure_score: float = 0.5,
        sure_scores: Mapping[PointName, float] | None = None,
        track: bool | None = None,
    ) -> None:
        self._check = SignatureCheck(anchors)
        self._register = register
        self._surroundings = Surroundings(register)
        self._lockstep, self._track = lockstep, track
        self._sure_score = sure_score
        self._sure_scores = dict(sure_scores or {})
        self._state = State(stream)
        self._accused: frozenset[Side] = frozenset()

    @property
    def wants_fixes(self) -> bool:
        """False while the buffer of fixes is full: read no more of them until frames have gone on."""
        return fixes.wants_fixes(self._state)

    @property
    def ignored(self) -> int:
        """How many messages were duplicates, out of order, beyond a bound or not believed."""
        return self._state.ignored

    def last_frame(self, side: Side) -> int:
        """The last frame that this reader has spoken of and was believed; -1 before the first."""
        return max(self._state.marks[side], self._state.released_mark)

    def judged(self, side: Side) -> int:
        """How many frames are judged by what this reader said, each once, however often it is said again."""
        return self._state.judged[side]

    def reached(self, side: Side) -> int:
        """1 more than the last frame that this reader has spoken of and was believed."""
        return self._state.marks[side] + 1

    @property
    def fixes_told(self) -> int:
        """How many fixes were told, each once: those that are later than all before them."""
        return self._state.fixes_told

    def places(self) -> dict[str, int]:
        """How many moments were judged, how many without a place, with one that is not known well enough, how many
        fixes were not believed, and how many authentic codes were read in gaps of the track, the widest of which is
        so long, off its ends, or where its receiver only repeated a place; how many were read in their place, and at
        how many registered signs none was."""
        state = self._state
        counts = {"moments": state.moments, "unplaced": state.unplaced, "vague": state.vague}
        gaps = {"gap_codes": state.gap_codes, "gap_ms": state.gap_ms, "off_codes": state.off_codes}
        gaps["repeated_codes"] = state.repeated_codes
        left_out = {"set_aside": state.set_aside, "carried": state.carried_codes, "blank_ms": state.blank_ms}
        left_out["mirrored"] = state.mirrored
        codes = {"placed_codes": state.placed_codes, "unread_codes": state.unread_codes}
        return counts | left_out | gaps | codes

    def start(
        self,
        utc_ms: int,
        began_ms: int | None = None,
        *,
        earliest_ms: int = 0,
        latest_ms: int = 0,
        dated: bool = True,
        rated: bool = True,
        drift_ppm: int = 0,
        date_doubt: tuple[int, int] = (0, 0),
    ) -> None:
        """Tells when the stream began, as warden says. No reader has a say in it.

        Args:
            utc_ms: unix milliseconds of the first frame, 0 where not known.
            began_ms: the same moment (or a little before) by the clock whose `now_ms` comes with each message.
            earliest_ms, latest_ms, dated, rated, drift_ppm: how sure that is, as `messages.Go` says.
            date_doubt: its `date_earlier_ms` and `date_later_ms`.
        """
        self._state.start_utc_ms, self._state.began_ms = utc_ms, began_ms
        self._state.earliest_ms, self._state.latest_ms, self._state.dated = earliest_ms, latest_ms, dated
        self._state.drift_ppm = drift_ppm
        self._state.rated, (self._state.date_earlier_ms, self._state.date_later_ms) = rated, date_doubt

    def accused(self) -> frozenset[Side]:
        """The readers that were accused since the last call: at least one of them is at fault, restart them."""
        accused, self._accused = self._accused, frozenset()
        return accused

    def on_sightings(self, message: Sightings, now_ms: int | None = None) -> list[Verdict]:
        """What perception saw in one frame. Returns the verdicts that are due."""
        self._accused |= timeline.take_sightings(self._state, message, lockstep=self._lockstep, now_ms=now_ms)
        return self._go_on(now_ms)

    def on_readings(self, message: Readings, now_ms: int | None = None) -> list[Verdict]:
        """What the code reader read in one frame. Returns the verdicts that are due."""
        self._accused |= timeline.take_readings(self._state, message, lockstep=self._lockstep, now_ms=now_ms)
        return self._go_on(now_ms)

    def on_fix(self, fix: Fix) -> list[Verdict]:
        """Where the vehicle was, in order of time, ahead of the frames or behind them. Returns the verdicts due.

        A fix after the last takes the end back: the source was started again, and tells all again.
        """
        self._state.fixes_ended = False
        if fix.utc_ms > self._state.told_ms:
            self._state.told_ms, self._state.fixes_told = fix.utc_ms, self._state.fixes_told + 1
        timeline.take_fix(self._state, fix)
        return self._go_on()

    def on_place_repeated(self, repeated: PlaceRepeated) -> None:
        """From when to when the receiver only repeated a place: why codes of then have none."""
        fixes.take_repeated(self._state, repeated)

    def on_fixes_end(self) -> list[Verdict]:
        """No fix follows. Returns the verdicts that are due."""
        self._state.fixes_ended = True
        return self._go_on()

    def finish(self) -> list[Verdict]:
        """No frame follows: judges every sign that is still in sight and returns the verdicts."""
        if self._lockstep:
            cross_check.forget_leaps(self._state)
        verdicts = self._go_on(finishing=True)
        now = self._state.newest_ms
        return verdicts + self._close(now, everything=True) + self._missing(now, finishing=True)

    @property
    def wants_the_rest_of_the_way(self) -> bool:
        """After `finish`: whether the fixes that follow may tell where the codes that were not placed belong."""
        return not self._state.fixes_ended and any(not coded.fits for coded in self._state.coded)

    def survey(self) -> None:
        """After `finish`: takes the fixes so far into the way, and makes room for more."""
        outline.note(self._state, MAX_UTC_MS)
        del self._state.fixes[:-1]

    def offset(self) -> Offset | None:
        """After `finish`: the offset between stream and track that would put the codes in their places, if one does."""
        return offset.estimate(self._state)

    def remote(self) -> Remote | None:
        """After `finish`: how far from all registered signs the way was, where it came near none."""
        return remoteness.remote(self._state, self._register)

    def snapshot(self) -> bytes:
        """All open state, for `restore`; at most `state.MAX_SNAPSHOT_BYTES`."""
        return state.to_bytes(self._state)

    def restore(self, snapshot: bytes) -> None:
        """Goes on from a snapshot of the same stream. Raises SnapshotError, and then this judge stays as it was."""
        self._state = state.from_bytes(snapshot, self._state.stream)

    # --- one moment after the other ---------------------------------------------------------------------------

    def _go_on(self, now_ms: int | None = None, *, finishing: bool = False) -> list[Verdict]:
        verdicts: list[Verdict] = []
        for moment, pose in timeline.released(self._state, lockstep=self._lockstep, finishing=finishing, now_ms=now_ms):
            verdicts += self._step(moment, pose)
        return verdicts

    def _step(self, moment: Moment, pose: Pose | None) -> list[Verdict]:
        verdicts = self._close(moment.t_ms, pose)
        route.note(self._state, pose, code_evidence.MAX_ACCURACY_M)
        remoteness.note(self._state, self._surroundings, pose)
        if not rescaled.is_known(self._state, moment):
            self._state.ignored += 1
            moment.boxes = moment.readings = None
        if moment.boxes is not None:
            sure_score = self._sure_scores.get(moment.point, self._sure_score)
            faces.see(self._state, moment, moment.boxes, pose, sure_score)
        if moment.readings is not None:
            panels.read(self._state, moment, moment.readings, pose)
        view.note(self._state, moment, pose)
        expected_signs.pass_by(self._state, self._surroundings, moment, pose)
        return verdicts + self._missing(moment.t_ms, pose)

    def _close(self, t_ms: int, pose: Pose | None = None, *, everything: bool = False) -> list[Verdict]:
        """Judges the physical signs that have gone by."""
        verdicts: list[Verdict] = []
        for sign in association.associated(self._state, t_ms, pose, self._sign_ids):
            if not (everything or (sign.is_over(self._state, t_ms) and not self._is_ahead(sign, t_ms, pose))):
                continue
            case = self._case(sign, ended=not sign.is_over(self._state, t_ms))
            association.drop(self._state, sign)
            if sign.is_carried and (case is None or case.found.claims is None):
                carried.remember(self._state, sign.panels[0])
            if case is None:
                continue
            self._note(case)
            verdict_id = self._new_id(sign.first_frame, sign.last.last_frame)
            verdict = judgement.judge(case, self._register, verdict_id, whereabouts.dates(self._state, case.found))
            if verdict is not None:
                if verdict.state == "VERIFIED" and case.shown is not None:
                    expected_signs.note_verified(self._state, case.shown.sign_id, sign.last.last_ms)
                self._state.verdicts += 1
                self._state.unread_codes += _UNREAD in verdict.reasons
                verdicts.append(self._timed(verdict, sign.last.last_ms))
        return verdicts

    def _timed(self, verdict: Verdict, last_ms: int) -> Verdict:
        """With the time that is claimed, where it is no date: that it is not sure is told beside it. Frames whose time
        nobody knows have none."""
        start_ms = self._state.start_utc_ms
        if verdict.utc_ms or self._state.dated or not start_ms:
            return verdict
        return replace(verdict, utc_ms=min(start_ms + last_ms, MAX_UTC_MS))

    def _missing(self, t_ms: int, pose: Pose | None = None, *, finishing: bool = False) -> list[Verdict]:
        """Judges the registered signs that were passed: a MISSING verdict for each of which nothing was seen."""
        if not whereabouts.is_sure(self._state):
            expected_signs.forgo(self._state, t_ms)  # codes that are read soon may settle where this is
            return []
        met = view.has_met_the_track(self._state)
        after_ms = expected_signs.SETTLED_MS if met else expected_signs.UNSURE_MS
        due = expected_signs.due(self._state, t_ms, after_ms=after_ms, finishing=finishing)
        if not due:
            return []
        signs = association.associated(self._state, t_ms, pose, self._sign_ids)
        cases = [case for sign in signs if (case := self._case(sign)) is not None]
        in_sight = {sign_id for case in cases for sign_id in self._about(case)} | self._in_place(self._state.panels)
        if not met:  # a code that is read elsewhere shows as well that the stream lies elsewhere on the track
            claimed = (case.found.claims for case in cases if case.where is not Where.CARRIED)
            in_sight |= {claims.sign_id for claims in claimed if claims is not None}
            in_sight |= {expected.sign_id for expected in due if expected_signs.was_read(self._state, expected)}
        verdicts: list[Verdict] = []
        for expected in due:
            if expected.sign_id not in in_sight and not expected_signs.was_seen(self._state, expected):
                verdict_id = self._new_id(expected.first_frame, expected.last_frame)
                verdicts.append(judgement.absent(expected, self._register, verdict_id))
                self._state.verdicts += 1
        return verdicts

    def _is_ahead(self, sign: PhysicalSign, t_ms: int, pose: Pose | None) -> bool:
        """Whether a sign that would get a verdict for its face alone was lost before it was passed: its code may come,
        and a verdict is given once and cannot be taken back."""
        waits = interrupted.is_ahead(sign, t_ms, pose)
        return waits and faces.perceived(sign.faces, coded=False).class_id is not None

    # --- one physical sign ------------------------------------------------------------------------------------

    def _case(self, sign: PhysicalSign, *, ended: bool = False) -> Case | None:
        """All evidence for one sign; None where there is neither a confirmed face nor a code. `ended`: the recording
        did, with the sign in sight."""
        found = code_evidence.evidence(sign.panels, self._check)
        seen = faces.perceived(sign.faces, coded=found.code is not Code.NONE)
        if seen.class_id is None and found.code is Code.NONE:
            return None
        if sign.is_carried:
            return self._carried_case(sign, found)
        pose, utc_ms, around = sign.last_pose, sign.last.utc_ms, self._surroundings
        face, claimed = seen.class_id is not None, self._claimed(sign)
        entry = around.here(pose, utc_ms, claimed, face=face)
        if entry is not None and found.code in UNPLACED and (taken := self._verified(sign)):
            entry = around.here(pose, utc_ms, claimed, taken, face=face)
        read = found.panel.sight if found.panel is not None else sign.last
        shown = expected_signs.recently_shown(self._state, read.last_ms)
        ahead = around.ahead(read.last_pose, read.utc_ms)
        told = code_evidence.where(found, read.last_pose, ahead, shown)
        where = whereabouts.held(self._state, told, found, read.last_pose, ahead)
        where = remoteness.held(self._state, where, found.claims, read.last_pose)
        if where not in whereabouts.HONEST and where is not Where.TWICE and approach.drove_further(sign.faces):
            where = Where.UNKNOWN
        lack = whereabouts.lack(self._state, found, told) if where is Where.UNKNOWN else whereabouts.NO_LACK
        has_source = fixes.has_source(self._state) if self._track is None else self._track
        can_tell = not has_source or around.can_tell(pose if sign.is_placed else None, utc_ms)
        near = entry
        if entry is not None and found.code in UNPLACED and not whereabouts.is_sure(self._state):
            entry, can_tell = None, False  # the register would accuse whatever hangs here of hanging for a sign
        reached = entry is None or expected_signs.was_reached(self._state, entry, sign.largest)
        unfinished = ended and sign.largest < faces.FULL_SIZE_PX
        return Case(sign, found, seen, entry, where, can_tell, lack, reached, unfinished, near)

    def _carried_case(self, sign: PhysicalSign, found: CodeEvidence) -> Case | None:
        """A symbol that is carried along is a case only where it claims to be a sign's code: a picture of it, which is
        in no place. It tells nothing of any registered sign, nor of where the vehicle is."""
        if found.code in NOT_OURS or "decoders_disagree" in found.reasons:
            return None
        return Case(sign, found, Perceived(), None, Where.CARRIED, can_tell=True)

    def _note(self, case: Case) -> None:
        """Remembers of which registered signs a case showed something, and where its code was read."""
        if case.where is Where.CARRIED:
            return
        for sign_id in self._about(case) | self._in_place(case.sign.panels):
            expected_signs.attribute(self._state, sign_id, case.sign.last.last_ms)
        if case.found.claims is not None:
            expected_signs.note_code(self._state, case.found.claims.sign_id, case.sign.last.last_ms)
        whereabouts.note(self._state, case.found, case.where)
        whereabouts.count(self._state, case.lack)
        self._state.placed_codes += case.shown is not None
        panel = case.found.panel
        if case.shown is not None and panel is not None and panel.sight.last_pose is not None:
            expected_signs.show(self._state, case.shown.sign_id, panel.sight.last_ms, panel.sight.last_pose)

    def _about(self, case: Case) -> set[bytes]:
        """The registered signs of which a case shows something, that of a code without a sure place included."""
        about, claims = judgement.about(case), case.found.claims
        unplaced = claims is not None and case.where is Where.UNKNOWN and not whereabouts.is_exact(self._state)
        return about | {claims.sign_id} if unplaced and claims is not None else about

    def _claimed(self, sign: PhysicalSign) -> set[bytes]:
        """The ids whose authentic codes hang at other signs now in sight: those entries are not this sign."""
        own = {panel.number for panel in sign.panels}
        others = (panel for panel in self._state.panels if panel.number not in own and not panel.carried)
        return {sign_id for panel in others for sign_id in self._sign_ids(panel)}

    def _sign_ids(self, panel: PanelTrack) -> frozenset[bytes]:
        return read_codes.sign_ids(panel, self._check)

    def _in_place(self, panels: Sequence[PanelTrack]) -> set[bytes]:
        return read_codes.in_place(panels, self._check, self._surroundings)

    def _verified(self, sign: PhysicalSign) -> set[bytes]:
        """The registered signs that are found elsewhere on this pass, with code, face and place: none is this sign."""
        found = expected_signs.recently_verified(self._state, sign.last.last_ms)
        for other in association.associated(self._state):
            if other.sights == sign.sights or not other.panels:
                continue
            case = self._case(other)
            if case is None or case.shown is None or case.shown.sign_id in found:
                continue
            dates = whereabouts.dates(self._state, case.found)
            if table.decide(judgement.inputs(case, self._register, dates)).state == "VERIFIED":
                found.add(case.shown.sign_id)
        return found

    def _new_id(self, first_frame: int, last_frame: int) -> str:
        return f"{self._state.stream}:{first_frame}:{last_frame}:{self._state.verdicts + 1}"
