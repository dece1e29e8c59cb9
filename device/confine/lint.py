"""`python -m device.confine.lint`: holds `syscalls.toml`, the policies and `forbidden.toml` against each other.

Prints a line for each finding (file, group, call, what is wrong, what to do). Exits with 0 where there is none, with 1
where there is any, with 2 where a file cannot be read or libseccomp is missing. No process of the
device imports this module.

A policy's start filter holds its run groups too; even so each of the two lists is read by itself when a group is
weighed, so that a policy's `start` says all that a compartment has while it starts.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

import program
from device.confine import policy, syscalls
from device.confine.errors import CannotConfineError, PolicyError
from device.confine.policy import Policy, Reason
from device.confine.syscalls import SYMBOLS, Call, CallName, Condition, Group
from program import arguments

_SYSCALLS = "confine/syscalls.toml"
_FORBIDDEN = "confine/forbidden.toml"
_NEWER = "mend the name, or lint with libseccomp 2.5.5 or later where the call is a new one"


class Ruled(Struct, frozen=True, forbid_unknown_fields=True):
    """A call that needs a rule at least as strict as `within`, always or only once a compartment runs."""

    why: Reason
    within: Condition
    running: bool = False


class Allowance(Struct, frozen=True, forbid_unknown_fields=True):
    """Forbidden calls that one policy may hold all the same."""

    policy: str
    calls: Annotated[list[CallName], Meta(min_length=1, max_length=64)]
    why: Reason


class Forbidden(Struct, frozen=True, forbid_unknown_fields=True):
    """What `forbidden.toml` says: calls that no policy may hold, and the exceptions."""

    always: dict[CallName, Reason]
    running: dict[CallName, Reason]
    ruled: dict[CallName, Ruled]
    exceptions: list[Allowance] = []

    def reason(self, call: str, line: Call, phase: Literal["start", "run"]) -> str:
        """Why this line may not be in a filter of this phase; empty where it may."""
        if line.fails_with:
            return ""
        ruled = self.ruled.get(call)
        if ruled and (phase == "run" or not ruled.running) and not (line.when and line.when.is_within(ruled.within)):
            return ruled.why
        return self.always.get(call) or (self.running.get(call, "") if phase == "run" else "")

    def calls(self) -> set[str]:
        """Every call that is forbidden in some way."""
        return {*self.always, *self.running, *self.ruled}


@dataclass(frozen=True)
class Files:
    """Everything that is linted, parsed. `policies` by compartment."""

    groups: dict[str, Group]
    forbidden: Forbidden
    policies: dict[str, Policy]

    def lists(self) -> Iterator[tuple[str, Literal["start", "run"], list[str]]]:
        """Every list of groups that a policy has: compartment, phase, the groups named."""
        for name, of_compartment in self.policies.items():
            yield name, "start", of_compartment.seccomp.start
            yield name, "run", of_compartment.seccomp.run


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong; as text, the line that is printed. `group` and `call` may be empty."""

    file: str
    group: str
    call: str
    what: str
    remedy: str

    def __str__(self) -> str:
        place = ": ".join(part for part in (f"device/{self.file}", self.group, self.call) if part)
        return f"{place}: {self.what}; {self.remedy}"


def lint(folder: Path) -> list[Finding]:
    """What is wrong in `folder`, which holds `confine/` and the compartments. Empty: nothing is.

    Raises PolicyError where a file cannot be read or parsed, CannotConfineError where libseccomp is missing.
    """
    groups, faults = syscalls.read(_text(folder / _SYSCALLS), _SYSCALLS)
    policies = {p.parent.name: policy.parse(_text(p), str(p)) for p in sorted(folder.glob("*/policy.toml"))}
    files = Files(groups, _forbidden(_text(folder / _FORBIDDEN)), policies)
    found = [_of_fault(fault) for fault in faults] or [f for check in _NAMES for f in check(files)]
    if not found:  # the further checks weigh groups and calls by their names, which must be good
        found = [f for check in _WEIGHT for f in check(files)]
    return list(dict.fromkeys(found))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path} cannot be read ({error})", "lint a whole checkout") from None


def _forbidden(text: str) -> Forbidden:
    try:
        return msgspec.convert(tomllib.loads(text), Forbidden, strict=True)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise PolicyError(f"{_FORBIDDEN} is not valid ({error})", "mend it") from None


def _of_fault(fault: syscalls.Fault) -> Finding:
    if "`why`" in fault.what or fault.what.endswith(".why`"):
        return Finding(_SYSCALLS, fault.group, fault.call, "has no reason", "say in 10 to 300 characters what needs it")
    return Finding(_SYSCALLS, fault.group, fault.call, fault.what, "mend the line; the file's head says how")


