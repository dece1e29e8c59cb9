"""The two networks, in PyTorch. Both take RGB 0..255 (N x 3 x H x W): the scaling is the first layer.

Only operations that TFLite runs in int8 are used (convolutions, ReLU, addition, average pooling, nearest upsampling),
but for the detector's last square, which stays in float.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Scale(nn.Module):  # type: ignore[misc]
    """Maps 0..255 to 0..2. It subtracts nothing, so that export can fold it into the next, padded convolution."""

    factor = 1 / 128

    def forward(self, image: Tensor) -> Tensor:
        return image * self.factor


def conv(
    inside: int, outside: int, size: int = 3, stride: int = 1, groups: int = 1, relu: bool = True
) -> nn.Sequential:
    """Convolution, batch normalisation and, unless it is a linear bottleneck, ReLU."""
    layers: list[nn.Module] = [
        nn.Conv2d(inside, outside, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outside),
    ]
    return nn.Sequential(*layers, *([nn.ReLU()] if relu else []))


class Residual(nn.Module):  # type: ignore[misc]
    """Adds a block's output to its input."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, features: Tensor) -> Tensor:
        return features + self.block(features)


def inverted(inside: int, outside: int, expand: int, stride: int = 1) -> nn.Module:
    """Inverted residual (Sandler et al., MobileNetV2, CVPR 2018)."""
    middle = inside * expand
    block = nn.Sequential(
        conv(inside, middle, 1),
        conv(middle, middle, 3, stride, groups=middle),
        conv(middle, outside, 1, relu=False),
    )
    return Residual(block) if stride == 1 and inside == outside else block


class ClassifierNet(nn.Module):  # type: ignore[misc]
    """48 x 48 crop -> 44 logits, the last of them for `not_a_sign`; 0.24 million parameters, 19.6 million
    multiply-adds."""

    def __init__(self, classes: int = 44) -> None:
        super().__init__()
        self.features = nn.Sequential(
            Scale(),
            conv(3, 16),
            conv(16, 32, stride=2),
            Residual(conv(32, 32)),
            conv(32, 64, stride=2),
            inverted(64, 64, 2),
            conv(64, 104, stride=2),
            inverted(104, 104, 2),
            inverted(104, 104, 2),
            nn.AvgPool2d(2),
        )
        self.drop = nn.Dropout(0.2)
        self.head = nn.Conv2d(104, classes, 3)

    def forward(self, image: Tensor) -> Tensor:
        return torch.flatten(self.head(self.drop(self.features(image))), 1)


class DetectorNet(nn.Module):  # type: ignore[misc]
    """Frame -> heatmap logits (N x 1 x H/8 x W/8) and distances to the four sides (N x 4 x H/8 x W/8, input pixels).

    Anchor-free, one class, one scale of output (after Zhou et al., "Objects as Points", 2019, and FCOS, ICCV 2019),
    with a three-level feature pyramid. The distances are the square of what the last layer says: eight bits then
    resolve 0.2 pixel for a sign of 12 pixels and still reach a sign of 300.

    Each stage begins with a full convolution (as the fused blocks of EfficientNetV2, ICML 2021): it trains three times
    as fast as an expanded depthwise one at the same number of multiply-adds. `kind` says which class a sign is, in
    training only: knowing what signs show keeps it from taking anything red and round for a sign.
    """

    def __init__(self, classes: int = 43) -> None:
        super().__init__()
        width = 48
        self.stem = nn.Sequential(Scale(), conv(3, 16, stride=2), conv(16, 24, stride=2))
        self.stride8 = nn.Sequential(conv(24, 48, stride=2), inverted(48, 48, 2))
        self.stride16 = nn.Sequential(conv(48, 80, stride=2), inverted(80, 80, 2), inverted(80, 80, 2))
        self.stride32 = nn.Sequential(conv(80, 112, stride=2), inverted(112, 112, 2), inverted(112, 112, 2))
        self.lateral8 = conv(48, width, 1, relu=False)
        self.lateral16 = conv(80, width, 1, relu=False)
        self.lateral32 = conv(112, width, 1, relu=False)
        self.mix16 = nn.Sequential(nn.ReLU(), conv(width, width, 3, groups=width), conv(width, width, 1, relu=False))
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.neck = nn.Sequential(nn.ReLU(), inverted(width, width, 2))
        self.tower = nn.Sequential(conv(width, width, 3, groups=width), conv(width, width, 1))
        self.heat = nn.Conv2d(width, 1, 1)
        self.side = nn.Sequential(nn.Conv2d(width, 4, 1), nn.ReLU())
        self.kind = nn.Conv2d(width, classes, 1)
        nn.init.constant_(self.heat.bias, -4.6)  # p = 0.01 at first, as Lin et al., "Focal loss", ICCV 2017
        nn.init.constant_(self.side[0].bias, 3.0)

    def features(self, image: Tensor) -> Tensor:
        """The input of all heads: N x 48 x H/8 x W/8."""
        fine = self.stride8(self.stem(image))
        middle = self.stride16(fine)
        coarse = self.lateral32(self.stride32(middle))
        merged = self.mix16(self.lateral16(middle) + self.up(coarse))
        seen: Tensor = self.tower(self.neck(self.lateral8(fine) + self.up(merged)))
        return seen

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.features(image)
        root = self.side(seen)
        return self.heat(seen), root * root

    def with_kind(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `forward`, and the class logits (N x 43 x H/8 x W/8) that only training uses."""
        seen = self.features(image)
        root = self.side(seen)
        return self.heat(seen), root * root, self.kind(seen)


def parameters(network: nn.Module) -> int:
    """Number of parameters that are shipped."""
    left_out = {id(weights) for weights in network.kind.parameters()} if isinstance(network, DetectorNet) else set()
    return sum(int(weights.numel()) for weights in network.parameters() if id(weights) not in left_out)
