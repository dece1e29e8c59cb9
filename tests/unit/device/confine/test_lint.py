"""The linter of the system call policies: each test breaks one thing in a copy of the real files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from device.confine.lint import main
from tests.support.paths import ROOT
from wire.vocabulary import COMPARTMENTS

SYSCALLS = "confine/syscalls.toml"
FORBIDDEN = "confine/forbidden.toml"
CODES = "codes/policy.toml"
NEVER = (
    "ptrace process_vm_readv process_vm_writev bpf perf_event_open io_uring_setup io_uring_enter io_uring_register "
    "userfaultfd keyctl add_key request_key kexec_load kexec_file_load init_module finit_module delete_module "
    "open_by_handle_at name_to_handle_at mount umount2 pivot_root chroot fsopen fsmount fsconfig move_mount open_tree "
    "mount_setattr unshare setns clone3 fork vfork swapon reboot settimeofday clock_settime modify_ldt iopl ioperm "
    "personality acct quotactl nfsservctl lookup_dcookie vmsplice"
)
"""Copied from forbidden.toml, so that a line cannot leave that file unnoticed."""


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """A copy of the linted files."""
    for path in (ROOT / "device").glob("*/*.toml"):
        copy = tmp_path / "device" / path.parent.name / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return tmp_path / "device"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new))


def findings(device: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    status = main([str(device)])
    lines = capsys.readouterr().out.splitlines()
    assert status == (1 if lines else 0)
    return lines


def only(lines: list[str], place: str, what: str) -> None:
    assert [line.startswith(f"device/{place}: ") and what in line for line in lines] == [True], lines


def test_the_policies_that_are_shipped_have_no_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out == ""


def test_a_group_that_no_policy_uses_is_found(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (device / SYSCALLS).open("a") as file:
        file.write('[extra]\nwhy = "A group that no policy uses."\n[extra.calls]\nflock = "Locks a file."\n')
    only(findings(device, capsys), f"{SYSCALLS}: extra", "no policy uses")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('close = "Gives up a descriptor."', 'close = ""', "core: close"),
        ('close = "Gives up a descriptor."', 'close = "closes"', "core: close"),
        ('close = "Gives up a descriptor."', "close = {}", "core: close"),
        ('why = "A connected stream socket that was handed over."', "", "stream"),
        ('why = "A connected stream socket that was handed over."', 'why = "stream"', "stream"),
    ],
)
def test_a_call_or_group_without_a_reason_is_found(
    device: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, place: str
) -> None:
    change(device / SYSCALLS, old, new)
    only(findings(device, capsys), f"{SYSCALLS}: {place}", "has no reason")


def test_a_line_that_is_malformed_in_another_way_is_found(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(device / SYSCALLS, '"ENOSYS"', '"ENOENT"')
    only(findings(device, capsys), f"{SYSCALLS}: core: clone3", "ENOENT")


def test_a_group_that_adds_nothing_to_a_policy_is_found(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(
        device / "warden/policy.toml",
        'run = ["core", "channel", "start",',
        'run = ["core", "channel", "start", "stream",',
    )
    only(findings(device, capsys), "warden/policy.toml: stream", "from other groups")


def test_a_group_that_is_named_twice_is_found(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(device / CODES, 'run = ["core",', 'run = ["core", "core",')
    only(findings(device, capsys), f"{CODES}: core", "from other groups")


def test_a_call_that_adds_nothing_to_any_policy_is_found(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(device / SYSCALLS, "[stream.calls]\n", '[stream.calls]\nread = "Reads from the connection."\n')
    only(findings(device, capsys), f"{SYSCALLS}: stream: read", "from another group")


def test_a_rule_that_another_group_makes_idle_is_found(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rule = '{ why = "Takes messages of no family.", when = { arg = 3, equals = ["AF_UNIX"] } }'
    change(device / SYSCALLS, "[stream.calls]\n", f"[stream.calls]\nrecvfrom = {rule}\n")
    only(findings(device, capsys), f"{SYSCALLS}: stream: recvfrom", "from another group")


def test_a_call_that_no_policy_may_hold_is_found(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(device / SYSCALLS, "[stream.calls]\n", '[stream.calls]\nbpf = "It was there already."\n')
    only(findings(device, capsys), "uplink/policy.toml: stream: bpf", "run may not hold this call")


def test_every_call_that_no_policy_may_hold_is_found(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = "".join(f'{call} = "It was there already."\n' for call in NEVER.split())
    change(device / SYSCALLS, "[stream.calls]\n", f"[stream.calls]\n{lines}")
    assert [line.split(": ")[2] for line in findings(device, capsys)] == NEVER.split()


def test_what_no_policy_may_hold_is_found_while_starting_too(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(device / SYSCALLS, "[libraries.calls]\n", '[libraries.calls]\nptrace = "It was there already."\n')
    lines = findings(device, capsys)
    assert len(lines) == len(COMPARTMENTS) and all("libraries: ptrace: start may not" in line for line in lines)


def test_executing_a_program_is_found_once_a_compartment_runs(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(device / SYSCALLS, "[stream.calls]\n", '[stream.calls]\nexecve = "It was there already."\n')
    only(findings(device, capsys), "uplink/policy.toml: stream: execve", "run may not hold this call")


@pytest.mark.parametrize(
    "line",
    [
        'socket = "A socket of any family."',
        'socket = { why = "A socket of any type.", when = { arg = 1, equals = ["AF_INET"] } }',
        'clone = "A process, a namespace."',
        'clone = { why = "Not a user namespace.", when = { arg = 0, bits_clear = ["CLONE_NEWUSER"] } }',
        'mmap = "Memory of any kind."',
        'mprotect = { why = "Code, and nothing else.", when = { arg = 2, bits_set = ["PROT_EXEC"] } }',
    ],
)
def test_a_call_without_the_rule_that_it_needs_is_found(
    device: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    change(device / SYSCALLS, "[stream.calls]\n", f"[stream.calls]\n{line}\n")
    only(findings(device, capsys), f"uplink/policy.toml: stream: {line.split()[0]}", "run may not hold this call")


def test_warden_is_an_exception_only_where_the_data_say_so(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(device / FORBIDDEN, '"pivot_root", "chroot", "fsopen"', '"pivot_root", "fsopen"')
    lines = findings(device, capsys)
    assert [line.split("; ")[0].split(" (")[0] for line in lines] == [
        "device/warden/policy.toml: confine: chroot: start may not hold this call",
        "device/warden/policy.toml: confine: chroot: run may not hold this call",
    ]


def test_an_exception_that_nobody_needs_is_found(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(device / FORBIDDEN, '"execveat", "memfd_create"]', '"execveat", "memfd_create", "bpf"]')
    only(findings(device, capsys), f"{FORBIDDEN}: exceptions: bpf", "does not need it")


@pytest.mark.parametrize("call", ["reed", "socketcall"])
def test_a_call_that_neither_machine_has_is_found(device: Path, capsys: pytest.CaptureFixture[str], call: str) -> None:
    change(device / SYSCALLS, "[stream.calls]\n", f'[stream.calls]\n{call} = "It was there already."\n')
    only(findings(device, capsys), f"{SYSCALLS}: stream: {call}", "neither x86_64 nor aarch64")


def test_a_call_that_one_machine_has_is_no_finding(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(device / SYSCALLS, "[stream.calls]\n", '[stream.calls]\nutime = "On x86_64 alone."\n')
    assert findings(device, capsys) == []


def test_a_misspelt_call_among_the_forbidden_is_found(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(device / FORBIDDEN, "\nptrace = ", "\nptrase = ")
    only(findings(device, capsys), f"{FORBIDDEN}: ptrase", "neither x86_64 nor aarch64")


def test_a_rule_with_an_unknown_symbol_is_found(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(device / SYSCALLS, '["AF_INET", "AF_INET6"]', '["AF_INET", "AF_PACKET"]')
    only(findings(device, capsys), f"{SYSCALLS}: dial: socket", "AF_PACKET")


def test_a_policy_that_names_an_unknown_group_is_found(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(device / CODES, 'run = ["core", "channel"]', 'run = ["core", "chanel"]')
    only(findings(device, capsys), f"{CODES}: chanel", "does not have")


def test_a_finding_says_what_to_do(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(device / SYSCALLS, '"Gives up a descriptor."', '""')
    assert findings(device, capsys) == [
        "device/confine/syscalls.toml: core: close: has no reason; say in 10 to 300 characters what needs it"
    ]


@pytest.mark.parametrize("path", [SYSCALLS, FORBIDDEN, CODES])
def test_a_file_that_cannot_be_parsed_ends_with_2(device: Path, capsys: pytest.CaptureFixture[str], path: str) -> None:
    with (device / path).open("a") as file:
        file.write("[[")
    assert main([str(device)]) == 2
    told = capsys.readouterr()
    assert not told.out and Path(path).name in told.err


@pytest.mark.parametrize("path", [SYSCALLS, FORBIDDEN])
def test_a_file_that_is_not_there_ends_with_2(device: Path, capsys: pytest.CaptureFixture[str], path: str) -> None:
    (device / path).unlink()
    assert main([str(device)]) == 2
    assert Path(path).name in capsys.readouterr().err


def test_a_call_that_stands_twice_in_a_group_ends_with_2(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(device / SYSCALLS, "[core.calls]\n", '[core.calls]\nclose = "It is there again."\n')
    assert main([str(device)]) == 2
    assert "syscalls.toml" in capsys.readouterr().err
