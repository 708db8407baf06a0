"""One form for all cells that build the same network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Node = tuple[Any, Sequence[tuple[int, Any]]]
"""A label and the edges that come in, each the index of its source and a label of its own."""


def canonical_order(nodes: Sequence[Node], num_inputs: int) -> list[int]:
    """Orders the nodes of a graph so that all orders of one graph become the same.

    Of all orders in which a node follows what it reads, this is the one whose description is
    lexicographically smallest, where a node is described by its incoming edges, sorted, and its
    label. Nodes that look alike so far are tried one after the other, so two graphs agree exactly
    when they are isomorphic.

    Args:
        nodes: The nodes, each after what it reads. Sources below `num_inputs` are the graph's
            inputs, source `num_inputs + i` is node `i`. Labels must be comparable to one another.
        num_inputs: Number of inputs; these keep their indices.

    Returns:
        Indices of the nodes, in their new order.
    """
    consumers: list[list[Any]] = [[] for _ in nodes]
    for number, (_, edges) in enumerate(nodes):
        for source, label in edges:
            if source >= num_inputs:
                consumers[source - num_inputs].append((number, label))
    consumed = [sorted(entries) for entries in consumers]

    def complete(placed: dict[int, int], rest: tuple[int, ...]) -> tuple[list[Any], list[int]]:
        sequence: list[Any] = []
        order: list[int] = []
        while rest:
            best: Any = None
            ties: list[int] = []
            for number in rest:
                label, edges = nodes[number]
                if any(source not in placed for source, _ in edges):
                    continue
                text = (sorted((placed[source], name) for source, name in edges), label)
                if best is None or text < best:
                    best, ties = text, [number]
                elif text == best:
                    ties.append(number)
            # Alike nodes that the same nodes read in the same way can change places.
            different = [
                number
                for place, number in enumerate(ties)
                if all(consumed[number] != consumed[other] for other in ties[:place])
            ]
            following = len(placed)
            sequence.append(best)
            if len(different) > 1:
                ends = []
                for number in different:
                    texts, tail = complete(
                        {**placed, num_inputs + number: following},
                        tuple(other for other in rest if other != number),
                    )
                    ends.append((texts, [number, *tail]))
                texts, tail = min(ends)
                return sequence + texts, order + tail
            placed = {**placed, num_inputs + ties[0]: following}
            order.append(ties[0])
            rest = tuple(other for other in rest if other != ties[0])
        return sequence, order

    _, order = complete({i: i for i in range(num_inputs)}, tuple(range(len(nodes))))
    return order
