"""The inference graph: a network as data, of which files for other programs are written.

Images are `(batch, height, width, channels)`; of a shape here the batch is left out, and a size may
be `None`, unknown. Weights are float64 NumPy arrays, so that folding one into another rounds
nothing; who writes a file casts them, once. Nothing here knows Keras or any format of a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Pair: TypeAlias = tuple[int, int]
"""Of rows and of columns."""
Padding = Literal["same", "valid"]
"""As TensorFlow's: with `"same"`, `ceil(size / stride)` windows, padded evenly and with the odd row
or column at the end. Convolutions see zeros there, a mean does not count them, a maximum neither.
"""


@dataclass(frozen=True, eq=False, kw_only=True)
class Node:
    """One computation.

    Attributes:
        name: Its name, which none other of the graph has; where it comes from a layer, its scope.
        inputs: Names of the nodes that it reads.
    """

    name: str
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Input(Node):
    """What the caller gives: float32 of this shape, the batch left out."""

    shape: tuple[int | None, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Convolution(Node):
    """`kernel` is `(height, width, input channels, filters)`, `bias` `(filters,)`."""

    kernel: Array
    bias: Array | None = None
    strides: Pair = (1, 1)
    padding: Padding = "same"
    dilation: Pair = (1, 1)


@dataclass(frozen=True, eq=False, kw_only=True)
class Depthwise(Node):
    """Each channel convolved by itself: `kernel` is `(height, width, channels)`."""

    kernel: Array
    bias: Array | None = None
    strides: Pair = (1, 1)
    padding: Padding = "same"
    dilation: Pair = (1, 1)


@dataclass(frozen=True, eq=False, kw_only=True)
class Dense(Node):
    """`x @ kernel + bias` over the last axis: `kernel` is `(features, units)`."""

    kernel: Array
    bias: Array | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Affine(Node):
    """`x * scale + offset`, both `(channels,)`, over the last axis; `None`: no offset."""

    scale: Array
    offset: Array | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class LayerNorm(Node):
    """Normalized over the channels of each pixel, then `* scale + offset`, both `(channels,)`."""

    scale: Array
    offset: Array
    epsilon: float


@dataclass(frozen=True, eq=False, kw_only=True)
class InstanceNorm(Node):
    """Normalized over the pixels of each channel, then `* scale + offset`, both `(channels,)`."""

    scale: Array
    offset: Array
    epsilon: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Relu(Node):
    """`max(x, 0)`, and at most `maximum` where that is given (ReLU6)."""

    maximum: float | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Clip(Node):
    """`min(max(x, minimum), maximum)`."""

    minimum: float
    maximum: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Softmax(Node):
    """Over the last axis."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Sigmoid(Node):
    """Of each number."""


@dataclass(frozen=True, eq=False, kw_only=True)
class AveragePool(Node):
    """The mean of each window; what `"same"` pads is not counted."""

    window: Pair
    strides: Pair = (1, 1)
    padding: Padding = "same"


@dataclass(frozen=True, eq=False, kw_only=True)
class MaxPool(Node):
    """The maximum of each window; what `"same"` pads never wins."""

    window: Pair
    strides: Pair = (1, 1)
    padding: Padding = "same"


@dataclass(frozen=True, eq=False, kw_only=True)
class GlobalAveragePool(Node):
    """The mean over all pixels: `(height, width, channels)` to `(channels,)`."""


@dataclass(frozen=True, eq=False, kw_only=True)
class GlobalMaxPool(Node):
    """The maximum over all pixels: `(height, width, channels)` to `(channels,)`."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Add(Node):
    """The sum of two inputs of one shape, which may be the same node twice."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Concatenate(Node):
    """The channels of all inputs, one after the other."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Channels(Node):
    """The channels from `start` to before `stop`."""

    start: int
    stop: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Pad(Node):
    """Rows and columns of zeros, `before` at the top and left, `after` at the bottom and right."""

    before: Pair
    after: Pair


@dataclass(frozen=True, eq=False, kw_only=True)
class Shift(Node):
    """An image of the same size without its first rows and columns, zeros at the other end.

    `by` is how many. It is the second path of a factorized reduction: padded, then cut.
    """

    by: Pair


@dataclass(frozen=True, eq=False, kw_only=True)
class Subsample(Node):
    """Every `strides`-th row and column, from the first on."""

    strides: Pair


@dataclass(frozen=True, eq=False, kw_only=True)
class Reshape(Node):
    """Each example in another `shape`, the batch left out; one size may be -1: what remains."""

    shape: tuple[int, ...]


Convolving: TypeAlias = Convolution | Depthwise
Pooling: TypeAlias = AveragePool | MaxPool


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes in an order in which each reads only nodes before it.

    Attributes:
        nodes: All of them, the inputs among them.
        outputs: The name of each output, in order, and the node that computes it.

    Raises:
        ValueError: Two nodes have one name, or something reads a node that is not there before it.
    """

    nodes: tuple[Node, ...]
    outputs: Mapping[str, str]

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for node in self.nodes:
            missing = [name for name in node.inputs if name not in seen]
            if missing:
                raise ValueError(f"node {node.name!r} reads {missing[0]!r}, which is not before it")
            if node.name in seen:
                raise ValueError(f"two nodes have the name {node.name!r}")
            seen.add(node.name)
        for output, name in self.outputs.items():
            if name not in seen:
                raise ValueError(f"output {output!r} is node {name!r}, which is not there")

    @property
    def inputs(self) -> tuple[Input, ...]:
        """Returns the inputs, in order."""
        return tuple(node for node in self.nodes if isinstance(node, Input))

    def by_name(self) -> dict[str, Node]:
        """Returns all nodes by their names."""
        return {node.name: node for node in self.nodes}

    def readers(self) -> dict[str, list[Node]]:
        """Returns of each node those that read it, one that reads it twice twice."""
        readers: dict[str, list[Node]] = {node.name: [] for node in self.nodes}
        for node in self.nodes:
            for name in node.inputs:
                readers[name].append(node)
        return readers

    def replace(self, nodes: Iterable[Node], outputs: Mapping[str, str] | None = None) -> Graph:
        """Returns a graph of other nodes, with the same outputs unless others are given."""
        return Graph(tuple(nodes), self.outputs if outputs is None else outputs)
