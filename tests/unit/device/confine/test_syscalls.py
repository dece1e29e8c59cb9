"""The groups of system calls: one call a line with its reason, argument rules as data, and how groups add up."""

from __future__ import annotations

import errno
import mmap
import os
import socket

import pytest

from device.confine.errors import PolicyError
from device.confine.syscalls import SYMBOLS, Call, CallRule, Comparison, Condition, effective, parse, read, together

GROUPS = """
[still]
why = "Memory that holds data."
[still.calls]
read = "Reads from descriptors."
mmap = { why = "Memory for data.", when = { arg = 2, bits_clear = ["PROT_EXEC"] } }
clone3 = { why = "Flags behind a pointer.", fails_with = "ENOSYS" }

[loud]
why = "Memory that holds code."
[loud.calls]
mmap = "Memory for code."
socket = { why = "Two families alone.", when = { arg = 0, equals = ["AF_INET", "AF_INET6"] } }

[spawning]
why = "Processes of its own."
[spawning.calls]
clone3 = "Starts a process."
socket = { why = "A family of its own.", when = { arg = 0, equals = ["AF_UNIX"] } }
"""
REASON = "A reason that says something."


def test_a_call_without_a_rule_is_allowed_whatever_its_arguments_are() -> None:
    assert effective(["still"], parse(GROUPS, "here"))["read"] == CallRule()


def test_bits_that_must_be_clear_become_a_masked_comparison() -> None:
    assert effective(["still"], parse(GROUPS, "here"))["mmap"] == CallRule(
        frozenset({Comparison(2, mmap.PROT_EXEC, 0)})
    )


def test_bits_set_and_clear_are_compared_together() -> None:
    rule = Condition(arg=0, bits_set=["CLONE_THREAD"], bits_clear=["CLONE_NEWUSER"])
    assert rule.comparisons() == {Comparison(0, 0x10010000, 0x00010000)}


def test_a_group_that_allows_without_a_rule_wins_over_one_with_a_rule() -> None:
    for names in (["still", "loud"], ["loud", "still"]):
        assert effective(names, parse(GROUPS, "here"))["mmap"] == CallRule()


def test_the_rules_of_two_groups_hold_side_by_side() -> None:
    rule = effective(["loud", "spawning"], parse(GROUPS, "here"))["socket"]
    assert {c.value for c in rule.comparisons} == {socket.AF_INET, socket.AF_INET6, socket.AF_UNIX}


def test_an_error_holds_until_another_group_allows_the_call() -> None:
    groups = parse(GROUPS, "here")
    assert effective(["still"], groups)["clone3"] == CallRule(error=errno.ENOSYS)
    assert effective(["still", "spawning"], groups)["clone3"] == CallRule()
    assert together([Call(REASON, fails_with="ENOSYS")]) == CallRule(error=errno.ENOSYS)


def test_the_symbols_are_those_of_this_machine() -> None:
    here = {name: getattr(place, name) for name in SYMBOLS for place in (mmap, os, socket) if hasattr(place, name)}
    assert here.keys() >= {"PROT_EXEC", "AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK"}  # os has CLONE_ from 3.12 on
    assert {name: SYMBOLS[name] for name in here} == here


def test_an_unknown_group_and_an_unknown_symbol_are_refused() -> None:
    with pytest.raises(PolicyError, match="nowhere"):
        effective(["nowhere"], parse(GROUPS, "here"))
    with pytest.raises(PolicyError, match="AF_MADE_UP"):
        effective(["loud"], parse(GROUPS.replace("AF_INET6", "AF_MADE_UP"), "here"))


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('"Reads from descriptors."', '"short"', ("still", "read")),
        ('"Reads from descriptors."', '""', ("still", "read")),
        ('"Reads from descriptors."', "7", ("still", "read")),
        ('"Reads from descriptors."', '{ when = { arg = 0, equals = ["AF_UNIX"] } }', ("still", "read")),
        ('why = "Memory that holds data."', "", ("still", "")),
        ("arg = 2", "arg = 6", ("still", "mmap")),
        ("bits_clear = [", "bits_unclear = [", ("still", "mmap")),
        ('bits_clear = ["PROT_EXEC"]', "bits_clear = []", ("still", "mmap")),
        ('bits_clear = ["PROT_EXEC"]', 'equals = ["AF_UNIX"], bits_clear = ["PROT_EXEC"]', ("still", "mmap")),
        ('"ENOSYS"', '"ENOENT"', ("still", "clone3")),
        (
            'fails_with = "ENOSYS"',
            'fails_with = "ENOSYS", when = { arg = 0, equals = ["AF_UNIX"] }',
            ("still", "clone3"),
        ),
        ("read =", "READ =", ("still", "")),
        ("[loud.calls]", "[loud.more]", ("loud", "")),
    ],
)
def test_a_malformed_line_is_refused_and_named(old: str, new: str, place: tuple[str, str]) -> None:
    assert GROUPS.count(old) == 1
    _, faults = read(GROUPS.replace(old, new), "here")
    assert [fault[:2] for fault in faults] == [place]
    with pytest.raises(PolicyError, match=" ".join(place).strip()):
        parse(GROUPS.replace(old, new), "here")


@pytest.mark.parametrize(
    "text", ["[[", GROUPS + 'clone3 = "Starts a process once more."', "still = 3", "[still]\ncalls = 3"]
)
def test_a_text_that_is_no_table_of_groups_is_refused(text: str) -> None:
    with pytest.raises(PolicyError):
        parse(text, "here")


def test_a_rule_is_within_another_that_asks_no_more() -> None:
    wide = Condition(arg=0, equals=["AF_INET", "AF_INET6"])
    assert Condition(arg=0, equals=["AF_INET"]).is_within(wide)
    assert not Condition(arg=0, equals=["AF_INET", "AF_UNIX"]).is_within(wide)
    assert not Condition(arg=1, equals=["AF_INET"]).is_within(wide)
    assert not Condition(arg=0, bits_set=["AF_INET"]).is_within(wide)
    threads = Condition(arg=0, bits_set=["CLONE_THREAD"], bits_clear=["CLONE_NEWUSER"])
    assert Condition(arg=0, bits_set=["CLONE_THREAD"], bits_clear=["CLONE_NEWUSER", "CLONE_NEWNET"]).is_within(threads)
    assert not Condition(arg=0, bits_set=["CLONE_THREAD"], bits_clear=["CLONE_NEWNET"]).is_within(threads)
    assert not Condition(arg=0, bits_clear=["CLONE_NEWUSER"]).is_within(threads)
