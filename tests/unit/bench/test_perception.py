"""What the comparison of networks counts, judges and prints. No time is measured here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from bench import budgets, graphs, macs, networks, perception, pipeline, tables
from bench.budgets import Budget
from bench.networks import BenchNetwork, TimedNetwork
from tests.support.paths import ARTIFACTS, ROOT
from wire.errors import ArtifactError

_FAST, _FAR, _CROP = (budget.what for budget in budgets.BUDGETS)
_SSD, _YOLO = (budget.of or "" for budget in budgets.BUDGETS[:2])


def _timed(name: str, threads: int, milliseconds: float) -> TimedNetwork:
    return TimedNetwork(BenchNetwork(name, b"x" * 2048, (576, 1024)), threads, [milliseconds] * 4, [milliseconds] * 4)


def _shown(*things: object) -> str:
    console = Console(width=200, record=True, quiet=False)
    with console.capture() as captured:
        console.print(*things, sep="\n")
    return captured.get()


@pytest.mark.parametrize(
    ("counted", "by_hand"),
    [
        (macs.convolution((24, 3, 3, 3), (1, 48, 48, 24)), 48 * 48 * 24 * 27),
        (macs.depthwise((1, 3, 3, 176), (1, 6, 6, 176)), 6 * 6 * 176 * 9),
        (macs.fully_connected((10, 64), (1, 10)), 640),
        (macs.product((2, 400, 32), (2, 400, 400)), 2 * 400 * 400 * 32),
    ],
)
def test_each_operation_costs_what_a_count_by_hand_says(counted: int, by_hand: int) -> None:
    assert counted == by_hand


def test_the_shipped_classifier_costs_what_its_layers_say() -> None:
    manifest = json.loads((ARTIFACTS / "manifest.json").read_bytes())["classifier"]
    cost = macs.count((ARTIFACTS / manifest["file"]).read_bytes())
    at48, at24, at12, at6, at3 = (side * side for side in (48, 24, 12, 6, 3))
    by_hand = (
        at48 * (3 * 9 * 16)
        + at24 * (16 * 9 * 32 + 32 * 9 * 32)
        + at12 * (32 * 9 * 64 + 64 * 128 + 128 * 9 + 128 * 64)
        + at6 * (64 * 9 * 104 + 2 * (104 * 208 + 208 * 9 + 208 * 104))
        + at3 * (104 * 44)
    )
    assert cost.macs == by_hand
    assert cost.parameters == pytest.approx(manifest["parameters"], rel=0.02)  # normalisation is folded in


def test_a_known_graph_is_counted_layer_by_layer() -> None:
    torch = pytest.importorskip("torch", reason="the train extra is not installed")
    pytest.importorskip("litert_torch", reason="the train extra is not installed")
    from bench.reference_graphs import to_float

    layers = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, 2, 1),
        torch.nn.ReLU(),
        torch.nn.Conv2d(8, 8, 3, 1, 1, groups=8),
        torch.nn.Conv2d(8, 5, 1),
    )
    content = to_float(torch.nn.Sequential(layers, torch.nn.Identity()).eval(), (32, 64))
    pixels = 16 * 32
    weights = (8 * 27 + 8) + (8 * 9 + 8) + (5 * 8 + 5)
    assert macs.count(content) == macs.Cost(pixels * (8 * 27 + 8 * 9 + 5 * 8), weights)
    assert macs.count(content, (64, 64)).macs == 2 * macs.count(content).macs


@pytest.mark.parametrize("reference", [r for r in graphs.REFERENCES if r.parameters], ids=lambda r: r.name)
def test_a_reference_has_the_size_that_its_publisher_states(reference: graphs.Reference) -> None:
    torch = pytest.importorskip("torch", reason="the train extra is not installed")
    pytest.importorskip("litert_torch", reason="the train extra is not installed")
    from bench.reference_graphs import network

    made, found = network(reference.name), []

    def count(layer: torch.nn.Module, _: object, output: torch.Tensor) -> None:
        found.append(output[0, 0].numel() * layer.weight.numel())

    for layer in made.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.register_forward_hook(count)
    with torch.no_grad():
        made(torch.zeros(1, 3, *reference.size))
    parameters = sum(weights.numel() for weights in made.parameters())
    assert parameters / 1e6 == pytest.approx(reference.parameters, rel=0.002)
    assert sum(found) / 1e6 == pytest.approx(reference.macs, rel=0.03)


def test_a_budget_is_a_ratio_at_equal_threads() -> None:
    judged = budgets.judge({(_FAST, 1): 8.0, (_SSD, 1): 10.0, (_FAST, 2): 9.0, (_SSD, 2): 6.0})
    assert [(entry.threads, round(entry.share, 2), entry.good) for entry in judged] == [(1, 0.8, True), (2, 1.5, False)]


def test_far_may_take_half_of_its_reference_and_no_more() -> None:
    assert [entry.good for entry in budgets.judge({(_FAR, 1): 10.0, (_YOLO, 1): 20.0})] == [True]
    assert [entry.good for entry in budgets.judge({(_FAR, 1): 10.1, (_YOLO, 1): 20.0})] == [False]


def test_what_other_programs_took_is_not_counted_at_one_thread() -> None:
    network = BenchNetwork(_FAST, b"", (576, 1024))
    assert TimedNetwork(network, 1, [80.0] * 3, [8.0] * 3).judged == 8.0
    assert TimedNetwork(network, 2, [80.0] * 3, [4.0] * 3).judged == 80.0


def test_a_crop_is_judged_at_one_thread_without_any_reference() -> None:
    assert [entry.good for entry in budgets.judge({(_CROP, 1): 0.4, (_CROP, 2): 0.6})] == [True]
    assert [entry.good for entry in budgets.judge({(_CROP, 1): 0.6})] == [False]


def test_without_the_reference_nothing_is_claimed_about_the_detector() -> None:
    assert budgets.judge({(_FAST, 1): 8.0, (_FAR, 1): 20.0}) == []


def test_every_budget_names_a_network_that_is_run() -> None:
    references = {
        f"{reference.title} {precision}" for reference in graphs.REFERENCES for precision in graphs.PRECISIONS
    }
    assert {budget.of for budget in budgets.BUDGETS if budget.of} <= references
    assert {budget.what for budget in budgets.BUDGETS} == {network.name for network in networks.ours(ARTIFACTS)}


def test_missing_reference_graphs_are_named_with_the_way_to_get_them(tmp_path: Path) -> None:
    lacking = graphs.missing(tmp_path)
    assert len(lacking) == len(graphs.REFERENCES) * len(graphs.PRECISIONS)
    said = graphs.how_to_get(lacking, tmp_path)
    assert "make bench-graphs" in said and str(tmp_path) in said
    makefile = (ROOT / "Makefile").read_text()
    assert "\nbench-graphs:" in makefile
    assert networks.references(tmp_path) == []


def test_each_operating_point_is_a_network_of_its_own() -> None:
    found = {network.name: network.size for network in networks.ours(ARTIFACTS)}
    assert set(found) == {_FAST, _FAR, _CROP}
    assert found[_FAST] < found[_FAR]


def test_taking_turns_runs_each_network_at_each_number_of_threads() -> None:
    (classifier,) = [network for network in networks.ours(ARTIFACTS) if network.crop_expand]
    timed = networks.take_turns([classifier], [1, 2], 2)
    assert [(entry.threads, len(entry.samples)) for entry in timed] == [(1, 6), (2, 6)]


def test_the_table_shows_times_size_and_verdict_of_each_network() -> None:
    timed = [_timed(_FAST, 1, 8.0), _timed(_SSD, 1, 10.0)]
    judged = budgets.judge({(entry.network.name, entry.threads): entry.judged for entry in timed})
    costs = {entry.network.name: macs.Cost(850_000_000, 328_000) for entry in timed}
    shown = _shown(tables.graphs(timed, costs, judged))
    (row,) = [line for line in shown.splitlines() if _FAST in line]
    for piece in ("1024x576", "850", "328", "8.00/8.00", "0.80x PASS"):
        assert piece in row


def test_a_second_thread_pays_where_it_gains_enough() -> None:
    timed = [_timed("large", 1, 20.0), _timed("large", 2, 12.0), _timed("small", 1, 1.0), _timed("small", 2, 1.1)]
    large, small = tables.threads(timed)
    assert large.endswith("pays") and small.endswith("no")


def test_a_copied_frame_is_over_the_budget() -> None:
    stages = dict.fromkeys(pipeline.STAGES, 1.0)
    kept = pipeline.Pipeline("fast", 1, stages, 4.0, 1.0, 0.4)
    copied = pipeline.Pipeline("far", 1, stages, 4.0, 1.0, 1.2)
    assert tables.verdicts([], [kept])[-1].startswith("PASS")
    assert tables.verdicts([], [kept, copied])[-1].startswith("OVER")
    assert "250" in _shown(tables.flows([kept]))


def test_a_budget_says_what_it_allows() -> None:
    assert Budget("a", 0.5, of="b").words() == "at most 0.5 of b"
    assert Budget("a", 0.5).words() == "at most 0.5 ms"


def test_the_pipeline_runs_on_frames_and_says_where_the_time_went() -> None:
    frames = [np.full((864, 1536, 3), value, np.uint8) for value in (60, 90, 120)]
    for flow in pipeline.measure(ARTIFACTS, frames, [1]):
        assert set(flow.stages) == set(pipeline.STAGES)
        assert flow.peak_frames < budgets.FRAME_COPIES


def test_the_benchs_readme_shows_the_recorded_figures() -> None:
    found = json.loads(tables.FIGURES.read_text())
    assert tables.BEGIN + tables.section(found) + tables.END in tables.README.read_text()


def test_a_budget_that_is_not_kept_is_shown_as_such() -> None:
    found = json.loads(tables.FIGURES.read_text())
    found["budgets"][0] |= {"share": 1.2, "good": False}
    told = tables.section(found)
    assert "1.20 OVER" in told
    assert "Not all budgets were kept." in told


def test_a_budget_that_nothing_was_measured_for_is_not_kept() -> None:
    assert [budget.what for budget in budgets.unjudged([])] == [_FAST, _FAR, _CROP]
    judged = budgets.judge({(_CROP, 1): 0.2})
    assert [budget.what for budget in budgets.unjudged(judged)] == [_FAST, _FAR]
    found = json.loads(tables.FIGURES.read_text()) | {"unjudged": [_FAST]}
    assert "Not all budgets were kept." in tables.section(found)


def test_the_classifiers_crops_come_on_top_of_the_detector() -> None:
    medians = {(_FAST, 1): 6.0, (_SSD, 1): 8.0, (_CROP, 1): 0.2}
    (whole,) = budgets.with_crops(medians, _CROP, {_FAST: 5.0, _FAR: 5.0})
    assert whole.share == pytest.approx(7.0 / 8.0)
    assert "and its crops, 1 thread(s): 0.88" in tables.with_crops([whole])[0]


def test_models_without_figures_are_named(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"metrics": {}}')
    with pytest.raises(ArtifactError, match="lacks the figures"):
        perception.crops_a_frame(tmp_path)


def test_models_that_are_not_there_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sys_argv = ["bench.perception", "--models", str(tmp_path)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", sys_argv)
        assert perception.main() == 2
    assert f"the models' manifest {tmp_path / 'manifest.json'} cannot be read" in capsys.readouterr().err
