"""Every error of the product has one root, tells what is wrong and what to do, and survives being handed on."""

from __future__ import annotations

import ast
import builtins
import errno
import importlib
import pickle
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import pytest

from cloud_sink import cli as sink_cli
from device import cli as device_cli
from device.channel import failures
from device.channel.errors import CompartmentError
from device.channel.failures import FAILURES
from hardware.rig import __main__ as rig_program
from hardware.signs import __main__ as signs_program
from tests.support.paths import ROOT
from wire.errors import HostileInputError, MachineError, RunError, SealcamError, UsageError, printable

PACKAGES = ("wire", "program", "identity", "device", "cloud_sink", "demo", "hardware", "models", "bench")
EXTRAS = frozenset({"torch", "litert_torch", "ai_edge_quantizer", "pycocotools", "sklearn", "flatbuffers"})
"""What is not installed everywhere: modules that need it are imported where it is there, and read everywhere."""

BARE = frozenset({"Exception", "BaseException", "RuntimeError", "ValueError", "SystemExit"})


def _modules() -> list[Path]:
    return [path.relative_to(ROOT) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), str(path))


@cache
def _import_all() -> None:
    for path in _modules():
        if path.name == "__main__.py":
            continue  # may run its program; what classes it has is read below
        name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in EXTRAS:
                raise


def _below(root: type[SealcamError]) -> Iterator[type[SealcamError]]:
    for kind in root.__subclasses__():
        yield kind
        yield from _below(kind)


@cache
def _classes() -> dict[str, type[SealcamError]]:
    _import_all()
    ours = {kind for kind in _below(SealcamError) if kind.__module__.partition(".")[0] in PACKAGES}
    named = {kind.__name__: kind for kind in ours}
    assert len(named) == len(ours), "two errors have the same name"
    return named


def _made(kind: type[SealcamError]) -> SealcamError:
    if issubclass(kind, CompartmentError):
        return kind("image_unreadable", 3)
    return kind("a_reason") if issubclass(kind, HostileInputError) else kind("it is wrong", "mend it")


def test_each_error_has_a_docstring_a_builtin_and_an_exit_status() -> None:
    for name, kind in _classes().items():
        assert kind.__dict__.get("__doc__"), f"{name} has no docstring of its own"
        natural = [base for base in kind.__mro__ if base.__module__ == builtins.__name__]
        assert set(natural) - {Exception, BaseException, object}, f"{name} is no builtin error"
        assert kind.exit_status in (1, 2), name


def test_each_error_reads_as_its_sentence_and_its_remedy() -> None:
    for name, kind in _classes().items():
        error = _made(kind)
        said = "it is wrong; mend it"
        if isinstance(error, HostileInputError):
            said = error.sentence
        elif isinstance(error, CompartmentError):
            said = "; ".join(failures.words("image_unreadable", [3], None, failures.UNNAMED))
        assert str(error) == said, name
        assert (getattr(error, "errno", None), getattr(error, "strerror", None)) == (None, None), name


def test_each_error_survives_pickling() -> None:
    for name, kind in _classes().items():
        error = _made(kind)
        again = pickle.loads(pickle.dumps(error))  # noqa: S301 -- our own bytes
        assert type(again) is kind, name
        assert (str(again), vars(again), again.args) == (str(error), vars(error), error.args), name


def test_no_error_is_outside_the_root() -> None:
    known = _classes()
    for path in _modules():
        for node in ast.walk(_tree(path)):
            if not isinstance(node, ast.ClassDef) or node.name == "SealcamError":
                continue
            bases = {_name(base) for base in node.bases}
            if node.name.endswith("Error") or bases & known.keys():
                inside = not bases.isdisjoint({*known, "SealcamError"})
                assert inside, f"{path}:{node.lineno}: {node.name} is outside SealcamError: derive it from wire.errors"


