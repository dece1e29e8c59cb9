"""The failures' table, from `device/channel/failures.py`."""

from __future__ import annotations

from device.channel.failures import FAILURES
from device.cli.reference import markdown


def table() -> str:
    """Each word with its sentence, its remedy and who may say it, in the order of the code."""
    rows = (
        (f"`{word}`", failure.sentence, failure.remedy, markdown.code(failure.by) or "any compartment")
        for word, failure in FAILURES.items()
    )
    return markdown.table(("word", "sentence", "remedy", "who may say it"), rows)
