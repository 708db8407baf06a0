"""Writes an inference graph as ONNX.

Images are channels first inside, as runtimes compute convolutions, and turned once where they come
in and where they go out. Sizes may be unknown: ONNX's `SAME_UPPER` is TensorFlow's `"same"`, and a
stride of 1 needs the same padding whatever the size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nasnet_keras.export.graph.nodes import (
    Add,
    Affine,
    Array,
    AveragePool,
    Channels,
    Clip,
    Concatenate,
    Convolution,
    Dense,
    Depthwise,
    GlobalAveragePool,
    GlobalMaxPool,
    Graph,
    Input,
    InstanceNorm,
    LayerNorm,
    MaxPool,
    Node,
    Pad,
    Padding,
    Pair,
    Relu,
    Reshape,
    Shift,
    Sigmoid,
    Softmax,
    Subsample,
)
from nasnet_keras.export.graph.onnx_builder import OnnxBuilder
from nasnet_keras.export.graph.shapes import Shape, same_padding, shapes

_CHANNELS_FIRST, _CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)


def write_onnx(graph: Graph, name: str = "network", batch: int | None = None) -> Any:
    """Returns a graph as an `onnx.ModelProto`, float32.

    Inputs and outputs have the graph's names and shapes, images channels last.

    Args:
        graph: The graph.
        name: Its name in the file.
        batch: Size of a batch. Default: any.

    Raises:
        ValueError: onnx is not installed, or a node has no place in ONNX, see `add_graph`.
    """
    builder = OnnxBuilder()
    known = shapes(graph)
    declared, inputs = [], {}
    for node in graph.inputs:
        sides = zip(node.shape, ("height", "width", "channels"), strict=False)
        shape = [side if size is None else size for size, side in sides]
        declared.append(builder.value(node.name, ["batch" if batch is None else batch, *shape]))
        inputs[node.name] = to_channels_first(builder, node.name, node.shape)
    found = add_graph(builder, graph, inputs)
    outputs = []
    for output, of in graph.outputs.items():
        tensor = to_channels_last(builder, found[output], known[of])
        shape = ["batch" if batch is None else batch, *known[of]]
        outputs.append(builder.value(builder.rename(tensor, output), shape))
    return builder.model(name, declared, outputs)


def to_channels_first(builder: OnnxBuilder, tensor: str, shape: Shape) -> str:
    """Returns a tensor as `add_graph` takes it; `shape` without the batch."""
    return builder.add("Transpose", tensor, perm=_CHANNELS_FIRST) if len(shape) == 3 else tensor


def to_channels_last(builder: OnnxBuilder, tensor: str, shape: Shape) -> str:
    """Returns a tensor of `add_graph` as the graph describes it; `shape` without the batch."""
    return builder.add("Transpose", tensor, perm=_CHANNELS_LAST) if len(shape) == 3 else tensor


def add_graph(builder: OnnxBuilder, graph: Graph, inputs: Mapping[str, str]) -> dict[str, str]:
    """Adds a graph to an ONNX graph.

    Args:
        builder: Where to.
        graph: The graph.
        inputs: A tensor for each of its inputs; images channels first.

    Returns:
        The tensor of each output; images channels first.

    Raises:
        ValueError: A window is strided and dilated over an image of unknown size.
        TypeError: The kind of a node is unknown.
    """
    known = shapes(graph)
    before_strides = _channels_before_strides(graph)
    tensors: dict[str, str] = {}
    for node in graph.nodes:
        if isinstance(node, Input):
            tensors[node.name] = inputs[node.name]
        elif isinstance(node, Channels) and node.name in before_strides:
            part = builder.constant(range(node.start, node.stop), "int64")
            read = tensors[node.inputs[0]]
            tensors[node.name] = builder.add("Gather", read, part, axis=1, name=node.name)
        else:
            before = [known[name] for name in node.inputs]
            read = [tensors[name] for name in node.inputs]
            tensors[node.name] = _add_node(builder, node, read, before)
    return {output: tensors[name] for output, name in graph.outputs.items()}


def _channels_before_strides(graph: Graph) -> set[str]:
    """Returns the channels of which a strided 1x1 convolution computes every other pixel.

    OpenVINO takes those pixels earlier, fails where it made one split of several slices before
    ("Default output not supported"), and makes none of `Gather`.
    """
    nodes = {node.name: node for node in graph.nodes}
    found: set[str] = set()
    seen: set[str] = set()
    ahead = [
        node.inputs[0]
        for node in graph.nodes
        if isinstance(node, Convolution)
        and node.kernel.shape[:2] == (1, 1)
        and node.strides != (1, 1)
    ]
    while ahead:
        name = ahead.pop()
        if name in seen:
            continue
        seen.add(name)
        node = nodes[name]
        if isinstance(node, Channels):
            found.add(name)
        if isinstance(node, Channels | Relu | Clip | Affine | Add | Sigmoid):
            ahead += node.inputs
    return found


def _add_node(b: OnnxBuilder, node: Node, read: Sequence[str], before: Sequence[Shape]) -> str:
    """Adds a node that reads tensors of these shapes; returns the tensor of its result."""
    x, shape = read[0], before[0]
    axis = 1 if len(shape) == 3 else -1
    name = node.name
    match node:
        case Convolution() | Depthwise():
            return _add_convolution(b, node, x, shape, name)
        case Dense():
            return _add_dense(b, node, x, shape, name)
        case Affine():
            scaled = b.add("Mul", x, _by_channel(b, node.scale, shape))
            if node.offset is None:
                return scaled
            return b.add("Add", scaled, _by_channel(b, node.offset, shape), name=name)
        case LayerNorm():
            x = to_channels_last(b, x, shape)
            scale, offset = b.constant(node.scale, "float32"), b.constant(node.offset, "float32")
            x = b.add("LayerNormalization", x, scale, offset, axis=-1, epsilon=node.epsilon)
            return to_channels_first(b, x, shape)
        case InstanceNorm():
            scale, offset = b.constant(node.scale, "float32"), b.constant(node.offset, "float32")
            return b.add("InstanceNormalization", x, scale, offset, epsilon=node.epsilon, name=name)
        case Relu(maximum=None):
            return b.add("Relu", x, name=name)
        case Relu():
            limits = (0.0, node.maximum)
            return b.add("Clip", x, *(b.constant(y, "float32") for y in limits), name=name)
        case Clip():
            limits = (node.minimum, node.maximum)
            return b.add("Clip", x, *(b.constant(y, "float32") for y in limits), name=name)
        case Softmax():
            return b.add("Softmax", x, axis=axis, name=name)
        case Sigmoid():
            return b.add("Sigmoid", x, name=name)
        case AveragePool() | MaxPool():
            kind = type(node).__name__
            window = _window(node.window, node.strides, node.padding, shape)
            counted = {} if isinstance(node, MaxPool) else {"count_include_pad": 0}
            return b.add(kind, x, kernel_shape=node.window, **window, **counted, name=name)
        case GlobalAveragePool() | GlobalMaxPool():
            return b.add("Flatten", b.add(type(node).__name__, x), axis=1, name=name)
        case Add():
            return b.add("Add", *read, name=name)
        case Concatenate():
            return b.add("Concat", *read, axis=axis, name=name)
        case Channels():
            return _slice(b, x, {axis: (node.start, node.stop, 1)}, name)
        case Subsample():
            rows, columns = node.strides
            return _slice(b, x, {2: (0, _END, rows), 3: (0, _END, columns)}, name)
        case Pad():
            return _pad(b, x, node.before, node.after, name)
        case Shift():
            rows, columns = node.by
            return _pad(b, x, (-rows, -columns), node.by, name)
        case Reshape():
            x = b.add("Reshape", to_channels_last(b, x, shape), b.constant([0, *node.shape]))
            return to_channels_first(b, x, node.shape)
        case _:
            raise TypeError(f"no rule writes a node of kind {type(node).__name__}")


_END = np.iinfo(np.int64).max


def _add_convolution(
    b: OnnxBuilder, node: Convolution | Depthwise, x: str, shape: Shape, name: str
) -> str:
    if isinstance(node, Depthwise):
        kernel, groups = node.kernel.transpose(2, 0, 1)[:, np.newaxis], node.kernel.shape[2]
    else:
        kernel, groups = node.kernel.transpose(3, 2, 0, 1), 1
    weights = [b.constant(kernel, "float32")]
    if node.bias is not None:
        weights.append(b.constant(node.bias, "float32"))
    size: Pair = (kernel.shape[2], kernel.shape[3])
    window = _window(size, node.strides, node.padding, shape, node.dilation)
    if node.dilation != (1, 1):
        window["dilations"] = node.dilation
    return b.add("Conv", x, *weights, kernel_shape=size, group=groups, **window, name=name)


def _add_dense(b: OnnxBuilder, node: Dense, x: str, shape: Shape, name: str) -> str:
    if len(shape) == 3:
        kernel = node.kernel[np.newaxis, np.newaxis]
        convolution = Convolution(name=node.name, kernel=kernel, bias=node.bias)
        return _add_convolution(b, convolution, x, shape, name)
    kernel = b.constant(node.kernel, "float32")
    bias = () if node.bias is None else (b.constant(node.bias, "float32"),)
    if len(shape) == 1:
        return b.add("Gemm", x, kernel, *bias, name=name)
    product = b.add("MatMul", x, kernel)
    return b.add("Add", product, *bias, name=name) if bias else product


def _window(
    size: Pair, strides: Pair, padding: Padding, image: Shape, dilation: Pair = (1, 1)
) -> dict[str, Any]:
    """Returns strides and padding as attributes."""
    attributes: dict[str, Any] = {"strides": strides}
    if padding == "valid":
        return attributes
    if strides != (1, 1) and None in image:
        if dilation != (1, 1):
            raise ValueError(
                "a window that is strided and dilated needs an image of known size, got "
                f"strides {strides}, dilation {dilation} and size {image[:2]}"
            )
        return {**attributes, "auto_pad": "SAME_UPPER"}
    pads = []
    for side, width, stride, rate in zip(image, size, strides, dilation, strict=False):
        # With a stride of 1 any size has the same padding.
        pads.append(same_padding(side or 1, (width - 1) * rate + 1, stride))
    before, after = zip(*pads, strict=True)
    return {**attributes, "pads": (*before, *after)}


def _by_channel(b: OnnxBuilder, values: Array, shape: Shape) -> str:
    return b.constant(values.reshape(-1, 1, 1) if len(shape) == 3 else values, "float32")


def _slice(
    b: OnnxBuilder, x: str, ranges: Mapping[int, tuple[int, int, int]], name: str | None = None
) -> str:
    """Cuts axes from a start to before an end, by a step."""
    starts, ends, steps = zip(*ranges.values(), strict=True)
    parts = (starts, ends, list(ranges), steps)
    return b.add("Slice", x, *(b.constant(part, "int64") for part in parts), name=name)


def _pad(b: OnnxBuilder, x: str, before: Pair, after: Pair, name: str) -> str:
    """Adds rows and columns of zeros, or takes some away where a number is negative."""
    return b.add("Pad", x, b.constant((0, 0, *before, 0, 0, *after), "int64"), name=name)
