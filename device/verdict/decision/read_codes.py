"""Whose authentic codes were read on panels, each by itself: what else hangs at a sign takes none of them away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from device.verdict.decision import code_evidence
from device.verdict.decision.code_evidence import CodeEvidence, SignatureCheck
from device.verdict.decision.table import Where
from device.verdict.state import PanelTrack
from device.verdict.tracking.expected_signs import Surroundings

_IN_PLACE: Final = (Where.FITS, Where.TWICE)


def sign_ids(panel: PanelTrack, check: SignatureCheck) -> frozenset[bytes]:
    """Whose authentic codes a panel shows."""
    checked = (check(payload.data) for payload in panel.payloads)
    return frozenset(code.claims.sign_id for code in checked if code.claims is not None)


def in_place(panels: Sequence[PanelTrack], check: SignatureCheck, surroundings: Surroundings) -> set[bytes]:
    """The signs whose authentic codes were read where they say that they hang: none of these is missing."""
    found = set()
    for panel in (panel for panel in panels if not panel.carried):
        pose, utc_ms = panel.sight.last_pose, panel.sight.utc_ms
        ahead = surroundings.ahead(pose, utc_ms)
        for checked in (check(payload.data) for payload in panel.payloads):
            one = CodeEvidence(checked.code, checked, panel=panel)
            if checked.claims is not None and code_evidence.where(one, pose, ahead, ()) in _IN_PLACE:
                found.add(checked.claims.sign_id)
    return found
