"""What the user is told at the end: what was not delivered and why, which codes were left unplaced, and what helps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from device.channel.messages import MAX_COUNT
from device.launcher.plan import RunPlan
from device.warden.dating import DAY_MS
from device.warden.meeting import option
from device.warden.roster import Roster
from device.warden.stream import MUCH_LEFT_OUT, Doubt
from device.warden.supervisor import Supervisor
from device.warden.table import JUDGE, SOURCE, STORE, TRACK
from device.warden.track import left_out_points
from wire.errors import line

MAX_OFFSET_MS: Final = 366 * DAY_MS
"""Verdict's word is believed no further: a camera whose clock is a year off is to be set, not moved."""
_HIDDEN_FRAMES: Final = 2
"""Writers hide as many for reasons of their encoder."""
MAX_GAP_MS: Final = DAY_MS
"""Nor here: a track with a longer gap is two."""

Said = tuple[str, str]
"""Sentence and remedy."""

_SAY_WHEN: Final = "give --video-start TIME"
DOUBTS: Final[dict[Doubt, Said]] = {
    "time_missing": ("the video has no time of its own, or that of a clock that was never set", _SAY_WHEN),
    "time_impossible": (
        "the video's time is of a clock that was never set, or set wrongly: before sign codes existed, or in the "
        "future",
        _SAY_WHEN,
    ),
    "time_ahead": (
        "the video's time is later than this machine's clock, which nothing keeps right",
        f"set this machine's clock if it is behind, else {_SAY_WHEN}",
    ),
    "time_old": (
        "the video's time is older than the register or the certificates, and no track confirms it",
        f"give the drive's track with --gps, or {_SAY_WHEN.removeprefix('give ')}",
    ),
    "start_guessed": (
        "without a usable time, the video was taken to begin with the track",
        f"{_SAY_WHEN}, or --offset SECONDS from there",
    ),
    "start_with_track": (
        "the track is longer or shorter than the video, so that the two need not have begun together (--video-start "
        "gps)",
        _SAY_WHEN,
    ),
    "label_unsure": (
        "the video's time may be local time, or that of the recording's end, or its clock may be some minutes off "
        "or run fast or slow",
        f"{_SAY_WHEN}, or --offset SECONDS",
    ),
    "track_impossible": (
        "the track's dates are known to be wrong, before sign codes existed or in the future",
        "record the track again, or correct its times",
    ),
    "track_ahead": (
        "the track lies later than this machine's clock, which nothing keeps right",
        "set this machine's clock if it is behind, else correct the track's times",
    ),
    "track_rollover": (
        "the track is 1024 weeks off (or 2048), as by a receiver whose week number has rolled over",
        "add 1024 weeks to the track's times (or take them off, where it lies in the future), or update the receiver",
    ),
    "clock_unsynchronised": ("nothing keeps this machine's clock right", "set up network time, or an RTC"),
    "clock_impossible": (
        "this machine's clock is wrong: it is before the register or the certificates were made",
        "set the clock (timedatectl), or connect to network time",
    ),
}
_NO_TRACK: Final = ("there is no track", "give the drive's track with --gps")
_FOLDER_RATE: Final = (
    "the rate at which the images of the folder were taken is not known",
    "set [camera] folder_fps (SEALCAM_CAMERA_FOLDER_FPS=15 for 15 a second)",
)
_VIDEO_RATE: Final = (
    "the video has no time stamps, and does not tell its rate",
    "set [camera] untimed_fps (SEALCAM_CAMERA_UNTIMED_FPS=25 for 25 a second)",
)
_JOINED: Final = (
    "the time stamps of the video begin again where the picture does not go on",
    "replay joined clips one by one",
)
_SEVERAL_SETS: Final = (
    "images of several cameras, or recordings, have the same numbers, and those after the first set have no time",
    "put each set into a folder of its own, and replay them one by one",
)
_TURN_UNKNOWN: Final = (
    "the numbers of the images leap from one end of the counter to the other, so that it ran over or images are "
    "missing, and those behind have no time",
    "replay the images on either side of the leap one by one",
)
_TURNS: Final = ("none", "over", "unknown")
_OFF_THE_TRACK: Final = (
    "the track does not tell where they were read, or the video's clock runs fast or slow by it, or pieces of "
    "the video are missing",
    "give a track that covers the video without breaks, or replay it in pieces, each with its --video-start TIME",
)
_OTHER_START: Final = "codes are out of their places, or registered signs missing, by the start that was used"
_OF_THE_START: Final[tuple[Doubt, ...]] = ("time_missing", "start_guessed", "start_with_track", "label_unsure")
_OF_THE_TRACK: Final[tuple[Doubt, ...]] = ("track_impossible", "track_ahead", "track_rollover")
_REMEDIES_OF_THE_START: Final = [DOUBTS[doubt][1] for doubt in _OF_THE_START]
"""What a proposed offset takes the place of."""


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
    return _undelivered(plan, device) + _left_out(plan, device) + _unplaced(plan, device)


