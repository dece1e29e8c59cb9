"""The models' manifest: a typed value, or a sentence that names the file."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.paths import ARTIFACTS
from wire.errors import ArtifactError
from wire.manifest import MANIFEST, MAX_MANIFEST_BYTES, operating_point, parse

SHIPPED = (ARTIFACTS / MANIFEST).read_bytes()


def test_the_shipped_manifest_has_two_operating_points() -> None:
    manifest = parse(SHIPPED, "here")
    fast, far = operating_point(manifest, "fast"), operating_point(manifest, "far")
    assert (fast, far) == (manifest.detector.operating_points.fast, manifest.detector.operating_points.far)
    assert fast.input < far.input


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 1},
        {"detector": {"file": "../../etc/passwd"}},
        {"detector": {"sha256": "short"}},
        {"detector": {"operating_points": {"fast": {"input": [576, 1024], "score_low": 2.0, "score_high": 0.5}}}},
        {"classifier": {"temperature": 0}},
    ],
)
def test_a_manifest_that_is_not_what_it_must_be_is_refused(change: dict[str, Any]) -> None:
    manifest = json.loads(SHIPPED)
    for key, value in change.items():
        manifest[key] = {**manifest[key], **value} if isinstance(value, dict) else value
    with pytest.raises(ArtifactError, match=r"manifest over there is not valid") as caught:
        parse(json.dumps(manifest).encode(), "over there")
    assert caught.value.exit_status == 2


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", SHIPPED + b"x", b" " * MAX_MANIFEST_BYTES + SHIPPED])
def test_bytes_that_are_no_manifest_are_refused(content: bytes) -> None:
    with pytest.raises(ArtifactError, match="over there"):
        parse(content, "over there")