def _name(node: ast.expr) -> str:
    """The last name of `Kind`, `module.Kind` and calls of them."""
    match node:
        case ast.Call(func=made):
            return _name(made)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def _literals(node: ast.expr, path: Path) -> list[str]:
    """The parts of a text that stand in the code, also in a constant of the module; "" for each part that does not."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=parts):
            return [part.value if isinstance(part, ast.Constant) else "" for part in parts]  # type: ignore[misc]
        case ast.Name(id=name):
            for statement in _tree(path).body:
                if isinstance(statement, ast.Assign) and name in map(_name, statement.targets):
                    return _literals(statement.value, path)
    return [""]


def _wrong(call: ast.Call, path: Path) -> str:
    """What is wrong with how a user-facing error is made, "" for nothing."""
    if call.keywords or len(call.args) != 2 or any(isinstance(word, ast.Starred) for word in call.args):
        return "not a sentence and a remedy"
    sentence, remedy = (_literals(word, path) for word in call.args)
    if any("; " in part for part in sentence + remedy):
        return "holds '; ', which parts the sentence from the remedy"
    if sentence[-1].endswith("."):
        return "the sentence ends with a full stop"
    if any(isinstance(word, ast.Constant) and not str(word.value).strip() for word in call.args):
        return "the sentence or the remedy is empty"
    return ""


def _faults(path: Path) -> Iterator[str]:
    facing = {name for name, kind in _classes().items() if issubclass(kind, UsageError | RunError)}
    facing -= _of_compartments()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Name | ast.Attribute) and _name(node.exc) in facing:
            yield f"{path}:{node.lineno}: neither a sentence nor a remedy"
        if isinstance(node, ast.Call) and _name(node) in facing and (wrong := _wrong(node, path)):
            yield f"{path}:{node.lineno}: {wrong}"


def _of_compartments() -> set[str]:
    return {name for name, kind in _classes().items() if issubclass(kind, CompartmentError)}


def _unfit(path: Path) -> Iterator[str]:
    """Raise sites of a compartment's errors that name no failure, or not with the fields that it needs."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call) and _name(node) in _of_compartments():
            word = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
            row = FAILURES.get(word)  # type: ignore[call-overload]
            fields = (len(node.args) - 1, any(keyword.arg == "subject" for keyword in node.keywords))
            if row is None or fields != (row.numbers, row.subject):
                yield f"{path}:{node.lineno}: {word} with {fields}"


def _bare(path: Path) -> Iterator[str]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Raise) and node.exc is not None and _name(node.exc) in BARE:
            yield f"{path}:{node.lineno}: {_name(node.exc)}"


def test_what_a_user_reads_has_a_sentence_and_a_remedy() -> None:
    faults = [fault for path in _modules() for fault in _faults(path)]
    assert faults == [], "an error that a user reads is made of two texts: what is wrong, and what to do"


def test_what_a_compartment_says_last_is_a_word_with_the_fields_that_it_needs() -> None:
    faults = [fault for path in _modules() for fault in _unfit(path)]
    assert faults == [], "a CompartmentError takes a word of FAILURES, with the numbers and the subject of its row"


