"""`sealcam sign`: from a claim to a panel and back, and nothing hostile is ever shown raw."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
import segno

from device import cli
from device.cli.sign_images import shown
from identity import Home
from tests.support.wire_samples import CLAIMS, PAYLOADS, STRANGER
from wire import signcode

ISSUE = ["sign", "issue", "--class", "stop", "--lat", "52.52001", "--lon", "13.40495", "--heading", "270"]


@pytest.fixture(autouse=True)
def named_home(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALCAM_HOME", str(home.path))


def issued(capsys: pytest.CaptureFixture[str], *more: str) -> str:
    assert cli.main([*ISSUE, *more]) == 0
    return capsys.readouterr().out.removesuffix("\n")


def json_of(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> object:
    assert cli.main([*arguments, "--json"]) == status
    return json.loads(capsys.readouterr().out)


def test_an_issued_code_verifies(capsys: pytest.CaptureFixture[str]) -> None:
    code = issued(capsys)
    (claims,) = json_of(capsys, "sign", "verify", code)  # type: ignore[misc]
    assert claims["authentic"] and claims["in_force"]
    assert (claims["class_name"], claims["lat"], claims["heading"]) == ("stop", 52.52001, 270.0)


@pytest.mark.parametrize("kind", ["svg", "pdf", "png"])
def test_a_panel_is_printed_true_to_size(capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"panel.{kind}"
    printed = json_of(capsys, "sign", "print", issued(capsys), "--out", str(path), "--plain")
    assert printed == {"file": str(path), "qr": "7-M", "width_mm": 900.0, "caption": []}
    content = path.read_bytes()
    sizes = {
        "svg": rb'width="900mm" height="900mm" viewBox="0 0 53 53".*M0 0h53v53h-53z',
        "pdf": rb"/MediaBox ?\[0 0 2551\.\d+ 2551\.\d+\]",
        "png": b"pHYs" + re.escape((1181).to_bytes(4, "big")),  # 1060 pixels in 0.9 m, by PNG's whole dots per inch
    }
    assert re.search(sizes[kind], content, re.DOTALL)


def test_a_printed_panel_is_read_by_both_decoders_and_verifies(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, path = issued(capsys), tmp_path / "panel.png"
    assert cli.main(["sign", "print", code, "--out", str(path)]) == 0
    capsys.readouterr()
    found = json_of(capsys, "sign", "read", str(path))
    (symbol,) = found[str(path)]  # type: ignore[index,call-overload]
    assert (symbol["text"], sorted(symbol["decoders"])) == (code, ["zbar", "zxing"])
    assert json_of(capsys, "sign", "verify", str(path))


def test_a_code_comes_through_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code = issued(capsys)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(code.encode() + b"\n")))
    assert json_of(capsys, "sign", "verify", "-")


def test_a_code_out_of_its_time_is_not_in_force(capsys: pytest.CaptureFixture[str]) -> None:
    code = issued(capsys, "--valid-from", "2026-01-01", "--valid-until", "2026-02-01", "--allow-expired")
    assert json_of(capsys, "sign", "verify", code, "--at", "2026-01-15T00:00:00Z")
    (claims,) = json_of(capsys, "sign", "verify", code, "--at", "2026-02-01", status=1)  # type: ignore[misc]
    assert claims["authentic"] and not claims["in_force"]


def test_a_code_of_another_authority_is_not_authentic(capsys: pytest.CaptureFixture[str]) -> None:
    (judged,) = json_of(capsys, "sign", "verify", signcode.issue(CLAIMS, STRANGER), status=1)  # type: ignore[misc]
    assert (judged["authentic"], judged["reason"]) == (False, "unknown_key")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_hostile_picture_is_shown_escaped_and_judged_in_fixed_words(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, payload: bytes
) -> None:
    path = tmp_path / "evil.png"
    segno.make(b"SR1:" + payload, error="m", micro=False).save(str(path), scale=8)
    assert cli.main(["sign", "read", str(path)]) == 0
    out = capsys.readouterr().out
    assert all(c == "\n" or " " <= c <= "~" for c in out)
    assert cli.main(["sign", "verify", str(path)]) == 1
    assert capsys.readouterr().out.startswith("NOT AUTHENTIC: this claims to be in a format of Sealcam")


def test_shown_bytes_are_printable_unambiguous_and_bounded() -> None:
    assert shown(b"a\\x41\x1b[2J\xff") == "a\\x5cx41\\x1b[2J\\xff"
    assert len(shown(b"\x00" * 10_000)) < 1000


def test_a_register_is_built_reviewed_signed_and_revokes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code = issued(capsys, "--id", "00112233445566aa")
    other = issued(capsys, "--id", "00112233445566bb")
    (tmp_path / "codes.txt").write_text(f"{code}\n\n{other}\n")
    listing = str(tmp_path / "list.json")
    build = ["sign", "register", "build", str(tmp_path / "codes.txt"), "--out", listing]
    assert cli.main([*build, "--revoke", "00112233445566bb"]) == 0
    assert cli.main(["sign", "register", "sign", listing]) == 0
    capsys.readouterr()
    shown_register = json_of(capsys, "sign", "register", "show")
    signs = {s["sign_id"]: s["revoked"] for s in shown_register["signs"]}  # type: ignore[index,call-overload]
    assert signs == {"00112233445566aa": False, "00112233445566bb": True}
    (good,) = json_of(capsys, "sign", "verify", code)  # type: ignore[misc]
    (revoked,) = json_of(capsys, "sign", "verify", other, status=1)  # type: ignore[misc]
    assert (good["register"], revoked["register"], revoked["in_force"]) == ("registered", "revoked", False)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([*ISSUE[:3], "no such", *ISSUE[4:]], "sealcam sign classes"),
        ([*ISSUE, "--id", "12"], "--id"),
        ([*ISSUE, "--valid-until", "tomorrow"], "--valid-until"),
        ([*ISSUE, "--valid-until", ""], "--valid-until: no ISO 8601 time"),
        ([*ISSUE, "--valid-from", ""], "--valid-from: no ISO 8601 time"),
        ([*ISSUE, "--valid-from", "9999-12-31"], "--valid-from: 9999-12-31 is no time that a code can carry"),
        ([*ISSUE, "--valid-until", "0001-01-01"], "--valid-until: 0001-01-01 is no time that a code can carry"),
        (["sign", "verify", "SR1:A", "--at", ""], "--at: no ISO 8601 time"),
        ([*ISSUE, "--valid-until", "2020-01-01"], "--allow-expired"),
        (
            [*ISSUE, "--valid-until", "2020-01-01", "--allow-expired"],
            "--valid-from: must be at least an hour before --valid-until",
        ),
        ([*ISSUE, "--valid-from", "2020-01-01"], "--allow-expired"),
        ([*ISSUE[:3], "stpo", *ISSUE[4:]], "did you mean 'stop'?"),
        ([*ISSUE, "--key", "/nonexistent"], "/nonexistent"),
        (["sign", "print", "hello", "--out", "x.svg"], "neither a code nor a file"),
        (["sign", "print", "SR1:abc", "--out", "x.svg"], "no sign code"),
        (["sign", "print", "SR1:ABC", "--out", "x.svg", "--plain", "--trust", "x"], "--trust does nothing"),
        (["sign", "verify", "hello" * 1000], "neither a code nor a file"),
        (["sign", "verify", "."], "Is a directory"),
        (["sign", "verify", "/dev/null"], "is empty"),
        (["sign", "print", "SR1:ABC", "--out", "x.gif"], ".svg, .pdf or .png"),
        (["sign", "print", "SR1:ABC", "--out", "/nonexistent/x.svg"], "cannot be written"),
        (["sign", "read", "/nonexistent.png"], "cannot be read"),
        (["sign", "read", "/dev/null"], "not a picture"),
        (["sign", "verify", "hello"], "single quotes"),
        (["sign", "verify", "SR1:A", "--trust", "/nonexistent"], "/nonexistent"),
        (
            ["sign", "issue", "--class", "stop", "--lat", "0", "--lon", "-0.00009", "--heading", "1"],
            "--lat 0 and --lon 0 are where receivers without a fix",
        ),
        (
            ["sign", "verify", "--trust", ".", "SR1:"],
            "./authority is missing; name a folder with the authorities' keys",
        ),
        (["sign", "print", "SR1:A", "--plain", "--out", "."], ". is a folder; name a file"),
        (["sign", "print", "SR1:A", "--plain", "--out", "/dev/null"], "/dev/null: a panel is not written as a file"),
        (["sign", "register", "sign", "/dev/null"], "no list of signs"),
        (["sign", "register", "show", "/dev/null"], "/dev/null"),
        (["sign", "register", "build", "/dev/null", "--out", "x.json"], "is empty"),
        (["sign", "register", "show", "nothing"], "name a signed register"),
        (["enroll", "--id", "cam-x"], "go together"),
        (["enroll", "--id", "cam-x", "--public-key", "zz"], "64 hex digits"),
        (["enroll", "--id", "cam-x", "--public-key", "00" * 31], "64 hex digits"),
        (["enroll", "--id", "cam-x", "--public-key", "00" * 32], "no Ed25519 public key"),
        (["enroll", "--id", "cam-x", "--public-key", "01" + "00" * 31], "no Ed25519 public key"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_bad_input_is_one_sentence_and_status_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1 and says in captured.err
    assert list(tmp_path.iterdir()) == []


def test_keys_are_shown_without_a_secret(capsys: pytest.CaptureFixture[str], home: Home) -> None:
    facts = json_of(capsys, "keys", "show")
    text = json.dumps(facts)
    assert facts["device_id"] == home.device_id()  # type: ignore[index,call-overload]
    secrets = [p.read_text() for p in home.path.rglob("*.key")]
    assert not any(line in text for secret in secrets for line in secret.split("\n") if len(line) > 20)


def test_a_device_is_enrolled(capsys: pytest.CaptureFixture[str]) -> None:
    key = STRANGER.public_key().public_bytes_raw().hex()
    answer = json_of(capsys, "enroll", "--id", "cam-second", "--public-key", key)
    assert Path(answer["file"]).read_text() == key + "\n"  # type: ignore[index,call-overload]
