"""Hostile code in each compartment, under its real policy: each attempt at what it must not have fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.redteam.attempts import ALLOWED, ATTEMPTS
from device.redteam.matrix import ALLOWED_BY_POLICY, BREACH, DENIED, attack
from device.warden.table import COMPARTMENTS
from identity.home import Home

Outcomes = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def outcomes(shared_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    scratch = tmp_path_factory.mktemp("scratch")
    (shared_home.path.parent / "notes").write_text("a user's file")
    return {name: attack(name, shared_home.path, scratch) for name in ALLOWED}


def test_every_compartment_was_attacked_with_everything(outcomes: Outcomes) -> None:
    assert set(outcomes) == {row.name for row in COMPARTMENTS} | {"dialer", "annotator"}
    assert all(list(row) == list(ATTEMPTS) for row in outcomes.values())


def test_there_is_no_breach(outcomes: Outcomes) -> None:
    assert [(name, a) for name, row in outcomes.items() for a, outcome in row.items() if outcome == BREACH] == []


def test_what_a_policy_allows_works_so_that_a_denial_means_something(outcomes: Outcomes) -> None:
    for name, allowed in ALLOWED.items():
        assert {a for a, outcome in outcomes[name].items() if outcome == ALLOWED_BY_POLICY} == allowed, name


@pytest.mark.parametrize(
    ("compartment", "attempts"),
    [
        (
            "perception",
            "internet_socket unix_socket read_system_file camera read_signing_key ring_map_writable ring_write",
        ),
        ("uplink", "read_signing_key read_spool read_tls_key internet_socket unix_socket"),
        ("codes", "execute fork thread read_system_file internet_socket ring_write"),
        ("capture", "internet_socket read_signing_key read_users_files execute"),
        ("position", "internet_socket read_signing_key read_system_file"),
        ("verdict", "internet_socket read_signing_key camera read_system_file"),
        ("sealer", "internet_socket camera read_tls_key write_any_file execute"),
        ("indicator", "internet_socket read_signing_key execute"),
        ("dialer", "read_signing_key read_tls_key read_spool unix_socket raw_socket execute"),
    ],
)
def test_the_must_not_have_column_is_denied(outcomes: Outcomes, compartment: str, attempts: str) -> None:
    assert {a: outcomes[compartment][a] for a in attempts.split()} == dict.fromkeys(attempts.split(), DENIED)


def test_the_same_attempts_work_outside_a_compartment(home: Home, tmp_path: Path) -> None:
    """Otherwise a denial would only say that the attempt is broken. For the attempts that any user may make."""
    from device.redteam.attempts import Foothold

    (home.path.parent / "notes").write_text("a user's file")
    ground = Foothold(home.path, None)
    for attempt in ("internet_socket", "unix_socket", "read_system_file", "read_passwords", "read_users_files",
                    "read_signing_key", "read_tls_key", "read_authority_key", "read_spool", "write_spool",
                    "write_any_file", "thread", "fork", "executable_memory"):  # fmt: skip
        ATTEMPTS[attempt](ground)
