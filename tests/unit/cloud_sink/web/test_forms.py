"""The page takes one small form, and nothing that only looks like it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from cloud_sink.web import forms
from cloud_sink.web.forms import MAX_FORM_BYTES, form_fields

FORM = "application/x-www-form-urlencoded"


def fields(*parts: bytes, kind: str = FORM) -> dict[str, str]:
    left = list(parts)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-type", kind.encode())]}
    return asyncio.run(form_fields(Request(scope, receive), ("a", "b")))


@pytest.mark.parametrize(("comes", "status"), [("half of it, and its sender goes", 400), ("half of it", 408)])
def test_a_form_that_does_not_come_whole_is_given_up(comes: str, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "FORM_WITHIN_S", 0.01)
    sent = iter([{"type": "http.request", "body": b"a=1&", "more_body": True}])

    async def receive() -> dict[str, Any]:
        part = next(sent, None)
        if part is not None:
            return part
        if comes.endswith("goes"):
            return {"type": "http.disconnect"}
        await asyncio.Event().wait()
        return {}

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-type", FORM.encode())]}
    with pytest.raises(HTTPException) as refused:
        asyncio.run(form_fields(Request(scope, receive), ("a", "b")))
    assert refused.value.status_code == status


def test_a_form_is_its_fields() -> None:
    assert fields(b"a=1&b=x%20y") == {"a": "1", "b": "x y"}
    assert fields(b"b=&a", b"=%2F") == {"a": "/", "b": ""}
    assert fields(b"a=1&b=2", kind=f"{FORM}; charset=utf-8") == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"a=1",
        b"a=1&b=2&c=3",
        b"a=1&a=2",
        b"a=1&b=2&b=3",
        b"a=1&c=2",
        b"a&b",
        b"a=1;b=2",
        b"\xff=1&b=2",
        b"a=%ff&b=2",
    ],
)
def test_other_fields_twice_or_not_in_text_are_refused(body: bytes) -> None:
    with pytest.raises(HTTPException) as refused:
        fields(body)
    assert refused.value.status_code == 400


@pytest.mark.parametrize("kind", ["", "text/plain", "application/json", "multipart/form-data; boundary=x"])
def test_another_kind_of_body_is_refused(kind: str) -> None:
    with pytest.raises(HTTPException) as refused:
        fields(b"a=1&b=2", kind=kind)
    assert refused.value.status_code == 415


def test_a_body_without_end_is_given_up_at_its_bound() -> None:
    part = b"x" * (MAX_FORM_BYTES // 2)
    with pytest.raises(HTTPException) as refused:
        fields(part, part, b"x", *([part] * 1000))
    assert refused.value.status_code == 413
