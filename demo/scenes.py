"""Compares the expected verdicts of a drive with those of the device, one row a scene."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from device.channel.messages import Verdict
from device.cli.show import STATE_STYLES, class_text
from program import outputs

_REMOTE_FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)  # a picture that fetches nothing
_PICTURE_WIDTH = 122
_PLAIN_WIDTH = 140  # columns, where the table goes to a file and not to a terminal
_SLACK_FRAMES = 8  # a sign is judged on frames up to where it was passed; perception may hold on a little longer


@dataclass(frozen=True)
class SceneResult:
    """One scene's end. `good`: exactly the expected verdict and no other, delivered and receipted."""

    name: str
    expected: str
    truth: str
    perceived: str
    verdicts: tuple[Verdict, ...]
    delivered: bool
    receipted: bool
    good: bool


def judge_scenes(
    scenes: Sequence[Mapping[str, Any]], verdicts: Iterable[Verdict], stored: set[str], *, receipted: bool
) -> list[SceneResult]:
    """Rows in the order of the drive; verdicts outside every scene form a last row.

    Args:
        scenes: `expected.json`'s scenes.
        stored: ids of this run's verdicts that the receiver has stored.
        receipted: whether no envelope waits in the spool.
    """
    left = sorted(verdicts, key=lambda v: v.last_frame)
    rows: list[SceneResult] = []
    for scene in scenes:
        first, last = scene["first_frame"], scene["last_frame"] + _SLACK_FRAMES
        mine = [v for v in left if first <= v.last_frame <= last]
        left = [v for v in left if v not in mine]
        rows.append(_row(scene, mine, stored, receipted))
    if left:
        delivered = all(v.verdict_id in stored for v in left)
        rows.append(SceneResult("(no scene)", "nothing", "-", _seen(left), tuple(left), delivered, receipted, False))
    return rows


def _row(scene: Mapping[str, Any], mine: list[Verdict], stored: set[str], receipted: bool) -> SceneResult:
    right = len(mine) == 1 and (mine[0].state, mine[0].class_id) == (
        scene["expected_state"],
        scene["expected_class_id"],
    )
    delivered = bool(mine) and all(v.verdict_id in stored for v in mine)
    return SceneResult(
        name=scene["name"],
        expected=scene["expected_state"],
        truth=class_text(scene["class_id"]),
        perceived=_seen(mine),
        verdicts=tuple(mine),
        delivered=delivered,
        receipted=delivered and receipted,
        good=right and delivered and receipted,
    )


def _seen(verdicts: Sequence[Verdict]) -> str:
    """What perception alone would have believed."""
    return (
        ", ".join(class_text(v.perceived_class_id) for v in verdicts if v.perceived_class_id is not None) or "nothing"
    )


def print_table(rows: Sequence[SceneResult]) -> None:
    """The story as a table, on standard output."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PLAIN_WIDTH)
    console.print(_table(rows))


def draw_table(rows: Sequence[SceneResult], picture: Path) -> None:
    """The story as a picture (SVG). Raises OutputRefusedError."""
    drawn = Console(record=True, width=_PICTURE_WIDTH, file=io.StringIO(), force_terminal=True)
    drawn.print(_table(rows))
    outputs.write(picture, _REMOTE_FONTS.sub("", drawn.export_svg(title="sealcam demo")).encode(), tell=False)


def _table(rows: Sequence[SceneResult]) -> Table:
    table = Table(
        title="What stood there, what perception alone would have believed, what Sealcam held to be true",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for heading in ("scene", "the sign", "perception alone", "expected", "Sealcam", "acts on", "sent", "receipt", ""):
        table.add_column(heading, no_wrap=heading in ("expected", "Sealcam"))
    for row in rows:
        states = "\n".join(f"[{STATE_STYLES[v.state]}]{v.state}[/]" for v in row.verdicts) or "[red]no verdict[/]"
        table.add_row(
            row.name,
            row.truth,
            row.perceived,
            row.expected,
            states,
            "\n".join(class_text(v.class_id) for v in row.verdicts) or "-",
            "yes" if row.delivered else "[red]no[/]",
            "yes" if row.receipted else "[red]no[/]",
            "[green]good[/]" if row.good else "[bold red]MISMATCH[/]",
        )
    return table
