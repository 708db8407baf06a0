"""Folds a scale and an offset into the weights before them: BN into its convolution."""

from __future__ import annotations

import dataclasses

from nasnet_keras.export.graph.nodes import (
    Affine,
    Array,
    Concatenate,
    Convolution,
    Dense,
    Depthwise,
    Graph,
    Node,
)
from nasnet_keras.export.graph.shapes import shapes


def fold_affine_backward(graph: Graph) -> Graph:
    """Returns the graph with every `Affine` folded into the weights of what it reads.

    Through a concatenation, each part goes into its own convolution: the BN of a factorized
    reduction into both paths. One stays where something else reads what it scales.
    """
    original = graph.by_name()
    readers = graph.readers()
    outputs = set(graph.outputs.values())
    channels = {name: shape[-1] or 0 for name, shape in shapes(graph).items()}
    nodes: dict[str, Node] = {}
    stands_for: dict[str, str] = {}

    def takes(name: str) -> bool:
        if len(readers[name]) != 1 or name in outputs:
            return False
        if isinstance(original[name], Concatenate):
            return all(map(takes, original[name].inputs))
        return isinstance(original[name], Convolution | Depthwise | Dense | Affine)

    def fold(name: str, scale: Array, offset: Array | None) -> None:
        node = nodes[name]
        if not isinstance(node, Concatenate):
            nodes[name] = _scaled(node, scale, offset)
            return
        start = 0
        for part in node.inputs:
            span = slice(start, start + channels[part])
            fold(part, scale[span], None if offset is None else offset[span])
            start += channels[part]

    for node in graph.nodes:
        inputs = tuple(stands_for[name] for name in node.inputs)
        if isinstance(node, Affine) and takes(node.inputs[0]):
            fold(inputs[0], node.scale, node.offset)
            stands_for[node.name] = inputs[0]
        else:
            nodes[node.name] = dataclasses.replace(node, inputs=inputs)
            stands_for[node.name] = node.name
    named = {output: stands_for[name] for output, name in graph.outputs.items()}
    return graph.replace(nodes.values(), named)


def _scaled(node: Node, scale: Array, offset: Array | None) -> Node:
    """Returns the node with its result scaled and offset."""
    match node:
        case Affine():
            offset = _sum(node.offset, scale, offset)
            return dataclasses.replace(node, scale=node.scale * scale, offset=offset)
        case Convolution() | Depthwise() | Dense():
            # The channels of the result are the last axis of all kernels.
            bias = _sum(node.bias, scale, offset)
            return dataclasses.replace(node, kernel=node.kernel * scale, bias=bias)
        case _:
            raise TypeError(f"node {node.name!r} has no weights")


def _sum(before: Array | None, scale: Array, offset: Array | None) -> Array | None:
    scaled = None if before is None else before * scale
    if scaled is None or offset is None:
        return offset if scaled is None else scaled
    return scaled + offset
