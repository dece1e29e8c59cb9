"""The verdict table, from `device/verdict/decision/table.py`."""

from __future__ import annotations

from device.cli.reference import markdown
from device.verdict.decision.table import ACTED_ON, ANY, COLUMNS, TABLE, Rule
from wire.vocabulary import STATES


def states() -> str:
    """Each state, whose class is acted on in it, and the reasons that lead to it."""
    reasons = {state: dict.fromkeys(rule.because for rule in TABLE if rule.state == state) for state in STATES}
    rows = ((f"`{state}`", ACTED_ON[state], markdown.code(reasons[state])) for state in STATES)
    return markdown.table(("state", "whose class is acted on", "reasons"), rows)


def rules() -> str:
    """The rules in their order; an empty cell matches every value."""
    head = ("", "state", "reason", *(name for name, _ in COLUMNS))
    return markdown.table(head, (_rule(number, rule) for number, rule in enumerate(TABLE, 1)))


def columns() -> str:
    """What each column asks, and the answers that there are."""
    rows = (
        (f"`{name}`", markdown.first_sentence(kind), markdown.code(value.value for value in kind))
        for name, kind in COLUMNS
    )
    return markdown.table(("column", "what it says", "values"), rows)


def _rule(number: int, rule: Rule) -> tuple[str, ...]:
    found = (getattr(rule, name) for name, _ in COLUMNS)
    state = "no verdict" if rule.state == "NO_VERDICT" else f"`{rule.state}`"
    return (str(number), state, f"`{rule.because}`", *("" if value is ANY else f"`{value.value}`" for value in found))
