"""Every table over the words of `wire.vocabulary` has each of them and no other.

A word that is added or taken away makes this module name the tables that do not have it, or still have it. The tables
in code (dict displays) and in TOML are found by reading the source, so that a new table cannot be left out of `TABLES`.
"""

from __future__ import annotations

import ast
import sqlite3
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import pytest

from cloud_sink import store
from cloud_sink.archive import SIGNS_OF_LIFE
from cloud_sink.web import words
from cloud_sink.web.alerts import ALERT_STATES
from device.verdict.decision.table import TABLE, Dismissal
from tests.support.paths import ROOT
from wire.vocabulary import COMPARTMENTS, HEALTH_KINDS, REASONS, STATES

PRODUCT = ("device", "wire", "identity", "cloud_sink", "demo", "hardware", "models", "bench")
VOCABULARIES = (STATES, HEALTH_KINDS, COMPARTMENTS, REASONS)

TABLES: dict[str, tuple[tuple[str, ...], frozenset[str]]] = {  # name -> its vocabulary, and what it need not have
    "device/indicator/core.py: SIGNALS": (STATES, frozenset()),
    "device/cli/show.py: STATE_STYLES": (STATES, frozenset()),
    "device/verdict/decision/table.py: ACTED_ON": (STATES, frozenset()),
    "cloud_sink/web/words.toml: states": (STATES, frozenset()),
    "cloud_sink/web/words.toml: health": (HEALTH_KINDS, frozenset()),
    "cloud_sink/web/words.toml: reasons": (REASONS, frozenset()),
    # hostile code is started as warden starts a compartment, and warden itself is not started so
    "device/channel/messages.py: STAGES": (
        COMPARTMENTS,
        frozenset({"position", "uplink", "indicator", "dialer", "annotator", "warden"}),
    ),
    "device/redteam/attempts.py: ALLOWED": (COMPARTMENTS, frozenset({"warden"})),
    "device/annotator/core.py: STATE_COLOURS": (STATES, frozenset()),
    # dialer is started beside warden, annotator after it: not by it
    "device/launcher/settings.py: settings": (COMPARTMENTS, frozenset({"warden", "dialer", "annotator"})),
}

SCHEMA_OF_STATES = {
    1: (
        *("VERIFIED", "CONTRADICTED", "FORGED", "MISPLACED", "DAMAGED"),
        *("CODE_ONLY", "MISSING", "UNVERIFIED", "SUSPECT"),
    ),
}
"""Schema version -> the states that its CHECK lets in. A database keeps the CHECK that it was made with."""


def is_over_a_vocabulary(keys: set[str]) -> bool:
    """True where at least three keys, and most of them, are words of one vocabulary."""
    return any(len(known := keys & set(vocabulary)) >= 3 and 2 * len(known) > len(keys) for vocabulary in VOCABULARIES)


