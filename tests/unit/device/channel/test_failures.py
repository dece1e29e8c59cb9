"""A compartment's last words: a word of a table and bounded fields. Nothing that it writes is ever shown."""

from __future__ import annotations

import errno
import string
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.channel import failures
from device.channel.errors import CompartmentError, HostileMessageError, RingError
from device.channel.failures import FAILURES, MAX_NUMBER, SUBJECTS, FailureName, SubjectName
from device.channel.messages import Codec, Failed
from device.confine.errors import CannotConfineError, PolicyError
from identity import DamagedKeyError, ExpiredCertificateError, MissingKeyError, UnsafeKeyFileError
from wire.vocabulary import COMPARTMENTS

NAMES = {"input": "drive.mp4", "gpx": "drive.gpx", "home": "/home/a/.local/share/sealcam", "compartment": "codes"}


def test_every_word_has_its_row() -> None:
    assert set(FAILURES) == set(get_args(FailureName))


@pytest.mark.parametrize("failure", FAILURES)
def test_every_sentence_can_be_said_and_names_what_it_counts(failure: FailureName) -> None:
    row = FAILURES[failure]
    places = {name for text in (row.sentence, row.remedy) for _, name, _, _ in string.Formatter().parse(text) if name}
    needed = {"0", "1"}.union({"why"}) if row.numbers == 2 else {"0", "why", "mend"} if row.numbers else set()
    assert places - needed - {"input", "gpx", "home", "compartment", "subject"} == set()
    assert ("subject" in places) == row.subject
    sentence, remedy = failures.words(failure, [2, 3][: row.numbers], "av" if row.subject else None, NAMES)
    assert sentence and remedy and not {"{", "}", ";"} & set(sentence + remedy.replace("; ", ""))
    assert not sentence.endswith(".")
    assert set(row.by) <= set(COMPARTMENTS)


@given(st.text(max_size=40))
def test_no_text_of_a_compartment_gets_through(text: str) -> None:
    codec = Codec(Failed)
    for field in ("failure", "subject", "reason", "sentence"):
        said = {"type": "failed", "failure": "unexpected", field: text}
        if text in (*FAILURES, *SUBJECTS):
            continue
        with pytest.raises(HostileMessageError):
            codec.decode(msgspec.msgpack.encode(said))


@pytest.mark.parametrize("numbers", [[-1], [MAX_NUMBER + 1], [0, 0, 0], [1.5], ["1"], [True]])
def test_numbers_are_bounded(numbers: list[object]) -> None:
    said = {"type": "failed", "failure": "track_too_large", "numbers": numbers}
    with pytest.raises(HostileMessageError):
        Codec(Failed).decode(msgspec.msgpack.encode(said))


def test_the_largest_number_and_two_numbers_are_taken() -> None:
    for numbers in ([MAX_NUMBER], [0, MAX_NUMBER]):
        said = msgspec.msgpack.encode({"type": "failed", "failure": "frames_too_large", "numbers": numbers})
        assert Codec(Failed).decode(said) == Failed("frames_too_large", numbers)


@pytest.mark.parametrize(
    ("name", "failure", "numbers", "subject", "right"),
    [
        ("capture", "folder_empty", [], None, True),
        ("codes", "folder_empty", [], None, False),  # not its to say
        ("capture", "folder_empty", [1], None, False),
        ("capture", "image_unreadable", [], None, False),
        ("capture", "folder_empty", [], "av", False),
        ("sealer", "key_missing", [], "signing.key", True),
        ("sealer", "key_missing", [], None, False),
        ("codes", "key_missing", [], "signing.key", False),
        ("codes", "library_missing", [], "cv2", True),
    ],
)
def test_who_may_say_what_with_which_fields(
    name: str, failure: FailureName, numbers: list[int], subject: SubjectName | None, right: bool
) -> None:
    assert failures.is_said_rightly(name, failure, numbers, subject) == right


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MissingKeyError("/x/signing.key is missing", "make it"), ("key_missing", [], "signing.key")),
        (UnsafeKeyFileError("/x/tls.key is open to others", "chmod"), ("key_unsafe", [], "tls.key")),
        (DamagedKeyError("/x/register.cose is refused", "get it"), ("key_damaged", [], "register.cose")),
        (ExpiredCertificateError("/x/tls.crt expired", "renew"), ("key_expired", [], "tls.crt")),
        (CannotConfineError("no", "use another"), ("confinement_refused", [], None)),
        (PolicyError("no", "reinstall"), ("policy_bad", [], None)),
        (RingError("no"), ("descriptor_bad", [], None)),
        (msgspec.ValidationError("no"), ("settings_bad", [], None)),
        (MemoryError(), ("address_space_spent", [], None)),
        (ModuleNotFoundError("no", name="pynmeagps.x"), ("library_missing", [], "pynmeagps")),
        (ModuleNotFoundError("no", name="evil"), ("unexpected", [], None)),
        (ImportError("no"), ("unexpected", [], None)),
        (PermissionError(errno.EACCES, "no"), ("system_refused", [errno.EACCES], None)),
        (OSError("no"), ("system_refused", [0], None)),
        (ZeroDivisionError(), ("unexpected", [], None)),
    ],
)
def test_each_error_has_its_word(error: BaseException, expected: tuple[FailureName, list[int], str | None]) -> None:
    found = failures.of(error)
    assert found == expected
    assert (len(found[1]), found[2] is not None) == (FAILURES[found[0]].numbers, FAILURES[found[0]].subject)


def test_an_error_of_a_compartment_says_what_warden_will_say() -> None:
    error = CompartmentError("frames_too_large", 5000, 3000)
    assert (error.sentence, error.remedy) == failures.words("frames_too_large", [5000, 3000], None, failures.UNNAMED)
    assert "5000x3000" in str(error)


def test_what_the_system_says_is_its_own_words_for_the_number() -> None:
    sentence, _ = failures.words("track_unreadable", [errno.ENOENT], None, NAMES)
    assert sentence == "drive.gpx cannot be read (No such file or directory)"
    sentence, _ = failures.words("video_unreadable", [MAX_NUMBER], None, NAMES)
    assert sentence == "drive.mp4 cannot be read as a video (damaged or not of this kind)"
