"""Every message that crosses between two compartments: typed, bounded, and refused at the first field that is not.

A message is one `SOCK_SEQPACKET` datagram holding one msgpack map with a type tag. `Codec` is the only way
in: it knows the types that *this* receiver expects from *this* peer, so that a compromised peer cannot send even a
well-formed message of another kind. Bounds are part of the types; past `decode` no bound is checked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from device.channel.errors import HostileMessageError, OwnFaultError
from device.channel.failures import FailureName, SubjectName
from wire.classes import NUMBER_OF_CLASSES
from wire.envelope import MAX_ENVELOPE_BYTES
from wire.manifest import PointName
from wire.vocabulary import CompartmentName, HealthKind, StateName

MAX_BOXES = 64
MAX_REGIONS = 16
MAX_READINGS = 8
MAX_CODE_BYTES = 1024
MAX_FACTS = 40  # a test counts all that each compartment can have at once
MAX_MESSAGE_BYTES = 48 * 1024

MAX_COUNT = 2**40
FrameNumber = Annotated[int, Meta(ge=0, le=MAX_COUNT)]
Milliseconds = Annotated[int, Meta(ge=0, le=2**48)]
Seconds = Annotated[int, Meta(ge=0, le=2**48)]
Generation = Annotated[int, Meta(ge=0, le=2**62)]
Slot = Annotated[int, Meta(ge=0, le=3)]  # device.channel.ring.SLOTS - 1
Microseconds = Annotated[int, Meta(ge=0, le=2**62)]
Pixels = Annotated[float, Meta(ge=-16384.0, le=16384.0)]
Extent = Annotated[float, Meta(ge=0.0, le=16384.0)]
FrameSide = Annotated[int, Meta(ge=1, le=8192)]
Fraction = Annotated[float, Meta(ge=0.0, le=1.0)]
ClassId = Annotated[int, Meta(ge=0, le=NUMBER_OF_CLASSES - 1)]
Latitude = Annotated[float, Meta(ge=-90.0, le=90.0)]
Longitude = Annotated[float, Meta(ge=-180.0, le=180.0)]
Heading = Annotated[float, Meta(ge=0.0, le=360.0)]
Identifier = Annotated[str, Meta(pattern=r"^[0-9a-z_.:-]{1,64}\Z")]
ClockSource = Literal["given", "container", "file", "gps", "system", "guessed", "none"]
"""Who says when the stream began: the user; the container's own time; the file's name; the track, by the user's word;
this machine's clock; nobody, so that the stream is taken to begin with the track; nobody at all."""


