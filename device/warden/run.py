"""One supervised run: the models checked, the device started, watched and stopped, and how it went."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from device.channel import damage
from device.channel.link import Link
from device.launcher.errors import AT_FAULT, UnstoredError
from device.launcher.plan import RunPlan
from device.launcher.report import Finished
from device.warden import artifacts, storage, workload
from device.warden.notes import notes
from device.warden.summary import summarise
from device.warden.supervisor import Supervisor
from device.warden.table import JUDGE
from device.warden.wiring import Wiring
from wire.errors import MachineError, SealcamError, line

Wrong = tuple[str, str]
"""Sentence and remedy."""

_REMEDIES = {
    "video": "what is good is judged and reported; get the whole file for the rest",
    "folder": "what is good is judged and reported; get these images again for the rest",
    "camera": "check its cable and its power supply",
}
"""For an input that is damaged."""
_FREE: Final = "end other programs on this machine, and replay it again"
_SLACK_FRAMES: Final = 4
_SLACK_PERCENT: Final = 1
"""Of a video's packets: decoders give no frame for some that are none of their own (packed or open groups)."""
_LOCKSTEP_SHARE: Final = 0.95
"""In lockstep no frame is skipped; a few may be lost where a compartment was killed."""
_ENDS_EARLY: Final = frozenset({"cut_off", "container_broken", "index_short"})


def supervise(plan: RunPlan, launcher: Link, outside: dict[str, int]) -> int:
    """Run the plan to its end and report it on `launcher`; returns the exit status.

    Args:
        outside: "compartment.end" -> descriptor of a link whose other end the command holds.

    Raises:
        ArtifactError: a model is missing, or is not what was signed. StartError: a compartment did not get ready.
    """
    manifest, models = artifacts.load_signed(Path(plan.models), plan.config.models.release_key)
    device = Supervisor(plan, manifest, Wiring(outside, models), launcher)
    wrong: list[Wrong] = []
    unstored: UnstoredError | None = None
    seconds = 0.0
    try:
        device.start()
        began = time.monotonic()
        try:
            device.run()
        except UnstoredError as error:
            unstored = error  # told with the count, which is not known before the end
        except (SealcamError, OSError, MemoryError) as error:
            failure = error if isinstance(error, SealcamError) else MachineError.of(error)
            wrong.append((failure.sentence, failure.remedy))  # the run had begun
        seconds = device.stream_seconds(began)
    finally:
        device.stop()
    summary = summarise(device, seconds, lockstep=plan.pace == "lockstep")
    on_camera = plan.kind == "camera"  # it ends by being stopped
    missing = 0 if wrong or unstored or on_camera or device.stopping else shortfall(plan, summary)
    stopped = device.stopping and not device.judged and not on_camera
    late = workload.late(device.roster)
    summary["complete"] = not (wrong or unstored or missing or stopped or late or device.fixes_owed)
    if missing:
        wrong.append(_stopped_short(plan, summary))
    if late:
        wrong.append(ended_early(late))
    wrong += found_wrong(plan, device, summary, unstored)
    sentence, remedy = wrong[0] if wrong else ("", "")
    others = [line(*found) for found in wrong[1:]]
    launcher.send(Finished(int(bool(wrong)), sentence, remedy, summary, others + notes(plan, device)))
    return int(bool(wrong))


