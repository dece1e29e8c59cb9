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
        ("[uplink]\nport = 70000\n", {}, "[uplink] port in {file}: expected `int` <= 65535"),
        ("[camera]\ndevice = 'x'\n", {}, "[camera] device in {file}: its form must be: `/dev/videoN`"),
        ("[uplink]\nhosst = 'x'\n", {}, "[uplink] hosst in {file}: there is no such key"),
        ("[uplinks]\nhost = 'x'\n", {}, "[uplinks] in {file}: there is no such section"),
        ("", {"SEALCAM_UPLINK_PORT": "x"}, "the environment: SEALCAM_UPLINK_PORT: expected `int`, got `str`"),
        (
            "[uplink]\nport = 1\n",
            {"SEALCAM_UPLINK_PORT": "0"},
            "the environment: SEALCAM_UPLINK_PORT: expected `int` >= 1",
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
