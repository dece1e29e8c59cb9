"""The policies: one file each, every privilege with a reason, and what each compartment must not have."""

from __future__ import annotations

import errno
import os
import socket
import stat

import pytest

from device.channel import link as links
from device.confine import seccomp
from device.confine.errors import PolicyError
from device.confine.policy import STANDARD_DESCRIPTORS, load, parse
from device.confine.syscalls import SYMBOLS, CallRule, Comparison, effective, load_groups
from device.warden.table import COMPARTMENTS, OUTSIDE
from device.warden.wiring import Wiring
from tests.support.paths import ROOT
from wire.vocabulary import CompartmentName

DEVICE = ROOT / "device"
NAMES = [row.name for row in COMPARTMENTS] + ["dialer", "warden"]
CONFINED = [name for name in NAMES if name != "warden"]


THREADS_ONLY = Comparison(arg=0, mask=0x7E020000 | SYMBOLS["CLONE_THREAD"], value=SYMBOLS["CLONE_THREAD"])


def rules(name: str) -> dict[str, CallRule]:
    """What a running compartment may do, by call."""
    return effective(load(name).seccomp.run, load_groups())


def running(name: str) -> set[str]:
    return {call for call, rule in rules(name).items() if not rule.error}


@pytest.mark.parametrize("name", NAMES)
def test_every_compartment_has_a_policy_that_is_valid(name: str) -> None:
    policy = load(name)
    assert {group for group in (*policy.seccomp.start, *policy.seccomp.run)} <= set(load_groups())


@pytest.fixture
def wiring() -> Wiring:
    outside = {f"{name}.{end}": links.pair()[0].detach() for name, end in OUTSIDE}
    models = {name: os.memfd_create(name) for name in ("detector", "classifier")}
    return Wiring(outside, models)


@pytest.mark.parametrize("name", [row.name for row in COMPARTMENTS])
def test_a_compartment_is_handed_what_its_policy_names_and_no_more(name: CompartmentName, wiring: Wiring) -> None:
    assert set(wiring.descriptors(name)) | set(STANDARD_DESCRIPTORS) == load(name).handed()


@pytest.mark.parametrize("name", [n for n in CONFINED if n != "dialer"])
def test_only_dialer_has_the_machines_network_and_can_connect(name: str) -> None:
    assert not load(name).network.host
    assert not {"socket", "connect", "bind", "listen", "accept", "accept4"} & running(name)


@pytest.mark.parametrize("name", CONFINED)
def test_no_running_compartment_can_execute_fork_trace_or_make_namespaces(name: str) -> None:
    forbidden = "execve execveat fork vfork clone3 ptrace unshare setns mount bpf io_uring_setup userfaultfd"
    forbidden += " process_vm_readv keyctl memfd_create open_by_handle_at"
    assert not set(forbidden.split()) & running(name)


@pytest.mark.parametrize("name", CONFINED)
def test_clone_makes_threads_only_and_only_where_a_pool_grows(name: str) -> None:
    assert rules(name).get("clone") == (
        CallRule(frozenset({THREADS_ONLY})) if name in ("capture", "indicator") else None
    )


@pytest.mark.parametrize("name", CONFINED)
def test_clone3_fails_so_that_the_c_library_falls_back_to_clone(name: str) -> None:
    assert rules(name)["clone3"] == CallRule(error=errno.ENOSYS)


@pytest.mark.parametrize("name", NAMES)
def test_no_run_filter_allows_executable_memory(name: str) -> None:
    not_executable = CallRule(frozenset({Comparison(arg=2, mask=SYMBOLS["PROT_EXEC"], value=0)}))
    assert rules(name)["mmap"] == rules(name)["mprotect"] == not_executable


def test_sockets_can_be_made_by_dialer_and_by_warden_and_of_their_families_alone() -> None:
    families = {name: {c.value for c in rules(name)["socket"].comparisons} for name in NAMES if "socket" in rules(name)}
    assert families == {"dialer": {socket.AF_INET, socket.AF_INET6}, "warden": {socket.AF_UNIX, socket.AF_NETLINK}}


@pytest.mark.parametrize("name", ["perception", "codes", "position", "verdict", "uplink", "indicator"])
def test_these_open_no_file_once_they_run(name: str) -> None:
    assert not {"open", "openat", "creat", "openat2", "unlink", "unlinkat", "renameat2"} & running(name)


def test_keys_are_mounted_where_they_belong_and_nowhere_else() -> None:
    mounts = {name: {m.path for m in load(name).mounts} for name in CONFINED}
    assert [n for n, paths in mounts.items() if "{signing}" in paths] == ["sealer"]
    assert [n for n, paths in mounts.items() if "{tls}" in paths] == ["uplink"]
    assert [n for n, paths in mounts.items() if "{spool}" in paths] == ["sealer"]
    assert [n for n, paths in mounts.items() if "{trust}" in paths] == ["verdict"]
    writable = {(n, m.path) for n in CONFINED for m in load(n).mounts if m.writable}
    assert writable == {("sealer", "{spool}")}
    in_memory = {(n, m.path) for n in CONFINED for m in load(n).mounts if m.scratch}
    assert in_memory == {("indicator", "{pipes}")}


@pytest.mark.parametrize(("call", "kind"), [("mknod", 1), ("mknodat", 2)])
def test_indicator_makes_pipes_and_no_device_and_only_while_it_starts(call: str, kind: int) -> None:
    policy = load("indicator")
    starting = effective(policy.seccomp.start, load_groups())
    (rule,) = starting[call].comparisons
    kinds = (stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFREG, stat.S_IFSOCK, stat.S_IFDIR, stat.S_IFLNK)
    allowed = [made for made in kinds if (made | 0o664) & rule.mask == rule.value]
    assert (rule.arg, allowed) == (kind, [stat.S_IFIFO])
    assert call not in running("indicator")
    assert not any(call in effective(load(n).seccomp.start, load_groups()) for n in CONFINED if n != "indicator")


def test_a_privilege_without_a_reason_is_refused() -> None:
    text = (DEVICE / "codes" / "policy.toml").read_text()
    with pytest.raises(PolicyError, match="why"):
        parse(text.replace('why = "Regions of interest come in."', ""), "codes")
    with pytest.raises(PolicyError):
        parse(text.replace("Regions of interest come in.", "short"), "codes")


def test_an_unknown_key_and_a_broken_file_are_refused() -> None:
    text = (DEVICE / "codes" / "policy.toml").read_text()
    with pytest.raises(PolicyError):
        parse(text.replace("[network]", "[network]\nany = true"), "codes")
    with pytest.raises(PolicyError):
        parse("[[", "codes")


@pytest.mark.parametrize("name", CONFINED)
def test_both_filters_are_bpf_programs(name: str) -> None:
    assert seccomp.is_filter(seccomp.start_filter(load(name)))
    assert seccomp.is_filter(seccomp.run_filter(load(name)))


@pytest.mark.parametrize("data", [b"", b"\x06", b"\x00" * 8, b"\x06\x00" * 3])
def test_bytes_that_are_no_program_are_recognised(data: bytes) -> None:
    assert not seccomp.is_filter(data)