def _left_out(plan: RunPlan, device: Supervisor) -> list[str]:
    """What of the recording is not there, without being damaged: numbers of images, frames that an edit list hides."""
    missing, hidden = device.roster.told(SOURCE, "time.missing"), device.roster.told(SOURCE, "index.hidden")
    found = [line(*said) for said in _of_names(plan, device)] if plan.kind == "folder" else []
    if plan.kind == "folder" and missing:
        numbers = "1 number is" if missing == 1 else f"{missing} numbers are"
        found.append(
            line(
                f"{numbers} missing among the names of the images in {plan.shown}: time went on for as long there",
                "replay the parts one by one if they are of several recordings",
            )
        )
    if plan.kind == "video" and (said := _of_times(plan, device, hidden)):
        found.append(line(*said))
    if plan.kind == "video" and (holes := device.roster.told(SOURCE, "time.holes")):
        longest_ms = min(MAX_GAP_MS, device.roster.told(SOURCE, "time.hole_ms"))
        where = "in one place" if holes == 1 else f"in {min(holes, MAX_COUNT)} places, at the longest"
        found.append(
            line(
                f"{plan.shown} has no frame for {longest_ms / 1000:g} s {where}: what was passed there was not seen",
                "copy it again from the camera, if that does not pause by itself",
            )
        )
    return found


_REFUSED_THERE: Final = (
    "look at what sealcam-sink serve says there (sealcam-sink stats counts it): 'unreadable' means that "
    "trust/sink_hpke.pub here is not that receiver's, 'equivocation' that this spool is an older copy of one that "
    "went on (docs/operations.md, A spool from a copy)"
)


def _of_names(plan: RunPlan, device: Supervisor) -> Iterator[Said]:
    """What the names of the images of a folder tell otherwise than they should."""
    named, said_fps = device.roster.told(SOURCE, "rate.named"), plan.config.camera.folder_fps
    if named and said_fps:
        rate = f"SEALCAM_CAMERA_FOLDER_FPS={_fps(named)}"
        yield (
            f"the names of the images in {plan.shown} tell a rate of {_fps(named)} a second, and [camera] folder_fps "
            f"says {said_fps:g}: the times of the images are wrong, or those in their names are",
            f"set {rate} if the names are right",
        )
    if turn(device.roster) == "over":
        yield (
            f"the counter in the names of the images in {plan.shown} ran over: the highest numbers were taken as the "
            "earliest",
            "replay the parts one by one if they are of several recordings",
        )
    if device.roster.total(JUDGE, "unplaced_codes") + device.roster.total(JUDGE, "untimed_codes"):
        return  # there it is the cause
    if device.roster.told(SOURCE, "time.sets"):
        yield f"{plan.shown} is judged as one recording: {_SEVERAL_SETS[0]}", _SEVERAL_SETS[1]
    if turn(device.roster) == "unknown":
        yield f"{plan.shown} is judged in the order of its names: {_TURN_UNKNOWN[0]}", _TURN_UNKNOWN[1]


def turn(roster: Roster) -> str:
    """Whether the counter in the names of images ran over: "none", "over" or "unknown"."""
    return _TURNS[min(roster.told(SOURCE, "time.turn"), len(_TURNS) - 1)]