class Message(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    """Root of every message."""


# --- frames -----------------------------------------------------------------------------------------------------


class FrameReady(Message, frozen=True, tag="frame_ready"):
    """capture -> perception, codes: `slot` of the ring holds this frame while its generation is `generation`."""

    frame: FrameNumber
    slot: Slot
    generation: Generation
    t_ms: Milliseconds  # since the stream's first frame; what time that was, warden says in Go
    taken_us: Microseconds = 0  # when it was taken, by the machine's monotonic clock: for the latency only
    timed: bool = True  # False: the input's time stamps broke off before it, and what time it was nobody knows


class FrameDone(Message, frozen=True, tag="frame_done"):
    """perception, codes -> capture: the frame is done with, its results are sent; its slot may be written again."""

    frame: FrameNumber


class StreamEnd(Message, frozen=True, tag="stream_end"):
    """capture -> perception, codes -> verdict; perception -> recorder: no frame follows."""

    frames: FrameNumber


# --- perception -------------------------------------------------------------------------------------------------


class Box(Struct, frozen=True, forbid_unknown_fields=True):
    """One sign as perception saw it; pixels of the frame as players show it, corner at the top left."""

    x: Pixels
    y: Pixels
    w: Extent
    h: Extent
    score: Fraction
    class_id: ClassId
    class_score: Fraction


class Sightings(Message, frozen=True, tag="sightings"):
    """perception -> verdict, and to the recorder: what one frame shows, an empty list included."""

    frame: FrameNumber
    t_ms: Milliseconds
    width: FrameSide
    height: FrameSide
    boxes: Annotated[list[Box], Meta(max_length=MAX_BOXES)]
    point: PointName = "far"  # the operating point: what score is surely a sign depends on it
    timed: bool = True  # as in FrameReady
    blank: bool = False  # the picture is of one grey, or the one before it again


class Region(Struct, frozen=True, forbid_unknown_fields=True):
    """A rectangle to read codes in, pixels of the input frame."""

    x: Pixels
    y: Pixels
    w: Extent
    h: Extent


class Regions(Message, frozen=True, tag="regions"):
    """perception -> codes: where a code panel may hang in this frame."""

    frame: FrameNumber
    t_ms: Milliseconds
    regions: Annotated[list[Region], Meta(max_length=MAX_REGIONS)]


# --- codes ------------------------------------------------------------------------------------------------------


class Reading(Struct, frozen=True, forbid_unknown_fields=True):
    """One QR symbol. `data` is untrusted. `decoders`: which of the two decoders gave exactly these bytes.

    `error_rate` is the fraction of modules that differ from the re-encoded codeword, None where it could not be
    measured. An empty `data` means: a symbol stands here (finder patterns found) but no decoder can read it, although
    its modules are `module_px` pixels wide, which is enough.
    """

    data: Annotated[bytes, Meta(max_length=MAX_CODE_BYTES)]
    decoders: Annotated[list[Literal["zbar", "zxing"]], Meta(max_length=2)]
    x: Pixels
    y: Pixels
    w: Extent
    h: Extent
    module_px: Extent
    error_rate: Fraction | None
    oversized: bool = False  # decoded to more than MAX_CODE_BYTES: `data` is then empty, and it is no code of ours
    quarters: Annotated[int, Meta(ge=0, le=3)] = 0  # how many quarter turns clockwise the symbol lies from upright
    mirrored: bool = False  # it is the mirror image of the symbol that its text makes: what a mirror or a window shows


class Readings(Message, frozen=True, tag="readings"):
    """codes -> verdict: what was read in one frame, an empty list included."""

    frame: FrameNumber
    t_ms: Milliseconds
    width: FrameSide
    height: FrameSide
    readings: Annotated[list[Reading], Meta(max_length=MAX_READINGS)]
    timed: bool = True  # as in FrameReady


class CodeBox(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a symbol stands; pixels of the input frame. `read`: a decoder could read it."""

    x: Pixels
    y: Pixels
    w: Extent
    h: Extent
    read: bool


class CodeBoxes(Message, frozen=True, tag="code_boxes"):
    """codes -> recorder: where symbols stand in one frame, never what they say. Sent where there are any."""

    frame: FrameNumber
    boxes: Annotated[list[CodeBox], Meta(min_length=1, max_length=MAX_READINGS)]


# --- position ---------------------------------------------------------------------------------------------------


class Fix(Message, frozen=True, tag="fix"):
    """position -> verdict: where the vehicle was. `utc_ms` is the fix's own clock (GPS time).

    `begins`: a new segment begins with this fix; of the way to it nothing is known.
    """

    utc_ms: Milliseconds
    lat: Latitude
    lon: Longitude
    heading: Heading | None  # degrees clockwise from true north, None when standing
    accuracy_m: Annotated[float, Meta(ge=0.0, le=10_000.0)]
    begins: bool = False


class PlaceRepeated(Message, frozen=True, tag="place_repeated"):
    """position -> verdict: the receiver was on, and told no place but the same again. By its own clock, as `Fix`.

    What was seen then is in no place, and this is why; it changes no verdict.
    """

    from_utc_ms: Milliseconds
    until_utc_ms: Milliseconds


class FixesEnd(Message, frozen=True, tag="fixes_end"):
    """position -> verdict: no fix follows (the track file is at its end, or there is no source at all)."""


# --- verdicts ---------------------------------------------------------------------------------------------------


class CodeClaims(Struct, frozen=True, forbid_unknown_fields=True):
    """The checked claims of an authentic sign code. Never the raw bytes."""

    sign_id: Identifier
    class_id: ClassId
    lat: Latitude
    lon: Longitude
    heading: Heading
    valid_from: Seconds  # unix seconds
    valid_until: Seconds  # unix seconds
    key_id: Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]
    error_rate: Fraction | None
    readings: Annotated[int, Meta(ge=0, le=100_000)]


class Place(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the vehicle was at the verdict's last frame."""

    lat: Latitude
    lon: Longitude
    heading: Heading | None
    accuracy_m: Annotated[float, Meta(ge=0.0, le=10_000.0)]


class Verdict(Message, frozen=True, tag="verdict"):
    """verdict -> sealer, indicator and the recorder: what Sealcam holds to be true about one physical sign.

    `class_id` is the class to act on (None where nothing may be believed); `perceived_class_id` is what perception
    alone said, kept for the record and never to be acted on.
    """

    verdict_id: Identifier
    state: StateName
    class_id: ClassId | None
    perceived_class_id: ClassId | None
    confidence: Fraction
    first_frame: FrameNumber
    last_frame: FrameNumber
    utc_ms: Milliseconds
    sightings: Annotated[int, Meta(ge=0, le=100_000)]
    code: CodeClaims | None
    position: Place | None
    reasons: Annotated[list[Identifier], Meta(max_length=16)]


class VerdictStored(Message, frozen=True, tag="verdict_stored"):
    """sealer -> verdict: the verdict is sealed and on disk; it need not be sent again."""

    verdict_id: Identifier


class Tamper(Message, frozen=True, tag="tamper"):
    """indicator -> verdict: the tamper switch changed."""

    opened: bool
    at_ms: Milliseconds  # unix milliseconds


class Health(Message, frozen=True, tag="health"):
    """warden, verdict -> sealer: something about the device itself that telemetry must show."""

    kind: HealthKind
    compartment: CompartmentName
    count: Annotated[int, Meta(ge=0, le=2**40)]
    at_ms: Milliseconds  # unix milliseconds
    detail: Identifier  # a fixed word, for example a signal's name or how a process exited


# --- telemetry --------------------------------------------------------------------------------------------------


class SealedEnvelope(Message, frozen=True, tag="envelope"):
    """sealer -> uplink: sealed bytes, to be published as they are. uplink cannot read them."""

    sequence: Annotated[int, Meta(ge=0, le=2**53)]
    sealed: Annotated[bytes, Meta(min_length=1, max_length=MAX_ENVELOPE_BYTES)]


class ReceiptBytes(Message, frozen=True, tag="receipt"):
    """uplink -> sealer: bytes that claim to be a receipt. sealer verifies the sink's signature."""

    data: Annotated[bytes, Meta(min_length=1, max_length=4096)]


class Dial(Message, frozen=True, tag="dial"):
    """uplink -> dialer: make a new connection to the one broker. The host and the port cannot be chosen."""


DialFailure = Literal["none", "no_name", "not_listening", "no_way", "no_answer", "failed"]
"""Why there is no connection: the name has no address; nothing listens there; no way there; no answer; else."""


class Dialled(Message, frozen=True, tag="dialled"):
    """dialer -> uplink: with `ok`, the connected socket comes along as SCM_RIGHTS; else `failure` says why not."""

    ok: bool
    failure: DialFailure = "none"


# --- control: compartment <-> warden ------------------------------------------------------------------------------


class Ready(Message, frozen=True, tag="ready"):
    """compartment -> warden: initialised and confined. `facts` are small numbers that warden needs (stream size...)."""

    facts: Annotated[dict[Identifier, Annotated[int, Meta(ge=0, le=2**53)]], Meta(max_length=MAX_FACTS)]


class Go(Message, frozen=True, tag="go"):
    """warden -> compartment: start. `utc_ms`: when the stream's first frame was, unix milliseconds, 0 if unknown.

    The start is a claim, and `source` says whose: it may as well have been earlier, by `earliest_ms` (not above 0) at
    the most, or later, by `latest_ms`. `dated` is False where `utc_ms` only says how stream and track lie to each
    other, and the date is not known. `wall` is False where this machine's clock is known to be wrong: what it would
    stamp has no time. `rated` is False where nobody knows the rate of the frames, so that only the first has a time;
    `drift_ppm`: by how many parts in a million they may have come faster or slower than their times say.
    `date_earlier_ms`, `date_later_ms`: how much beyond that span the date may be off. What accuses a code of being out
    of its time has to hold for that too.
    """

    utc_ms: Milliseconds
    elapsed_ms: Milliseconds = 0  # since the first Go of this run: a compartment that was restarted joins a stream
    source: ClockSource = "given"
    earliest_ms: Annotated[int, Meta(ge=-(2**48), le=0)] = 0
    latest_ms: Milliseconds = 0
    dated: bool = True
    wall: bool = True
    rated: bool = True
    drift_ppm: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    date_earlier_ms: Milliseconds = 0
    date_later_ms: Milliseconds = 0


StageName = Literal["capture", "classify", "codes", "codes_age", "detect", "perception_age", "seal", "verdict"]
"""The stages whose time is measured: they are keys of `summary.json`, so that no compartment may invent one.

`perception_age` and `codes_age`, in realtime: from when a frame was taken until its results are sent to verdict.
"""
STAGES: Final[Mapping[str, tuple[StageName, ...]]] = {
    "capture": ("capture",),
    "perception": ("detect", "classify", "perception_age"),
    "codes": ("codes", "codes_age"),
    "verdict": ("verdict",),
    "sealer": ("seal",),
}
"""The stages that each compartment measures. Of another's it may say nothing."""
DropCause = Literal["skipped", "lease_lost", "unreadable", "unconnected"]
"""Why something was not handled. `skipped`: a newer frame was there when the reader was free again. `lease_lost`: the
reader held the frame for too long, and its slot was written again. `unreadable`: the ring holds no such frame.
`unconnected`: uplink had no connection. Keys of `summary.json`, as the stages are."""


class Beat(Message, frozen=True, tag="beat"):
    """compartment -> warden, a few times a second: alive. Counts are since start; stages are milliseconds.

    `invalid`, `flooded`: what a peer sent and may not send; what it sent beyond its link's rate, and was dropped.
    """

    handled: FrameNumber
    dropped: Annotated[dict[DropCause, FrameNumber], Meta(max_length=4)]
    invalid: Annotated[dict[CompartmentName, Annotated[int, Meta(ge=0, le=2**40)]], Meta(max_length=10)]
    latencies_ms: Annotated[
        dict[StageName, Annotated[list[Annotated[float, Meta(ge=0.0, le=1e7)]], Meta(max_length=1024)]],
        Meta(max_length=8),
    ]  # samples since the last beat
    facts: Annotated[dict[Identifier, Annotated[int, Meta(ge=0, le=2**53)]], Meta(max_length=MAX_FACTS)]
    flooded: Annotated[dict[CompartmentName, Annotated[int, Meta(ge=0, le=2**40)]], Meta(max_length=10)] = {}


class Stop(Message, frozen=True, tag="stop"):
    """warden -> compartment: finish what is in hand and exit 0."""


class Done(Message, frozen=True, tag="done"):
    """compartment -> warden: my input has ended and everything I had to do is done."""

    facts: Annotated[dict[Identifier, Annotated[int, Meta(ge=0, le=2**53)]], Meta(max_length=MAX_FACTS)]


class Failed(Message, frozen=True, tag="failed"):
    """compartment -> warden: I cannot do my work. A word of `failures` and bounded fields; never a text of its own."""

    failure: FailureName
    numbers: Annotated[list[Annotated[int, Meta(ge=0, le=2**40)]], Meta(max_length=2)] = []
    subject: SubjectName | None = None


_encoder = msgspec.msgpack.Encoder()


def encode(message: Message) -> bytes:
    """Serialise one message. Raises OwnFaultError if it is larger than any receiver would take (our own bug)."""
    data = _encoder.encode(message)
    if len(data) > MAX_MESSAGE_BYTES:
        raise OwnFaultError(f"a {type(message).__name__} of {len(data)} bytes is over the {MAX_MESSAGE_BYTES} byte cap")
    return data


class Codec:
    """Decoder for one receiving end: only the message types that this peer may send are known to it."""

    def __init__(self, *accepted: type[Message]) -> None:
        union = accepted[0]
        for kind in accepted[1:]:
            union = union | kind  # type: ignore[assignment]
        self._decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(union, strict=True)

    def decode(self, data: bytes) -> Message:
        """Bytes from a peer -> one of the accepted types. Raises HostileMessageError; never anything else."""
        if not 0 < len(data) <= MAX_MESSAGE_BYTES:
            raise HostileMessageError(f"message of {len(data)} bytes, accepted are 1 to {MAX_MESSAGE_BYTES}")
        try:
            return self._decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise HostileMessageError(str(error)[:200]) from None


def _by_tag(root: type[Message] = Message) -> dict[str, type[Message]]:
    return {str(kind.__struct_config__.tag): kind for kind in root.__subclasses__()}


BY_TAG: dict[str, type[Message]] = _by_tag()
"""Every message of this module by the tag that policies name it by."""
