"""Everything that a `Judge` remembers between two messages, as typed and bounded values that survive a restart.

The lists' bounds limit what a flood of hostile boxes or readings can take of the memory. Times are the stream's, in
milliseconds since its first frame, where nothing else is said; `utc_ms` is unix milliseconds, 0 where unknown. Sizes
are pixels.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from device.channel.messages import MAX_BOXES, MAX_CODE_BYTES, MAX_READINGS, Box, Reading
from device.verdict.errors import SnapshotError
from wire.geodesy import Pose, TimedPose
from wire.manifest import PointName

MAX_PENDING: Final = 128
MAX_TRACKS: Final = 96
MAX_PANELS: Final = 32
MAX_PAYLOADS: Final = 6
MAX_RATES: Final = 32
MAX_VOTED: Final = 8
MAX_FIXES: Final = 2048
MAX_DOUBTED: Final = 256
MAX_REPEATED: Final = 64
MAX_EXPECTED: Final = 64
MAX_ATTRIBUTED: Final = 256
MAX_SHOWN: Final = 64
MAX_OUTLINE: Final = 2048
MAX_CODED: Final = 64
MAX_VISITED: Final = 32
MAX_CARRIED: Final = 8
MAX_SNAPSHOT_BYTES: Final = 3 * 1024 * 1024

_VERSION: Final = 11


class Moment(Struct, forbid_unknown_fields=True):
    """One frame with what perception and the code reader said of it; None: nothing, or nothing yet."""

    frame: int
    t_ms: int
    utc_ms: int
    boxes: Annotated[list[Box], Meta(max_length=MAX_BOXES)] | None
    readings: Annotated[list[Reading], Meta(max_length=MAX_READINGS)] | None
    point: PointName = "far"  # the operating point at which the boxes were seen
    timed: bool = True  # False: how long after the stream's start it was, nobody knows; once so, always so
    size: tuple[int, int] = (0, 0)  # width and height of the frame
    blank: bool = False  # the picture is of one grey, or the one before it again: it shows no way


class Motion(Struct, forbid_unknown_fields=True):
    """A box that is followed from frame to frame: centre, size, and how they change per millisecond."""

    x: float
    y: float
    w: float
    h: float
    t_ms: int
    vx: float = 0.0
    vy: float = 0.0
    growth: float = 0.0  # change of the logarithm of the size


class Sight(Struct, forbid_unknown_fields=True):
    """When something was seen, and where the vehicle was then."""

    first_frame: int
    last_frame: int
    first_ms: int
    last_ms: int
    seen: int
    utc_ms: int = 0  # of the last time it was seen
    first_pose: Pose | None = None
    last_pose: Pose | None = None
    pose_ms: int = 0  # when the last pose was
    watched_ms: int = 0  # how long its reader had watched when it was last seen


class Watch(Struct, forbid_unknown_fields=True):
    """When a reader looked last, and for how long it has watched: the sum of what its looks stand for."""

    t_ms: int | None = None
    watched_ms: int = 0
    look_ms: int = 0  # what the last look stands for


class Trend(Struct, forbid_unknown_fields=True):
    """Sums for the straight line through the logarithm of the size (y) over the seconds since the first sight (x)."""

    n: int = 0
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    xy: float = 0.0


class FaceTrack(Struct, forbid_unknown_fields=True):
    """A sign face that perception saw in several frames, with the evidence gathered for its class.

    Looks are counted by the time that each stands for (`tracking.looks`), in looks at thirty a second. Only looks that
    were surely a sign speak for a class.
    """

    number: int
    motion: Motion
    sight: Sight
    largest: float = 0.0  # side of the largest box that was surely a sign
    score_sum: float = 0.0
    seen: float = 0.0
    sure: float = 0.0  # whose score made it surely a sign
    strong: float = 0.0  # whose score made it rather a sign than not, whatever the threshold
    trend: Trend = msgspec.field(default_factory=lambda: Trend())
    class_weight: Annotated[dict[int, float], Meta(max_length=43)] = msgspec.field(default_factory=dict)
    class_certainty: Annotated[dict[int, float], Meta(max_length=43)] = msgspec.field(default_factory=dict)
    last_class: int = -1
    switches: float = 0.0
    odd_shapes: float = 0.0
    on_code: float = 0.0  # whose box lay on a code symbol
    watched_ms: int = 0  # how long perception looked while the face was in sight
    since_ms: int = 0  # how long it had watched before it first saw the face


class Payload(Struct, forbid_unknown_fields=True):
    """One text that was read on a panel, untrusted, and how often: at most thirty times a second."""

    data: Annotated[bytes, Meta(max_length=MAX_CODE_BYTES)]
    seen: float
    both_decoders: bool


class Rate(Struct, forbid_unknown_fields=True):
    """One measured error rate with the size of the modules that it was measured on."""

    module_px: float
    error_rate: float


class Stretch(Struct, forbid_unknown_fields=True):
    """Where the vehicle was, and how large a symbol with this text looked, at the start of a piece of the way."""

    data: Annotated[bytes, Meta(max_length=MAX_CODE_BYTES)]
    side: float
    t_ms: int
    pose: Pose


class CarriedSymbol(Struct, forbid_unknown_fields=True):
    """A symbol that is no sign code and was carried along, and where in the picture it was last."""

    data: Annotated[bytes, Meta(max_length=MAX_CODE_BYTES)]
    motion: Motion


class Beside(Struct, forbid_unknown_fields=True):
    """Where in the picture a face and a panel were when both were first in sight, or when the face had moved last."""

    face: Motion
    panel: Motion
    parted: bool = False  # the face rested in the picture while the panel went by: they are not of one sign


class PanelTrack(Struct, forbid_unknown_fields=True):
    """A code symbol seen in several frames at one place, and all that was read there.

    Looks are counted by the time that each stands for, in looks at thirty a second; disagreements and twins, which have
    to be seen again, by at most one for each.
    """

    number: int
    motion: Motion
    sight: Sight
    payloads: Annotated[list[Payload], Meta(max_length=MAX_PAYLOADS)] = msgspec.field(default_factory=list)
    rates: Annotated[list[Rate], Meta(max_length=MAX_RATES)] = msgspec.field(default_factory=list)
    votes: Annotated[dict[int, float], Meta(max_length=MAX_VOTED)] = msgspec.field(default_factory=dict)  # by face
    decoded: int = 0  # frames
    unreadable: float = 0.0
    disagreements: float = 0.0
    oversized: int = 0
    too_many: bool = False
    twins: float = 0.0  # the same text was read at another place too
    home: Motion | None = None  # where in the picture it was first
    moved: bool = False  # it was seen elsewhere since
    stage: Stretch | None = None
    stages: int = 0  # in a row, on which it did not come nearer although the vehicle drove
    carried: bool = False  # by the vehicle itself, or by another that drives along
    beside: Annotated[dict[int, Beside], Meta(max_length=MAX_VOTED)] = msgspec.field(default_factory=dict)  # by face


class ExpectedSign(Struct, forbid_unknown_fields=True):
    """A registered sign that the vehicle is passing: how near it came, and how much of it the camera watched."""

    sign_id: bytes
    first_frame: int
    last_frame: int
    last_ms: int
    farthest_ahead_m: float
    nearest_ahead_m: float
    closest_m: float
    watched_m: float = 0.0  # of the way on which it is near enough to be seen, the part that perception watched...
    read_m: float = 0.0  # ...and of that on which its code can be read, the part that the code reader did
    nearest_read_m: float | None = None
    passed_ms: int | None = None
    utc_ms: int = 0
    pose: Pose | None = None
    settled: bool = False
    view_m: float = 0.0  # how far the vehicle had come when it passed, while the camera showed the way...
    view_ms: int = 0  # ...and for how long


class WayInView(Struct, forbid_unknown_fields=True):
    """Since when the pictures show the way without a break, and how far from there the vehicle was at most, metres."""

    since_ms: int
    last_ms: int
    first_pose: Pose | None = None
    far_m: float = 0.0


class Blank(Struct, forbid_unknown_fields=True):
    """Since when the pictures show nothing new, and where the vehicle was then."""

    since_ms: int
    pose: Pose | None = None


class SeenSign(Struct, forbid_unknown_fields=True):
    """A registered sign of which something was seen, and when last."""

    sign_id: bytes
    last_ms: int


class Shown(Struct, forbid_unknown_fields=True):
    """A sign whose code was found in its place, and where the vehicle was when it was last read."""

    sign_id: bytes
    last_ms: int
    pose: Pose


class Waypoint(Struct, array_like=True, forbid_unknown_fields=True):
    """The vehicle stayed within a step of here from `utc_ms` to `until_ms`, and came from the waypoint before.

    `slack_m`: how far off the straight way it may have been on its way here and since, beyond a step. `held_from_ms`:
    since when the track only repeated this place, so that the vehicle may have driven on and come back; 0 where it had
    told no other before, None where it did not repeat it.
    """

    utc_ms: int
    until_ms: int
    lat: float
    lon: float
    slack_m: float = 0.0
    held_from_ms: int | None = None


class CodedSign(Struct, forbid_unknown_fields=True):
    """An authentic code that was read: where it says that it hangs, when it was read, whether it was in its place."""

    sign_id: bytes
    t_ms: int
    lat: float
    lon: float
    heading: float
    fits: bool


class State(Struct, forbid_unknown_fields=True):
    """The whole state. `stream` names the stream that it belongs to."""

    stream: str
    version: int = _VERSION
    pending: Annotated[list[Moment], Meta(max_length=MAX_PENDING + 1)] = msgspec.field(default_factory=list)
    marks: dict[Literal["perception", "codes"], int] = msgspec.field(  # the last frame that each reader spoke of
        default_factory=lambda: {"perception": -1, "codes": -1}
    )
    judged: dict[Literal["perception", "codes"], int] = msgspec.field(  # frames by what each reader said, each once
        default_factory=lambda: {"perception": 0, "codes": 0}
    )
    released_mark: int = -1
    released_ms: int = 0
    agreed_frame: int = 0  # the last frame that was released and that both spoke of, or of one before and one after
    agreed_ms: int = 0
    newest_ms: int = 0
    start_utc_ms: int = 0  # unix milliseconds of the stream's start, as warden says; 0: not known
    earliest_ms: int = 0  # how much before that it may have been, as a number below 0
    latest_ms: int = 0  # how much after
    dated: bool = True  # False: the start only says how stream and track lie to each other
    rated: bool = True  # False: nobody knows the rate of the frames, so that only the first has a time
    drift_ppm: int = 0  # by how many parts in a million they may have come faster or slower than it is said
    date_earlier_ms: int = 0  # how much beyond `earliest_ms` and `latest_ms` the date may be off
    date_later_ms: int = 0
    untimed_ms: int | None = None  # the first moment whose time nobody knows; all that follow are like it
    began_ms: int | None = None  # our own monotonic clock at the stream's start, None: no clock
    fixes: Annotated[list[TimedPose], Meta(max_length=MAX_FIXES + MAX_DOUBTED)] = msgspec.field(default_factory=list)
    doubted: Annotated[list[TimedPose], Meta(max_length=MAX_DOUBTED)] = msgspec.field(default_factory=list)
    fixes_ended: bool = False
    fixes_told: int = 0  # fixes each later than all before it: one that is told again counts once
    told_ms: int = 0  # unix milliseconds of the latest of them
    first_fix_ms: int = 0  # unix milliseconds; 0: no fix yet
    last_heading: float | None = None
    last_heading_ms: int = 0  # unix milliseconds of the moment that it was the heading at
    placed_ms: int = 0  # unix milliseconds of the newest moment that was placed, or was to be
    moments: int = 0  # that were released
    unplaced: int = 0  # of them, without a place
    vague: int = 0  # of them, with a place or a heading that is not known well enough to put a code in its place
    set_aside: int = 0  # fixes that were not believed
    gap_codes: int = 0  # authentic codes that were read in a gap of the track, too wide to place them
    gap_ms: int = 0  # the widest of these gaps
    off_codes: int = 0  # authentic codes that were read before the track begins or after it ends
    repeated_codes: int = 0  # authentic codes that were read while the receiver only repeated a place
    repeated: Annotated[list[tuple[int, int]], Meta(max_length=MAX_REPEATED)] = msgspec.field(
        default_factory=list  # from when to when it did and its places were left out, unix milliseconds
    )
    faces: Annotated[list[FaceTrack], Meta(max_length=MAX_TRACKS)] = msgspec.field(default_factory=list)
    panels: Annotated[list[PanelTrack], Meta(max_length=MAX_PANELS)] = msgspec.field(default_factory=list)
    expected: Annotated[list[ExpectedSign], Meta(max_length=MAX_EXPECTED)] = msgspec.field(default_factory=list)
    attributed: Annotated[list[SeenSign], Meta(max_length=MAX_ATTRIBUTED)] = msgspec.field(default_factory=list)
    shown: Annotated[list[Shown], Meta(max_length=MAX_SHOWN)] = msgspec.field(default_factory=list)
    outline: Annotated[list[Waypoint], Meta(max_length=MAX_OUTLINE + 1)] = msgspec.field(default_factory=list)
    outline_step_m: float = 5.0
    coded: Annotated[list[CodedSign], Meta(max_length=MAX_CODED)] = msgspec.field(default_factory=list)
    read_ids: Annotated[list[SeenSign], Meta(max_length=MAX_ATTRIBUTED)] = msgspec.field(default_factory=list)
    verified_ids: Annotated[list[SeenSign], Meta(max_length=MAX_ATTRIBUTED)] = msgspec.field(default_factory=list)
    carried: Annotated[list[CarriedSymbol], Meta(max_length=MAX_CARRIED)] = msgspec.field(default_factory=list)
    carried_codes: int = 0  # symbols that were left out since they were carried along
    placed_codes: int = 0  # authentic codes that were read in their place
    unread_codes: int = 0  # registered signs that were seen near enough, and whose code was not read
    mirrored: int = 0  # mirror images of codes that were left out, one for each frame
    view: WayInView | None = None
    blank: Blank | None = None
    blank_ms: int = 0  # for how long in all the pictures showed nothing new while the vehicle drove
    lost_ms: int = -1  # when that ended last: what codes told before of where the stream lies on the track is no more
    came_near: bool = False  # to a registered sign
    visited: Annotated[list[tuple[float, float]], Meta(max_length=MAX_VISITED + 1)] = msgspec.field(
        default_factory=list  # places of the way, degrees, a step apart, while it came near none
    )
    visited_step_m: float = 50.0
    seen_size: tuple[int, int] = (0, 0)  # of the newest frame that perception saw...
    read_size: tuple[int, int] = (0, 0)  # ...and of the newest that the code reader read
    size: tuple[int, int] = (0, 0)  # of the newest frame whose size both know; what is followed is in its pixels
    looked: Watch = msgspec.field(default_factory=Watch)  # perception's
    read: Watch = msgspec.field(default_factory=Watch)  # the code reader's
    next_track: int = 0
    verdicts: int = 0
    ignored: int = 0  # messages that were out of order, duplicates, or beyond a bound


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(State, strict=True)


def to_bytes(state: State) -> bytes:
    """The state as msgpack."""
    return _encoder.encode(state)


def from_bytes(data: bytes, stream: str) -> State:
    """The state that `to_bytes` wrote for the same stream. Raises SnapshotError."""
    if len(data) > MAX_SNAPSHOT_BYTES:
        raise SnapshotError(f"the saved state has {len(data)} bytes, at most {MAX_SNAPSHOT_BYTES} are read")
    try:
        state = _decoder.decode(data)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as error:
        raise SnapshotError(f"the saved state is not one of ours: {str(error)[:120]}") from None
    if state.version != _VERSION or state.stream != stream:
        raise SnapshotError("the saved state belongs to another stream or version")
    return state
