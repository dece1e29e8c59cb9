"""The register is signed from a reviewed list: what was revoked stays so, a line that says two things is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from device import cli
from device.cli import sign_list, sign_register
from device.position import track
from identity import Home, load, register_guard
from tests.support.wire_samples import STRANGER
from wire import register
from wire.times import iso8601, unix_seconds

ONE, TWO = "00112233445566aa", "00112233445566bb"


@pytest.fixture(autouse=True)
def named_home(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALCAM_HOME", str(home.path))


def line(of: str, **fields: Any) -> dict[str, Any]:
    defaults = {
        "sign_id": of,
        "class_id": 14,
        "class_name": "stop",
        "lat": 52.5,
        "lon": 13.4,
        "heading": 270.0,
        "valid_from": "2026-01-01T00:00:00Z",
        "valid_until": "2036-01-01T00:00:00Z",
        "revoked": False,
    }
    return {**defaults, **fields}


def sign(tmp_path: Path, *lines: dict[str, Any], options: tuple[str, ...] = ()) -> int:
    path = tmp_path / "list.json"
    path.write_text(json.dumps(lines))
    return cli.main(["sign", "register", "sign", str(path), *options])


def trusted(home: Home) -> register.Register:
    return load.register(home.trust / "register.cose", load.trust_anchors(home.trust / "authority"))


def revoked(home: Home) -> set[str]:
    return {entry.sign_id.hex() for entry in trusted(home).entries.values() if entry.revoked}


@pytest.mark.parametrize("older", [[line(ONE), line(TWO)], [line(ONE)], []], ids=["listed", "left out", "empty"])
def test_a_list_from_before_does_not_bring_a_revoked_sign_back(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str], older: list[dict[str, Any]]
) -> None:
    assert sign(tmp_path, line(ONE), line(TWO, revoked=True)) == 0
    before = (home.trust / "register.cose").read_bytes()
    assert sign(tmp_path, *older) == 2
    said = capsys.readouterr().err
    assert TWO in said and "--allow-unrevoke" in said and ONE not in said
    assert (home.trust / "register.cose").read_bytes() == before
    options = ("--allow-unrevoke", TWO, *(() if line(ONE) in older else ("--drop", ONE)))
    assert sign(tmp_path, *older, options=options) == 0
    assert revoked(home) == set()


def test_only_the_sign_that_is_named_comes_back(home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sign(tmp_path, line(ONE, revoked=True), line(TWO, revoked=True)) == 0
    assert sign(tmp_path, line(ONE), line(TWO), options=("--allow-unrevoke", ONE)) == 2
    assert TWO in capsys.readouterr().err
    assert sign(tmp_path, line(ONE), line(TWO, revoked=True), options=("--allow-unrevoke", ONE)) == 0
    assert revoked(home) == {TWO}
    assert sign(tmp_path, line(ONE), line(TWO, revoked=True), options=("--allow-unrevoke", ONE)) == 2
    assert "is not a revoked sign" in capsys.readouterr().err


def test_what_is_written_to_another_file_is_held_against_the_trusted_register_and_that_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ("--out", str(tmp_path / "register.cose"))
    assert sign(tmp_path, line(ONE, revoked=True)) == 0
    assert sign(tmp_path, line(ONE), options=out) == 2
    assert sign(tmp_path, line(ONE, revoked=True), line(TWO, revoked=True), options=out) == 0
    assert sign(tmp_path, line(ONE, revoked=True), line(TWO), options=out) == 2
    assert TWO in capsys.readouterr().err


def test_what_another_authority_revoked_is_not_this_ones_to_list(home: Home, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    assert sign(tmp_path, line(ONE, revoked=True)) == 0
    key = tmp_path / "other.key"
    key.touch(mode=0o600)
    key.write_bytes(
        STRANGER.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    other = ("--key", str(key))
    assert sign(tmp_path, line(TWO), options=(*other, "--out", str(tmp_path / "theirs.cose"))) == 0
    assert sign(tmp_path, line(TWO), options=other) == 2  # in its place it would be forgotten


def test_registers_of_one_second_have_an_order(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = trusted(home).issued_at
    monkeypatch.setattr(sign_register.time, "time", lambda: float(now))
    for later in (1, 2, 3):
        assert sign(tmp_path, line(ONE)) == 0
        assert trusted(home).issued_at == now + later
        assert register_guard.check(home.trust) == now + later


def test_with_a_clock_behind_the_register_before_nothing_is_signed(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sign_register.time, "time", lambda: float(trusted(home).issued_at - 61))
    assert sign(tmp_path, line(ONE)) == 2
    assert "set the clock" in capsys.readouterr().err


def test_an_older_register_put_back_is_no_ground_to_sign_on(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = (home.trust / "register.cose").read_bytes()
    assert sign(tmp_path, line(ONE, revoked=True)) == 0
    (home.trust / "register.cose").write_bytes(old)
    assert sign(tmp_path, line(ONE)) == 2
    assert "older than one that was used" in capsys.readouterr().err
    (home.trust / "register.cose").unlink()
    assert sign(tmp_path, line(ONE)) == 2
    assert "is gone" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"class_name": "yield"}, "class_name is 'yield', and class_id 14 is 'stop'"),
        ({"class_id": 2}, "class_name is 'stop', and class_id 2 is 'speed limit 50'"),
        ({"class_name": ""}, "class_name is ''"),
        ({"class_name": "stop\u001b[2J"}, "class_name is"),
        ({"class_id": 99}, "no class 99"),
        ({"class_id": -1}, "no class -1"),
        ({"valid_from": "tomorrow"}, "tomorrow"),
        ({"valid_from": "2037-01-01"}, "valid_until"),
        ({"sign_id": "zz"}, "sign 'zz': that is no id of a sign, which has 16 hex digits"),
        ({"lat": 0.0, "lon": 0.00005}, "receivers without a fix"),
        ({"sign_id": "0011"}, "sign_id"),
        ({"lat": 91.0}, "lat"),
        ({"more": 1}, "no list of signs"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_line_that_is_wrong_or_says_two_things_is_refused(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str], fields: dict[str, Any], says: str
) -> None:
    before = (home.trust / "register.cose").read_bytes()
    assert sign(tmp_path, line(ONE, **fields)) == 2
    captured = capsys.readouterr()
    assert says in captured.err and captured.err.count("\n") == 1 and "\x1b" not in captured.err
    assert (home.trust / "register.cose").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "says", "remedy"),
    [
        (b"", "it is empty", "correct it, or make one: "),
        (b"[\n\n", "it ends in the middle, in line 1", "correct it"),
        (b'[\n{"sign_id": "00112233445566aa",\n', "it ends in the middle, in line 2", "correct it"),
        (b'[\n{"sign_id" 1}]', "JSON is malformed: expected ':' (line 2)", "correct it"),
        (b"{}", "it begins with {, and a list begins with [", "correct it"),
        (
            b"SR1:ABC\n",
            "it holds sign codes",
            "make a list of it: sealcam sign register build 'my list' --out list.json",
        ),
        (b"\x89PNG\r\n\x1a\n", "it is a picture", "make a list of it: sealcam sign register build 'my list' --out"),
        (b"\xff\xd8\xff\xe0", "it is a picture", "make a list of it"),
        (b"<?xml version='1.0'?>\n<svg/>", "it is a drawing", "correct it, or make one: "),
    ],
)
def test_what_is_no_list_is_called_what_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, says: str, remedy: str, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my list").write_bytes(content)
    assert cli.main(["sign", "register", "sign", "my list"]) == 2
    assert f"sealcam: my list is no list of signs ({says}); {remedy}" in capsys.readouterr().err


def test_the_place_that_is_none_is_the_same_to_signs_and_to_tracks() -> None:
    assert sign_list.NOWHERE_DEGREES == track._NOWHERE_DEGREES


@pytest.mark.parametrize("until", [2082758400, "2036-01-01", "2036-01-01T01:00:00+01:00"])
def test_times_are_taken_as_iso_8601_and_as_unix_seconds(home: Home, tmp_path: Path, until: int | str) -> None:
    assert sign(tmp_path, line(ONE, valid_until=until)) == 0
    (entry,) = trusted(home).entries.values()
    assert entry.valid_until == unix_seconds("2036-01-01")


def test_times_are_shown_and_listed_in_iso_8601(home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sign(tmp_path, line(ONE)) == 0
    capsys.readouterr()
    assert cli.main(["sign", "register", "show"]) == 0
    shown = capsys.readouterr().out
    assert f"issued {iso8601(trusted(home).issued_at)}" in shown and "until 2036-01-01T00:00:00Z" in shown
    assert cli.main(["sign", "register", "show", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)["signs"]
    assert listed == line(ONE)


def test_a_list_that_is_built_keeps_what_is_revoked(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sign(tmp_path, line(ONE, revoked=True), line(TWO, revoked=True)) == 0
    capsys.readouterr()
    place = ["--lat", "52.5", "--lon", "13.4", "--heading", "270"]
    assert cli.main(["sign", "issue", "--class", "stop", *place, "--id", ONE]) == 0
    (tmp_path / "codes.txt").write_text(capsys.readouterr().out)
    built = tmp_path / "built.json"
    assert cli.main(["sign", "register", "build", str(tmp_path / "codes.txt"), "--out", str(built)]) == 0
    assert "2 of them again as revoked" in capsys.readouterr().out
    assert {row["sign_id"]: row["revoked"] for row in json.loads(built.read_text())} == {ONE: True, TWO: True}
    assert cli.main(["sign", "register", "sign", str(built)]) == 0
    assert revoked(home) == {ONE, TWO}


def ids(home: Home) -> set[str]:
    return {sign_id.hex() for sign_id in trusted(home).entries}


def test_a_list_that_lacks_signs_of_the_register_before_is_refused_with_their_ids(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = [line(f"00112233445566{number:02x}") for number in range(7)]
    assert sign(tmp_path, *many) == 0
    before = (home.trust / "register.cose").read_bytes()
    capsys.readouterr()
    assert sign(tmp_path, many[0], line(ONE)) == 2
    said = capsys.readouterr().err
    assert "6 signs of the register before are not in the list: 0011223344556601, " in said and "and 2 more" in said
    assert "--drop" in said and (home.trust / "register.cose").read_bytes() == before
    named = [option for row in many[2:] for option in ("--drop", row["sign_id"])]
    assert sign(tmp_path, many[0], line(ONE), options=tuple(named)) == 2
    assert "1 sign of the register before is not in the list: 0011223344556601" in capsys.readouterr().err
    assert sign(tmp_path, many[0], line(ONE), options=(*named, "--drop", "0011223344556601")) == 0
    assert "2 signs signed, none revoked, 6 of the register before dropped" in capsys.readouterr().out
    assert ids(home) == {"0011223344556600", ONE}
    assert sign(tmp_path, line(TWO), options=("--drop", "all")) == 0
    assert ids(home) == {TWO}


def test_what_is_over_may_go_unsaid_and_a_name_that_is_not_dropped_is_refused(home: Home, tmp_path: Path) -> None:
    assert sign(tmp_path, line(ONE), line(TWO, valid_until="2026-02-01T00:00:00Z")) == 0
    assert sign(tmp_path, line(ONE), options=("--drop", ONE)) == 2
    assert sign(tmp_path, line(ONE)) == 0
    assert ids(home) == {ONE}


def test_what_is_revoked_is_not_dropped(home: Home, tmp_path: Path) -> None:
    assert sign(tmp_path, line(ONE), line(TWO, revoked=True)) == 0
    assert sign(tmp_path, line(ONE), options=("--drop", TWO)) == 2
    assert sign(tmp_path, line(ONE), options=("--drop", "all")) == 2
    assert revoked(home) == {TWO}


def test_a_new_file_of_signs_is_no_end_of_those_that_the_home_trusts(home: Home, tmp_path: Path) -> None:
    assert sign(tmp_path, line(ONE)) == 0
    elsewhere = ("--out", str(tmp_path / "other.cose"))
    assert sign(tmp_path, line(TWO), options=elsewhere) == 0
    assert sign(tmp_path, line(ONE), options=elsewhere) == 2
    assert ids(home) == {ONE}


def build(tmp_path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str, Path]:
    """A list from one new code, of the sign TWO."""
    place = ["--lat", "52.5", "--lon", "13.4", "--heading", "270"]
    assert cli.main(["sign", "issue", "--class", "stop", *place, "--id", TWO]) == 0
    (tmp_path / "codes.txt").write_text(capsys.readouterr().out)
    built = tmp_path / "built.json"
    status = cli.main(["sign", "register", "build", str(tmp_path / "codes.txt"), "--out", str(built), *options])
    said = capsys.readouterr()
    return status, said.out + said.err, built


def test_a_list_that_is_built_has_the_signs_of_the_register_before(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sign(tmp_path, line(ONE)) == 0
    capsys.readouterr()
    status, said, built = build(tmp_path, capsys)
    assert status == 0 and "2 signs listed" in said and "1 of them carried over from the register before" in said
    assert cli.main(["sign", "register", "sign", str(built)]) == 0
    assert ids(home) == {ONE, TWO}
    assert trusted(home).entries[bytes.fromhex(ONE)].valid_until == unix_seconds("2036-01-01T00:00:00Z")


@pytest.mark.parametrize("which", [ONE, "all"])
def test_a_list_is_built_without_what_is_dropped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], which: str
) -> None:
    assert sign(tmp_path, line(ONE)) == 0
    capsys.readouterr()
    status, said, built = build(tmp_path, capsys, "--drop", which)
    assert status == 0 and "carried over" not in said
    assert [row["sign_id"] for row in json.loads(built.read_text())] == [TWO]
    assert build(tmp_path, capsys, "--drop", "00" * 8)[0] == 2


def test_nothing_is_signed_with_a_clock_before_what_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("identity.clock.time.time", lambda: 1_325_376_000)
    assert sign(tmp_path, line(ONE)) == 2
    assert "2012-01-01" in capsys.readouterr().err


def test_a_list_may_begin_with_an_editors_byte_order_mark(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps([line(ONE)]).encode())
    assert cli.main(["sign", "register", "sign", str(path)]) == 0
    assert ids(home) == {ONE}
