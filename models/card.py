"""Command line: `python -m models.card [--models DIR]`: writes the model card, README.md, beside the models.

The form is that of Mitchell et al., "Model Cards for Model Reporting", FAT* 2019. Every measured figure is
taken from the manifest, into which `models.ship` writes what `models.evaluate` and `models.clips` measure; the number of
held-out kinds is that of the code. A test holds the card and the manifest together.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import program
from models.errors import ModelsError
from models.pictures.foreign.kinds import KINDS
from models.release import shipped
from program.arguments import new_parser, place

_WEAKEST = 6


def summary(manifest: dict[str, Any]) -> str:
    """The lines of figures that the project's README shows."""
    read, found = manifest["metrics"]["classifier"], manifest["metrics"]["detector"]
    points = found["operating_points"]
    alone = points["far"]["detector_alone"]
    return (
        f"Classifier (int8): {_percent(read['accuracy'])} of {read['n']} crops of the GTSRB test, "
        f"{_percent(read['accuracy_reported'])} where refusing a sign counts as wrong. Signs in frames (int8, both "
        f"networks): mAP at IoU 0.5 {_three(points['far']['map50'])} (`far`; the detector alone {_three(alone['map50'])}), "
        f"{_three(points['fast']['map50'])} (`fast`; {_three(points['fast']['detector_alone']['map50'])}) on {found['frames']} "
        "held-out frames of GTSDB."
    )


def render(manifest: dict[str, Any]) -> str:
    """The whole card, in Markdown."""
    metrics = manifest["metrics"]
    parts = [
        _INTRODUCTION,
        _detector(manifest),
        _classifier(manifest),
        _together(metrics["end_to_end"], metrics["clips"]),
    ]
    found = metrics["detector"]
    small = f"{found['frames']} frames and {found['boxes']} boxes measure little"
    return "\n".join([*parts, _made_of(manifest), _LIMITS.replace("SMALL", small)])


def _detector(manifest: dict[str, Any]) -> str:
    entry, found = manifest["detector"], manifest["metrics"]["detector"]
    points = found["operating_points"]
    fast, far = points["fast"], points["far"]
    both = (fast, far)
    alone = (fast["detector_alone"], far["detector_alone"])
    columns = (*both, *alone)
    rows = [
        ("input, height x width", *(f"{p['input'][0]} x {p['input'][1]}" for p in both * 2)),
        (
            "multiply-adds a frame, billion",
            *(f"{p['gmac_per_frame']:.2f}" for p in both),
            *(f"{entry['operating_points'][p]['gmac']:.2f}" for p in ("fast", "far")),
        ),
        ("mAP at IoU 0.5 (COCO, 101 points)", *(_three_with_interval(p, "map50") for p in columns)),
        ("the same, unlabelled signs counted as false", *(_three(p["map50_nothing_ignored"]) for p in columns)),
        ("recall at 0.1 false boxes a frame", *(_with_interval(p, "recall_at_0_1_fp") for p in columns)),
    ]
    for name, count in far["boxes_by_width"].items():
        told = (_percent(p["recall_by_width"][name]) for p in columns)
        rows.append((f"... signs {name} px wide ({count})", *told))
    for name in ("score_low", "score_high"):
        told = (
            f"{p[f'at_{name}']['score']:.2f}: {_percent(p[f'at_{name}']['precision'])}, "
            f"{_percent(p[f'at_{name}']['recall'])}"
            for p in both
        )
        rows.append((f"`{name}`: precision, recall", *told, "", ""))
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    chosen = entry["chosen_for"]
    degraded = ", ".join(f"{name} {_three(value)}" for name, value in found["map50_degraded"].items())
    return f"""## Detection: where is a sign
`{entry["file"]}`, {entry["parameters"]:,} parameters, {round(entry["bytes"] / 1024)} KiB. Input N x 3 channels RGB (int8 = pixel - 128),
any height and width that are multiples of 32; outputs a heatmap of logits (stride {entry["stride"]}) and the distances to a sign's four
sides in input pixels, both float32. One class, `sign`.

It proposes; the classifier below looks at each proposal, refuses what is none of its classes, and lowers the score of what it
doubts (score = detector's score x (1 - probability of `not_a_sign`)). That is what the device reports, and the first two columns of figures;
the last two are the detector alone. Measured on {found["frames"]} frames of GTSDB with {found["boxes"]} boxes that no training saw and that
share no physical sign with the training frames, as far as the overlap list tells.

| figure | `fast` | `far` | detector alone, `fast` | detector alone, `far` |
|---|---|---|---|---|
{table}

The same frames, made worse by `models.pictures.augment` (mAP at `far`, both networks): {degraded}.

All thresholds were chosen on these same frames: `score_proposed` (the detector's own; {far["proposals_per_frame"]:.1f} proposals a frame at `far`) for
at most {chosen["proposals_per_frame"]} proposals a frame; `score_high`, from which on a box is surely a sign, for {chosen["false_boxes_per_frame"]} false boxes a frame;
`score_low`, down to which a track goes on, for a precision of {chosen["precision"]}, but not below {chosen["least_score"]}. GTSDB leaves signs outside the 43 classes, and some
within, without a box. {found["ignored_unlabelled"]} such signs in these frames were found by looking at each false box of an earlier network; they are
listed in `models/data/gtsdb_unlabelled.csv` and count neither way. In training, unlabelled signs are background, except where an
earlier classifier was at least 95 % sure of one of the 43: there nothing is learnt. Intervals are 95 %: Wilson's for fractions, a
bootstrap over frames for mAP.
"""


