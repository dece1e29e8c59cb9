"""The report in Markdown for a person, and in JSON for a program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.mutants.sample import EQUIVALENT, Equivalent
from bench.mutants.sites import Site
from bench.mutants.trial import Outcome

_WIDTH = 160


def share(outcomes: Iterable[Outcome]) -> tuple[int, int, float]:
    """(killed, mutants that are not equivalent, percent); without mutants, 100 %."""
    counted = [outcome.status == "killed" for outcome in outcomes if outcome.status != "equivalent"]
    return sum(counted), len(counted), 100.0 * sum(counted) / len(counted) if counted else 100.0


def sentence(site: Site) -> str:
    """`path:line function, operator: original -> mutated`, on one line."""
    return (
        f"{site.path}:{site.line} {site.function}, {site.operator}: {_short(site.original)} -> {_short(site.mutated)}"
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return f"`{line if len(line) <= _WIDTH else line[:_WIDTH] + '…'}`"


def markdown(
    results: Mapping[str, Sequence[Outcome]], old: Sequence[Equivalent], left_out: Sequence[str], draw: str
) -> str:
    """A table by package, and the survivors."""
    lines = [f"# Mutants: {draw}", "", "| package | killed | mutants | share | equivalent |", "|---|---|---|---|---|"]
    everything = [outcome for outcomes in results.values() for outcome in outcomes]
    for name, outcomes in [*results.items(), *([("all", everything)] if len(results) > 1 else [])]:
        killed, total, percent = share(outcomes)
        lines.append(f"| {name} | {killed} | {total} | {percent:.0f} % | {len(outcomes) - total} |")
    for name, outcomes in results.items():
        survivors = [outcome for outcome in outcomes if outcome.status == "survived"]
        if survivors:
            lines += ["", f"## Survivors of {name}", ""]
        for outcome in survivors:
            lines.append(f"- {sentence(outcome.site)}{'' if outcome.executed else ' **never executed**'}")
    if left_out:
        lines += ["", "## Tests left out: they fail without a mutant", "", *(f"- {test}" for test in left_out)]
    if old:
        lines += ["", f"## Stale in {EQUIVALENT}: no such place", ""]
        lines += [f"- {entry.file} {entry.function}, {entry.operator}: {_short(entry.original)}" for entry in old]
    return "\n".join(lines)


def document(
    results: Mapping[str, Sequence[Outcome]], old: Sequence[Equivalent], left_out: Sequence[str]
) -> dict[str, Any]:
    """The same as a JSON document, with the killed mutants and what noticed each."""
    packages = {}
    for name, outcomes in results.items():
        killed, total, percent = share(outcomes)
        mutants = [_row(outcome) for outcome in outcomes]
        packages[name] = {"killed": killed, "total": total, "percent": round(percent, 1), "mutants": mutants}
    return {"packages": packages, "stale": [vars(entry) for entry in old], "tests_left_out": list(left_out)}


def _row(outcome: Outcome) -> dict[str, Any]:
    site = outcome.site
    place = {"file": site.path, "line": site.line, "function": site.function, "operator": site.operator}
    text = {"original": site.original, "mutated": site.mutated}
    told = {"status": outcome.status, "noticed_by": outcome.noticed_by, "executed": outcome.executed}
    return place | text | told | {"seconds": round(outcome.seconds, 2)}
