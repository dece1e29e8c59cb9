"""From trained weights to int8 TFLite: fold, convert, calibrate, quantise, check the contract."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterable
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

from models.errors import ExportError
from models.release.resizable import resizable
from models.training.nets import ClassifierNet, DetectorNet, Scale

_CONVERTER = "install the converter's version of uv.lock"


class _Outputs(nn.Module):  # type: ignore[misc]
    """A network whose outputs are a flat tuple, as the converter wants them."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        result: Tensor | tuple[Tensor, Tensor] = self.network(image)
        return result


def folded(network: nn.Module) -> nn.Module:
    """A copy whose input scaling is part of the first convolution's weights: one operation less on the whole frame."""
    result = copy.deepcopy(network).eval()
    for block in [module for module in result.modules() if isinstance(module, nn.Sequential)]:
        if isinstance(block[0], Scale):
            with torch.no_grad():
                block[1][0].weight.mul_(Scale.factor)
            block[0] = nn.Identity()
    return result


def to_float_tflite(network: ClassifierNet | DetectorNet, size: tuple[int, int]) -> bytes:
    """Converts to a float TFLite model with the input 1 x height x width x 3, RGB, 0..255."""
    outputs = [0, 1] if isinstance(network, DetectorNet) else []
    wrapped = litert_torch.to_channel_last_io(_Outputs(folded(network)).eval(), args=[0], outputs=outputs).eval()
    model = litert_torch.convert(wrapped, (torch.rand(1, *size, 3) * 255,))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        model.export(str(path))
        return path.read_bytes()


def to_int8(model: bytes, images: Iterable[NDArray[np.uint8]], last_square_in_float: bool = False) -> bytes:
    """Quantises weights (per channel) and activations (per tensor) to int8, calibrated on images (height x width x 3).

    Args:
        last_square_in_float: leaves the detector's only multiplication, and the outputs, in float32.
    """
    interpreter = Interpreter(model_content=model)
    ((signature, names),) = interpreter.get_signature_list().items()
    argument = names["inputs"][0]
    samples = [{argument: _full_range(image[None].astype(np.float32))} for image in images]
    work = quantizer.Quantizer(bytearray(model), recipe.static_wi8_ai8())
    if last_square_in_float:
        for name in (TFLOperationName.MUL, TFLOperationName.OUTPUT):
            work.update_quantization_recipe(regex=".*", operation_name=name, algorithm_key=AlgorithmName.NO_QUANTIZE)
    result = work.quantize(work.calibrate({signature: samples}, num_threads=2))
    return resizable(bytes(result.quantized_model))


def _full_range(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """The picture with one black and one white pixel: the input's scale then is 1 and its zero point -128, exactly."""
    marked = image.copy()
    marked[0, 0, 0], marked[0, 0, 1] = 0.0, 255.0
    return marked


def check(model: bytes, shape: tuple[int, ...], outputs: set[tuple[int, ...]]) -> None:
    """Raises `ExportError` unless the model takes int8 pixels of `shape` as they are and gives the `outputs` shapes."""
    interpreter = Interpreter(model_content=model)
    interpreter.allocate_tensors()
    (detail,) = interpreter.get_input_details()
    scale, zero = detail["quantization"]
    if tuple(detail["shape"]) != shape or detail["dtype"] != np.int8 or abs(scale - 1) > 1e-3 or zero != -128:
        raise ExportError(
            f"the model's input is {detail['shape']} {detail['dtype']} {detail['quantization']}, not {shape} int8",
            _CONVERTER,
        )
    found = {tuple(int(n) for n in output["shape"]) for output in interpreter.get_output_details()}
    if found != outputs:
        raise ExportError(f"the model's outputs are {found}, not {outputs}", _CONVERTER)
