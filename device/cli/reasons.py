"""What a run says on the screen of the reasons of its verdicts, where the user can do something about them."""

from __future__ import annotations

from collections.abc import Mapping


def verdict_notes(reasons: Mapping[str, int]) -> list[str]:
    """The lines for how many verdicts give each reason, none where nothing is to be said."""
    notes = []
    unknown, unmeasured = reasons.get("code_key_unknown", 0), reasons.get("error_rate_unmeasured", 0)
    if unknown:
        codes, counts, were = (
            ("code names", "counts", "it was") if unknown == 1 else ("codes name", "count", "they were")
        )
        notes.append(
            f"{unknown} {codes} a road authority that this home does not trust, and {counts} as FORGED; if {were} "
            "signed by an authority of yours, use its home (SEALCAM_HOME), or put its public key into trust/authority"
        )
    if unmeasured:
        codes = "1 authentic code was" if unmeasured == 1 else f"{unmeasured} authentic codes were"
        notes.append(
            f"{codes} never large enough in the picture for damage to be told, and count as UNVERIFIED or SUSPECT: "
            "a code needs 2.5 pixels a module; take pictures with more pixels, a narrower view, or more a second"
        )
    return notes