def _unknown_groups(files: Files) -> Iterator[Finding]:
    for name, phase, groups in files.lists():
        for group in groups:
            if group not in files.groups:
                what = f"{phase} names a group that {_SYSCALLS} does not have"
                yield Finding(f"{name}/policy.toml", group, "", what, "mend the name")


def _unknown_symbols(files: Files) -> Iterator[Finding]:
    rules = [(_SYSCALLS, g, c, line.when) for g, group in files.groups.items() for c, line in group.calls.items()]
    rules += [(_FORBIDDEN, "ruled", call, ruled.within) for call, ruled in files.forbidden.ruled.items()]
    for file, group, call, rule in rules:
        for symbol in sorted(rule.symbols() - SYMBOLS.keys()) if rule else ():
            what = f"its rule names {symbol}, which is not known"
            yield Finding(file, group, call, what, "use one of SYMBOLS in syscalls.py")


def _unknown_calls(files: Files) -> Iterator[Finding]:
    try:
        import pyseccomp
    except (ImportError, RuntimeError):
        raise CannotConfineError("libseccomp is not installed", "run: sudo apt-get install libseccomp2") from None
    machines = (pyseccomp.Arch.X86_64, pyseccomp.Arch.AARCH64)
    places = [(_SYSCALLS, group, call) for group in files.groups for call in files.groups[group].calls]
    places += [(_FORBIDDEN, "", call) for call in sorted(files.forbidden.calls())]
    for place in places:
        if all(pyseccomp.resolve_syscall(machine, place[2]) < 0 for machine in machines):
            yield Finding(*place, "neither x86_64 nor aarch64 has a call of this name", _NEWER)


def _unused_groups(files: Files) -> Iterator[Finding]:
    used = {group for _, _, groups in files.lists() for group in groups}
    for group in files.groups:
        if group not in used:
            yield Finding(_SYSCALLS, group, "", "no policy uses this group", "take it out")


def _groups_that_add_nothing(files: Files) -> Iterator[Finding]:
    for name, phase, groups in files.lists():
        whole = syscalls.effective(groups, files.groups)
        for place, group in enumerate(groups):
            if syscalls.effective(groups[:place] + groups[place + 1 :], files.groups) == whole:
                what = f"{phase} has all its calls from other groups"
                yield Finding(f"{name}/policy.toml", group, "", what, f"take it out of {phase}")


def _calls_that_add_nothing(files: Files) -> Iterator[Finding]:
    for group in files.groups:
        lists = [groups for _, _, groups in files.lists() if group in groups]
        for call in files.groups[group].calls if lists else ():
            if not any(_adds(call, group, groups, files) for groups in lists):
                what = "every policy that uses this group has the call from another group"
                yield Finding(_SYSCALLS, group, call, what, "take the line out")


def _adds(call: str, group: str, groups: Sequence[str], files: Files) -> bool:
    holding = [name for name in dict.fromkeys(groups) if call in files.groups[name].calls]
    others = [files.groups[name].calls[call] for name in holding if name != group]
    return not others or syscalls.together(others) != syscalls.together([*others, files.groups[group].calls[call]])


def _forbidden_calls(files: Files) -> Iterator[Finding]:
    excepted = {(allowed.policy, call) for allowed in files.forbidden.exceptions for call in allowed.calls}
    for name, phase, groups in files.lists():
        for group in groups:
            for call, line in files.groups[group].calls.items():
                why = files.forbidden.reason(call, line, phase)
                if why and (name, call) not in excepted:
                    what = f"{phase} may not hold this call ({why.rstrip('.')})"
                    yield Finding(f"{name}/policy.toml", group, call, what, f"see {_FORBIDDEN}")


def _unused_exceptions(files: Files) -> Iterator[Finding]:
    needed = {
        (name, call)
        for name, phase, groups in files.lists()
        for group in groups
        for call, line in files.groups[group].calls.items()
        if files.forbidden.reason(call, line, phase)
    }
    for allowed in files.forbidden.exceptions:
        for call in allowed.calls:
            if (allowed.policy, call) not in needed:
                yield Finding(_FORBIDDEN, "exceptions", call, f"{allowed.policy} does not need it", "take it out")


Check = Callable[[Files], Iterator[Finding]]
_NAMES: tuple[Check, ...] = (_unknown_groups, _unknown_symbols, _unknown_calls)
_WEIGHT: tuple[Check, ...] = (
    _unused_groups,
    _groups_that_add_nothing,
    _calls_that_add_nothing,
    _forbidden_calls,
    _unused_exceptions,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Lint and print. Returns the exit status."""
    return program.run("python -m device.confine.lint", lambda: _work(argv))


def _work(argv: Sequence[str] | None) -> int:
    parser = arguments.new_parser(prog="python -m device.confine.lint", description="Lints the policies.")
    parser.add_argument("folder", nargs="?", type=arguments.place, default=Path(__file__).resolve().parent.parent)
    found = lint(parser.parse_args(argv).folder)
    for finding in found:
        print(finding)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
