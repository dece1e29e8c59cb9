"""The summary's percentiles."""

from __future__ import annotations

from device.warden.summary import percentiles


def test_percentiles_of_known_samples() -> None:
    assert percentiles([4.0]) == {"p50": 4.0, "p95": 4.0, "p99": 4.0}
    assert percentiles([float(n) for n in range(101)]) == {"p50": 50.0, "p95": 95.0, "p99": 99.0}
