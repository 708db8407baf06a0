"""The distinct beginnings of sequences, so that what depends on a beginning is computed once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Level:
    """The beginnings of one length. Each is a node, and its beginning without the end its parent.

    Attributes:
        nodes: Where the level is among all nodes.
        continued: Where the level's parents are among `PrefixTree.parents`.
        bounds: `groups + 1` numbers: where each group begins among these parents.
        later_children: Pairs of parents, counted from the level's first, and nodes, counted from
            the level's first: the second child of those that have one, then the third, and so on.
    """

    nodes: slice
    continued: slice
    bounds: list[int]
    later_children: list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class PrefixTree:
    """All levels, from beginnings of length 1 on.

    Nodes are ordered by level, then by group, then by parent. Those of the first level have none.

    Attributes:
        levels: The levels.
        tokens: `(nodes,)`, the last token of every node.
        groups: `(nodes,)`, its group.
        place: `(nodes,)`, each node's parent, by its place in `parents`; -1 where there is none.
        parents: `(parents,)`, the nodes that have children, ascending.
        first_children: `(parents,)`, their first ones.
        ends: `(sequences,)`, the node of each whole sequence.
    """

    levels: list[Level]
    tokens: np.ndarray
    groups: np.ndarray
    place: np.ndarray
    parents: np.ndarray
    first_children: np.ndarray
    ends: np.ndarray


def prefix_tree(groups: np.ndarray, sequences: np.ndarray) -> PrefixTree:
    """Finds the distinct beginnings of sequences.

    Args:
        groups: `(sequences,)` integers from 0 on. Sequences of different groups share nothing.
        sequences: `(sequences, length)` integers from 1 on; where a sequence is shorter, 0.
    """
    sequences = sequences[:, : int((sequences > 0).any(axis=0).sum())]
    order = np.lexsort((*sequences.T[::-1], groups))
    ordered, ordered_groups = sequences[order], groups[order]
    count, length = ordered.shape
    # In this order, a node begins where its beginning differs from the one of the row before.
    differs = np.ones((count, length), bool)
    differs[1:] = ordered[1:] != ordered[:-1]
    differs[1:, 0] |= ordered_groups[1:] != ordered_groups[:-1]
    begins = np.logical_or.accumulate(differs, axis=1) & (ordered > 0)
    by_level = begins.T.ravel()
    where = np.flatnonzero(by_level)
    node_of = np.cumsum(by_level) - 1
    node_groups = ordered_groups[where % count]

    ends = np.empty(count, "int64")
    lengths = (ordered > 0).sum(axis=1)
    ends[order] = node_of[(lengths - 1) * count + np.arange(count)]

    level_ends = np.cumsum(begins.sum(axis=0))
    first = int(level_ends[0])
    parent = node_of[where[first:] - count]
    is_first = np.ones(len(parent), bool)
    is_first[1:] = parent[1:] != parent[:-1]
    first_children = first + np.flatnonzero(is_first)
    parents = parent[is_first]
    place = np.full(len(where), -1)
    place[first:] = np.cumsum(is_first) - 1
    tokens = ordered.T.ravel()[where]
    levels = _levels(
        level_ends.tolist(), first_children, node_groups[parents], place, int(groups.max()) + 1
    )
    return PrefixTree(levels, tokens, node_groups, place, parents, first_children, ends)


def _levels(
    level_ends: list[int],
    first_children: np.ndarray,
    parent_groups: np.ndarray,
    place: np.ndarray,
    num_groups: int,
) -> list[Level]:
    ends = np.searchsorted(first_children, level_ends).tolist()
    # How many children a node's parent has before it.
    later = np.arange(len(place))
    later[level_ends[0] :] -= first_children[place[level_ends[0] :]]
    later[: level_ends[0]] = 0
    has_later = np.flatnonzero(later)
    later_ends = np.searchsorted(has_later, level_ends).tolist()
    levels = [Level(slice(0, level_ends[0]), slice(0, 0), [], [])]
    for below, above in zip(range(1, len(level_ends)), range(len(level_ends)), strict=False):
        nodes = slice(level_ends[above], level_ends[below])
        continued = slice(ends[above], ends[below])
        bounds = np.searchsorted(parent_groups[continued], np.arange(num_groups + 1)).tolist()
        rest = has_later[later_ends[above] : later_ends[below]]
        children = [
            (place[chosen] - continued.start, chosen - nodes.start)
            for rank in range(1, int(later[rest].max(initial=0)) + 1)
            for chosen in (rest[later[rest] == rank],)
        ]
        levels.append(Level(nodes, continued, bounds, children))
    return levels
