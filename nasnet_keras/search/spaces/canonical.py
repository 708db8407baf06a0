"""A canonical form for cells that build the same network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Node = tuple[Any, Sequence[tuple[int, Any]]]
"""A label and the incoming edges, each the index of its source and its own label."""


def canonical_order(nodes: Sequence[Node], num_inputs: int) -> list[int]:
    """Orders the nodes of a graph canonically.

    Of all topological orders, this is the one with the lexicographically smallest description,
    where a node is described by its sorted incoming edges and its label. All ties are tried, so two
    graphs have equal descriptions exactly if they are isomorphic.

    Args:
        nodes: The nodes, each after what it reads. Sources below `num_inputs` are the graph's
            inputs, source `num_inputs + i` is node `i`. Labels must be comparable.
        num_inputs: Number of inputs; these keep their indices.

    Returns:
        Indices of the nodes, in their new order.
    """
    consumers: list[list[Any]] = [[] for _ in nodes]
    for index, (_, edges) in enumerate(nodes):
        for source, label in edges:
            if source >= num_inputs:
                consumers[source - num_inputs].append((index, label))
    consumed = [sorted(entries) for entries in consumers]

    def complete(placed: dict[int, int], rest: tuple[int, ...]) -> tuple[list[Any], list[int]]:
        sequence: list[Any] = []
        order: list[int] = []
        while rest:
            best: Any = None
            ties: list[int] = []
            for index in rest:
                label, edges = nodes[index]
                if any(source not in placed for source, _ in edges):
                    continue
                text = (sorted((placed[source], name) for source, name in edges), label)
                if best is None or text < best:
                    best, ties = text, [index]
                elif text == best:
                    ties.append(index)
            # Tied nodes with the same consumers are interchangeable.
            different = [
                index
                for position, index in enumerate(ties)
                if all(consumed[index] != consumed[other] for other in ties[:position])
            ]
            following = len(placed)
            sequence.append(best)
            if len(different) > 1:
                ends = []
                for index in different:
                    texts, tail = complete(
                        {**placed, num_inputs + index: following},
                        tuple(other for other in rest if other != index),
                    )
                    ends.append((texts, [index, *tail]))
                texts, tail = min(ends)
                return sequence + texts, order + tail
            placed = {**placed, num_inputs + ties[0]: following}
            order.append(ties[0])
            rest = tuple(other for other in rest if other != ties[0])
        return sequence, order

    _, order = complete({i: i for i in range(num_inputs)}, tuple(range(len(nodes))))
    return order
