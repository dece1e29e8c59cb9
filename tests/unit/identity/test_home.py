"""The data home: private from the first moment, kept as it is afterwards, refused when it is not private or whole."""

from __future__ import annotations

import datetime
import errno
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from identity import (
    ClockBehindError,
    DamagedKeyError,
    ExpiredCertificateError,
    Home,
    KeysError,
    LostReceiverKeyError,
    MissingKeyError,
    UnsafeKeyFileError,
    files,
    load,
)
from identity.place import HOME_VARIABLE
from program import wording
from tests.support.full_disk import files_up_to
from wire import cose, receipt, signcode
from wire.times import RELEASED


def content(home: Home) -> dict[str, bytes]:
    return {str(p.relative_to(home.path)): p.read_bytes() for p in home.path.rglob("*") if p.is_file()}


def test_a_new_home_has_every_part_of_the_layout(home: Home) -> None:
    assert home.device_id().startswith("cam-")
    assert set(load.device_keys(home.sink / "devices")) == {home.device_id()}
    assert load.sink_public(home.trust / "sink_hpke.pub") == load.sink_private(home.sink / "hpke.key").public
    receipts = load.signing_key(home.sink / "receipt.key")
    assert load.public_key(home.trust / "receipt.pub") == receipts.public_key()
    assert receipt.verify(receipt.issue("cam-1", 0, bytes(32), receipts), receipts.public_key())
    anchors = load.trust_anchors(home.trust / "authority")
    assert list(anchors) == [signcode.key_id(load.signing_key(home.authority_key).public_key())]
    assert not load.register(home.trust / "register.cose", anchors).entries
    home.check_certificates()


def test_every_file_is_0600_and_every_folder_0700_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        home = Home(tmp_path / "home")
        home.ensure_development()
    finally:
        os.umask(before)
    modes = {p: stat.S_IMODE(p.stat().st_mode) for p in [home.path, *home.path.rglob("*")]}
    assert {p: m for p, m in modes.items() if m != (0o700 if p.is_dir() else 0o600)} == {}


def test_a_secret_is_private_before_it_holds_a_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    real = os.fdopen

    def spy(descriptor: int, *args: str) -> object:
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return real(descriptor, *args)

    monkeypatch.setattr(os, "fdopen", spy)
    files.write_private(tmp_path / "secret", b"x")
    assert seen == [0o600]


def test_a_second_run_changes_nothing(home: Home) -> None:
    before = content(home)
    home.ensure_development()
    assert content(home) == before


def test_a_home_that_is_half_made_is_completed(home: Home) -> None:
    before = content(home)
    for name in ("device/id", "trust/receipt.pub", "trust/register.cose", f"sink/devices/{home.device_id()}.pub"):
        (home.path / name).unlink()
    home.ensure_development()
    after = content(home)
    assert {n for n in before if before[n] != after[n]} <= {"trust/register.cose"}


def test_a_lost_signing_key_is_not_replaced_by_a_new_identity(home: Home) -> None:
    (home.device / "signing.key").unlink()
    with pytest.raises(MissingKeyError, match="restore it"):
        home.ensure_development()


@pytest.mark.parametrize(("name", "public"), [("hpke.key", "sink_hpke.pub"), ("receipt.key", "receipt.pub")])
def test_a_lost_key_of_the_receiver_is_not_replaced_while_its_public_half_is_there(
    home: Home, name: str, public: str
) -> None:
    (home.sink / name).unlink()
    before = content(home)
    with pytest.raises(LostReceiverKeyError, match="restore it from a copy") as lost:
        home.ensure_development()
    assert public in lost.value.sentence and f"move {home.trust / public} away" in lost.value.remedy
    assert content(home) == before
    reader = load.sink_private if name == "hpke.key" else load.signing_key
    with pytest.raises(MissingKeyError, match="restore it from a copy"):  # not: make a new one
        reader(home.sink / name)
    (home.trust / public).unlink()
    home.ensure_development()
    assert (home.sink / name).exists()


@pytest.mark.parametrize("name", ["sink_hpke.pub", "receipt.pub"])
def test_one_public_key_of_another_receiver_is_noticed(home: Home, tmp_path: Path, name: str) -> None:
    other = Home(tmp_path / "other")
    other.ensure_development()
    (home.trust / name).write_bytes((other.trust / name).read_bytes())
    assert home.seals_for_another is None
    with pytest.raises(DamagedKeyError, match=name.replace(".", r"\.")) as refused:
        home.ensure_development()
    assert "both sink_hpke.pub and receipt.pub" in refused.value.remedy


