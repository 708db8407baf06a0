"""Makes one convolution of the 1x1 ones that read the same: of cell k's output, by two cells."""

from __future__ import annotations

import numpy as np

from nasnet_keras.export.graph.nodes import Array, Channels, Convolution, Graph, Node, Pair


def merge_pointwise_convolutions(graph: Graph) -> Graph:
    """Returns the graph in which 1x1 convolutions of one image at one stride are one.

    A cell's output is read, through the same ReLU, by the next cell and by the one after it. Each
    of the former convolutions becomes the channels of its result, under its name.
    """
    groups: dict[tuple[str, Pair], list[Convolution]] = {}
    for node in graph.nodes:
        if isinstance(node, Convolution) and node.kernel.shape[:2] == (1, 1):
            groups.setdefault((node.inputs[0], node.strides), []).append(node)
    replaced: dict[str, list[Node]] = {}
    for group in groups.values():
        if len(group) > 1:
            replaced |= _merged(group)
    return graph.replace(new for node in graph.nodes for new in replaced.get(node.name, [node]))


def _merged(group: list[Convolution]) -> dict[str, list[Node]]:
    """Returns what stands in the place of each convolution of a group."""
    first = group[0]
    bias = None
    if any(node.bias is not None for node in group):
        bias = np.concatenate([_bias(node) for node in group])
    merged = Convolution(
        name=f"{first.name}/merged",
        inputs=first.inputs,
        kernel=np.concatenate([node.kernel for node in group], axis=-1),
        bias=bias,
        strides=first.strides,
        # Padding never reaches a 1x1 window.
        padding="valid",
    )
    replaced: dict[str, list[Node]] = {first.name: [merged]}
    start = 0
    for node in group:
        stop = start + node.kernel.shape[-1]
        part = Channels(name=node.name, inputs=(merged.name,), start=start, stop=stop)
        replaced.setdefault(node.name, []).append(part)
        start = stop
    return replaced


def _bias(node: Convolution) -> Array:
    return np.zeros(node.kernel.shape[-1]) if node.bias is None else node.bias