def _classifier(manifest: dict[str, Any]) -> str:
    entry, read = manifest["classifier"], manifest["metrics"]["classifier"]
    counts = read["per_class_crops"]
    weakest = sorted(read["per_class_recall"].items(), key=lambda item: item[1])[:_WEAKEST]
    told = ", ".join(f"{name} {_percent(value)} of {counts[name]}" for name, value in weakest)
    drawn = manifest["metrics"]["drawings"]
    held_out = sum(kind.held_out for kind in KINDS)
    kinds = ", ".join(f"{_three(value)} {name.replace('_', ' ')}" for name, value in read["auroc_by_kind"].items())
    return f"""## Classifier: which of the 43, or none
`{entry["file"]}`, {entry["parameters"]:,} parameters, {entry["gmac"] * 1000:.1f} million multiply-adds, {round(entry["bytes"] / 1024)} KiB. Input
1 x 48 x 48 x 3 (RGB, int8 = pixel - 128): the detector's box, {entry["crop_expand"]} times as wide and high. Output 44 logits: GTSRB
numbering, then `not_a_sign`; `temperature` {entry["temperature"]} makes probabilities of them. From {entry["not_a_sign"]} of `not_a_sign` on, a box is refused.

| figure | value |
|---|---|
| accuracy, int8, {read["n"]} crops of the GTSRB test | {_with_interval(read, "accuracy")} |
| the same, a refused sign counted as wrong, as on the device | {_with_interval(read, "accuracy_reported")} |
| accuracy before quantisation (`{entry["float_file"]}`) | {_percent(read["accuracy_float"])} |
| expected calibration error (15 bins) | {read["ece"]:.4f} |
| AUROC of `not_a_sign` | {_three(read["auroc_not_a_sign"])} ({kinds}) |
| real signs refused, others refused | {_percent(read["refused_signs"])}, {_percent(read["refused_others"])} |
| accuracy on {drawn["n"]} bent, relit, blurred drawings of `hardware.signs` | {_percent(drawn["accuracy"])} |
| weakest classes, recall | {told} |

"Others" are background of the held-out frames, and drawn signs of {held_out} kinds that no training saw. No photographs of foreign
signs were at hand: drawings of other kinds share pen and paper with those that were trained on, so expect less on the road.
"""


def _clips(figures: dict[str, float] | None) -> str:
    if not figures:
        return ""
    told = ", ".join(f"{video} {value:.3f}" for video, value in figures.items())
    return (
        "\nAfter tracking, in videos of motorways without a sign of the 43 (`python -m models.clips`), boxes a frame that end in a "
        f"verdict, all of them false; at most 0.01 are wanted: {told}.\n"
    )


def _together(figures: dict[str, Any], clips: dict[str, float] | None) -> str:
    confusions = [c for c in figures["confusions"] if c["critical"]]
    told = "; ".join(f"{c['truth']} -> {c['read_as']} ({c['count']})" for c in confusions) or "none"
    return f"""## Both together
On the {figures["boxes"]} held-out boxes that are not GTSRB crops as well, at `far` and `score_high`: precision
{_percent(figures["precision"])}, recall {_percent(figures["recall"])} of box and class. Stop, yield or no entry taken for anything else: {told}
("nothing" is a miss).
{_clips(clips)}"""


