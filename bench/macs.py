"""Counts multiply-adds and parameters of a TFLite file, at the input size that it is run at.

Counted: convolutions, depthwise convolutions, fully connected layers and products of matrices. Not counted: additions,
activations, poolings, softmax, scalings. The figures are those that papers call MACs or multiply-adds (half of FLOPs).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ai_edge_litert.interpreter import Interpreter, OpResolverType

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Cost:
    """`macs` of one run, and `parameters`: weights and biases."""

    macs: int
    parameters: int


def convolution(kernel: Shape, output: Shape) -> int:
    """Kernel: outputs x height x width x inputs; output: N x height x width x channels."""
    return math.prod(output) * math.prod(kernel[1:])


def depthwise(kernel: Shape, output: Shape) -> int:
    """Kernel: 1 x height x width x channels; output: N x height x width x channels."""
    return math.prod(output) * kernel[1] * kernel[2]


def fully_connected(kernel: Shape, output: Shape) -> int:
    """Kernel: outputs x inputs; output: ... x outputs."""
    return math.prod(output) * kernel[1]


def product(first: Shape, output: Shape) -> int:
    """A product of matrices whose first factor is ... x rows x inner."""
    return math.prod(output) * first[-1]


_COUNTED: dict[str, tuple[int, Callable[[Shape, Shape], int]]] = {
    # the operation: which of its inputs says how much one output costs, and how
    "CONV_2D": (1, convolution),
    "DEPTHWISE_CONV_2D": (1, depthwise),
    "FULLY_CONNECTED": (1, fully_connected),
    "BATCH_MATMUL": (0, product),
}
_WITH_WEIGHTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def count(model: bytes, size: tuple[int, int] | None = None) -> Cost:
    """What one run of the model costs.

    Args:
        model: the `.tflite` bytes.
        size: height and width of the input, where not the model's own.
    """
    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES  # a delegate would hide its operations
    interpreter = Interpreter(model_content=model, experimental_op_resolver_type=plain)
    if size is not None:
        interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], [1, *size, 3])
    interpreter.allocate_tensors()
    shapes = {int(d["index"]): tuple(int(n) for n in d["shape"]) for d in interpreter.get_tensor_details()}
    macs, weights = 0, set[int]()
    for operation in _operations(interpreter):
        name = operation["op_name"]
        if name not in _COUNTED:
            continue
        which, cost = _COUNTED[name]
        macs += cost(shapes[int(operation["inputs"][which])], shapes[int(operation["outputs"][0])])
        if name in _WITH_WEIGHTS:
            weights.update(int(index) for index in operation["inputs"][1:] if index >= 0)
    return Cost(macs, sum(math.prod(shapes[index]) for index in weights))


def _operations(interpreter: Interpreter) -> list[dict[str, Any]]:
    operations: list[dict[str, Any]] = interpreter._get_ops_details()  # the package has no public way to ask
    return operations
