"""Makes a fully convolutional TFLite model accept any input size: its upsampling no longer names a size.

`RESIZE_NEAREST_NEIGHBOR` holds the output size as a constant. Doubling by repetition is also four copies of each
channel (`CONCATENATION`) laid out as 2 x 2 blocks (`DEPTH_TO_SPACE`), and these two follow whatever size comes in.
Operators and field names: TensorFlow Lite's `schema.fbs`.
"""

from __future__ import annotations

import copy
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from models.errors import ExportError

_IDENTIFIER = b"TFL3"


def resizable(content: bytes) -> bytes:
    """The same network with its doublings replaced.

    Raises:
        ExportError: an upsampling is not by two.
    """
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for buffer in model.buffers:
        if buffer.offset > 1:  # the quantizer lays the weights behind the flatbuffer
            data = content[buffer.offset : buffer.offset + buffer.size]
            buffer.data, buffer.offset, buffer.size = np.frombuffer(data, np.uint8), 0, 0
    for graph in model.subgraphs:
        graph.operators = [new for old in graph.operators for new in _replaced(model, graph, old)]
    builder = flatbuffers.Builder(len(content) + 4096)
    builder.Finish(model.Pack(builder), _IDENTIFIER)
    return bytes(builder.Output())


def _replaced(model: Any, graph: Any, operator: Any) -> list[Any]:
    code = model.operatorCodes[operator.opcodeIndex]
    if max(code.builtinCode, code.deprecatedBuiltinCode) != schema.BuiltinOperator.RESIZE_NEAREST_NEIGHBOR:
        return [operator]
    source, target = operator.inputs[0], operator.outputs[0]
    _, height, width, channels = (int(size) for size in graph.tensors[source].shape)
    if [int(size) for size in graph.tensors[target].shape] != [1, 2 * height, 2 * width, channels]:
        raise ExportError(
            f"the upsampling to {graph.tensors[target].shape} is not a doubling", "let the network double its maps only"
        )
    wide = copy.deepcopy(graph.tensors[source])
    wide.name, wide.shape, wide.buffer = graph.tensors[target].name + b"_copies", [1, height, width, 4 * channels], 0
    wide.shapeSignature = None
    graph.tensors.append(wide)
    joined, spread = schema.ConcatenationOptionsT(), schema.DepthToSpaceOptionsT()
    joined.axis, spread.blockSize = 3, 2
    options = schema.BuiltinOptions
    return [
        _operator(model, "CONCATENATION", [source] * 4, len(graph.tensors) - 1, options.ConcatenationOptions, joined),
        _operator(model, "DEPTH_TO_SPACE", [len(graph.tensors) - 1], target, options.DepthToSpaceOptions, spread),
    ]


def _operator(model: Any, name: str, inputs: list[int], output: int, kind: int, options: Any) -> Any:
    number = getattr(schema.BuiltinOperator, name)
    known = [index for index, code in enumerate(model.operatorCodes) if code.builtinCode == number]
    if not known:
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = number
        code.version = 2 if name == "CONCATENATION" else 1  # 2: int8
        model.operatorCodes.append(code)
        known = [len(model.operatorCodes) - 1]
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = known[0], inputs, [output]
    operator.builtinOptionsType, operator.builtinOptions = kind, options
    return operator
