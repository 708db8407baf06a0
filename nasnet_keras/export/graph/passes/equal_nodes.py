"""Computes once what is computed several times: ReLUs and pools of one image, above all."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import numpy as np

from nasnet_keras.export.graph.nodes import Graph, Input, Node


def merge_equal_nodes(graph: Graph) -> Graph:
    """Returns the graph in which no two nodes compute the same of the same inputs.

    The first of equal nodes stays, and all read it; so subgraphs, of any size, are merged.
    """
    kept: list[Node] = []
    found: dict[Any, str] = {}
    stands_for: dict[str, str] = {}
    for node in graph.nodes:
        node = dataclasses.replace(node, inputs=tuple(stands_for[name] for name in node.inputs))
        # Inputs of one shape are still two.
        key = node.name if isinstance(node, Input) else _key(node)
        stands_for[node.name] = found.setdefault(key, node.name)
        if stands_for[node.name] == node.name:
            kept.append(node)
    return graph.replace(kept, {key: stands_for[name] for key, name in graph.outputs.items()})


def _key(node: Node) -> tuple[Any, ...]:
    """Returns all that a node is but its name."""
    fields = [field.name for field in dataclasses.fields(node) if field.name != "name"]
    return (type(node), *(_hashable(getattr(node, field)) for field in fields))


def _hashable(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    digest = hashlib.sha256(value.tobytes()).digest()
    return value.shape, value.dtype.str, digest
