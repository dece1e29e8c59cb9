"""The two networks that ours are compared with, built from their published layer tables with random weights.

`python -m bench.reference_graphs` (needs the `train` extra) writes them as float32 and int8 TFLite files to
`build/bench/`, with the converter and the quantiser that our own networks go through. What a network costs depends on
its layers, not on its weights.

- SSD MobileNet v2 300: the samples `ssd_mobilenet_v2_coco.config` and `ssd_mobilenet_v2_quantized_300x300_coco.config`
  of TensorFlow's object detection API; the backbone is table 2 of Sandler et al., "MobileNetV2" (CVPR 2018), the rest
  Liu et al., "SSD" (ECCV 2016). The two configurations differ: the quantised one predicts boxes with 1 x 1 kernels,
  the other with 3 x 3 kernels, at more than twice the cost. Ours is held to the cheaper configuration.
  Left out: the decoding of boxes and the suppression of overlaps, on which the published graph spends time too.
- YOLO11n 640: `yolo11.yaml` of Ultralytics, scale n (Jocher and Qiu, "Ultralytics YOLO11", 2024). Left out: the
  suppression of overlaps, and the last step from side distances to corners. Its softmax and the products of its
  attention stay float32 in the int8 file: quantised they leave the fast kernels, and the graph takes a fifth longer.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import litert_torch
import numpy as np
import torch
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import quantizer, recipe
from ai_edge_quantizer.qtyping import TFLOperationName
from ai_edge_quantizer.recipe import AlgorithmName
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

import program
from bench.graphs import CACHE, PRECISIONS, REFERENCES, Reference
from program.arguments import new_parser

_SEED = 11
_PICTURES = 2


def block(
    inside: int, outside: int, size: int = 1, stride: int = 1, groups: int = 1, act: nn.Module | None = None
) -> nn.Sequential:
    """Convolution, batch normalisation, and `act` (None: linear)."""
    layers: list[nn.Module] = [
        nn.Conv2d(inside, outside, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outside),
    ]
    return nn.Sequential(*layers, *([act] if act else []))


class ResidualBlock(nn.Module):  # type: ignore[misc]
    """Adds what its layers make of the input to the input."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


# --- SSD MobileNet v2 -------------------------------------------------------------------------------------------------

_MOBILENET_V2 = (  # table 2 of the paper: expansion, channels, repeats, first stride
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)  # fmt: skip
_EXTRA = (512, 256, 256, 128)
_ANCHORS = (3, 6, 6, 6, 6, 6)
_COCO_LABELS = 91


def _bottleneck(inside: int, outside: int, expansion: int, stride: int) -> list[nn.Module]:
    middle = inside * expansion
    expand = [block(inside, middle, act=nn.ReLU6())] if expansion > 1 else []
    return [*expand, block(middle, middle, 3, stride, middle, nn.ReLU6()), block(middle, outside)]


