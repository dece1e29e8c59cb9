"""Deterministic CBOR (RFC 8949 section 4.2.1), and the only bounded way in for bytes that another party wrote.

Only integers of 64 bits, byte and text strings, arrays, maps with integer or text keys, and, where asked for, booleans
and null exist here. No floats: so no NaN, and no second spelling of a number. No tags: cbor2 would build regular
expressions, dates and big numbers out of them. No indefinite lengths. `decode` walks the heads first, in constant
stack and in time linear in the input, and gives cbor2 only bytes that passed; the value must encode to them again.
"""

from __future__ import annotations

from typing import TypeAlias

import cbor2

from wire.errors import MalformedError

Value: TypeAlias = int | str | bytes | list["Value"] | dict[int | str, "Value"] | None

MAX_MAP_PAIRS = 64

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_KEY_TYPES = (_UNSIGNED, _NEGATIVE, _TEXT)
_FALSE_TRUE_NULL = (20, 21, 22)


def encode(value: object) -> bytes:
    """Encode deterministically. Raises `cbor2.CBOREncodeError` on a type that has no encoding (our own bug)."""
    return cbor2.dumps(value, canonical=True)


def decode(data: bytes, *, max_bytes: int, max_depth: int = 4, simple: bool = False) -> Value:
    """Decode hostile bytes.

    Args:
        data: exactly one CBOR item.
        max_bytes: above this size the bytes are refused unread.
        max_depth: how many containers may be nested in each other, at most 16.
        simple: whether false, true and null are expected. Where they are not, `case int(x)` need not fear `True`.

    Raises:
        MalformedError: `data` is not one deterministic item within these bounds.
    """
    if len(data) > max_bytes:
        raise MalformedError("oversized")
    _walk(data, max_depth, simple)
    try:
        value: Value = cbor2.loads(data, max_depth=16, allow_indefinite=False, allow_duplicate_keys=False)
    except (cbor2.CBORDecodeError, UnicodeDecodeError):
        raise MalformedError("bad_cbor") from None
    if encode(value) != data:
        raise MalformedError("not_deterministic")
    return value


def _walk(data: bytes, max_depth: int, simple: bool) -> None:
    """Check each item's head: types, lengths within what is left, nesting, nothing after the end."""
    at = 0
    left = [1]  # items still due, per open container
    in_map = [False]
    while left:
        if left[-1] == 0:
            left.pop()
            in_map.pop()
            continue
        major, argument, at = _head(data, at)
        if in_map[-1] and left[-1] % 2 == 0 and major not in _KEY_TYPES:
            raise MalformedError("bad_map_key")
        left[-1] -= 1
        if major in (_BYTES, _TEXT):
            at += argument
        elif major in (_ARRAY, _MAP):
            if len(left) > max_depth:
                raise MalformedError("too_deep")
            if major == _MAP and argument > MAX_MAP_PAIRS:
                raise MalformedError("map_too_large")
            left.append(argument * 2 if major == _MAP else argument)
            in_map.append(major == _MAP)
        elif major == _TAG:
            raise MalformedError("tag")
        elif major == _SIMPLE and not (simple and argument in _FALSE_TRUE_NULL):
            raise MalformedError("float_or_simple")
        if at + sum(left) > len(data):  # each item that is still due takes a byte at least
            raise MalformedError("truncated")
    if at != len(data):
        raise MalformedError("trailing_bytes")


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """The major type and the argument of the item at `at`, and where its content begins."""
    if at >= len(data):
        raise MalformedError("truncated")
    major, information = data[at] >> 5, data[at] & 31
    at += 1
    if information < 24:
        return major, information, at
    if information > 27:
        raise MalformedError("indefinite_or_reserved_length")
    if major == _SIMPLE:
        raise MalformedError("float_or_simple")
    size = 1 << (information - 24)
    if at + size > len(data):
        raise MalformedError("truncated")
    return major, int.from_bytes(data[at : at + size], "big"), at + size