def shortfall(plan: RunPlan, summary: Mapping[str, Any]) -> int:
    """How many of the frames that the input promised did not come; 0 where damage explains it, and is told.

    The promise is made before the first frame is decoded, so that what takes capture over later is held to it.
    """
    missing: int = summary["promised"] - summary["frames"]
    slack = 0 if plan.kind == "folder" else max(_SLACK_FRAMES, summary["promised"] * _SLACK_PERCENT // 100)
    return missing if missing > slack and not _ENDS_EARLY & summary["damage"].keys() else 0


def _stopped_short(plan: RunPlan, summary: Mapping[str, Any]) -> Wrong:
    return (
        f"{plan.shown} has {summary['promised']} frames, and only {summary['frames']} came: the rest was not looked at",
        "replay it again, and if it stops at the same frame, make a new file of it (ffmpeg -i OLD NEW.mp4)",
    )


def ended_early(late: int) -> Wrong:
    """Sentence and remedy for `late` frames of which readers spoke after the end of the stream."""
    frames = "1 frame" if late == 1 else f"{late} frames"
    return (
        f"{frames} came after the end of the stream had been told: nothing of that was judged, and all before it "
        "without what followed",
        AT_FAULT,
    )


def found_wrong(
    plan: RunPlan, device: Supervisor, summary: Mapping[str, Any], unstored: UnstoredError | None = None
) -> list[Wrong]:
    """What a run that came to its end found wrong, the gravest first: each makes its exit status 1.

    Args:
        unstored: why verdicts were still not stored when the run gave up waiting for room.
    """
    wrong: list[Wrong] = []
    if summary["unsealed"]:
        wrong.append(_unsealed(device, summary["unsealed"], unstored))
    elif unstored is not None:  # all were stored in the end, later than a run waits
        wrong.append((unstored.sentence, unstored.remedy))
    if found := device.roster.damage():
        wrong.append((damage.sentence(plan.shown, found), _REMEDIES[plan.kind]))
    if owed := device.fixes_owed:
        wrong.append(_without_fixes(plan, owed))
    if unrecorded := device.roster.total(JUDGE, "unrecorded"):
        wrong.append((f"verdicts.jsonl lacks {storage.told({'verdict': unrecorded})} not taken in time", _FREE))
    least = plan.config.warden.least_judged_share
    if plan.pace == "lockstep" and summary["judged_share"] < _LOCKSTEP_SHARE:
        wrong.append(_unseen(summary))
    elif plan.kind != "camera" and summary["judged_share"] < least:
        wrong.append(_overloaded(summary, least))
    return wrong


def _without_fixes(plan: RunPlan, owed: int) -> Wrong:
    """Sentence and remedy for fixes that position found in the track and did not give."""
    fixes = "1 fix" if owed == 1 else f"{owed} fixes"
    return (
        f"by {JUDGE}'s word, position did not give {fixes} of {plan.gpx_shown} that it had promised: codes that were "
        "read meanwhile have no place, and no sign is missed",
        AT_FAULT,
    )


def _unsealed(device: Supervisor, unsealed: Mapping[str, int], unstored: UnstoredError | None) -> Wrong:
    """Sentence and remedy for what was not stored. The disk is named where sealer itself says that it refused."""
    told = storage.told(unsealed)
    lost = f"{told} could not be stored, and will not reach the receiver"
    if unstored is not None:
        return f"{lost}: {unstored.sentence}", unstored.remedy
    if storage.was_refused(device.roster):
        return lost, "make room on the disk of the spool, and let the device reach its sink; --out keeps verdicts too"
    return (
        f"{told} may not be stored, and may not reach the receiver: sealer has not confirmed them, and names no cause",
        "replay it again, and report it with the incidents above if that happens again; --out keeps verdicts too",
    )


def _unseen(summary: Mapping[str, Any]) -> Wrong:
    """Sentence and remedy for a replay that waits for each frame, and of which a reader did not judge each."""
    shares = summary["judged_shares"]
    behind = [reader for reader, share in shares.items() if share < _LOCKSTEP_SHARE]
    share = f"{summary['judged_share']:.0%} of {summary['frames']} frames"
    who = f"{behind[0]} judged {share}" if len(behind) == 1 else f"{share} were judged"  # both: perhaps shown to none
    return f"{who}, although each is waited for: signs may have been missed", AT_FAULT


def _overloaded(summary: Mapping[str, Any], least: float) -> Wrong:
    """Sentence and remedy for a replay of which too few frames were judged."""
    share = summary["judged_share"]
    reader = min(summary["judged_shares"], key=summary["judged_shares"].__getitem__)
    return (
        f"{reader} judged {share:.0%} of {summary['frames']} frames, less than {least:.0%} ([warden] "
        "least_judged_share): signs may have been missed",
        "replay it with --pace lockstep, or end other programs on this machine; for a camera, ask for fewer frames "
        "([camera] fps) or set "
        '[perception] operating_point = "fast"',
    )