class SsdMobileNetV2(nn.Module):  # type: ignore[misc]
    """Boxes (N x 1917 x 4) and class logits (N x 1917 x 91) of the six maps 19, 10, 5, 3, 2 and 1.

    Args:
        kernel: of the box predictors: 1 in the quantised configuration, 3 in the other.
        separable: whether the four extra layers are depthwise separable: in the float configuration only.
    """

    def __init__(self, kernel: int = 1, separable: bool = False) -> None:
        super().__init__()
        body: list[nn.Module] = [block(3, 32, 3, 2, act=nn.ReLU6())]
        inside = 32
        self.fine_at = 0
        for expansion, outside, repeats, first in _MOBILENET_V2:
            for stride in (first, *[1] * (repeats - 1)):
                layers = _bottleneck(inside, outside, expansion, stride)
                if outside == 160 and stride == 2:  # block 13: the first map is its expansion, 19 x 19 x 576
                    self.fine_at = len(body)
                    body += [layers[0], nn.Sequential(*layers[1:])]
                else:
                    body.append(ResidualBlock(*layers) if stride == 1 and inside == outside else nn.Sequential(*layers))
                inside = outside
        self.body = nn.ModuleList([*body, block(320, 1280, act=nn.ReLU6())])
        self.extra = nn.ModuleList()
        inside = 1280
        for outside in _EXTRA:
            reduce = block(inside, outside // 2, act=nn.ReLU6())
            if separable:
                shrink = nn.Sequential(
                    block(outside // 2, outside // 2, 3, 2, outside // 2, nn.ReLU6()),
                    block(outside // 2, outside, act=nn.ReLU6()),
                )
            else:
                shrink = block(outside // 2, outside, 3, 2, act=nn.ReLU6())
            self.extra.append(nn.Sequential(reduce, shrink))
            inside = outside
        maps = list(zip((576, 1280, *_EXTRA), _ANCHORS, strict=True))
        self.boxes = nn.ModuleList(nn.Conv2d(c, n * 4, kernel, padding=kernel // 2) for c, n in maps)
        self.labels = nn.ModuleList(nn.Conv2d(c, n * _COCO_LABELS, kernel, padding=kernel // 2) for c, n in maps)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        maps, x = [], image
        for number, layer in enumerate(self.body):
            x = layer(x)
            if number == self.fine_at:
                maps.append(x)
        maps.append(x)
        for layer in self.extra:
            x = layer(x)
            maps.append(x)
        return _rows(self.boxes, maps, 4), _rows(self.labels, maps, _COCO_LABELS)


def _rows(heads: nn.ModuleList, maps: list[Tensor], width: int) -> Tensor:
    made = [head(x).permute(0, 2, 3, 1).reshape(len(x), -1, width) for head, x in zip(heads, maps, strict=True)]
    return torch.cat(made, dim=1)


# --- YOLO11n ----------------------------------------------------------------------------------------------------------

_COCO_CLASSES = 80
_SIDE_BINS = 16


def _silu(inside: int, outside: int, size: int = 1, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return block(inside, outside, size, stride, groups, nn.SiLU())


def _shortened(width: int, share: float = 0.5) -> ResidualBlock:
    middle = int(width * share)
    return ResidualBlock(_silu(width, middle, 3), _silu(middle, width, 3))


class C3k(nn.Module):  # type: ignore[misc]
    """Cross-stage partial block with two residual pairs of 3 x 3 convolutions."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        self.deep = nn.Sequential(_silu(width, half), _shortened(half, 1.0), _shortened(half, 1.0))
        self.past = _silu(width, half)
        self.join = _silu(2 * half, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.join(torch.cat([self.deep(x), self.past(x)], dim=1))


class C3k2(nn.Module):  # type: ignore[misc]
    """Splits the channels in two, takes one half further, joins all three."""

    def __init__(self, inside: int, outside: int, deep: bool, share: float = 0.5) -> None:
        super().__init__()
        self.half = int(outside * share)
        self.split = _silu(inside, 2 * self.half)
        self.further = C3k(self.half) if deep else _shortened(self.half)
        self.join = _silu(3 * self.half, outside)

    def forward(self, x: Tensor) -> Tensor:
        kept, taken = self.split(x).split(self.half, dim=1)
        return self.join(torch.cat([kept, taken, self.further(taken)], dim=1))


class Sppf(nn.Module):  # type: ignore[misc]
    """Three 5 x 5 maximum poolings in a row, joined."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.reduce = _silu(width, width // 2)
        self.join = _silu(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        seen = [self.reduce(x)]
        for _ in range(3):
            seen.append(functional.max_pool2d(seen[-1], 5, 1, 2))
        return self.join(torch.cat(seen, dim=1))


class Attention(nn.Module):  # type: ignore[misc]
    """Self-attention over all positions: heads of 64 channels with keys of 32, position from a depthwise 3 x 3."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads, self.key, self.value = width // 64, 32, 64
        self.ask = block(width, width + 2 * self.key * self.heads)
        self.place = block(width, width, 3, groups=width)
        self.out = block(width, width)

    def forward(self, x: Tensor) -> Tensor:
        n, width, high, wide = x.shape
        parts = self.ask(x).reshape(n, self.heads, 2 * self.key + self.value, high * wide)
        query, key, value = parts.split([self.key, self.key, self.value], dim=2)
        weights = ((query.transpose(2, 3) @ key) * self.key**-0.5).softmax(dim=-1)
        seen = (value @ weights.transpose(2, 3)).reshape(n, width, high, wide)
        return self.out(seen + self.place(value.reshape(n, width, high, wide)))


class C2psa(nn.Module):  # type: ignore[misc]
    """Attention and a feed-forward pair on half of the channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.half = width // 2
        self.split = _silu(width, width)
        self.attend = ResidualBlock(Attention(self.half))
        self.forth = ResidualBlock(_silu(self.half, width), block(width, self.half))
        self.join = _silu(width, width)

    def forward(self, x: Tensor) -> Tensor:
        kept, taken = self.split(x).split(self.half, dim=1)
        return self.join(torch.cat([kept, self.forth(self.attend(taken))], dim=1))


class YoloHead(nn.Module):  # type: ignore[misc]
    """Of one map: logits of the side distances' bins (N x 64 x positions) and of the classes (N x 80 x positions)."""

    def __init__(self, inside: int, side: int, label: int) -> None:
        super().__init__()
        self.sides = nn.Sequential(_silu(inside, side, 3), _silu(side, side, 3), nn.Conv2d(side, 4 * _SIDE_BINS, 1))
        self.labels = nn.Sequential(
            _silu(inside, inside, 3, groups=inside), _silu(inside, label),
            _silu(label, label, 3, groups=label), _silu(label, label),
            nn.Conv2d(label, _COCO_CLASSES, 1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.sides(x).flatten(2), self.labels(x).flatten(2)


class Yolo11n(nn.Module):  # type: ignore[misc]
    """Side distances (N x 4 x 8400, in cells) and class probabilities (N x 80 x 8400) of the strides 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        self.to4 = nn.Sequential(_silu(3, 16, 3, 2), _silu(16, 32, 3, 2), C3k2(32, 64, False, 0.25))
        self.to8 = nn.Sequential(_silu(64, 64, 3, 2), C3k2(64, 128, False, 0.25))
        self.to16 = nn.Sequential(_silu(128, 128, 3, 2), C3k2(128, 128, True))
        self.to32 = nn.Sequential(_silu(128, 256, 3, 2), C3k2(256, 256, True), Sppf(256), C2psa(256))
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.up16 = C3k2(256 + 128, 128, False)
        self.up8 = C3k2(128 + 128, 64, False)
        self.down16 = _silu(64, 64, 3, 2)
        self.mix16 = C3k2(64 + 128, 128, False)
        self.down32 = _silu(128, 128, 3, 2)
        self.mix32 = C3k2(128 + 256, 256, True)
        self.heads = nn.ModuleList(YoloHead(width, 64, 80) for width in (64, 128, 256))
        self.expect = nn.Conv2d(_SIDE_BINS, 1, 1, bias=False)
        self.expect.weight.data[:] = torch.arange(_SIDE_BINS, dtype=torch.float).reshape(1, _SIDE_BINS, 1, 1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        at8 = self.to8(self.to4(image))
        at16 = self.to16(at8)
        at32 = self.to32(at16)
        up16 = self.up16(torch.cat([self.up(at32), at16], dim=1))
        fine = self.up8(torch.cat([self.up(up16), at8], dim=1))
        middle = self.mix16(torch.cat([self.down16(fine), up16], dim=1))
        coarse = self.mix32(torch.cat([self.down32(middle), at32], dim=1))
        seen = [head(x) for head, x in zip(self.heads, (fine, middle, coarse), strict=True)]
        sides = torch.cat([side for side, _ in seen], dim=2)
        bins = sides.reshape(len(image), 4, _SIDE_BINS, -1).transpose(1, 2).softmax(dim=1)
        return self.expect(bins).reshape(len(image), 4, -1), torch.cat([label for _, label in seen], dim=2).sigmoid()


# --- Building ---------------------------------------------------------------------------------------------------------

BUILDERS: dict[str, Callable[[], nn.Module]] = {
    "ssd_mobilenet_v2_300": SsdMobileNetV2,
    "ssd_mobilenet_v2_300_k3": lambda: SsdMobileNetV2(kernel=3, separable=True),
    "yolo11n_640": Yolo11n,
}


def network(name: str) -> nn.Module:
    """The network of `BUILDERS` by that name, with the same random weights each time; takes RGB 0..255."""
    torch.manual_seed(_SEED)
    made = BUILDERS[name]()
    first = next(module for module in made.modules() if isinstance(module, nn.Conv2d))
    with torch.no_grad():
        first.weight.div_(255)
        _settle(made)
    return made.eval()


def _settle(made: nn.Module) -> None:
    """Sets the normalisations to what noise gives, so that no layer's values vanish, as with random weights."""
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    made.train()(torch.rand(_PICTURES, 3, 320, 320) * 255)


def to_float(made: nn.Module, size: tuple[int, int]) -> bytes:
    """A float32 TFLite model with the input 1 x height x width x 3, 0..255."""
    wrapped = litert_torch.to_channel_last_io(made, args=[0]).eval()
    model = litert_torch.convert(wrapped, (torch.rand(1, *size, 3) * 255,))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        model.export(str(path))
        return path.read_bytes()


def to_int8(model: bytes, pictures: NDArray[np.uint8]) -> bytes:
    """Quantised as our networks are (weights per channel, activations per tensor), but for softmax and attention."""
    ((signature, names),) = Interpreter(model_content=model).get_signature_list().items()
    samples = [{names["inputs"][0]: picture[None].astype(np.float32)} for picture in pictures]
    work = quantizer.Quantizer(bytearray(model), recipe.static_wi8_ai8())
    for operation in (TFLOperationName.SOFTMAX, TFLOperationName.BATCH_MATMUL):
        work.update_quantization_recipe(regex=".*", operation_name=operation, algorithm_key=AlgorithmName.NO_QUANTIZE)
    return bytes(work.quantize(work.calibrate({signature: samples}, num_threads=2)).quantized_model)


def build(reference: Reference, cache: Path = CACHE) -> None:
    """Writes the reference's files, each whole or not at all."""
    cache.mkdir(parents=True, exist_ok=True)
    pictures = np.random.default_rng(_SEED).integers(0, 256, (_PICTURES, *reference.size, 3), np.uint8)
    single = to_float(network(reference.name), reference.size)
    for precision, content in (("float32", single), ("int8", to_int8(single, pictures))):
        path = reference.path(precision, cache)
        unfinished = path.with_suffix(".part")
        unfinished.write_bytes(content)
        unfinished.replace(path)


def main() -> int:
    """Returns the exit status."""
    return program.run("python -m bench.reference_graphs", _work)


def _work() -> None:
    new_parser(prog="python -m bench.reference_graphs", description=(__doc__ or "").splitlines()[0]).parse_args()
    _build_missing()


def _build_missing() -> None:
    for reference in REFERENCES:
        if all(reference.path(precision).is_file() for precision in PRECISIONS):
            print(f"{reference.title}: there already")
            continue
        build(reference)
        print(f"{reference.title}: built", flush=True)


if __name__ == "__main__":
    sys.exit(main())
