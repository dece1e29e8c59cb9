"""The faults: each operator is a function from a node to what may stand in its place. One table names them."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from bench.mutants.code import SourceCode, called, is_text

Node = ast.expr | ast.stmt
Edit = tuple[Node, str]
"""A node, and the text that replaces it."""

_BOUNDARY: dict[type[ast.AST], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
}
_COMPARISON: dict[type[ast.AST], tuple[str, str]] = {
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: (r"\bis\b", "is not"),
    ast.IsNot: (r"\bis\s+not\b", "is"),
    ast.In: (r"\bin\b", "not in"),
    ast.NotIn: (r"\bnot\s+in\b", "in"),
}
_ARITHMETIC: dict[type[ast.AST], tuple[str, str]] = {
    ast.Add: (r"\+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: (r"\*", "//"),
    ast.FloorDiv: ("//", "*"),
    ast.Div: ("/", "*"),
    ast.Mod: ("%", "*"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
}
_SWAPPED_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}
_UNWRAPPED = ("abs", "sorted", "round", "reversed")
_UNWRAPPED_METHODS = ("strip", "lstrip", "rstrip", "lower", "upper", "casefold", "copy")
_EMPTY = {"bool": ("True", "False"), "int": ("0",), "float": ("0.0",), "str": ('""',), "bytes": ('b""',)}
_EMPTY |= {"list": ("[]",), "dict": ("{}",), "tuple": ("()",), "set": ("set()",)}


def _drop_raise(node: Node, code: SourceCode) -> Iterator[Edit]:
    if isinstance(node, ast.Raise):
        yield node, "pass"


def _guards(node: Node) -> list[ast.expr]:
    if isinstance(node, ast.If | ast.IfExp):
        return [node.test]
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return [test for generator in node.generators for test in generator.ifs]
    return []


def _drop_guard(node: Node, code: SourceCode) -> Iterator[Edit]:
    tests = [node.test] if isinstance(node, ast.While) else _guards(node)
    yield from ((test, "False") for test in tests if not isinstance(test, ast.Constant))


def _guard_always(node: Node, code: SourceCode) -> Iterator[Edit]:
    yield from ((test, "True") for test in _guards(node) if not isinstance(test, ast.Constant))


def _joined(node: ast.BoolOp, values: list[ast.expr], word: str, code: SourceCode) -> str:
    if len(values) == 1:
        return code.fit(node, code.text(values[0]))
    return code.fit(node, f" {word} ".join(_beside(value, code) for value in values))


def _beside(value: ast.expr, code: SourceCode) -> str:
    """The text of an operand of `and` or `or`, in brackets where it could be taken apart or ends the line."""
    tight = isinstance(value, ast.Compare | ast.BinOp | ast.UnaryOp) and "\n" not in code.text(value)
    return code.text(value) if tight else code.operand(value)


def _drop_condition(node: Node, code: SourceCode) -> Iterator[Edit]:
    if isinstance(node, ast.BoolOp):
        word = "and" if isinstance(node.op, ast.And) else "or"
        for dropped in node.values:
            yield node, _joined(node, [value for value in node.values if value is not dropped], word, code)


def _swap_and_or(node: Node, code: SourceCode) -> Iterator[Edit]:
    if isinstance(node, ast.BoolOp):
        yield node, _joined(node, node.values, "or" if isinstance(node.op, ast.And) else "and", code)


def _drop_not(node: Node, code: SourceCode) -> Iterator[Edit]:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node, code.fit(node, code.text(node.operand))


def _other_operator(node: Node, left: ast.expr, right: ast.expr, swap: tuple[str, str], code: SourceCode) -> Edit:
    """`node` with the operator between two operands replaced, and nothing else."""
    begin, end = code.span(node)
    gap = code.between(left, right)
    pattern, new = swap
    operator = code.source[slice(*gap)].decode()
    changed = re.sub(rf"(?P<note>#[^\n]*)|{pattern}", lambda found: found["note"] or new, operator)
    return node, (code.source[begin : gap[0]] + changed.encode() + code.source[gap[1] : end]).decode()


def _compared(node: Node, swaps: dict[type[ast.AST], tuple[str, str]], code: SourceCode) -> Iterator[Edit]:
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        for at, operator in enumerate(node.ops):
            if type(operator) in swaps:
                yield _other_operator(node, operands[at], operands[at + 1], swaps[type(operator)], code)


def _boundary(node: Node, code: SourceCode) -> Iterator[Edit]:
    yield from _compared(node, _BOUNDARY, code)


def _swap_comparison(node: Node, code: SourceCode) -> Iterator[Edit]:
    yield from _compared(node, _COMPARISON, code)


def _drop_bound(node: Node, code: SourceCode) -> Iterator[Edit]:
    if isinstance(node, ast.Compare) and len(node.ops) > 1:
        begin, end = code.span(node)
        _, second = code.between(node.left, node.comparators[0])
        first, _ = code.between(node.comparators[-2], node.comparators[-1])
        inner = [code.source[begin:first].decode(), code.source[second:end].decode()]
        if all(_parses(text) for text in inner):  # an operand in brackets of its own would be cut in two
            yield from ((node, text) for text in inner)


def _parses(text: str) -> bool:
    try:
        ast.parse(f"({text})", mode="eval")
    except SyntaxError:
        return False
    return True


def _number(node: Node) -> int | float | None:
    number = node.value if isinstance(node, ast.Constant) else None
    return number if isinstance(number, int | float) and not isinstance(number, bool) else None


def _constant_by_one(node: Node, code: SourceCode) -> Iterator[Edit]:
    number = _number(node)
    if isinstance(number, int) and isinstance(node, ast.Constant):
        write = hex if code.text(node).lower().startswith("0x") else str
        yield from ((node, code.fit(node, write(number + step))) for step in (1, -1))


def _constant_changed(node: Node, code: SourceCode) -> Iterator[Edit]:
    number = _number(node)
    if isinstance(number, float):
        for factor in (1.25, 0.8) if number else (1.0,):
            yield node, repr(float(f"{number * factor:.12g}")) if number else repr(factor)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node, repr(_other_text(node.value))
    elif isinstance(node, ast.Constant) and isinstance(node.value, bytes):
        yield node, repr(_other_text(node.value.decode("latin1")).encode("latin1"))


def _other_text(text: str) -> str:
    """The text with another last character, of the same kind, so that lengths and patterns stay."""
    last = text[-1:]
    other = "0" if last.isdigit() and last != "0" else "1" if last == "0" else "x" if last != "x" else "y"
    return text[:-1] + other


def _drop_element(node: Node, code: SourceCode) -> Iterator[Edit]:
    if not isinstance(node, ast.Tuple | ast.List | ast.Set) or not node.elts:
        return
    if isinstance(getattr(node, "ctx", None), ast.Store | ast.Del) or code.span(node)[0] == code.span(node.elts[0])[0]:
        return  # a target, or a tuple without brackets: what follows takes it apart, any test sees that
    for dropped in node.elts:
        kept = [code.text(element) for element in node.elts if element is not dropped]
        yield node, _display(node, kept)


def _display(node: ast.Tuple | ast.List | ast.Set, kept: list[str]) -> str:
    if isinstance(node, ast.Tuple):
        return f"({kept[0]},)" if len(kept) == 1 else f"({', '.join(kept)})"
    if isinstance(node, ast.List):
        return f"[{', '.join(kept)}]"
    return f"{{{', '.join(kept)}}}" if kept else "set()"


def _drop_keyword(node: Node, code: SourceCode) -> Iterator[Edit]:
    if isinstance(node, ast.Call):
        for dropped in node.keywords:
            if dropped.arg is not None:
                yield node, _call(node, dropped, code)


def _call(node: ast.Call, dropped: ast.keyword, code: SourceCode) -> str:
    given = [code.text(argument) for argument in node.args]
    for keyword in node.keywords:
        if keyword is not dropped:
            given.append((f"{keyword.arg}=" if keyword.arg else "**") + code.text(keyword.value))
    return f"{code.operand(node.func)}({', '.join(given)})"


def _drop_call(node: Node, code: SourceCode) -> Iterator[Edit]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await):
        yield node, "pass"


def _drop_statement(node: Node, code: SourceCode) -> Iterator[Edit]:
    if isinstance(node, ast.AugAssign | ast.Delete) or (isinstance(node, ast.Assign) and _again(node, code)):
        yield node, "pass"


def _again(node: ast.Assign, code: SourceCode) -> bool:
    """Whether the target has a value before, as far as its function shows: else any test sees the NameError."""
    inside: ast.AST | None = node
    while inside is not None and not isinstance(inside, ast.FunctionDef | ast.AsyncFunctionDef):
        inside = code.parent(inside)
    if inside is None or inside.name == "__init__":
        return False
    given = inside.args
    bound = {argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)}
    for other in ast.walk(inside):
        if isinstance(other, ast.Name) and isinstance(other.ctx, ast.Store) and other.lineno < node.lineno:
            bound.add(other.id)
    return all(
        isinstance(target, ast.Attribute | ast.Subscript) or (isinstance(target, ast.Name) and target.id in bound)
        for target in node.targets
    )


def _drop_method(node: Node, code: SourceCode) -> Iterator[Edit]:
    if not isinstance(node, ast.Call):
        return
    if called(node) in _UNWRAPPED and node.args and not isinstance(node.args[0], ast.Starred):
        yield node, code.fit(node, code.text(node.args[0]))
    elif isinstance(node.func, ast.Attribute) and node.func.attr in _UNWRAPPED_METHODS:
        yield node, code.fit(node, code.text(node.func.value))


def _flip_flag(node: Node, code: SourceCode) -> Iterator[Edit]:
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield node, str(not node.value)


def _return_constant(node: Node, code: SourceCode) -> Iterator[Edit]:
    if not isinstance(node, ast.Return) or node.value is None or isinstance(node.value, ast.Constant):
        return
    inside: ast.AST | None = node
    while inside is not None and not isinstance(inside, ast.FunctionDef | ast.AsyncFunctionDef):
        inside = code.parent(inside)
    kind = code.text(inside.returns).split("[")[0] if inside is not None and inside.returns is not None else ""
    for value in _EMPTY.get(kind, ("None",)):
        if value != code.text(node.value):
            yield node.value, value


def _arithmetic(node: Node, code: SourceCode) -> Iterator[Edit]:
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        if not any(is_text(side) or isinstance(side, ast.JoinedStr) for side in (node.left, node.right)):
            yield _other_operator(node, node.left, node.right, _ARITHMETIC[type(node.op)], code)
    elif isinstance(node, ast.AugAssign) and type(node.op) in _ARITHMETIC and not is_text(node.value):
        pattern, new = _ARITHMETIC[type(node.op)]
        yield _other_operator(node, node.target, node.value, (f"{pattern}=", f"{new}="), code)


def _swap_calls(node: Node, code: SourceCode) -> Iterator[Edit]:
    if isinstance(node, ast.Call) and called(node) in _SWAPPED_CALLS:
        yield node, _SWAPPED_CALLS[called(node)] + code.text(node)[len(called(node)) :]


def _drop_flag(node: Node, code: SourceCode) -> Iterator[Edit]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        yield from ((node, code.fit(node, code.text(side))) for side in (node.left, node.right))


OPERATORS: dict[str, Callable[[Node, SourceCode], Iterator[Edit]]] = {
    "drop raise": _drop_raise,
    "drop guard": _drop_guard,
    "guard always": _guard_always,
    "drop condition": _drop_condition,
    "swap and/or": _swap_and_or,
    "drop not": _drop_not,
    "boundary": _boundary,
    "swap comparison": _swap_comparison,
    "drop bound": _drop_bound,
    "constant +-1": _constant_by_one,
    "constant changed": _constant_changed,
    "drop element": _drop_element,
    "drop keyword": _drop_keyword,
    "drop call": _drop_call,
    "drop statement": _drop_statement,
    "drop method": _drop_method,
    "flip flag": _flip_flag,
    "return constant": _return_constant,
    "arithmetic": _arithmetic,
    "swap min/max any/all": _swap_calls,
    "drop flag": _drop_flag,
}
