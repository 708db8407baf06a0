"""The shape of every node's result, as far as it is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

from nasnet_keras.export.graph.nodes import (
    AveragePool,
    Channels,
    Concatenate,
    Convolution,
    Dense,
    Depthwise,
    GlobalAveragePool,
    GlobalMaxPool,
    Graph,
    Input,
    MaxPool,
    Node,
    Pad,
    Padding,
    Pair,
    Reshape,
    Subsample,
)

Shape: TypeAlias = tuple[int | None, ...]
"""Without the batch; `None` where a size is unknown."""


def shapes(graph: Graph) -> dict[str, Shape]:
    """Returns the shape of each node's result by the node's name."""
    found: dict[str, Shape] = {}
    for node in graph.nodes:
        found[node.name] = output_shape(node, [found[name] for name in node.inputs])
    return found


def output_shape(node: Node, inputs: Sequence[Shape]) -> Shape:
    """Returns the shape of a node's result.

    Args:
        node: The node.
        inputs: The shapes of what it reads.
    """
    match node:
        case Input():
            return node.shape
        case Convolution():
            window = _reach(node.kernel.shape, node.dilation)
            sides = _windows(inputs[0], window, node.strides, node.padding)
            return (*sides, node.kernel.shape[3])
        case Depthwise():
            window = _reach(node.kernel.shape, node.dilation)
            return (*_windows(inputs[0], window, node.strides, node.padding), inputs[0][-1])
        case AveragePool() | MaxPool():
            return (*_windows(inputs[0], node.window, node.strides, node.padding), inputs[0][-1])
        case Subsample():
            return (*_windows(inputs[0], (1, 1), node.strides, "same"), inputs[0][-1])
        case Pad():
            more = zip(inputs[0], node.before, node.after, strict=False)
            sides = (None if size is None else size + b + a for size, b, a in more)
            return (*sides, inputs[0][-1])
        case Dense():
            return (*inputs[0][:-1], node.kernel.shape[1])
        case GlobalAveragePool() | GlobalMaxPool():
            return (inputs[0][-1],)
        case Concatenate():
            channels = [shape[-1] for shape in inputs]
            return (*inputs[0][:-1], None if None in channels else sum(filter(None, channels)))
        case Channels():
            return (*inputs[0][:-1], node.stop - node.start)
        case Reshape():
            return _reshaped(inputs[0], node.shape)
        case _:
            return inputs[0]


def same_padding(size: int, window: int, stride: int) -> tuple[int, int]:
    """Returns what `"same"` pads before and after a side of known size.

    Args:
        size: Of the image, in pixels.
        window: What a window reaches over: `(kernel - 1) * dilation + 1`.
        stride: Of the windows.
    """
    total = max((-(-size // stride) - 1) * stride + window - size, 0)
    return total // 2, total - total // 2


def _reach(kernel: Sequence[int], dilation: Pair) -> Pair:
    rows, columns = ((size - 1) * rate + 1 for size, rate in zip(kernel[:2], dilation, strict=True))
    return rows, columns


def _windows(image: Shape, window: Pair, strides: Pair, padding: Padding) -> list[int | None]:
    sides: list[int | None] = []
    for size, reach, stride in zip(image[:2], window, strides, strict=True):
        if size is None:
            sides.append(None)
        else:
            sides.append(-(-(size if padding == "same" else size - reach + 1) // stride))
    return sides


def _reshaped(before: Shape, shape: tuple[int, ...]) -> Shape:
    if -1 not in shape:
        return shape
    known = math.prod(size for size in shape if size != -1)
    count = None if None in before else math.prod(filter(None, before)) // known
    return tuple(count if size == -1 else size for size in shape)