def test_a_device_of_another_homes_receiver_stays_one(home: Home, tmp_path: Path) -> None:
    assert home.seals_for_another is False
    other = Home(tmp_path / "other")
    other.ensure_development()
    for name in ("sink_hpke.pub", "receipt.pub"):
        (home.trust / name).write_bytes((other.trust / name).read_bytes())
    before = content(home)
    home.ensure_development()
    assert content(home) == before and home.seals_for_another is True


def certificates(path: Path) -> list[bytes]:
    return [c.public_bytes(serialization.Encoding.DER) for c in x509.load_pem_x509_certificates(path.read_bytes())]


@pytest.mark.parametrize("lost", ["", "broker/ca.key", "broker/tls.crt"])
def test_renewal_keeps_the_authorities_of_others_and_replaces_its_own(home: Home, tmp_path: Path, lost: str) -> None:
    other = Home(tmp_path / "other")
    other.ensure_development()
    (theirs,) = certificates(other.broker / "ca.crt")
    bundle = (home.broker / "ca.crt").read_bytes() + (other.broker / "ca.crt").read_bytes()
    (home.broker / "ca.crt").write_bytes(bundle)  # a second device may connect
    (home.device / "ca.crt").write_bytes((other.broker / "ca.crt").read_bytes())  # and this one connects elsewhere
    if lost:
        (home.path / lost).unlink()
    assert home.renew() == [home.broker / "ca.crt", home.device / "ca.crt"]
    ours, *kept = certificates(home.broker / "ca.crt")
    assert kept == [theirs] and ours not in (theirs, *certificates(other.broker / "ca.crt"))
    assert certificates(home.device / "ca.crt") == [theirs]
    assert certificates(home.sink / "ca.crt") == [ours]
    assert home.renew() == [home.broker / "ca.crt", home.device / "ca.crt"]
    assert len(certificates(home.broker / "ca.crt")) == 2


def test_renewal_replaces_an_authority_that_cannot_be_read(home: Home) -> None:
    for name in ("ca.crt", "ca.key", "tls.crt"):
        (home.broker / name).write_bytes(b"no PEM")
    assert home.renew() == []
    home.check_certificates()


LONG_AGO = 1_325_376_000  # 2012-01-01


@pytest.mark.parametrize("work", [Home.renew, Home.ensure_development])
def test_with_a_clock_of_years_ago_nothing_is_made_that_would_be_over_already(
    home: Home, monkeypatch: pytest.MonkeyPatch, work: Callable[..., object]
) -> None:
    (home.device / "tls.crt").unlink()
    before = content(home)
    monkeypatch.setattr("identity.clock.time.time", lambda: LONG_AGO)
    with pytest.raises(ClockBehindError, match="2012-01-01T00:00:00Z on this machine") as refused:
        work(home)
    assert "timedatectl" in refused.value.remedy and "--clock-is-right" in refused.value.remedy
    assert content(home) == before
    work(home, clock_is_right=True)
    assert (home.device / "tls.crt").exists()


