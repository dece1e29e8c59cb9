"""Why a compartment cannot do its work: a fixed vocabulary. A text of a compartment's own is never shown.

A compartment's last message holds one of these words, at most two numbers, and a subject from a fixed list. The
sentence and the remedy are ours, and what the run calls its input comes from the plan, not from the compartment. So a
hostile compartment can choose among our sentences, and can write none.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from wire.errors import remedy_of
from wire.vocabulary import CompartmentName, word

FailureName = Literal[
    "address_space_spent",
    "camera_changed",
    "camera_ended",
    "camera_unopened",
    "confinement_refused",
    "decoder_missing",
    "descriptor_bad",
    "disk_full",
    "folder_empty",
    "folder_unreadable",
    "frames_too_large",
    "image_unreadable",
    "images_too_large",
    "interpreter_missing",
    "interpreter_refuses_model",
    "key_damaged",
    "key_expired",
    "key_missing",
    "key_unsafe",
    "library_missing",
    "output_unwritable",
    "pins_library_missing",
    "pins_library_unconfined",
    "pins_refused",
    "policy_bad",
    "settings_bad",
    "spool_damaged",
    "spool_foreign",
    "spool_full",
    "spool_in_use",
    "spool_unusable",
    "spool_unwritable",
    "system_refused",
    "track_before_fix",
    "track_contradicts_itself",
    "track_damaged",
    "track_doctype",
    "track_empty",
    "track_is_fit",
    "track_is_kml",
    "track_is_table",
    "track_jumps",
    "track_is_tcx",
    "track_malformed",
    "track_not_degrees",
    "track_no_fix",
    "track_nowhere",
    "track_only_marks",
    "track_packed",
    "track_times_too_coarse",
    "track_too_large",
    "track_too_many_points",
    "track_unreadable",
    "track_unusable",
    "track_with_commas",
    "track_without_checksum",
    "track_without_date",
    "track_without_time",
    "unexpected",
    "video_unreadable",
    "video_without_frames",
    "video_without_stream",
]

SubjectName = Literal[
    # files of the data home
    "authority",
    "ca.crt",
    "id",
    "receipt.pub",
    "register.cose",
    "reserved",
    "signing.key",
    "sink_hpke.pub",
    "tls.crt",
    "tls.key",
    # models
    "classifier",
    "detector",
    # libraries
    "ai_edge_litert",
    "av",
    "base45",
    "cbor2",
    "colorzero",
    "cryptography",
    "cv2",
    "gpiozero",
    "lgpio",
    "msgspec",
    "numpy",
    "paho",
    "pynmeagps",
    "pyzbar",
    "segno",
    "zxingcpp",
    "libzbar",
]
SUBJECTS: Final[tuple[SubjectName, ...]] = get_args(SubjectName)

UNNAMED: Final[Mapping[str, str]] = {
    "input": "the input",
    "gpx": "the track",
    "compartment": "the compartment",
    "home": "the data home",
}
"""What a sentence says where the names of this run are not known."""

MAX_NUMBER: Final = 2**40

REFUSALS: Final[tuple[FailureName, ...]] = ("spool_full", "disk_full", "spool_unwritable")
"""Why the spool takes nothing at the moment. sealer goes on then, and tells warden the place in this tuple, from 1."""


@dataclass(frozen=True)
class Failure:
    """One row: the sentence and the remedy, with places for what the run calls its inputs and for the fields.

    Places: {input}, {gpx}, {home} and {compartment} (from the plan), {0} and {1} (numbers), {why} and {mend} (the
    system's words for the error number {0}, and ours for what to do), {subject}. `by`: which compartments may say it,
    all where empty. `numbers`, `subject`: the fields that it needs.
    """

    sentence: str
    remedy: str
    by: tuple[CompartmentName, ...] = ()
    numbers: int = 0
    subject: bool = False


_KEYS: Final[tuple[CompartmentName, ...]] = ("sealer", "uplink", "verdict")
_CAPTURE: Final[tuple[CompartmentName, ...]] = ("capture", "annotator")
_POSITION: Final[tuple[CompartmentName, ...]] = ("position",)
_SEALER: Final[tuple[CompartmentName, ...]] = ("sealer",)
_OUTPUT = "set SEALCAM_WARDEN_OUTPUT=inherit to see what {compartment} itself says, and report it"
_ANOTHER_VIDEO = "give a video file or a folder of frames"

FAILURES: Final[dict[FailureName, Failure]] = {
    # --- any compartment
    "address_space_spent": Failure(
        "{compartment} has no memory left", "end other programs on this machine, or give a smaller input"
    ),
    "confinement_refused": Failure(
        "{compartment} cannot be confined: a layer is refused on this machine", "run: sealcam doctor"
    ),
    "descriptor_bad": Failure("{compartment} was handed a ring or a memory of the wrong shape", "reinstall Sealcam"),
    "library_missing": Failure(
        "{compartment} cannot load the library {subject}", "reinstall Sealcam (make setup)", subject=True
    ),
    "policy_bad": Failure("the policy of {compartment} does not fit its code", "reinstall Sealcam"),
    "settings_bad": Failure("the settings of {compartment} are not valid", "reinstall Sealcam"),
    "system_refused": Failure("the system refuses {compartment} something it needs ({why})", _OUTPUT, numbers=1),
    "unexpected": Failure("{compartment} ended by a fault of its own", _OUTPUT),
    # --- capture
    "video_unreadable": Failure(
        "{input} cannot be read as a video ({why})",
        "give a video file that is complete, or a folder of frames",
        _CAPTURE,
        numbers=1,
    ),
    "video_without_stream": Failure("{input} holds no video stream", _ANOTHER_VIDEO, _CAPTURE),
    "video_without_frames": Failure(
        "{input} holds no frame that can be decoded", "check that the file is complete", _CAPTURE
    ),
    "folder_empty": Failure(
        "{input} holds no frames",
        "put images into it: .bmp, .jpeg, .jpg, .pgm, .png, .ppm, .tif, .tiff or .webp",
        _CAPTURE,
    ),
    "folder_unreadable": Failure("{input} cannot be listed ({why})", "check its permissions", _CAPTURE, 1),
    "image_unreadable": Failure(
        "none of the images of {input} can be read, from image {0} on", "check that the files are complete", _CAPTURE, 1
    ),
    "images_too_large": Failure(
        "none of the images of {input} that can be read has at most 4096x2304 pixels", "scale them down", _CAPTURE
    ),
    "frames_too_large": Failure(
        "{input} has frames of {0}x{1} pixels, at most 4096x2304 are taken",
        "scale it down (ffmpeg -vf scale=1920:-2)",
        _CAPTURE,
        2,
    ),
    "camera_unopened": Failure(
        "the camera {input} cannot be opened", "check its cable, and who may use it (the group video)", _CAPTURE
    ),
    "camera_changed": Failure("the camera {input} changed its frame size while running", "start again", _CAPTURE),
    "camera_ended": Failure("the camera {input} gave no further frame", "check the cable, then start again", _CAPTURE),
    # --- perception and codes
    "interpreter_missing": Failure(
        "no TFLite interpreter is installed",
        "reinstall Sealcam (make setup), or install ai-edge-litert",
        ("perception",),
    ),
    "interpreter_refuses_model": Failure(
        "the TFLite interpreter refuses the model {subject}",
        "reinstall the models (git checkout -- models/artifacts), or sign models that this interpreter can run",
        ("perception",),
        subject=True,
    ),
    "decoder_missing": Failure(
        "the barcode decoder {subject} is not installed", "run: sudo apt-get install libzbar0", ("codes",), subject=True
    ),
    # --- position
    "track_unreadable": Failure("{gpx} cannot be read ({why})", "check the path", _POSITION, 1),
    "track_too_large": Failure("{gpx} is too large, at most {0} bytes are read", "cut the track", _POSITION, 1),
    "track_too_many_points": Failure("{gpx} has more than {0} points", "cut the track", _POSITION, 1),
    "track_doctype": Failure("{gpx} has a document type declaration, which no track needs", "remove it", _POSITION),
    "track_malformed": Failure(
        "{gpx} is neither GPX nor an NMEA 0183 log that can be read", "export it again as GPX 1.1", _POSITION
    ),
    "track_empty": Failure("{gpx} has no track point", "record a track with times", _POSITION),
    "track_only_marks": Failure(
        "{gpx} holds waypoints or a route, but no track",
        "export the recorded track: only that says when the vehicle was where",
        _POSITION,
    ),
    "track_without_time": Failure(
        "none of the {0} points of {gpx} can be used: most have no time that can be read",
        "record the track with times, as 2026-01-31T12:00:00Z",
        _POSITION,
        1,
    ),
    "track_no_fix": Failure(
        "none of the {0} points of {gpx} can be used: the receiver itself calls most of them no fix (no reception, "
        "estimated, set by hand or simulated)",
        "record with a view of the sky, or take another track",
        _POSITION,
        1,
    ),
    "track_nowhere": Failure(
        "none of the {0} points of {gpx} can be used: most are no place on Earth",
        "export it with places in degrees and with decimal points",
        _POSITION,
        1,
    ),
    "track_before_fix": Failure(
        "none of the {0} points of {gpx} can be used: most are of before the receiver's first fix",
        "record until the receiver has a fix, or take another track",
        _POSITION,
        1,
    ),
    "track_contradicts_itself": Failure(
        "{0} points of {gpx} are of two recordings of the same time that contradict each other",
        "give the track of this drive alone",
        _POSITION,
        1,
    ),
    "track_damaged": Failure(
        "{gpx} is damaged: nothing can be used, with {0} damaged points or sentences", "copy it again", _POSITION, 1
    ),
    "track_with_commas": Failure(
        "{0} points or sentences of {gpx} have decimal commas (52,5), and none can be used",
        "export it with decimal points (52.5)",
        _POSITION,
        1,
    ),
    "track_not_degrees": Failure(
        "{0} points of {gpx} have a place that is not in decimal degrees, and none can be used",
        "export it in degrees as 52.2712 and 10.5268, south and west negative",
        _POSITION,
        1,
    ),
    "track_without_checksum": Failure(
        "{0} sentences of {gpx} have no checksum, and none with one can be used",
        "have the logger keep them (*5A at the end), or convert it, if it is whole: "
        "gpsbabel -t -i nmea -f {gpx} -o gpx -F drive.gpx",
        _POSITION,
        1,
    ),
    "track_without_date": Failure(
        "{0} sentences of {gpx} have no date: GGA and GNS tell the time of day alone",
        "record RMC or ZDA sentences as well, or add the date: "
        "gpsbabel -t -i nmea,date=YYYYMMDD -f {gpx} -o gpx -F drive.gpx",
        _POSITION,
        1,
    ),
    "track_packed": Failure(
        "{gpx} is a compressed file", "unpack it, and give the GPX file or the NMEA 0183 log in it", _POSITION
    ),
    "track_is_kml": Failure(
        "{gpx} is KML, which tells the way and mostly no times",
        "give the recording itself, or, if it has times, convert it: gpsbabel -t -i kml -f {gpx} -o gpx -F drive.gpx",
        _POSITION,
    ),
    "track_is_tcx": Failure(
        "{gpx} is TCX, not GPX or an NMEA 0183 log",
        "convert it: gpsbabel -t -i gtrnctr -f {gpx} -o gpx -F drive.gpx",
        _POSITION,
    ),
    "track_is_fit": Failure(
        "{gpx} is FIT, not GPX or an NMEA 0183 log",
        "convert it: gpsbabel -t -i garmin_fit -f {gpx} -o gpx -F drive.gpx",
        _POSITION,
    ),
    "track_is_table": Failure(
        "{gpx} is a table (CSV), not GPX or an NMEA 0183 log",
        "convert it: gpsbabel -t -i unicsv -f {gpx} -o gpx -F drive.gpx",
        _POSITION,
    ),
    "track_times_too_coarse": Failure(
        "{0} points of {gpx} have the same time as another, as where times are written without seconds, and none can "
        "be used",
        "export it with its times to the second, as 2026-01-31T12:00:05Z",
        _POSITION,
        1,
    ),
    "track_jumps": Failure(
        "{0} points of {gpx} lie where no vehicle can have come from the others, and none can be used",
        "give the track of one receiver alone, if several tell in turn, or record with a view of the sky",
        _POSITION,
        1,
    ),
    "track_unusable": Failure(
        "none of the {0} points of {gpx} can be used: no two within a minute of each other agree",
        "record a point each second",
        _POSITION,
        1,
    ),
    # --- annotator
    "output_unwritable": Failure(
        "the annotated video cannot be written ({why})",
        "free its disk, or choose another --annotate",
        ("annotator",),
        numbers=1,
    ),
    # --- keys
    "key_missing": Failure(
        "{subject} in {home} is missing or cannot be read", "run: sealcam keys init", _KEYS, subject=True
    ),
    "key_unsafe": Failure(
        "{subject} in {home} is open to other users, or no plain file",
        "take the others' access away (chmod 600), or move it away and run: sealcam keys init",
        _KEYS,
        subject=True,
    ),
    "key_damaged": Failure(
        "{subject} in {home} is not what it must be",
        "get it again from where it came (an authority's key or register), restore it from your backup, or run: "
        "sealcam keys renew (certificates)",
        _KEYS,
        subject=True,
    ),
    "key_expired": Failure(
        "{subject} in {home} is not valid now",
        "check this machine's clock, then run: sealcam keys renew",
        _KEYS,
        subject=True,
    ),
    # --- sealer
    "disk_full": Failure("the disk of the spool in {home} is full", "free some space (df -h, df -i)", _SEALER),
    "spool_full": Failure(
        "the spool is full", "let the device reach its receiver ([uplink] host), or raise [spool] max_mib", _SEALER
    ),
    "spool_foreign": Failure(
        "the spool in {home} is of another device",
        "move the folder spool away and keep it, or restore that device's keys",
        _SEALER,
    ),
    "spool_in_use": Failure("the spool in {home} is in use", "wait for the other sealcam, or stop it", _SEALER),
    "spool_unwritable": Failure("the spool in {home} cannot be written ({why})", "{mend}", _SEALER, 1),
    "spool_unusable": Failure(
        "the spool in {home} cannot be opened ({why})",
        "check who may read and write the folder spool there",
        _SEALER,
        1,
    ),
    "spool_damaged": Failure(
        "the spool in {home} is damaged",
        "move spool.db away and keep it: the device goes on with a gap that the sink shows",
        _SEALER,
    ),
    # --- indicator
    "pins_library_missing": Failure(
        "{compartment} cannot load the library {subject}, which the pins need",
        'install it (.venv/bin/python -m pip install lgpio), or set [indicator] factory = "mock"',
        ("indicator",),
        subject=True,
    ),
    "pins_library_unconfined": Failure(
        "the library {subject}, which the pins need, does not start in the root of {compartment}",
        'run: sealcam doctor, or set [indicator] factory = "mock" to drive without pins',
        ("indicator",),
        subject=True,
    ),
    "pins_refused": Failure(
        "the pins cannot be used ({subject})",
        'connect the board and join the group gpio, or set [indicator] factory = "mock"',
        ("indicator",),
        subject=True,
    ),
}


def words(
    failure: FailureName, numbers: Sequence[int], subject: SubjectName | None, names: Mapping[str, str]
) -> tuple[str, str]:
    """Sentence and remedy. `names`: what the run calls {input}, {gpx}, {home} and {compartment}."""
    row = FAILURES[failure]
    why = os.strerror(numbers[0]) if numbers and numbers[0] < 4096 else "damaged or not of this kind"
    mend = remedy_of(numbers[0] if numbers else 0, "check its disk and its folder")
    places = {**UNNAMED, **names, "why": why, "mend": mend, "subject": subject or "a part"}
    return row.sentence.format(*numbers, **places), row.remedy.format(*numbers, **places)


def is_said_rightly(name: str, failure: FailureName, numbers: Sequence[int], subject: SubjectName | None) -> bool:
    """Whether compartment `name` may say this, with these fields."""
    row = FAILURES[failure]
    return (not row.by or name in row.by) and len(numbers) == row.numbers and (subject is not None) == row.subject


_BY_CLASS: Final[dict[str, FailureName]] = {
    "MissingKeyError": "key_missing",
    "UnsafeKeyFileError": "key_unsafe",
    "ExpiredCertificateError": "key_expired",
    "KeysError": "key_damaged",
    "PolicyError": "policy_bad",
    "CannotConfineError": "confinement_refused",
    "RingError": "descriptor_bad",
    "ValidationError": "settings_bad",
    "MemoryError": "address_space_spent",
}
"""Other errors, by the name of the class or of a parent, the nearest first: so that their packages are not imported."""


def of(error: BaseException) -> tuple[FailureName, list[int], SubjectName | None]:
    """The word for an error in this process that is no CompartmentError."""
    if isinstance(error, ImportError):
        module = (error.name or "").partition(".")[0]
        known = word(module, SUBJECTS)
        return ("library_missing", [], known) if known else ("unexpected", [], None)
    for kind in type(error).__mro__:
        failure = _BY_CLASS.get(kind.__name__)
        if failure is not None:
            about: SubjectName | None = next((s for s in SUBJECTS if s in str(error)), "id")
            return failure, [], about if FAILURES[failure].subject else None
    if isinstance(error, OSError):
        return "system_refused", [max(0, min(error.errno or 0, MAX_NUMBER))], None
    return "unexpected", [], None
