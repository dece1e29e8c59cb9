"""The configuration: defaults, file, environment, and a clear sentence for each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from device import config
from wire.errors import UsageError


def test_without_a_file_the_defaults_hold() -> None:
    assert config.load(None, {}) == config.Config()


def test_the_file_overrides_the_defaults_and_the_environment_the_file(tmp_path: Path) -> None:
    file = tmp_path / "sealcam.toml"
    file.write_text('[uplink]\nhost = "broker.example"\nport = 1883\n')
    loaded = config.load(file, {"SEALCAM_UPLINK_PORT": "8999", "SEALCAM_HOME": "/anywhere", "PATH": "/bin"})
    assert (loaded.uplink.host, loaded.uplink.port) == ("broker.example", 8999)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[uplink]\nhosst = 'x'\n", "hosst"),
        ("[uplinks]\n", "uplinks"),
        ("[uplink]\nport = 99999\n", "port"),
        ("[uplink]\nhost = 'a b'\n", "host"),
        ("[camera]\ndevice = '/etc/passwd'\n", "device"),
        ("[spool]\nmax_mib = 0\n", "max_mib"),
        ("uplink = 3\n", "uplink"),
        ("[uplink\n", "TOML"),
        ("a = " + "[" * 5000, "TOML|nested"),
        ("[indicator]\nred = 17\ngreen = 17\n", "same pin"),
    ],
)
def test_a_mistake_in_the_file_is_one_sentence_that_names_it(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "sealcam.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=said) as caught:
        config.load(file, {})
    assert caught.value.exit_status == 2
    assert "\n" not in str(caught.value)


def test_an_unknown_key_in_the_environment_is_a_mistake_too() -> None:
    with pytest.raises(UsageError, match="SEALCAM_UPLINK_HOSST: there is no such key"):
        config.load(None, {"SEALCAM_UPLINK_HOSST": "x"})
    with pytest.raises(UsageError, match="SEALCAM_FOO_BAR: there is no such section"):
        config.load(None, {"SEALCAM_FOO_BAR": "x"})


def test_a_mistake_in_the_environment_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    file = tmp_path / "sealcam.toml"
    file.write_text('[uplink]\nhost = "broker.example"\n')
    with pytest.raises(UsageError, match=r"the environment: SEALCAM_UPLINK_HOSST"):
        config.load(file, {"SEALCAM_UPLINK_HOSST": "x"})
    with pytest.raises(UsageError, match="SEALCAM_UPLINK names no key"):
        config.load(file, {"SEALCAM_UPLINK": "x"})


@pytest.mark.parametrize(
    ("text", "environment", "said"),
    [
        ("[uplink]\nport = 70000\n", {}, "[uplink] port in {file}, line 2: expected a whole number <= 65535"),
        ("[camera]\ndevice = 'x'\n", {}, "[camera] device in {file}, line 2: its form must be: `/dev/videoN`"),
        ("[uplink]\nhosst = 'x'\n", {}, "[uplink] hosst in {file}, line 2: there is no such key"),
        ("# x\n\n[uplinks]\nhost = 'x'\n", {}, "[uplinks] in {file}, line 3: there is no such section"),
        ("uplink = 3\n", {}, "[uplink] in {file}, line 1: expected named values, got a whole number"),
        (
            "[perception]\noperating_point = 'slow'\n",
            {},
            "[perception] operating_point in {file}, line 2: 'slow' is none of: far, fast",
        ),
        (
            "[camera]\nrotate_degrees = 45\n",
            {},
            "[camera] rotate_degrees in {file}, line 2: 45 is none of: 0, 90, 180, 270",
        ),
        ("", {"SEALCAM_UPLINK_PORT": "x"}, "the environment: SEALCAM_UPLINK_PORT: expected a whole number, got a text"),
        (
            "[uplink]\nport = 1\n",
            {"SEALCAM_UPLINK_PORT": "0"},
            "the environment: SEALCAM_UPLINK_PORT: expected a whole number >= 1",
        ),
    ],
)
def test_a_mistake_names_the_key_as_its_user_wrote_it(
    tmp_path: Path, text: str, environment: dict[str, str], said: str
) -> None:
    file = tmp_path / "sealcam.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        config.load(file, environment)
    assert caught.value.sentence == said.format(file=file)


def test_each_value_has_its_source(tmp_path: Path) -> None:
    file = tmp_path / "sealcam.toml"
    file.write_text('[uplink]\nhost = "broker.example"\nport = 1883\n')
    sources = config.load_with_sources(file, {"SEALCAM_UPLINK_PORT": "8999"}).sources
    assert sources == {"uplink.host": str(file), "uplink.port": "SEALCAM_UPLINK_PORT"}


def test_a_missing_file_is_named() -> None:
    with pytest.raises(UsageError, match=r"nothing\.toml"):
        config.load(Path("nothing.toml"), {})


@pytest.mark.parametrize(
    ("text", "environment", "remedy"),
    [
        ("[uplink]\nhosst = 'x'\n", {}, "did you mean host?"),
        ("[uplnik]\nhost = 'x'\n", {}, "did you mean uplink?"),
        ("[uplink]\nxyzzy = 1\n", {}, "all keys: sealcam config show"),
        ("", {"SEALCAM_UPLINK_HOSST": "x"}, "did you mean SEALCAM_UPLINK_HOST?"),
        ("", {"SEALCAM_HOEM": "x"}, "did you mean SEALCAM_HOME?"),
        ("", {"SEALCAM_XYZZY_X": "x"}, "unset it; docs/configuration.md has all keys"),
        ("", {"SEALCAM_UPLINK_PORT": "x"}, "correct it, or unset it for the default"),
    ],
)
def test_the_remedy_names_what_was_meant_and_no_command_that_fails_too(
    tmp_path: Path, text: str, environment: dict[str, str], remedy: str
) -> None:
    file = tmp_path / "sealcam.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        config.load(file, environment)
    assert caught.value.remedy == remedy


def test_every_key_has_its_variable() -> None:
    names = config.variables()
    assert "SEALCAM_WARDEN_DELIVER_SECONDS" in names and len(names) > 25
    config.load(None, {"SEALCAM_UPLINK_HOST": "a.example"})


@pytest.mark.parametrize("host", ["localhost", "pi.local", "192.168.1.2", "::1", "fe80::1", "::ffff:192.168.1.2", ""])
def test_a_host_is_a_name_or_an_address(host: str) -> None:
    assert config.load(None, {"SEALCAM_UPLINK_HOST": host}).uplink.host == host


@pytest.mark.parametrize("host", ["localhost:8883", "192.168.1.2:8883", "[::1]", "[::1]:8883", "pi:1:2", "mqtts://pi"])
def test_a_port_does_not_belong_to_the_host(host: str) -> None:
    with pytest.raises(UsageError, match="SEALCAM_UPLINK_HOST: its form must be: host name or address, without a port"):
        config.load(None, {"SEALCAM_UPLINK_HOST": host})
