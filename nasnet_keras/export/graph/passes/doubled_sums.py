"""Replaces `x + x` by x and twice the weights after it: NASNet-A's two equal average pools."""

from __future__ import annotations

import dataclasses
from typing import cast

import numpy as np

from nasnet_keras.export.graph.nodes import (
    Add,
    Affine,
    Array,
    AveragePool,
    Channels,
    Concatenate,
    Convolution,
    Dense,
    Depthwise,
    GlobalAveragePool,
    GlobalMaxPool,
    Graph,
    MaxPool,
    Node,
    Pad,
    Relu,
    Shift,
    Subsample,
)
from nasnet_keras.export.graph.shapes import shapes

_LINEAR = (AveragePool, GlobalAveragePool, GlobalMaxPool, MaxPool, Pad, Shift, Subsample)
"""What of twice the input gives twice the result; so does a ReLU without a maximum."""


def fold_doubled_sums(graph: Graph) -> Graph:
    """Returns the graph without the sums of a node and itself that weights can take over.

    All weights that the sum reaches must be able to: a sum with something else, a normalization, a
    bound or an output of the graph in between leave it as it is.
    """
    channels = {name: cast("int", shape[-1]) for name, shape in shapes(graph).items()}
    sums = [x.name for x in graph.nodes if isinstance(x, Add) and x.inputs[0] == x.inputs[1]]
    for name in sums:
        # One that is left out may have been what the next one doubles.
        doubled = cast("Add", graph.by_name()[name])
        graph = _without(graph, doubled, channels) or graph
    return graph


def _without(graph: Graph, doubled: Add, channels: dict[str, int]) -> Graph | None:
    """Returns the graph without one sum, or `None` where that cannot be."""
    # The factor that a node's channels lack now.
    factors: dict[str, Array] = {doubled.name: np.full(channels[doubled.name], 2.0)}
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.name == doubled.name:
            continue
        given = [factors.get(name) for name in node.inputs]
        if any(factor is not None for factor in given):
            parts = [
                np.ones(channels[name]) if factor is None else factor
                for name, factor in zip(node.inputs, given, strict=True)
            ]
            made_up = _made_up(node, parts)
            if made_up is None:
                return None
            node, factor = made_up
            if factor is not None:
                factors[node.name] = factor
        names = (doubled.inputs[0] if x == doubled.name else x for x in node.inputs)
        nodes.append(dataclasses.replace(node, inputs=tuple(names)))
    if factors.keys() & set(graph.outputs.values()):
        return None
    return graph.replace(nodes)


def _made_up(node: Node, factors: list[Array]) -> tuple[Node, Array | None] | None:
    """Returns the node that makes up for its inputs' factors, or one that lacks a factor itself.

    `None` where neither can be.
    """
    factor = factors[0]
    match node:
        case Convolution() | Dense():
            return dataclasses.replace(node, kernel=node.kernel * factor[:, np.newaxis]), None
        case Depthwise():
            return dataclasses.replace(node, kernel=node.kernel * factor), None
        case Affine():
            return dataclasses.replace(node, scale=node.scale * factor), None
        case Concatenate():
            return node, np.concatenate(factors)
        case Channels():
            return node, factor[node.start : node.stop]
        case Add():
            return (node, factor) if np.array_equal(factor, factors[1]) else None
        case Relu():
            return (node, factor) if node.maximum is None else None
        case _:
            return (node, factor) if isinstance(node, _LINEAR) else None
