"""What is recorded is bounded by the frames that the stream has, however much a compartment sends."""

from __future__ import annotations

import msgspec
import pytest

from device.channel.messages import Box, CodeBox, CodeBoxes, Sightings, Verdict
from device.launcher.admission import MOST_BEFORE, MOST_WAITING, Admission, Looked

VERDICT = Verdict("v:1", "UNVERIFIED", 1, 1, 0.9, 1, 2, 1000, 8, None, None, ["perception_alone"])
BOX = Box(1.0, 2.0, 30.0, 40.0, 0.5, 12, 0.75)
CODE = CodeBox(5.0, 6.0, 7.0, 8.0, True)


def look(frame: int, *boxes: Box) -> Sightings:
    return Sightings(frame, frame * 40, 640, 360, list(boxes))


def admitting() -> tuple[Admission, list[Looked]]:
    took: list[Looked] = []
    return Admission(took.append), took


def test_what_is_announced_is_recorded_at_once_and_what_is_not_yet_when_it_is() -> None:
    admission, took = admitting()
    admission.announced(2)
    for frame in range(4):
        admission.look(look(frame))
    assert took == [look(0), look(1)]
    admission.announced(4)
    assert took == [look(frame) for frame in range(4)] and not admission.refused


def test_at_the_end_the_rest_is_recorded_and_what_the_stream_has_not_is_refused() -> None:
    admission, took = admitting()
    for frame in (0, 1, 9, 1000, 2**40):
        admission.look(look(frame))
    admission.look(CodeBoxes(2**39, [CODE]))
    admission.finish(10)
    assert took == [look(0), look(1), look(9)]
    assert admission.refused == {"sightings": 2, "code_boxes": 1}


def test_of_a_flood_of_frames_that_do_not_exist_a_bounded_number_waits() -> None:
    admission, took = admitting()
    admission.announced(10)
    for frame in range(10, 10_000):
        admission.look(look(frame))
    assert sum(len(waiting) for waiting in admission._waiting.values()) == MOST_WAITING
    admission.finish(10)
    assert len(took) < 40 and admission.refused["sightings"] == 9_990 - len(took)


def test_a_false_number_does_not_silence_what_is_next() -> None:
    admission, took = admitting()
    for n in range(2 * MOST_WAITING):
        admission.look(look(10_000 + n))
    for frame in range(5):
        admission.look(look(frame))
        admission.announced(frame + 1)
    assert took == [look(frame) for frame in range(5)]


def test_of_two_answers_for_a_frame_that_is_not_announced_yet_the_first_counts() -> None:
    admission, took = admitting()
    for message in (look(3), look(3, BOX), look(3)):
        admission.look(message)
    admission.announced(4)
    assert took == [look(3)] and admission.refused == {"sightings": 1}


def test_the_first_answer_for_a_frame_counts() -> None:
    admission, took = admitting()
    admission.announced(10)
    for message in (look(3), look(3, BOX), look(2, BOX), CodeBoxes(3, [CODE]), CodeBoxes(3, [CODE, CODE])):
        admission.look(message)
    assert took == [look(3), CodeBoxes(3, [CODE])]
    assert admission.refused == {"sightings": 2, "code_boxes": 1}


def test_the_same_answer_again_is_no_fault_since_a_reader_may_have_been_restarted() -> None:
    admission, took = admitting()
    admission.announced(10)
    for message in (look(3, BOX), look(4), look(3, BOX), look(4)):
        admission.look(message)
    assert took == [look(3, BOX), look(4)] and not admission.refused


def test_verdicts_are_bounded_by_the_frames() -> None:
    admission, _ = admitting()
    verdicts = [msgspec.structs.replace(VERDICT, verdict_id=f"v:{n}") for n in range(MOST_BEFORE + 100)]
    assert sum(admission.verdict(verdict) for verdict in verdicts) == MOST_BEFORE
    admission.announced(50)
    assert sum(admission.verdict(verdict) for verdict in verdicts) == 50
    assert admission.refused == {"verdicts": 150 + MOST_BEFORE}


def test_a_run_that_never_began_refuses_what_claims_to_be_of_it() -> None:
    admission, took = admitting()
    admission.look(look(0))
    admission.finish(0)
    assert took == [] and admission.refused == {"sightings": 1}


def test_phantoms_of_perception_take_no_place_of_a_verdict_that_rests_on_more() -> None:
    admission, _ = admitting()
    for n in range(MOST_BEFORE + 10):
        admission.verdict(msgspec.structs.replace(VERDICT, verdict_id=f"v:{n}", state="SUSPECT"))
    for state in ("MISPLACED", "VERIFIED", "MISSING", "DAMAGED"):
        assert admission.verdict(msgspec.structs.replace(VERDICT, verdict_id=state.lower(), state=state))
    ((said),) = admission.sentences()
    assert said.startswith(
        f"10 verdicts were not recorded: there were more of their sort than frames and {MOST_BEFORE}"
    )
    assert "frames that the input does not have" not in said


def test_what_is_of_no_frame_is_told_as_that() -> None:
    admission, _ = admitting()
    admission.look(look(7))
    admission.finish(0)
    (said,) = admission.sentences()
    assert said.startswith("1 messages (sightings) were not recorded") and "does not have" in said


@pytest.mark.parametrize(
    ("judged", "restarts", "lacking"),
    [(14, {}, 0), (15, {}, 15 - 10), (22, {"perception": 2}, 0), (23, {"perception": 2}, 13), (46, {"verdict": 1}, 0)],
)
def test_sightings_that_verdict_had_and_nobody_recorded_are_missed_beyond_what_restarts_explain(
    judged: int, restarts: dict[str, int], lacking: int
) -> None:
    admission, _ = admitting()
    admission.announced(10)
    for frame in range(10):
        admission.look(look(frame))
        admission.look(look(frame))
    admission.hold_to(judged, restarts)
    assert admission.refused["lacking"] == lacking
    assert ("did not come to be recorded" in " ".join(admission.sentences())) == bool(lacking)


def test_what_is_no_message_is_counted_and_told_by_who_sent_it() -> None:
    admission, _ = admitting()
    admission.refuse_garbage("perception")
    admission.refuse_garbage("perception")
    assert admission.garbage == {"perception": 2}
    assert admission.sentences() == ["2 messages of perception to the record were none"]
