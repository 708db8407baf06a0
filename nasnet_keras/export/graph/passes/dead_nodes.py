"""Leaves out what no output needs."""

from __future__ import annotations

from collections.abc import Iterable

from nasnet_keras.export.graph.nodes import Graph, Input
from nasnet_keras.text.suggestions import unknown_name


def remove_dead_nodes(graph: Graph) -> Graph:
    """Returns the graph of what its outputs need, and all its inputs."""
    needed = set(graph.outputs.values())
    for node in reversed(graph.nodes):
        if node.name in needed:
            needed.update(node.inputs)
    return graph.replace(x for x in graph.nodes if x.name in needed or isinstance(x, Input))


def keep_outputs(graph: Graph, names: Iterable[str]) -> Graph:
    """Returns the graph with some of its outputs, without what the others needed.

    Args:
        graph: The graph, e.g. of a network with an auxiliary head.
        names: Outputs to keep, in the order wanted.

    Raises:
        ValueError: There is no output of a name.
    """
    names = list(names)
    for name in names:
        if name not in graph.outputs:
            raise ValueError(unknown_name("output", name, graph.outputs))
    return remove_dead_nodes(graph.replace(graph.nodes, {x: graph.outputs[x] for x in names}))
