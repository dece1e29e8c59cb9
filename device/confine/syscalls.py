"""The groups of `syscalls.toml`, and what the groups of a policy allow together.

Groups only add up: a call is allowed when one of the groups allows it. An argument rule in one group therefore does not
narrow what another group allows without a rule, and an error that a group asks for gives way to any group that allows.
"""

from __future__ import annotations

import errno
import functools
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from device.confine.errors import PolicyError
from device.confine.policy import Reason

SYMBOLS = {
    "PROT_EXEC": 0x4,  # asm-generic/mman-common.h
    "AF_UNIX": 1,  # the families: bits/socket.h
    "AF_INET": 2,
    "AF_INET6": 10,
    "AF_NETLINK": 16,
    "CLONE_THREAD": 0x00010000,  # the clone flags: linux/sched.h
    "CLONE_NEWNS": 0x00020000,
    "CLONE_NEWCGROUP": 0x02000000,
    "CLONE_NEWUTS": 0x04000000,
    "CLONE_NEWIPC": 0x08000000,
    "CLONE_NEWUSER": 0x10000000,
    "CLONE_NEWPID": 0x20000000,
    "CLONE_NEWNET": 0x40000000,
    "S_IFIFO": 0o010000,  # the kinds of a file: linux/stat.h; a block device has the bits of a folder and a device
    "S_IFCHR": 0o020000,
    "S_IFDIR": 0o040000,
    "S_IFREG": 0o100000,
}
"""What an argument rule may name, the same on x86_64 and aarch64."""
_ALL_BITS = 0xFFFF_FFFF_FFFF_FFFF