def test_nothing_bare_is_raised() -> None:
    faults = [fault for path in _modules() for fault in _bare(path)]
    assert faults == [], "raise an error of ours (wire.errors and the errors.py of each package), not a bare one"


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("UsageError('it is wrong', 'mend it')", ""),
        ("UsageError(f'{path} is wrong ({error})', f'mend {path}')", ""),
        ("UsageError('it is wrong', MEND)", ""),
        ("UsageError('it is wrong')", "not a sentence"),
        ("UsageError('it is wrong; mend it', 'do')", "holds '; '"),
        ("UsageError('it is wrong', BOTH)", "holds '; '"),
        ("UsageError(f'{path} is wrong.', 'mend it')", "full stop"),
        ("UsageError('it is wrong', '')", "is empty"),
        ("UsageError(*both)", "not a sentence"),
    ],
)
def test_a_bad_raise_site_is_found(code: str, wrong: str, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(f"MEND = 'mend it'\nBOTH = 'mend; it'\nraise {code}\n")
    (raised,) = [node for node in ast.walk(_tree(path)) if isinstance(node, ast.Call)]
    assert wrong in _wrong(raised, path) if wrong else not _wrong(raised, path)


def _raise(error: BaseException) -> NoReturn:
    raise error


class _Interrupted:
    """A command of `sealcam` during which the user presses Ctrl-C."""

    def add_parser(self, subparsers: Any) -> None:
        subparsers.add_parser("wait").set_defaults(run=lambda arguments: _raise(KeyboardInterrupt()))


def test_an_interrupted_program_says_so_and_ends_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def interrupted(*arguments: object, **options: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(sink_cli, "Archive", interrupted)
    (tmp_path / "sink").mkdir()
    (tmp_path / "sink" / "sink.db").touch()
    monkeypatch.setattr(rig_program, "_write", interrupted)
    monkeypatch.setattr(signs_program, "sheet", interrupted)
    out = str(tmp_path / "out")

    assert device_cli.main(["wait"], commands=[_Interrupted()]) == 130
    assert sink_cli.main(["stats", "--home", str(tmp_path)]) == 130
    monkeypatch.setattr("sys.argv", ["rig", "--out", out])
    assert rig_program.main() == 130
    monkeypatch.setattr("sys.argv", ["signs", "--sheet", out])
    assert signs_program.main() == 130
    programs = ("sealcam", "sealcam-sink", "python -m hardware.rig", "python -m hardware.signs")
    assert capsys.readouterr().err == "".join(f"{program}: interrupted\n" for program in programs)


def test_what_a_terminal_would_obey_is_written_out() -> None:
    name = "a\x1b[31m\nb\udce9\u202e.mp4"
    assert str(UsageError(f"{name} is no file", "give another")) == (
        r"a\x1b[31m\nb\udce9\u202e.mp4 is no file; give another"
    )
    assert printable("Straße 7.mp4") == "Straße 7.mp4"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.EMFILE, "x"), "ulimit -n"),
        (MemoryError(), "free memory"),
        (OSError(errno.ENOSPC, "x", "/out/a"), "/out/a"),
        (OSError(errno.EROFS, "x", "/out/a"), "/out/a cannot be read or written"),
        (FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"), "TMPDIR"),
    ],
)
def test_what_the_machine_refuses_has_a_sentence_and_a_remedy(error: OSError | MemoryError, said: str) -> None:
    assert said in str(MachineError.of(error))


@pytest.mark.parametrize(
    ("program", "module", "library"),
    [("sealcam", "demo.cli", "msgspec"), ("sealcam-sink", "cloud_sink.__main__", "paho")],
)
def test_a_command_without_a_library_says_so_without_a_traceback(program: str, module: str, library: str) -> None:
    hidden = f"import sys; sys.modules[{library!r}] = None; sys.argv = [{program!r}, '--help']; "
    script = hidden + f"from {module} import main; sys.exit(main())"
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"{program}: the library {library}")
    assert ended.stderr.count("\n") == 1


def test_a_resource_limit_that_is_too_low_is_named() -> None:
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))\n"
        "from device.confine import policy, tighten\ntighten.limit(policy.load('warden').limits)"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "CannotConfineError: a resource limit here is below" in ended.stderr


RAISES_OURS = frozenset(
    {"read_private", "read_public", "_private", "_read", "signing_key", "public_key", "certificate"}
)
"""Calls of ours that raise errors which are a ValueError or an OSError too."""


def test_no_error_of_ours_is_taken_for_a_librarys() -> None:
    for path in _modules():
        for node in ast.walk(_tree(path)):
            if not isinstance(node, ast.Try):
                continue
            types = [kind for handler in node.handlers if handler.type for kind in ast.walk(handler.type)]
            caught = {_name(kind) for kind in types if isinstance(kind, ast.expr)}
            called = {_name(call) for part in node.body for call in ast.walk(part) if isinstance(call, ast.Call)}
            if "ValueError" in caught and called & RAISES_OURS and not caught & _classes().keys():
                pytest.fail(f"{path}:{node.lineno}: {called & RAISES_OURS} within an except ValueError; call it before")