def _of_times(plan: RunPlan, device: Supervisor, hidden: int) -> Said | None:
    """What a video's own words on its times contradict, as far as that shows."""
    coded, stamped = (device.roster.told(SOURCE, f"rate.{key}") for key in ("coded", "stamped"))
    hides = ""
    if hidden > _HIDDEN_FRAMES:
        hides = f"an edit list that hides {hidden} of its frames, which were not looked at"
    if coded and stamped:
        rates = f"{plan.shown} was coded at {_fps(coded)} frames a second, and its container plays {_fps(stamped)}"
        also = f", and has {hides}" if hides else ""
        return (
            f"{rates}{also}: unless it is a time lapse or a slow motion, the times of its frames are wrong",
            "copy it again from the camera, or replay it as a folder of images with their true [camera] folder_fps",
        )
    if hides:
        return (
            f"{plan.shown} has {hides}: it was trimmed, or the times of its frames are wrong",
            "if it was not trimmed on purpose, it is damaged: copy it again",
        )
    return None


def _fps(milli: int) -> str:
    """Bounded, whatever capture says."""
    return f"{min(milli, 10**6) / 1000:.4g}"


def _undelivered(plan: RunPlan, device: Supervisor) -> list[str]:
    """What waits in the spool, why, and what sends it: each run with a broker begins with what waits."""
    waiting, held = device.roster.fact(STORE, "waiting"), device.roster.fact(STORE, "held")
    refused = device.roster.fact(STORE, "passed_over") if plan.config.uplink.host else 0
    found = _not_sent(held) if held else []
    waiting -= held
    refused = max(0, min(refused, waiting))
    last = _refused(refused) if refused else []
    waiting -= refused
    if waiting <= 0:
        return [*found, *last]
    events, they_go = ("event waits", "it goes") if waiting == 1 else ("events wait", "they go")
    why, remedy = _why_waiting(plan, device)
    later = "with the next replay or run that reaches the broker"
    return [*found, line(f"{waiting} sealed {events} in the spool: {why}", f"{remedy}; {they_go} {later}"), *last]


def _not_sent(held: int) -> list[str]:
    """Of envelopes for another receiver: sending them would help nobody."""
    events, them = ("event in the spool is", "it") if held == 1 else ("events in the spool are", "them")
    return [
        line(
            f"{held} {events} sealed for another receiver's key than the one in trust/sink_hpke.pub, which cannot "
            f"open {them}",
            f"to deliver {them}, put that receiver's sink_hpke.pub and receipt.pub back into trust, and name its "
            f"broker; {'it is' if held == 1 else 'they are'} kept, and not sent",
        )
    ]


def _refused(count: int) -> list[str]:
    """Of envelopes that get no receipt although others do."""
    events, them = ("event waits", "it") if count == 1 else ("events wait", "them")
    return [
        line(
            f"{count} sealed {events} in the spool: the receiver confirmed others and never {them}, so it seems to "
            f"refuse {them}",
            _REFUSED_THERE,
        )
    ]


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
    if not device.roster.fact(STORE, "receipted"):
        return (
            f"{where} takes events, and no receiver confirms them",
            "start sealcam-sink serve at that broker, and enrol this device there (sealcam keys show, sealcam enroll); "
            f"where that is done, {_REFUSED_THERE}",
        )
    return "not every receipt came in time", "nothing is lost, and [warden] deliver_seconds says how long it waits"


def _unplaced(plan: RunPlan, device: Supervisor) -> list[str]:
    if device.fixes_owed:
        return []  # it is not the track that lacks them
    unplaced = (
        device.roster.total(JUDGE, "unplaced_codes") if plan.kind != "camera" else 0
    )  # a camera has no position source yet
    unsure = unplaced + device.roster.total(JUDGE, "untimed_codes")
    proposed = _proposed(plan, device)
    if not unsure:
        return [line(_OTHER_START, proposed)] if proposed else []
    codes = "1 authentic code" if unsure == 1 else f"{unsure} authentic codes"
    causes = _causes(plan, device, unplaced)
    whys = "; ".join(sentence for sentence, _ in causes)
    others = [remedy for _, remedy in causes if not proposed or remedy not in _REMEDIES_OF_THE_START]
    remedies = list(dict.fromkeys([proposed, *others] if proposed else others))
    whole = [one for one in remedies if not any(other.startswith(one) for other in remedies if other != one)]
    return [line(f"{codes} could not be placed or dated for sure: {whys}", "; ".join(whole))]


