"""Bounded records in CBOR: a table of fields is the format, and the same table writes it and reads it.

A record is a CBOR array of its fields in the table's order. Numbers with a fraction travel as whole steps, so that
every value has one encoding, and a NaN has none. Reading is strict: exact types, exact lengths, every bound checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from wire.cbor import Value
from wire.errors import IssueError, MalformedError


class Kind(Protocol):
    """How one field travels. `write` raises IssueError, `read` raises MalformedError."""

    def write(self, value: Any) -> Value:
        """The CBOR value of a field."""

    def read(self, value: Value) -> Any:
        """The field of a hostile CBOR value."""


@dataclass(frozen=True)
class Integer:
    """An integer within bounds."""

    lowest: int
    highest: int

    def write(self, value: int) -> Value:
        """The integer itself."""
        if type(value) is not int or not self.lowest <= value <= self.highest:
            raise IssueError("an integer is out of range")
        return value

    def read(self, value: Value) -> int:
        """The integer itself."""
        if type(value) is not int or not self.lowest <= value <= self.highest:
            raise MalformedError("integer_out_of_range")
        return value


@dataclass(frozen=True)
class Steps:
    """A number within bounds, kept to one part in `per_unit`."""

    lowest: float
    highest: float
    per_unit: int

    def write(self, value: float) -> Value:
        """The whole number of steps."""
        if not self.lowest <= value <= self.highest:  # NaN is not
            raise IssueError("a number is out of range")
        return round(value * self.per_unit)

    def read(self, value: Value) -> float:
        """The number that the steps make."""
        if type(value) is not int or not self.lowest * self.per_unit <= value <= self.highest * self.per_unit:
            raise MalformedError("number_out_of_range")
        return value / self.per_unit


@dataclass(frozen=True)
class Word:
    """One word of a fixed vocabulary."""

    words: tuple[str, ...]

    def write(self, value: str) -> Value:
        """The word itself."""
        if value not in self.words:
            raise IssueError("a word is not in the vocabulary")
        return value

    def read(self, value: Value) -> str:
        """The word itself, from our own table."""
        for word in self.words:
            if word == value:
                return word
        raise MalformedError("unknown_word")


@dataclass(frozen=True)
class Text:
    """A short text that a pattern matches from end to end."""

    pattern: re.Pattern[str]

    def write(self, value: str) -> Value:
        """The text itself."""
        if self.pattern.fullmatch(value) is None:
            raise IssueError("a text does not match its pattern")
        return value

    def read(self, value: Value) -> str:
        """The text itself."""
        if not isinstance(value, str) or self.pattern.fullmatch(value) is None:
            raise MalformedError("bad_text")
        return value


@dataclass(frozen=True)
class Octets:
    """A byte string within length bounds."""

    shortest: int
    longest: int

    def write(self, value: bytes) -> Value:
        """The bytes themselves."""
        if not self.shortest <= len(value) <= self.longest:
            raise IssueError("a byte string is too short or too long")
        return value

    def read(self, value: Value) -> bytes:
        """The bytes themselves."""
        if not isinstance(value, bytes) or not self.shortest <= len(value) <= self.longest:
            raise MalformedError("bad_bytes")
        return value


@dataclass(frozen=True)
class OrNone:
    """Another kind, or null."""

    kind: Kind

    def write(self, value: Any) -> Value:
        """Null for None."""
        return None if value is None else self.kind.write(value)

    def read(self, value: Value) -> Any:
        """None for null."""
        return None if value is None else self.kind.read(value)


@dataclass(frozen=True)
class Several:
    """A tuple of one kind, at most `longest` of them."""

    kind: Kind
    longest: int

    def write(self, value: tuple[Any, ...]) -> Value:
        """An array."""
        if len(value) > self.longest:
            raise IssueError("a list is too long")
        return [self.kind.write(item) for item in value]

    def read(self, value: Value) -> tuple[Any, ...]:
        """A tuple of what the array holds."""
        if not isinstance(value, list) or len(value) > self.longest:
            raise MalformedError("bad_list")
        return tuple(self.kind.read(item) for item in value)


@dataclass(frozen=True)
class Record:
    """A dataclass, field by field, in the order of the table."""

    make: Callable[..., Any]
    fields: tuple[tuple[str, Kind], ...]

    def write(self, value: Any) -> list[Value]:
        """An array of the fields. Raises IssueError naming the field."""
        written: list[Value] = []
        for name, kind in self.fields:
            try:
                written.append(kind.write(getattr(value, name)))
            except IssueError as error:
                raise IssueError(f"{name}: {error}") from None
        return written

    def read(self, value: Value) -> Any:
        """The dataclass that the array holds."""
        if not isinstance(value, list) or len(value) != len(self.fields):
            raise MalformedError("bad_record")
        return self.make(**{name: kind.read(item) for (name, kind), item in zip(self.fields, value, strict=True)})
