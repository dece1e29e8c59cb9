"""A source file as bytes and as a tree, with the exact text of each node."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TypeGuard

_ATOMS = (
    *(ast.Name, ast.Constant, ast.Call, ast.Attribute, ast.Subscript, ast.List, ast.Set, ast.Dict),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.JoinedStr),
)
_OPEN = (ast.stmt, ast.keyword, ast.List, ast.Tuple, ast.Set, ast.Dict)  # no operator of these can take a part away


@dataclass
class SourceCode:
    """One file. Positions are byte offsets, as `ast` counts bytes of UTF-8."""

    source: bytes
    tree: ast.Module = field(init=False)

    def __post_init__(self) -> None:
        self.tree = ast.parse(self.source)
        self._starts = [0]
        for line in self.source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._parents = {id(child): node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Where the node begins and ends; brackets around an expression are not its own."""
        begin = self._starts[node.lineno - 1] + node.col_offset
        return begin, self._starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)

    def text(self, node: ast.expr | ast.stmt) -> str:
        """The node, byte for byte."""
        begin, end = self.span(node)
        return self.source[begin:end].decode()

    def between(self, left: ast.expr, right: ast.expr) -> tuple[int, int]:
        """Where the operator between two operands stands, with blanks and brackets around it."""
        return self.span(left)[1], self.span(right)[0]

    def operand(self, node: ast.expr) -> str:
        """The text of a node for use beside any operator."""
        return bracketed(self.text(node))

    def parent(self, node: ast.AST) -> ast.AST | None:
        """What the node is part of."""
        return self._parents.get(id(node))

    def fit(self, node: ast.expr, text: str) -> str:
        """`text` as a replacement of `node`: in brackets where the operators around it could take it apart."""
        parent = self.parent(node)
        argument = isinstance(parent, ast.Call) and parent.func is not node
        index = isinstance(parent, ast.Subscript) and parent.slice is node
        safe = argument or index or (isinstance(parent, _OPEN) and "\n" not in text)
        return text if safe else bracketed(text)


def bracketed(text: str) -> str:
    """The expression in brackets, unless it is an atom."""
    node = ast.parse(f"({text})", mode="eval").body
    whole = isinstance(node, ast.Tuple | ast.GeneratorExp) and text.startswith("(") and text.endswith(")")
    return text if whole or isinstance(node, _ATOMS) else f"({text})"


def called(node: ast.AST) -> str:
    """The dotted name that a call calls, or an empty string."""
    parts: list[str] = []
    inner = node.func if isinstance(node, ast.Call) else None
    while isinstance(inner, ast.Attribute):
        parts.append(inner.attr)
        inner = inner.value
    return ".".join([inner.id, *reversed(parts)]) if isinstance(inner, ast.Name) else ""


def is_text(node: ast.AST) -> TypeGuard[ast.Constant]:
    """Whether the node is a literal string or bytes."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
