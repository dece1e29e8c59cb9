"""Hostile input and our own bug are two types, and the sentence and the word that a hostile input gets."""

from __future__ import annotations

import pytest

from tests.support.wire_samples import vector
from wire import errors
from wire.classes import CLASS_NAMES, NUMBER_OF_CLASSES

HOSTILE = {
    errors.HostileInputError: "the bytes are not what they must be",
    errors.NotOursError: "this is not in a format of Sealcam",
    errors.MalformedError: "this claims to be in a format of Sealcam and is not well formed",
    errors.ForgedError: "the signature is not good",
    errors.UnknownKeyError: "the signing key is not a trusted one",
    errors.SealBrokenError: "the envelope does not open under its topic, device and sequence",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_input_gets_a_fixed_sentence_and_a_word(kind: type[errors.HostileInputError]) -> None:
    error = kind("some_reason")
    assert str(error) == f"{HOSTILE[kind]} (some_reason)"
    assert error.reason == "some_reason"
    assert isinstance(error, errors.SealcamError) and isinstance(error, ValueError)


def test_hostile_input_and_our_own_bug_are_never_the_same_type() -> None:
    assert issubclass(errors.IssueError, errors.SealcamError) and issubclass(errors.IssueError, ValueError)
    for kind in HOSTILE:
        assert not issubclass(kind, errors.IssueError) and not issubclass(errors.IssueError, kind)


def test_an_unknown_key_is_a_forgery_and_the_others_are_apart() -> None:
    assert issubclass(errors.UnknownKeyError, errors.ForgedError)
    apart = (errors.NotOursError, errors.MalformedError, errors.ForgedError, errors.SealBrokenError)
    for kind in apart:
        assert [other for other in apart if issubclass(kind, other)] == [kind]


def test_the_classes_have_the_numbers_of_the_benchmark() -> None:
    """Signed codes and stored verdicts name a sign by its number alone: a number never changes its meaning."""
    known = vector("classes")["names"]
    assert list(CLASS_NAMES[: len(known)]) == known
    assert len(CLASS_NAMES) == NUMBER_OF_CLASSES == len(set(CLASS_NAMES)) >= 43


def test_an_errors_line_is_its_only_argument_with_and_without_a_remedy() -> None:
    assert errors.UsageError("it is wrong", "mend it").args == ("it is wrong; mend it",)
    assert errors.IssueError("it is wrong").args == ("it is wrong",)