CallName = Annotated[str, Meta(pattern=r"^[a-z_][a-z0-9_]{1,31}\Z")]
GroupName = Annotated[str, Meta(pattern=r"^[a-z_]{1,24}\Z")]
Symbols = Annotated[list[Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9_]{1,31}\Z")]], Meta(max_length=16)]


class Comparison(NamedTuple):
    """Holds when `argument & mask == value`, for the argument at the place `arg`."""

    arg: int
    mask: int
    value: int


class Condition(Struct, frozen=True, forbid_unknown_fields=True):
    """An argument rule: the argument equals one of the symbols, or has some bits set and others clear."""

    arg: Annotated[int, Meta(ge=0, le=5)]
    equals: Symbols = []
    bits_set: Symbols = []
    bits_clear: Symbols = []

    def __post_init__(self) -> None:
        if bool(self.equals) == bool(self.bits_set or self.bits_clear):
            raise TypeError("a rule has either `equals`, or `bits_set` and `bits_clear`")

    def symbols(self) -> set[str]:
        """Every symbol that the rule names, known or not."""
        return {*self.equals, *self.bits_set, *self.bits_clear}

    def comparisons(self) -> frozenset[Comparison]:
        """The rule as comparisons, of which at least one has to hold. Raises PolicyError for an unknown symbol."""
        if self.equals:
            return frozenset(Comparison(self.arg, _ALL_BITS, _number(symbol)) for symbol in self.equals)
        wanted = _bits(self.bits_set)
        return frozenset({Comparison(self.arg, wanted | _bits(self.bits_clear), wanted)})

    def is_within(self, wider: Condition) -> bool:
        """Whether this rule is written at least as strictly as `wider`."""
        return (
            self.arg == wider.arg
            and set(wider.bits_set) <= set(self.bits_set)
            and set(wider.bits_clear) <= set(self.bits_clear)
            and (not wider.equals or (bool(self.equals) and set(self.equals) <= set(wider.equals)))
        )


class Call(Struct, frozen=True, forbid_unknown_fields=True):
    """One system call in a group. `fails_with` asks for an error other than EPERM and allows nothing."""

    why: Reason
    when: Condition | None = None
    fails_with: Literal["ENOSYS"] | None = None

    def __post_init__(self) -> None:
        if self.when and self.fails_with:
            raise TypeError("a call has either a rule or an error")


class Group(Struct, frozen=True, forbid_unknown_fields=True):
    """A named group of calls, with the reason why they stand together."""

    why: Reason
    calls: Annotated[dict[CallName, Call], Meta(min_length=1, max_length=128)]


class CallRule(NamedTuple):
    """What a filter does with a call: fail with `error`, or allow it when one of `comparisons` holds (none: always)."""

    comparisons: frozenset[Comparison] = frozenset()
    error: int = 0


class Fault(NamedTuple):
    """What is wrong with the form of a group or of a call."""

    group: str
    call: str
    what: str


def effective(names: Sequence[str], groups: Mapping[str, Group]) -> dict[str, CallRule]:
    """What the groups `names` allow together: call -> rule. Raises PolicyError for an unknown group or symbol."""
    lines: dict[str, list[Call]] = {}
    for name in dict.fromkeys(names):
        if name not in groups:
            raise PolicyError(
                f"a policy names the group {name}, which is not in syscalls.toml", "reinstall Sealcam (make setup)"
            )
        for call, line in groups[name].calls.items():
            lines.setdefault(call, []).append(line)
    return {call: together(of_call) for call, of_call in lines.items()}


def together(lines: Iterable[Call]) -> CallRule:
    """The rule that several groups' lines for one call add up to. Raises PolicyError for an unknown symbol."""
    lines = list(lines)
    allowing = [line.when for line in lines if line.fails_with is None]
    if not allowing:
        return CallRule(error=max(getattr(errno, line.fails_with) for line in lines if line.fails_with))
    comparisons: set[Comparison] = set()
    for when in allowing:
        if when is None:
            return CallRule()
        comparisons |= when.comparisons()
    return CallRule(frozenset(comparisons))


def read(text: str, origin: str) -> tuple[dict[str, Group], list[Fault]]:
    """TOML text -> the groups that are well formed, and what is wrong with the others. Raises PolicyError: no TOML."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(
            f"the system calls {origin} are not valid ({error})", "reinstall Sealcam (make setup)"
        ) from None
    groups: dict[str, Group] = {}
    faults: list[Fault] = []
    for name, table in tables.items():
        calls = table.get("calls") if isinstance(table, dict) else None
        calls = calls if isinstance(calls, dict) else {}
        spelled = {call: {"why": line} if isinstance(line, str) else line for call, line in calls.items()}
        found = [Fault(name, call, what) for call, line in spelled.items() if (what := _wrong(line, Call))]
        if not found:  # each call is good by itself; the group and all the names are still to check
            whole = {name: {**table, "calls": spelled} if isinstance(table, dict) else table}
            found = [Fault(name, "", what)] if (what := _wrong(whole, dict[GroupName, Group])) else []
        if not found:
            groups[name] = msgspec.convert(whole[name], Group, strict=True)
        faults += found
    return groups, faults


def parse(text: str, origin: str) -> dict[str, Group]:
    """TOML text -> group name -> group. Raises PolicyError naming `origin`, group and call."""
    groups, faults = read(text, origin)
    if faults:
        where = " ".join(part for part in faults[0][:2] if part)
        raise PolicyError(
            f"the system calls {origin} are not valid ({where}: {faults[0].what})", "reinstall Sealcam (make setup)"
        )
    return groups


@functools.cache
def load_groups() -> dict[str, Group]:
    """The groups of `syscalls.toml`, beside this module. Raises PolicyError."""
    path = Path(__file__).with_name("syscalls.toml")
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise PolicyError(
            f"the system calls {path} cannot be read ({error.strerror})", "reinstall Sealcam (make setup)"
        ) from None


def _wrong(value: Any, kind: Any) -> str:
    try:
        msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        return str(error)
    return ""


def _number(symbol: str) -> int:
    if symbol not in SYMBOLS:
        raise PolicyError(f"an argument rule names {symbol}, which is not known", "reinstall Sealcam (make setup)")
    return SYMBOLS[symbol]


def _bits(symbols: Iterable[str]) -> int:
    return functools.reduce(int.__or__, map(_number, symbols), 0)