def test_a_whole_home_needs_no_clock_and_a_new_one_none_before_the_release(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("identity.clock.time.time", lambda: LONG_AGO)
    home.ensure_development()
    with pytest.raises(ClockBehindError, match="this release"):
        Home(tmp_path / "new").ensure_development()
    assert not (tmp_path / "new").exists()


def test_what_is_known_of_the_past_is_the_newest_of_release_certificates_and_registers(home: Home) -> None:
    assert home.known_past() > RELEASED
    files.write_private(home.trust / "register.seen", b"%d" % (home.known_past() + 7))
    later = home.known_past()
    assert later == int((home.trust / "register.seen").read_text())
    files.write_private(home.trust / "register.seen", b"damaged")
    assert home.known_past() == later - 7


def test_renewal_replaces_certificates_and_keeps_identities(home: Home) -> None:
    before = content(home)
    home.renew()
    after = content(home)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {n for n in before if n.rsplit("/")[-1] in {"tls.key", "tls.crt", "ca.crt", "ca.key"}}
    home.check_certificates()


@pytest.mark.parametrize("days", [366, -1])
def test_a_certificate_out_of_its_time_is_refused_with_the_remedy(home: Home, days: int) -> None:
    now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    with pytest.raises(ExpiredCertificateError, match="sealcam keys renew" if days > 0 else "clock"):
        home.check_certificates(now)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_secret_that_others_can_read_is_not_used(home: Home, mode: int) -> None:
    path = home.device / "signing.key"
    path.chmod(mode)
    with pytest.raises(UnsafeKeyFileError, match="chmod 600"):
        load.signing_key(path)


def test_a_trust_anchor_that_others_can_change_is_not_used(home: Home) -> None:
    (home.trust / "receipt.pub").chmod(0o666)
    with pytest.raises(UnsafeKeyFileError):
        load.public_key(home.trust / "receipt.pub")


def test_a_link_or_a_pipe_in_place_of_a_key_is_refused_without_waiting(home: Home) -> None:
    path = home.device / "signing.key"
    path.rename(home.device / "elsewhere")
    path.symlink_to(home.device / "elsewhere")
    with pytest.raises(MissingKeyError):
        load.signing_key(path)
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(UnsafeKeyFileError, match="plain file"):
        load.signing_key(path)


def test_a_folder_open_to_others_is_refused(home: Home) -> None:
    home.device.chmod(0o755)
    with pytest.raises(UnsafeKeyFileError, match="chmod 700"):
        home.ensure_development()


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("device/signing.key", load.signing_key),
        ("device/id", load.device_id),
        ("device/tls.crt", load.certificate),
        ("sink/hpke.key", load.sink_private),
        ("trust/sink_hpke.pub", load.sink_public),
        ("trust/receipt.pub", load.public_key),
    ],
)
@pytest.mark.parametrize("junk", [b"", b"\xff\xfe\x00", b"zz", b"ab" * 32_000])
def test_a_damaged_file_is_one_sentence(home: Home, name: str, reader: object, junk: bytes) -> None:
    (home.path / name).write_bytes(junk)
    with pytest.raises(DamagedKeyError) as caught:
        reader(home.path / name)  # type: ignore[operator]
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_anchor_under_another_keys_name_is_refused(home: Home) -> None:
    anchor = next((home.trust / "authority").iterdir())
    anchor.rename(anchor.with_name("0011223344556677.pub"))
    with pytest.raises(DamagedKeyError):
        load.trust_anchors(home.trust / "authority")


@pytest.mark.parametrize("raw", [bytes(32), b"\x01" + bytes(31), b"\xec" + b"\xff" * 30 + b"\x7f"])
def test_a_key_that_everybody_could_have_is_neither_enrolled_nor_read(home: Home, raw: bytes) -> None:
    with pytest.raises(KeysError, match="every device could have"):
        home.enroll("cam-two", Ed25519PublicKey.from_public_bytes(raw))
    path = home.sink / "devices" / "cam-two.pub"
    assert not path.exists()
    path.touch(mode=0o600)
    path.write_text(raw.hex())
    with pytest.raises(DamagedKeyError, match="no Ed25519 public key"):
        load.device_keys(home.sink / "devices")


def test_a_device_id_is_enrolled_with_one_key(home: Home) -> None:
    key = Ed25519PrivateKey.generate().public_key()
    home.enroll("cam-two", key)
    home.enroll("cam-two", key)
    assert load.device_keys(home.sink / "devices")["cam-two"] == key
    with pytest.raises(KeysError):
        home.enroll("cam-two", Ed25519PrivateKey.generate().public_key())
    with pytest.raises(KeysError):
        home.enroll("../../escape", key)


def test_the_device_id_is_that_of_its_key(home: Home) -> None:
    key = load.signing_key(home.device / "signing.key").public_key()
    assert home.device_id() == f"cam-{cose.key_id(key).hex()[:8]}"


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeysError, match="SEALCAM_HOME"):
        Home(tmp_path / "file" / "home").ensure_development()