def _causes(plan: RunPlan, device: Supervisor, unplaced: int) -> list[Said]:
    """Why codes are unplaced or undated: all that is known of it."""
    doubts = device.clock.doubts
    no_track = [_NO_TRACK] if plan.kind != "camera" and not plan.gpx and "time_old" not in doubts else []
    untimed = _untimed(plan, device)
    if untimed or (plan.kind != "camera" and not plan.gpx):  # then the zone is the least
        return [*untimed, *(DOUBTS[doubt] for doubt in doubts if doubt != "label_unsure"), *no_track]
    repeated = [_repeating(plan)] if device.roster.fact(JUDGE, "repeated_codes") else []
    in_gaps, gap_ms = device.roster.fact(JUDGE, "gap_codes"), min(MAX_GAP_MS, device.roster.fact(JUDGE, "gap_ms"))
    if not unplaced and set(doubts) - set(_OF_THE_START):
        doubts = tuple(doubt for doubt in doubts if doubt != "label_unsure")  # it is the date that is not known
    if not in_gaps:
        apart = device.roster.fact(JUDGE, "off_codes") and not set(doubts) & set(_OF_THE_TRACK)
        off = [_off_the_ends(plan, device)] if apart else []
        return [*repeated, *off, *(DOUBTS[doubt] for doubt in doubts)] or [_OFF_THE_TRACK]
    gap = (f"{plan.gpx_shown} has a gap of {gap_ms / 1000:g} s where they were read", "give a track without it")
    return [gap, *repeated, *(DOUBTS[doubt] for doubt in doubts if in_gaps < unplaced or doubt not in _OF_THE_START)]


def _untimed(plan: RunPlan, device: Supervisor) -> list[Said]:
    """Why frames have no time."""
    if not device.clock.rated:
        return [_FOLDER_RATE if plan.kind == "folder" else _VIDEO_RATE]
    if not device.roster.told(SOURCE, "time.unknown"):
        return []
    if plan.kind != "folder":
        return [_JOINED]
    return [_SEVERAL_SETS if device.roster.told(SOURCE, "time.sets") else _TURN_UNKNOWN]


def _off_the_ends(plan: RunPlan, device: Supervisor) -> Said:
    """The track ends before, or what was left out of it lies there."""
    track = device.roster.ready(TRACK)
    left_out = left_out_points(track)
    much = left_out is not None and left_out.total > MUCH_LEFT_OUT * track.get("fixes", 0)
    if left_out is not None and much and track.get("unused_last_utc_ms", 0) >= device.clock.utc_ms:
        points = "point of it was" if left_out.total == 1 else "points of it were"
        return (
            f"by the start that was used, they were read before the first point of {plan.gpx_shown} that can be used, "
            f"or after the last: {left_out.total} more {points} left out, {left_out.words}",
            f"{left_out.remedy}, or give a track that covers the whole video",
        )
    return (
        f"by the start that was used, they were read before {plan.gpx_shown} begins or after it ends",
        "give a track that covers the whole video",
    )


def _repeating(plan: RunPlan) -> Said:
    return (
        f"by the start that was used, the receiver of {plan.gpx_shown} only repeated a place when they were read, as "
        "without reception",
        "give the track of another receiver, if there is one",
    )


def _proposed(plan: RunPlan, device: Supervisor) -> str:
    """The option that would put the codes in their places, as the remedy; empty where there is none."""
    offset = _offset_ms(device)
    if offset is None:
        return ""
    fitting, of = device.roster.fact(JUDGE, "offset_fitting"), device.roster.fact(JUDGE, "offset_codes")
    puts = f"all {of} codes" if fitting >= of > 1 else "the code" if of == 1 else f"{fitting} of {of} codes"
    moved = option(plan, device.clock.utc_ms, offset)
    return f"{moved} puts {puts} in place; use it if you know that it is right"


def _offset_ms(device: Supervisor) -> int | None:
    """What verdict has estimated, milliseconds from the start that was used; None: nothing that would help.

    A track that is known to be wrong gives no date, wherever the video lies on it.
    """
    undated = {"track_impossible", "track_rollover"} & set(device.clock.doubts)
    if not device.roster.fact(JUDGE, "offset_codes") or undated or not device.clock.rated:
        return None
    offset = device.roster.fact(JUDGE, "offset_later_ms") - device.roster.fact(JUDGE, "offset_earlier_ms")
    if not offset:
        return None
    return offset if abs(offset) <= MAX_OFFSET_MS else None
