"""What the user is told at the end: what was not delivered and why, which codes were left unplaced, and what helps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from device.launcher.plan import RunPlan
from device.warden.stream import DAY_MS, Doubt, StreamClock
from device.warden.supervisor import Supervisor
from device.warden.table import JUDGE, SOURCE, STORE
from wire.errors import line

MAX_OFFSET_MS: Final = 366 * DAY_MS
"""Verdict's word is believed no further: a camera whose clock is a year off is to be set, not moved."""

DOUBTS: Final[dict[Doubt, tuple[str, str]]] = {
    "time_missing": ("the video has no time of its own", "give --video-start TIME"),
    "time_impossible": (
        "the time in the video is before sign codes existed, or in the future: its clock was wrong",
        "give --video-start TIME",
    ),
    "time_old": (
        "the time in the video is older than the register or the certificates, and no track confirms it",
        "give the drive's track with --gps, or --video-start TIME",
    ),
    "start_guessed": (
        "the video has no usable time: it was taken to begin with the track",
        "give --video-start TIME, or --offset SECONDS from there",
    ),
    "label_unsure": (
        "the time in the video may be local time, or that of the recording's end, or some minutes off",
        "give --video-start TIME, or --offset SECONDS",
    ),
    "track_impossible": (
        "the track lies in a time that is known to be wrong, so it was not used",
        "record it again, or correct its times",
    ),
    "track_rollover": (
        "the track is 1024 weeks early, as by a receiver whose week number has rolled over, so it was not used",
        "add 1024 weeks to its times, or update the receiver",
    ),
    "clock_unsynchronised": ("nothing keeps this machine's clock right", "set up network time, or an RTC"),
    "clock_impossible": (
        "this machine's clock is wrong: it is before the register or the certificates were made",
        "set the clock (timedatectl), or connect to network time",
    ),
}
_NO_TRACK: Final = ("there is no track", "give the drive's track with --gps")
_UNTIMED: Final = (
    "the input does not tell when the frames were taken that show them",
    "set [camera] untimed_fps if it has no time stamps, or replay joined clips one by one",
)
_OFF_THE_TRACK: Final = (
    "the track does not tell where they were read",
    "give a track without breaks, or --offset SECONDS",
)


def summary_of(device: Supervisor) -> dict[str, Any]:
    """`clock` of `summary.json`."""
    clock, offset = device.clock, _offset_ms(device)
    return {
        "source": clock.source,
        "start": datetime.fromtimestamp(clock.utc_ms / 1000, UTC).isoformat() if 0 < clock.utc_ms < 2**42 else None,
        "error_s": round(clock.error_ms / 1000, 3),
        "dated": clock.dated and clock.utc_ms > 0,
        "machine_clock_wrong": not clock.wall,
        "doubts": list(clock.doubts),
        "unplaced": device.roster.total(JUDGE, "unplaced_codes"),
        "untimed": device.roster.total(JUDGE, "untimed_codes"),
        "proposed_offset_s": None if offset is None else round(offset / 1000, 1),
    }


def notes(plan: RunPlan, device: Supervisor) -> list[str]:
    """Lines for the user, empty where every code could be placed and dated and everything could be delivered."""
    return _undelivered(plan, device) + _unplaced(plan, device)


def _undelivered(plan: RunPlan, device: Supervisor) -> list[str]:
    """What waits in the spool, why, and what sends it: each run with a broker begins with what waits."""
    waiting = device.roster.fact(STORE, "waiting")
    if not waiting:
        return []
    events, they_go = ("event waits", "it goes") if waiting == 1 else ("events wait", "they go")
    why, remedy = _why_waiting(plan, device)
    later = "with the next replay or run that reaches the broker"
    return [line(f"{waiting} sealed {events} in the spool: {why}", f"{remedy}; {they_go} {later}")]


def _why_waiting(plan: RunPlan, device: Supervisor) -> tuple[str, str]:
    uplink, refusal = plan.config.uplink, device.refusal()
    if not uplink.host:
        return "no broker is configured", "set [uplink] host and port (SEALCAM_UPLINK_HOST, SEALCAM_UPLINK_PORT)"
    if refusal is not None:
        return refusal.sentence, refusal.remedy
    where = f"the broker at {uplink.where}"
    if not device.roster.total("uplink", "connections"):
        return f"{where} was not reached before the end", "run: sealcam doctor, where that happens again"
    if device.stopping:
        return "the run was ended before every receipt came", "nothing is lost"
    if not device.roster.total(STORE, "receipted"):
        return (
            f"{where} takes events, and no receiver confirms them",
            "start sealcam-sink serve at that broker, and enrol this device there (sealcam keys show, sealcam enroll)",
        )
    return "not every receipt came in time", "nothing is lost, and [warden] deliver_seconds says how long it waits"


def _unplaced(plan: RunPlan, device: Supervisor) -> list[str]:
    unplaced = (
        device.roster.total(JUDGE, "unplaced_codes") if plan.kind != "camera" else 0
    )  # a camera has no position source yet
    unsure = unplaced + device.roster.total(JUDGE, "untimed_codes")
    if not unsure:
        return []
    codes = "1 authentic code" if unsure == 1 else f"{unsure} authentic codes"
    untimed = device.roster.told(SOURCE, "time.unknown") > 0
    why, remedy = _UNTIMED if untimed else _why(plan, device.clock, unplaced)
    offset = _offset_ms(device)
    if offset is not None:
        fitting, of = device.roster.fact(JUDGE, "offset_fitting"), device.roster.fact(JUDGE, "offset_codes")
        puts = f"all {of} codes" if fitting >= of > 1 else "the code" if of == 1 else f"{fitting} of {of} codes"
        remedy = f"{_option(plan, device.clock, offset)} puts {puts} in place; use it if you know that it is right"
    return [line(f"{codes} could not be placed or dated for sure: {why}", remedy)]


def _why(plan: RunPlan, clock: StreamClock, unplaced: int) -> tuple[str, str]:
    if unplaced and not plan.gpx:
        return _NO_TRACK
    return DOUBTS[clock.doubts[0]] if clock.doubts else _OFF_THE_TRACK


def _offset_ms(device: Supervisor) -> int | None:
    """What verdict has estimated, milliseconds from the start that was used; None: nothing that would help.

    A track that is known to be wrong gives no date, wherever the video lies on it.
    """
    if not device.roster.fact(JUDGE, "offset_codes") or {"track_impossible", "track_rollover"} & set(
        device.clock.doubts
    ):
        return None
    offset = device.roster.fact(JUDGE, "offset_later_ms") - device.roster.fact(JUDGE, "offset_earlier_ms")
    return offset if abs(offset) <= MAX_OFFSET_MS else None


def _option(plan: RunPlan, clock: StreamClock, offset_ms: int) -> str:
    """The option that moves the start by this much from where it was taken to be."""
    if plan.start == "file":
        return f"--offset {_seconds(offset_ms + (plan.offset_ms or 0))}"
    start = datetime.fromtimestamp(max(0, min(clock.utc_ms + offset_ms, 2**42)) / 1000, UTC)
    return f"--video-start {start:%Y-%m-%dT%H:%M:%S}.{start.microsecond // 1000:03d}Z"


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:+.1f}".removesuffix(".0")
