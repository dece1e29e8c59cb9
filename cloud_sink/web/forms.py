"""The one form that the page takes: a few short words, read with a bound. What is not such a form is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

MAX_FORM_BYTES = 1024
FORM_WITHIN_S = 10.0


async def form_fields(request: Request, names: Sequence[str]) -> dict[str, str]:
    """The fields of a form that has exactly these. Raises HTTPException (400, 408, 413, 415)."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise HTTPException(415, "only a form is taken here")
    try:
        body = await asyncio.wait_for(_body(request), FORM_WITHIN_S)
    except TimeoutError:
        raise HTTPException(408, "the form did not come in time") from None
    except ClientDisconnect:
        raise HTTPException(400, "the form did not come whole") from None
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=len(names),
        )
    except ValueError:
        pairs = []
    if sorted(name for name, _ in pairs) != sorted(names):
        raise HTTPException(400, "the form does not have the fields that it must have")
    return dict(pairs)


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM_BYTES:
            raise HTTPException(413, "the form is too long")
    return body
