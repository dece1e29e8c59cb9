"""What the screen says of reasons that the user can do something about."""

from __future__ import annotations

from device.cli.reasons import verdict_notes


def test_where_no_reason_is_the_users_nothing_is_said() -> None:
    assert verdict_notes({"code_expired": 3}) == []


def test_codes_that_were_too_small_for_their_damage_to_be_told_are_counted_with_what_helps() -> None:
    (one,), (two,) = verdict_notes({"error_rate_unmeasured": 1}), verdict_notes({"error_rate_unmeasured": 2})
    assert one.startswith("1 authentic code was never large enough") and "more pixels" in one
    assert two.startswith("2 authentic codes were")
