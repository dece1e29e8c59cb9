"""A TOML file: what is wrong with it is told with its line, and nothing endless is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from program import toml
from wire.errors import UsageError


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[a]\nb = = 1\n", "line 2"),
        (b"[a]\n\n\nb = 'x\n", "end of document|line 4"),
        (b"[a]\nb = '\xff'\n", "line 2"),
        (b"a = 1\na = 2\n", "line 2"),
        (b"# " + b"x" * toml.MAX_BYTES, "larger than 256 KiB"),
        (b"a = " + b"[" * 5000, "nested too deeply|not TOML"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "f.toml").write_bytes(content)
    with pytest.raises(UsageError, match=said):
        toml.read(tmp_path / "f.toml", "the file", "name another")


def test_a_file_without_an_end_is_not_read_to_it() -> None:
    with pytest.raises(UsageError, match="larger than"):
        toml.read(Path("/dev/zero"), "the file", "name another")


@pytest.mark.parametrize(
    ("text", "keys", "line"),
    [
        ("[a]\nb = 1\nc = 2\n", ["a", "c"], 3),
        ("[a]\nb = 1\n[c]\nb = 2\n", ["c", "b"], 4),
        ("# b = 3\na.b = 1\n", ["a", "b"], 2),
        ("a = { x = 1, b = 2 }\n", ["a", "b"], 1),
        ('[a]\nx = """\nb = 1\n"""\nb = 2', ["a", "b"], 5),
        ("[a]\nb = [\n1,\n2]\n", ["a", "b"], 4),
        ("[a]\n", ["a"], 1),
        ("[a]\n", ["a", "b"], None),
        ("a = 1\n", ["a", "b"], None),
        ("\n" * 3000 + "a = 1", ["a"], None),
    ],
)
def test_the_line_of_a_key_is_found_by_the_parser(text: str, keys: list[str], line: int | None) -> None:
    assert toml.line_of(text, keys) == line


def test_a_mark_that_an_editor_puts_first_and_shows_nowhere_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(toml.BYTE_ORDER_MARK + b"[uplink]\nport = 1\n")
    text, found = toml.read(path, "the configuration", "name another")
    assert found == {"uplink": {"port": 1}}
    assert toml.line_of(text, ("uplink", "port")) == 2