def test_making_a_home_says_whether_it_made_a_road_authority(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert [home.ensure_development(), home.ensure_development()] == [True, False]


WITHOUT_MAKING: dict[str, Callable[[Home], object]] = {
    "check_made": Home.check_made,
    "check_device": Home.check_device,
    "renew": Home.renew,
}


@pytest.mark.parametrize("use", WITHOUT_MAKING.values(), ids=WITHOUT_MAKING)
def test_a_mistyped_home_does_not_become_a_new_road_authority(use: Callable[[Home], object], tmp_path: Path) -> None:
    with pytest.raises(MissingKeyError, match=r"there is no data home at .*sealcam keys init.*SEALCAM_HOME"):
        use(Home(tmp_path / "hmoe"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_something_else_is_no_home_and_is_left_as_it_is(tmp_path: Path) -> None:
    """As /etc: nothing is made in it, and nobody is advised to change its mode."""
    (tmp_path / "passwd").touch()
    tmp_path.chmod(0o755)
    for use in (*WITHOUT_MAKING.values(), Home.ensure_development, lambda home: home.inner("demo")):
        with pytest.raises(UnsafeKeyFileError, match="is no data home") as caught:
            use(Home(tmp_path))
        assert "chmod" not in caught.value.remedy and "SEALCAM_HOME" in caught.value.remedy
    assert [path.name for path in tmp_path.iterdir()] == ["passwd"]


@pytest.mark.parametrize("mode", [0o755, 0o777, 0o700])
def test_an_empty_folder_becomes_a_home_that_is_closed_to_others(tmp_path: Path, mode: int) -> None:
    place = tmp_path / "home"
    place.mkdir()
    place.chmod(mode)
    assert Home(place).ensure_development()
    assert place.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_is_begun_and_open_to_others_is_refused(home: Home) -> None:
    home.path.chmod(0o755)
    with pytest.raises(UnsafeKeyFileError, match="chmod 700"):
        home.ensure_development()


def test_what_another_user_puts_into_an_empty_folder_meanwhile_is_no_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o777)
    close = os.fchmod

    def late(descriptor: int, mode: int) -> None:
        (tmp_path / "device").mkdir()
        close(descriptor, mode)

    monkeypatch.setattr(os, "fchmod", late)
    with pytest.raises(UnsafeKeyFileError, match="by another user"):
        Home(tmp_path).ensure_development()


def test_a_link_to_an_empty_folder_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir(mode=0o755)
    (tmp_path / "there").chmod(0o755)
    (tmp_path / "home").symlink_to(tmp_path / "there")
    with pytest.raises(UnsafeKeyFileError):
        Home(tmp_path / "home").ensure_development()
    assert (tmp_path / "there").stat().st_mode & 0o777 == 0o755


def test_a_file_in_the_place_of_a_home_is_told_as_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for use in (*WITHOUT_MAKING.values(), Home.ensure_development):
        with pytest.raises(UnsafeKeyFileError, match="file is not a folder; set SEALCAM_HOME"):
            use(Home(tmp_path / "file"))


def test_a_home_that_holds_only_that_of_the_demo_becomes_a_home_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "home" / "demo").mkdir(parents=True, mode=0o700)
    (tmp_path / "home").chmod(0o700)
    assert Home(tmp_path / "home").ensure_development()


def test_a_device_runs_from_a_home_without_the_parts_of_others(home: Home) -> None:
    for part in ("authority", "sink", "broker"):
        shutil.rmtree(home.path / part)
    home.check_device()
    assert not (home.path / "authority").exists()


@pytest.mark.parametrize("name", ["device/id", "device/signing.key", "trust/sink_hpke.pub", "trust/receipt.pub"])
def test_a_part_that_the_device_needs_is_missed_and_not_made(home: Home, name: str) -> None:
    (home.path / name).unlink()
    with pytest.raises(MissingKeyError, match=name):
        home.check_device()
    assert not (home.path / name).exists()


def test_a_missing_part_of_a_home_that_is_not_there_is_made_by_keys_init(tmp_path: Path) -> None:
    with pytest.raises(MissingKeyError, match="sealcam keys init"):
        load.signing_key(tmp_path / "home" / "sink" / "receipt.key")


@pytest.mark.parametrize(
    ("content", "mode", "advised"),
    [(b"root:x:0:0\n", 0o644, False), (b"-----BEGIN PRIVATE KEY-----\n", 0o644, True)],
)
def test_only_a_key_is_advised_to_be_made_private(tmp_path: Path, content: bytes, mode: int, advised: bool) -> None:
    path = tmp_path / "authority.key"
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(UnsafeKeyFileError) as caught:
        load.signing_key(path)
    assert ("chmod 600" in caught.value.remedy) is advised
    assert advised or "name the file that holds the key" in caught.value.remedy


@pytest.mark.parametrize("path", ["/dev/zero", "/proc/self/mem", "none.key", "/"])
def test_what_is_no_key_is_not_advised_to_be_moved_or_made(path: str) -> None:
    with pytest.raises(KeysError) as caught:
        load.signing_key(Path(path))
    assert "name the file that holds the key" in caught.value.remedy


def test_the_place_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEALCAM_HOME", str(tmp_path))
    assert Home.default().path == tmp_path
    monkeypatch.delenv("SEALCAM_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert Home.default().path == tmp_path / "sealcam"


def test_no_secret_shows_in_a_repr(home: Home) -> None:
    secret = load.sink_private(home.sink / "hpke.key")
    assert secret.to_bytes().hex() not in repr(secret) and repr(secret.to_bytes()) not in repr(secret)


# --- a disk without room ----------------------------------------------------------------------------------------------


def test_files_that_belong_together_are_all_new_or_all_old(tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    files.write_together({small: b"old", large: b"old"})
    with files_up_to(1000), pytest.raises(KeysError, match=r"large cannot be written \(File too large\)"):
        files.write_together({small: b"new", large: bytes(2000)})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"small": b"old", "large": b"old"}
    files.write_together({small: b"new", large: b"new"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"small": b"new", "large": b"new"}


def test_certificates_that_cannot_all_be_renewed_stay_as_they_were(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content(home)
    real, written = files._write_new, []

    def full(path: Path, data: bytes) -> None:
        written.append(path)
        if len(written) == 7:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, data)

    monkeypatch.setattr(files, "_write_new", full)
    with pytest.raises(KeysError, match=r"No space left on device.*free some space"):
        home.renew()
    assert content(home) == before


def test_a_new_home_that_meets_a_full_disk_at_any_file_is_finished_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home")
    real, left = files._write_new, [0]

    def full(path: Path, data: bytes) -> None:
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        left[0] -= 1
        real(path, data)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(files, "_write_new", full)
        for room in range(4):
            left[0] = room
            with pytest.raises(KeysError, match="No space left"):
                home.ensure_development()
            assert not [name for name in content(home) if "/." in name]
    home.ensure_development()
    home.check_certificates()
    assert load.sink_public(home.trust / "sink_hpke.pub") == load.sink_private(home.sink / "hpke.key").public


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("", "SEALCAM_HOME is empty; unset SEALCAM_HOME"),
        ("  ", "SEALCAM_HOME is empty"),
        ("rel", "in each folder; write SEALCAM_HOME={here}/rel"),
        ("./a b", "write SEALCAM_HOME='{here}/a b'"),
        ("..", "write SEALCAM_HOME={above}"),
    ],
)
def test_a_home_that_depends_on_where_it_is_asked_for_is_refused(
    named: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(HOME_VARIABLE, named)
    with pytest.raises(KeysError) as caught:
        Home.default()
    assert said.format(here=tmp_path, above=tmp_path.parent) in str(caught.value)


def test_a_relative_or_empty_xdg_data_home_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SEALCAM_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for data in ("", "data"):
        monkeypatch.setenv("XDG_DATA_HOME", data)
        assert Home.default().path == tmp_path / ".local/share/sealcam"


def test_the_variable_has_one_name() -> None:
    assert HOME_VARIABLE == wording.HOME_VARIABLE


@pytest.mark.parametrize("name", ["none.cose", "folder", "text.txt", "open.cose", "link.cose"])
def test_what_is_no_register_is_told_of_a_register_and_not_of_a_key(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.txt").write_text("SR1:nothing")
    (tmp_path / "open.cose").write_bytes(b"x")
    (tmp_path / "open.cose").chmod(0o666)
    with pytest.raises(KeysError) as caught:
        (tmp_path / "link.cose").symlink_to("text.txt")
        load.register(tmp_path / name, {})
    assert "key" not in str(caught.value)
    assert "register" in caught.value.remedy or name == "link.cose"


def test_a_register_that_is_gone_from_a_home_is_not_made_by_keys_init(home: Home) -> None:
    (home.trust / "register.cose").unlink(missing_ok=True)
    with pytest.raises(MissingKeyError) as caught:
        load.register(home.trust / "register.cose", {})
    assert "keys init" not in str(caught.value) and "sealcam sign register" in caught.value.remedy


def test_a_file_that_is_no_private_key_is_not_advised_to_be_restored(home: Home, tmp_path: Path) -> None:
    (tmp_path / "stop.txt").write_text("SR1:nothing")
    (tmp_path / "stop.txt").chmod(0o600)
    with pytest.raises(KeysError, match="name the file that holds the key"):
        load.signing_key(tmp_path / "stop.txt")
    (home.device / "signing.key").write_text("nothing")
    with pytest.raises(KeysError, match="restore it from your backup"):
        load.signing_key(home.device / "signing.key")


def test_a_trust_folder_without_authorities_is_named_and_only_a_home_is_made_again(home: Home, tmp_path: Path) -> None:
    with pytest.raises(MissingKeyError, match="name a folder with the authorities' keys in authority/"):
        load.trust_anchors(tmp_path / "elsewhere" / "authority")


@pytest.mark.parametrize("variable", ["", "rel"])
def test_a_home_folder_that_is_none_is_told(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SEALCAM_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", variable)
    with pytest.raises(KeysError, match="HOME is empty or relative; set HOME, or SEALCAM_HOME"):
        Home.default()


def test_another_users_home_is_not_called_something_else(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refused)  # the superuser is refused nothing
    with pytest.raises(UnsafeKeyFileError, match="cannot be read by this user; run it as the user who made it"):
        home.check_made()