def in_python(node: ast.AST, owner: str = "") -> Iterator[tuple[str, set[str]]]:
    """The dict displays below a node: the dotted name of what they belong to, and their keys."""
    for child in ast.iter_child_nodes(node):
        name = owner
        match child:
            case ast.FunctionDef(name=own) | ast.AsyncFunctionDef(name=own) | ast.ClassDef(name=own):
                name = f"{owner}.{own}".strip(".")
            case ast.Assign(targets=[ast.Name(id=own), *_]) | ast.AnnAssign(target=ast.Name(id=own)):
                name = f"{owner}.{own}".strip(".")
            case ast.Dict(keys=keys):
                yield owner, {key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
        yield from in_python(child, name)


def in_toml(table: Any, owner: str = "") -> Iterator[tuple[str, set[str]]]:
    """The tables below a TOML table, and their keys."""
    if isinstance(table, list):
        for item in table:
            yield from in_toml(item, owner)
    if isinstance(table, dict):
        yield owner, set(table)
        for key, value in table.items():
            yield from in_toml(value, f"{owner}.{key}".strip("."))


def sources(ending: str) -> Iterator[tuple[str, str]]:
    for package in PRODUCT:
        for path in sorted((ROOT / package).rglob(f"*{ending}")):
            yield str(path.relative_to(ROOT)), path.read_text("utf-8")


def found_tables() -> dict[str, set[str]]:
    """Every table over a vocabulary in the product's source: name -> keys."""
    found = [(f"{path}: {name}", keys) for path, text in sources(".py") for name, keys in in_python(ast.parse(text))]
    found += [
        (f"{path}: {name}", keys) for path, text in sources(".toml") for name, keys in in_toml(tomllib.loads(text))
    ]
    return {name: keys for name, keys in found if is_over_a_vocabulary(keys)}


FOUND = found_tables()


def test_every_table_over_the_vocabulary_is_known_here() -> None:
    assert set(FOUND) - set(TABLES) == set(), "a new table over the vocabulary: give it a row in TABLES"
    assert set(TABLES) - set(FOUND) == set(), "a table of TABLES is gone, or was moved"


@pytest.mark.parametrize("name", sorted(FOUND.keys() & TABLES.keys()))
def test_a_table_has_every_word_and_no_other(name: str) -> None:
    vocabulary, exempt = TABLES[name]
    assert set(vocabulary) - FOUND[name] - exempt == set(), f"{name} lacks words of the vocabulary"
    assert FOUND[name] - (set(vocabulary) - exempt) == set(), f"{name} has words that are not in the vocabulary"


def test_the_search_finds_tables_and_only_those() -> None:
    source = 'class A:\n    x: int = {"VERIFIED": 1, "FORGED": 2, "DAMAGED": 3}\ndef f():\n    return {"VERIFIED": 1}\n'
    assert [(name, is_over_a_vocabulary(keys)) for name, keys in in_python(ast.parse(source))] == [
        ("A.x", True),
        ("f", False),
    ]
    with_a_stale_word = tomllib.loads("[a.b]\nstarted = 1\nstopped = 2\nalive = 3\nasleep = 4\n")
    assert [name for name, keys in in_toml(with_a_stale_word) if is_over_a_vocabulary(keys)] == ["a.b"]


def test_the_words_of_the_page_are_read_for_each_word_of_the_vocabulary() -> None:
    assert tuple(words.STATES) == STATES
    assert tuple(words.HEALTH) == HEALTH_KINDS
    assert set(words.REASONS) == set(REASONS)


def test_the_verdict_table_reaches_every_state() -> None:
    assert {row.state for row in TABLE} - {"NO_VERDICT"} == set(STATES)


def test_the_verdict_table_gives_reasons_of_the_vocabulary_and_dismissals_beside_it() -> None:
    assert {row.because for row in TABLE if row.state == "NO_VERDICT"} == set(get_args(Dismissal))
    assert {row.because for row in TABLE if row.state != "NO_VERDICT"} <= set(REASONS)
    assert set(REASONS).isdisjoint(get_args(Dismissal))


def test_every_reason_is_given_somewhere_in_the_verdict_compartment() -> None:
    given = {
        node.value
        for path, text in sources(".py")
        if path.startswith("device/verdict/")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant)
    }
    assert set(REASONS) - given == set()


def test_alerts_and_signs_of_life_are_words_of_the_vocabulary() -> None:
    assert set(ALERT_STATES) <= set(STATES)
    assert len(set(ALERT_STATES)) == len(ALERT_STATES)
    assert set(SIGNS_OF_LIFE) <= set(HEALTH_KINDS)


def test_every_compartment_has_a_policy_and_no_policy_lacks_its_compartment() -> None:
    policies = [Path(path) for path, _ in sources("policy.toml")]
    named = {tomllib.loads((ROOT / path).read_text("utf-8"))["compartment"]: path.parent.name for path in policies}
    assert set(named) == set(COMPARTMENTS)
    assert all(name == folder for name, folder in named.items())


def test_the_database_takes_every_state_and_no_other() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(store.schema())
        add = "INSERT INTO verdict (envelope_id, device_id, state) VALUES (?, 'cam-one', ?)"
        for number, state in enumerate(STATES):
            db.execute(add, (number, state))
        for other in ("NO_VERDICT", "verified", ""):
            with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
                db.execute(add, (len(STATES), other))


def test_the_schema_version_belongs_to_the_states() -> None:
    assert SCHEMA_OF_STATES.get(store.SCHEMA_VERSION) == STATES, (
        "the states changed: raise SCHEMA_VERSION in cloud_sink/store.py and add its row to SCHEMA_OF_STATES, because "
        "the databases that are out there keep the CHECK that they were made with"
    )
