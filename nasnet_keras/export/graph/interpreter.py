"""Computes a graph in NumPy: slow, float64, the yardstick of what passes and writers make of it."""

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
from nasnet_keras.export.graph.shapes import same_padding


def compute(graph: Graph, inputs: Mapping[str, Any]) -> dict[str, Array]:
    """Returns the outputs of a graph.

    Args:
        graph: The graph.
        inputs: An array with a batch for each input, by its name.

    Returns:
        A float64 array for each output, by its name.
    """
    results: dict[str, Array] = {}
    for node in graph.nodes:
        if isinstance(node, Input):
            results[node.name] = np.asarray(inputs[node.name], np.float64)
        else:
            results[node.name] = compute_node(node, [results[name] for name in node.inputs])
    return {output: results[name] for output, name in graph.outputs.items()}


def compute_node(node: Node, inputs: Sequence[Array]) -> Array:
    """Returns the result of one node.

    Args:
        node: Any node but an input.
        inputs: What it reads, float64, with a batch.

    Raises:
        TypeError: The kind of node is unknown.
    """
    x = inputs[0]
    match node:
        case Convolution():
            windows = _windows(x, node.kernel.shape, node.strides, node.padding, node.dilation)
            return _biased(np.tensordot(windows, node.kernel, ((4, 5, 3), (0, 1, 2))), node.bias)
        case Depthwise():
            windows = _windows(x, node.kernel.shape, node.strides, node.padding, node.dilation)
            return _biased(np.einsum("bhwcij,ijc->bhwc", windows, node.kernel), node.bias)
        case Dense():
            return _biased(x @ node.kernel, node.bias)
        case Affine():
            return _biased(x * node.scale, node.offset)
        case LayerNorm():
            return _normalized(x, (-1,), node.epsilon) * node.scale + node.offset
        case InstanceNorm():
            return _normalized(x, (1, 2), node.epsilon) * node.scale + node.offset
        case Relu():
            return np.clip(x, 0.0, node.maximum)
        case Clip():
            return np.clip(x, node.minimum, node.maximum)
        case Softmax():
            powers = np.exp(x - x.max(axis=-1, keepdims=True))
            return powers / powers.sum(axis=-1, keepdims=True)
        case Sigmoid():
            return 0.5 * (1.0 + np.tanh(0.5 * x))
        case AveragePool():
            windows = _windows(x, node.window, node.strides, node.padding, fill=np.nan)
            return np.nanmean(windows, axis=(4, 5))
        case MaxPool():
            windows = _windows(x, node.window, node.strides, node.padding, fill=-np.inf)
            return windows.max(axis=(4, 5))
        case GlobalAveragePool():
            return x.mean(axis=(1, 2))
        case GlobalMaxPool():
            return x.max(axis=(1, 2))
        case Add():
            return x + inputs[1]
        case Concatenate():
            return np.concatenate(inputs, axis=-1)
        case Channels():
            return x[..., node.start : node.stop]
        case Pad():
            return np.pad(x, [(0, 0), *zip(node.before, node.after, strict=True), (0, 0)])
        case Shift():
            rows, columns = node.by
            return np.pad(x[:, rows:, columns:], [(0, 0), (0, rows), (0, columns), (0, 0)])
        case Subsample():
            return x[:, :: node.strides[0], :: node.strides[1]]
        case Reshape():
            return x.reshape(len(x), *node.shape)
        case _:
            raise TypeError(f"no rule computes a node of kind {type(node).__name__}")


def _windows(
    x: Array,
    window: Sequence[int],
    strides: Pair,
    padding: Padding,
    dilation: Pair = (1, 1),
    fill: float = 0.0,
) -> Array:
    """Returns all windows of an image: `(batch, rows, columns, channels, height, width)`."""
    reach = [(size - 1) * rate + 1 for size, rate in zip(window[:2], dilation, strict=True)]
    if padding == "same":
        sides = zip(x.shape[1:3], reach, strides, strict=True)
        pads = [same_padding(*side) for side in sides]
        x = np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=fill)
    windows = np.lib.stride_tricks.sliding_window_view(x, reach, (1, 2))
    return windows[:, :: strides[0], :: strides[1], :, :: dilation[0], :: dilation[1]]


def _biased(x: Array, bias: Array | None) -> Array:
    return x if bias is None else x + bias


def _normalized(x: Array, axes: tuple[int, ...], epsilon: float) -> Array:
    variance = x.var(axis=axes, keepdims=True)
    return (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(variance + epsilon)
