"""Folds a scale and an offset into the weights after them: preprocessing into the stem."""

from __future__ import annotations

import dataclasses

import numpy as np

from nasnet_keras.export.graph.nodes import (
    Affine,
    Array,
    Convolution,
    Dense,
    Depthwise,
    Graph,
    Node,
)


def fold_affine_forward(graph: Graph) -> Graph:
    """Returns the graph with every `Affine` folded into the weights of all that read it.

    One with an offset stays where a convolution pads what it reads: the zeros would be offset too.
    """
    readers = graph.readers()
    outputs = set(graph.outputs.values())
    folded: dict[str, Affine] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.inputs and node.inputs[0] in folded:
            node = _reading(node, folded[node.inputs[0]])
        if isinstance(node, Affine) and node.name not in outputs and _all_take(node, readers):
            folded[node.name] = node
        else:
            nodes.append(node)
    return graph.replace(nodes)


def _all_take(node: Affine, readers: dict[str, list[Node]]) -> bool:
    return all(_takes(reader, node.offset) for reader in readers[node.name])


def _takes(reader: Node, offset: Array | None) -> bool:
    match reader:
        case Dense() | Affine():
            return True
        case Convolution() | Depthwise():
            pads = reader.padding == "same" and reader.kernel.shape[:2] != (1, 1)
            return offset is None or not pads
        case _:
            return False


def _reading(node: Node, affine: Affine) -> Node:
    """Returns the node as it has to be to read what the affine reads."""
    offset = affine.offset
    match node:
        case Affine():
            scale, added = node.scale * affine.scale, None
            if offset is not None or node.offset is not None:
                added = _or_zero(offset) * node.scale + _or_zero(node.offset)
            return dataclasses.replace(node, inputs=affine.inputs, scale=scale, offset=added)
        case Convolution() | Dense():
            kernel = node.kernel * affine.scale[:, np.newaxis]
            added = None if offset is None else offset @ node.kernel
        case Depthwise():
            kernel = node.kernel * affine.scale
            added = None if offset is None else offset * node.kernel
        case _:
            raise TypeError(f"node {node.name!r} has no weights")
    bias = node.bias
    if added is not None:
        # A window sums over its pixels.
        added = added.reshape(-1, added.shape[-1]).sum(axis=0)
        bias = added + _or_zero(node.bias)
    return dataclasses.replace(node, inputs=affine.inputs, kernel=kernel, bias=bias)


def _or_zero(values: Array | None) -> Array:
    return np.zeros(()) if values is None else values
