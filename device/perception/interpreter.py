"""One small adapter for whichever TFLite interpreter is installed: pixels in, floats out, whatever the tensors hold."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from device.perception.errors import InterpreterMissingError, ModelUnreadableError

Array: TypeAlias = NDArray[Any]
Floats: TypeAlias = NDArray[np.float32]


class _Interpreter(Protocol):
    """What both packages' interpreters have, as far as it is used here."""

    def allocate_tensors(self) -> None: ...
    def resize_tensor_input(self, input_index: int, tensor_size: list[int]) -> None: ...
    def get_input_details(self) -> list[dict[str, Any]]: ...
    def get_output_details(self) -> list[dict[str, Any]]: ...
    def set_tensor(self, tensor_index: int, value: Array) -> None: ...
    def get_tensor(self, tensor_index: int) -> Array: ...
    def invoke(self) -> None: ...


def _interpreter(content: bytes, threads: int) -> _Interpreter:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        try:
            from tflite_runtime.interpreter import Interpreter
        except ImportError:
            raise InterpreterMissingError("interpreter_missing") from None
    interpreter: _Interpreter = Interpreter(model_content=content, num_threads=threads)
    return interpreter


class Model:
    """A loaded network. After construction it needs no file any more.

    Args:
        model: the `.tflite` bytes, or a path to them.
        threads: number of CPU threads.
        input_size: height and width to run a fully convolutional network at; None: the size in its file.
        named: what an error calls the model.

    Raises:
        InterpreterMissingError: no interpreter is installed.
        ModelUnreadableError: the model cannot be loaded.
    """

    def __init__(
        self,
        model: bytes | str | os.PathLike[str],
        threads: int = 1,
        input_size: tuple[int, int] | None = None,
        named: Literal["detector", "classifier"] = "detector",
    ) -> None:
        content = model if isinstance(model, bytes) else Path(model).read_bytes()
        try:
            self._interpreter = _interpreter(content, threads)
            if input_size is not None:
                index = self._interpreter.get_input_details()[0]["index"]
                self._interpreter.resize_tensor_input(index, [1, *input_size, 3])
            self._interpreter.allocate_tensors()
        except InterpreterMissingError:
            raise
        except (ValueError, RuntimeError) as error:
            raise ModelUnreadableError("interpreter_refuses_model", subject=named) from error
        (self._input,) = self._interpreter.get_input_details()
        self._outputs = sorted(self._interpreter.get_output_details(), key=lambda detail: str(detail["name"]))
        scale, zero = self._input["quantization"]
        self._bytes_as_they_are = self._input["dtype"] == np.int8 and abs(scale - 1.0) < 1e-3 and zero == -128

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the input tensor, batch first: (1, height, width, 3)."""
        return tuple(int(size) for size in self._input["shape"])

    def run(self, image: Array) -> list[Floats]:
        """Runs the network on pixel values 0..255 of the input's shape (the batch axis may be left out).

        Returns:
            the outputs, dequantised to float32, in the order of their tensors' names. The arrays are the caller's own.
        """
        self._interpreter.set_tensor(self._input["index"], self._quantised(image).reshape(self.input_shape))
        self._interpreter.invoke()
        return [self._floats(detail) for detail in self._outputs]

    def _quantised(self, image: Array) -> Array:
        dtype = self._input["dtype"]
        if dtype == np.float32 or (dtype == np.uint8 and image.dtype == np.uint8):
            return image.astype(dtype, copy=False)
        if self._bytes_as_they_are and image.dtype == np.uint8:
            return np.bitwise_xor(image, np.uint8(0x80)).view(np.int8)  # v - 128, without leaving eight bits
        scale, zero = self._input["quantization"]
        limits = np.iinfo(dtype)
        quantised: Array = np.clip(np.rint(image / scale) + zero, limits.min, limits.max).astype(dtype)
        return quantised

    def _floats(self, detail: dict[str, Any]) -> Floats:
        raw = self._interpreter.get_tensor(detail["index"])
        scale, zero = detail["quantization"]
        if raw.dtype == np.float32 or scale == 0.0:
            return np.asarray(raw, np.float32)
        return (raw.astype(np.float32) - np.float32(zero)) * np.float32(scale)