def _made_of(manifest: dict[str, Any]) -> str:
    plans, again = manifest["training"]["plans"], manifest["metrics"]["another_training"]
    told = "; ".join(_training(name, plan) for name, plan in plans.items())
    if again is None:
        repeated = "Another training from scratch was not measured."
    else:
        repeated = (
            f"Another training from scratch, with other seeds, gave {_percent(again['accuracy'])} of the test crops, and mAP "
            f"{_three(again['map50'])} with both networks ({_three(again['map50_detector_alone'])} the detector alone): on so few frames "
            "one box is a point, and the shipped detector is the best of three that were looked at on these very frames."
        )
    return f"""## Made of
GTSRB training crops (Stallkamp et al., 2011) and GTSDB frames 0 to 599 (Houben et al., 2013), less the tracks and frames in
`split.json`; drawings and roads of `hardware`; QR panels, plates and drawn signs of other kinds as what is none of the 43.
{told}. The detector is trained in two stages; the second looks at the first one's mistakes. Weather, light, blur, noise
and compression are added at random: `docs/pictures/augmentation.jpg`. What it was taught to refuse: `docs/pictures/other-signs.jpg`.
{repeated}

    python -m models.train detector --data GTSDB --crops GTSRB --detector models/artifacts --out OUT
    python -m models.train classifier --data GTSRB --scenes GTSDB --detector models/artifacts --out OUT
    python -m models.ship --checkpoints OUT --gtsrb GTSRB --gtsdb GTSDB
    python -m models.card && python -m models.sign sign --key KEY
    python -m models.evaluate --gtsrb GTSRB --gtsdb GTSDB --json figures.json
    python -m models.show errors --gtsrb GTSRB --gtsdb GTSDB --out errors.jpg

`manifest.json` holds the hashes of the tables and of all files of both data sets, the plans, the commit, the environment and all
figures; `model.sig` signs every file here in the OpenSSF model-signing format (docs/decisions/0013-signed-models.md).
Weights are not byte-reproducible: how a processor rounds depends on its kind and on the number of threads.
"""


def _training(name: str, plan: dict[str, Any]) -> str:
    taken = f", {plan['seconds'] / 60:.0f} minutes" if plan.get("seconds") else ""
    return f"{name}: {plan['steps_done']:,} steps of {plan['batch']}, seed {plan['seed']}{taken}"


def _percent(value: float | None) -> str:
    return "none" if value is None else f"{100 * value:.2f} %"


def _three(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _three_with_interval(figures: dict[str, Any], name: str) -> str:
    limits = figures[f"{name}_interval"]
    return _three(figures[name]) + (f" ({limits[0]:.3f} to {limits[1]:.3f})" if limits else "")


def _with_interval(figures: dict[str, Any], name: str) -> str:
    limits = figures[f"{name}_interval"]
    if figures[name] is None or limits is None:
        return "none"
    return f"{_percent(figures[name])} ({100 * limits[0]:.1f} to {100 * limits[1]:.1f})"


_INTRODUCTION = """# The shipped models
<!-- written by `python -m models.card` from manifest.json: change that, not this -->

Two int8 TFLite networks for road signs in the frames of a dashcam. They answer what a sign says where it has no code, and
witness against a code that does not fit it. They are no driver's assistance: nothing here was tested for that.
"""

_LIMITS = """## Limits and failures
![Rendered roads and drawn signs: false boxes, signs found least surely, signs read as another, other signs read as one of the
43](../../docs/pictures/failures.jpg)

- German signs of the 43 GTSRB classes. Others are mostly refused; one that looks like a class is read as it: above, signs in
  colours that no road has, a limit of width as "no overtaking", the end of another ban as an end of one that is known.
- The picture is of our own pictures (`python -m models.show failures`), since real frames may not be published with the code.
  `python -m models.show errors` draws the failures on real data, worst first. What they show: signs in deep shade or before a bright
  sky, an overexposed triangle without its red rim, and tail lamps of cars read as a speed limit; for the detector alone, also letters
  of shop signs, the backs of signs and signs outside the 43.
- Yellow diamonds of other countries, hazy or backlit, are near to "priority road": some looks at them are reported so, and tracking has to drop them.
- Daylight, dry, from a car. Dusk, rain and a low sun are in the training as augmentation, and were measured on frames made so by the
  same code, on no real one.
- Signs under 9 px in the detector's input are not reported; how many of less than 16 px in the frame are missed was not measured, as
  GTSDB has none. Stacked signs that touch are sometimes taken as one.
- SMALL: the intervals say how little. The same frames chose the thresholds and the input sizes.
- Nothing here withstands a sticker made to fool it: that is what the sign codes are for. A sticker that makes the classifier answer
  `not_a_sign` hides a sign that has no code.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the card; returns the exit status."""
    return program.run("python -m models.card", lambda: _work(arguments))


def _work(arguments: Sequence[str] | None = None) -> int | None:
    parser = new_parser(prog="python -m models.card", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", type=place, default=shipped.ARTIFACTS)
    folder = parser.parse_args(arguments).models
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text())
        card, told = render(manifest), summary(manifest)
    except (ValueError, KeyError, TypeError) as error:
        raise ModelsError(f"{path}: not one that models.ship wrote ({error!r})", shipped.SHIP) from None
    (folder / "README.md").write_text(card)
    print(told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
