"""The configuration's table: every key, from its type in `device/config.py`."""

from __future__ import annotations

from typing import Any

from msgspec import inspect

from device.cli.reference import markdown
from device.config import Config

_HEAD = ("section", "key", "default", "unit, range", "environment", "what it does")


def table() -> str:
    """A row for each key, in the order of the code."""
    rows: list[tuple[str, ...]] = []
    for section in _fields(Config):
        for number, key in enumerate(_fields(section.type.cls)):
            kind = key.type
            rows.append(
                (
                    f"`[{section.name}]`" if number == 0 else "",
                    f"`{key.name}`",
                    _value(key.default),
                    _range(kind.type, (kind.extra or {}).get("unit", "")),
                    f"`SEALCAM_{section.name}_{key.name}`".upper(),
                    kind.extra_json_schema["description"],
                )
            )
    return markdown.table(_HEAD, rows)


def _fields(kind: type[Any]) -> tuple[Any, ...]:
    described: Any = inspect.type_info(kind)
    return tuple(described.fields)


def _value(value: object) -> str:
    if value == "":
        return "empty"
    return f"`{value}`" if isinstance(value, str) else str(value)


def _range(kind: Any, unit: str) -> str:
    """The unit, and what values the type takes. A pattern is told by the unit: it is no reading for people."""
    match kind:
        case inspect.LiteralType(values=values):
            bounds = markdown.code(str(value) for value in values)
        case inspect.IntType() | inspect.FloatType():
            low = f"above {kind.gt:g}, " if kind.gt is not None else f"{kind.ge:g} "
            bounds = f"{low}to {kind.le:g}"
        case _:
            bounds = ""
    return ", ".join(part for part in (unit, bounds) if part)
