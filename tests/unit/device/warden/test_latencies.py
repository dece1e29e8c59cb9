"""Samples of a run without end take no more room, and tell the same."""

from __future__ import annotations

import pytest

from device.warden.latencies import MOST_SAMPLES, Latencies
from device.warden.summary import percentiles


def test_few_samples_are_all_kept() -> None:
    kept = Latencies()
    kept.add("verdict", [2.0])
    kept.add("codes", [1.0, 3.0])
    kept.add("codes", [])
    assert kept.by_stage() == {"codes": [1.0, 3.0], "verdict": [2.0]}


def test_of_many_a_fair_sample_is_kept() -> None:
    kept = Latencies()
    for begin in range(0, 200_000, 500):
        kept.add("detect", [float(n) for n in range(begin, begin + 500)])
    (samples,) = kept.by_stage().values()
    assert len(samples) == MOST_SAMPLES
    told = percentiles(samples)
    assert told["p50"] == pytest.approx(100_000, rel=0.06)
    assert told["p95"] == pytest.approx(190_000, rel=0.03)
    assert told["p99"] == pytest.approx(198_000, rel=0.01)
