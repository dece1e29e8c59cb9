"""What a run comes to when its results cannot be written: told at once, a status that says so, and the summary."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from device.channel.messages import Message, Verdict
from device.config import Config
from device.launcher.plan import RunPlan
from device.launcher.report import Finished, Notice
from device.launcher.session import RunOutcome, Session
from tests.support.full_disk import files_up_to

PLAN = RunPlan("video", "/v", "v", "", "", "lockstep", "file", "/h", "/m", "00" * 16, Config())
VERDICT = Verdict("v:1", "UNVERIFIED", 1, 1, 0.9, 1, 2, 1000, 8, None, None, ["perception_alone"])
QUIET: Any = SimpleNamespace(layers={}, restarts=0)


def ended(session: Session, status: int = 0, sentence: str = "") -> RunOutcome:
    session._take(Finished(status, sentence, "", {"frames": 3}))
    return session._outcome(None, QUIET)  # type: ignore[arg-type]


def test_a_run_whose_results_are_whole_is_good(tmp_path: Path) -> None:
    session = Session(PLAN, tmp_path, lambda message: None)
    session._take(VERDICT)
    outcome = ended(session)
    assert (outcome.exit_status, outcome.line) == (0, "")
    assert outcome.summary == {"frames": 3, "verdicts": {"UNVERIFIED": 1}, "run_id": "00" * 16}
    assert json.loads((tmp_path / "summary.json").read_text()) == outcome.summary


def test_results_that_cannot_be_written_are_told_at_once_and_make_the_status_1(tmp_path: Path) -> None:
    seen: list[Message] = []
    session = Session(PLAN, tmp_path, seen.append)
    with files_up_to(10):
        session._take(VERDICT)
        assert [type(message) for message in seen] == [Notice, Verdict]
    outcome = ended(session)
    assert outcome.exit_status == 1
    assert f"{tmp_path}/verdicts.jsonl cannot be written (File too large)" in outcome.line
    assert outcome.summary["verdicts"] == {"UNVERIFIED": 1}


def test_a_graver_end_keeps_its_own_sentence_and_the_summary_is_there_all_the_same(tmp_path: Path) -> None:
    session = Session(PLAN, tmp_path, lambda message: None)
    with files_up_to(10):
        session._take(VERDICT)
        outcome = ended(session, 1, "sealer failed too often")
    assert (outcome.exit_status, outcome.sentence) == (1, "sealer failed too often")
    assert outcome.summary["frames"] == 3
    assert not (tmp_path / "summary.json").exists()
