"""Where a file can be mutated: the walk through its tree, and all that is left out of it.

Left out are docstrings, annotations and type aliases (but not the constraints in them, `Meta(le=255)`), assignments to
`__all__` and the like, blocks under `if TYPE_CHECKING` and `if __name__ == "__main__"`, calls of a logger, f-strings,
sentences for a reader, and any two words in a `raise`, a `print` or the help of a command line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bench.mutants.code import SourceCode, called, is_text
from bench.mutants.operators import OPERATORS

_TYPES = {"Annotated", "Callable", "Literal", "Optional", "Union", "Mapping", "Sequence", "Iterable", "Iterator"}
_TYPES |= {"dict", "list", "tuple", "set", "frozenset", "type"}
_PLAIN = {"int", "str", "bytes", "float", "bool"}
_NAMING = {"TypeVar", "ParamSpec", "NewType", "cast"}
_LOGGERS = {"log", "logger", "logging"}
_MOST_WORDS = 3  # of a name, a purpose, a heading; more are a sentence
_HELP = {"help", "description", "epilog", "metavar", "usage", "title"}


@dataclass(frozen=True)
class Site:
    """One mutant: `mutated` in the place of `original`. `lines` are those of the statement around it."""

    path: str
    function: str
    operator: str
    line: int
    begin: int
    end: int
    original: str
    mutated: str
    lines: tuple[int, int]
    at_import: bool

    def put_in(self, source: bytes) -> bytes:
        """The file with this one fault, else byte for byte."""
        return source[: self.begin] + self.mutated.encode() + source[self.end :]

    def is_sound(self, source: bytes) -> bool:
        """Whether the mutant compiles, and is another program."""
        try:
            mutant = ast.parse(self.put_in(source))
            compile(self.put_in(source), self.path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return False
        return ast.dump(mutant) != ast.dump(ast.parse(source))


def sites(path: str, source: bytes) -> list[Site]:
    """All mutants of a file, in an order that depends on its text alone."""
    code = SourceCode(source)
    found = []
    for node, scope in _walk(code.tree, _Scope()):
        for operator, edits in OPERATORS.items():
            if operator == "constant changed" and _is_for_readers(node, scope):
                continue
            for target, mutated in edits(node, code):
                begin, end = code.span(target)
                at = (target.lineno, begin, end, code.text(target), mutated)
                found.append(Site(path, scope.function or "(module)", operator, *at, scope.lines, scope.at_import))
    return sorted(set(found), key=lambda site: (site.begin, site.end, site.operator, site.mutated))


def _is_for_readers(node: ast.AST, scope: _Scope) -> bool:
    """A sentence anywhere, and two words where only a reader gets them; `bad_receipt` in a `raise` is a code."""
    if not is_text(node) or not isinstance(node.value, str):
        return False
    words = len(node.value.split())
    return words > _MOST_WORDS or (scope.prose and words > 1) or scope.help


def python_files(root: Path, package: str) -> list[str]:
    """The modules of a package, or the single module, as paths from the root."""
    under = root / package
    files = sorted(under.rglob("*.py")) if under.is_dir() else [under]
    return [file.relative_to(root).as_posix() for file in files]


@dataclass(frozen=True)
class _Scope:
    function: str = ""
    lines: tuple[int, int] = (1, 1)
    at_import: bool = True
    prose: bool = False
    help: bool = False
    types: bool = False


def _walk(node: ast.AST, scope: _Scope) -> Iterator[tuple[ast.expr | ast.stmt, _Scope]]:
    if _is_left_out(node):
        return
    if isinstance(node, ast.stmt | ast.ExceptHandler):
        scope = replace(scope, lines=_header(node))
    if scope.types and isinstance(node, ast.Call):
        scope = replace(scope, types=False)
    if isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and called(node) == "print"):
        scope = replace(scope, prose=True)
    if isinstance(node, ast.expr | ast.stmt) and not scope.types and not _is_for_others(node):
        yield node, scope
    for child in _children(node):
        yield from _walk(child, _scope_of(node, child, scope))


def _children(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, ast.If) and _is_for_others(node):
        return list(node.orelse)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        defaults = [default for default in (*node.args.defaults, *node.args.kw_defaults) if default is not None]
        return [*node.decorator_list, *defaults, *node.body]
    if isinstance(node, ast.Lambda):
        return [*node.args.defaults, *(value for value in node.args.kw_defaults if value is not None), node.body]
    return list(ast.iter_child_nodes(node))


def _scope_of(node: ast.AST, child: ast.AST, scope: _Scope) -> _Scope:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        name = f"{scope.function}.{node.name}".lstrip(".")
        later = isinstance(child, ast.stmt) and not isinstance(node, ast.ClassDef)  # not so defaults and decorators
        return replace(scope, function=name, at_import=scope.at_import and not later)
    if isinstance(node, ast.AnnAssign) and (child is node.annotation or "TypeAlias" in ast.dump(node.annotation)):
        return replace(scope, types=True)
    if isinstance(node, ast.Assign) and child is node.value and _is_alias(child):
        return replace(scope, types=True)
    if isinstance(child, ast.keyword) and child.arg in _HELP:
        return replace(scope, help=True)
    if isinstance(node, ast.Call) and called(node).split(".")[-1] in _NAMING and is_text(child):
        return replace(scope, help=True)
    return scope


def _is_left_out(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr) or type(node).__name__ == "TypeAlias":
        return True
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) or called(node.value).split(".")[0].strip("_").lower() in _LOGGERS
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return any(isinstance(target, ast.Name) and target.id.startswith("__") for target in targets)


def _is_for_others(node: ast.AST) -> bool:
    """Whether the block is for a type checker, or for a module that is run by itself."""
    parts = list(ast.walk(node.test)) if isinstance(node, ast.If) else []
    names = {part.id if isinstance(part, ast.Name) else getattr(part, "attr", "") for part in parts}
    return bool(names & {"TYPE_CHECKING", "__name__"})


def _is_alias(value: ast.expr) -> bool:
    """Whether the value is a type: `Literal[...]`, `int | str`."""
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr):
        return _is_alias(value.left) or _is_alias(value.right) or bool({_name(value.left), _name(value.right)} & _PLAIN)
    return isinstance(value, ast.Subscript) and _name(value.value) in _TYPES


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _header(node: ast.stmt | ast.ExceptHandler) -> tuple[int, int]:
    """First and last line of a simple statement, or of the part of a compound statement before its blocks."""
    first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
    blocks = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt | ast.ExceptHandler)]
    if isinstance(node, ast.Match):
        return first, node.subject.end_lineno or first
    if blocks:
        return first, max(node.lineno, blocks[0].lineno - 1)
    return first, node.end_lineno or first
