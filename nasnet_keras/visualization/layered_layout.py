"""Places the nodes of a graph in rows, with few crossings and mostly straight edges."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Edge = tuple[str, str]
_Point = tuple[str, ...]
"""A node, or the point where an edge passes a row: `(source, target, row)`."""

_STARTS = 24
_SWEEPS = 8
# How many of the orders with the fewest crossings are compared by the slant of their edges.
_FINALISTS = 6
# Cost of an edge's slant by how many of its ends pass a row, where it should be straight.
_SLANT_WEIGHTS = (1.0, 1.0, 100.0)


@dataclass(frozen=True)
class Layout:
    """The horizontal positions.

    Attributes:
        centers: The center of each node; the leftmost border is at 0.
        passes: Where each edge passes the rows between its ends, from its source on.
        width: From the leftmost border to the rightmost.
        crossings: How many pairs of edges cross.
    """

    centers: dict[str, float]
    passes: dict[Edge, list[float]]
    width: float
    crossings: int


def place_in_rows(
    rows: Sequence[Sequence[str]],
    edges: Sequence[Edge],
    widths: Mapping[str, float],
    gap: float,
) -> Layout:
    """Orders every row by the layered method (Sugiyama et al. 1981) and spaces it.

    The rows are reordered to minimize crossings. The spacing minimizes the squared slant of the
    edges, so that a node is centered over its inputs.

    Args:
        rows: Names of the nodes by row, lowest row first.
        edges: `(source, target)`, each once; the target is in a higher row.
        widths: Width of each node.
        gap: Minimum distance between the borders of neighbours, and width of a passing edge.

    Returns:
        The layout, which is deterministic.

    Raises:
        ValueError: An edge does not go up.
    """
    graph = _Graph(rows, edges)
    generator = np.random.default_rng(0)
    found: dict[tuple[tuple[_Point, ...], ...], int] = {}
    for start in range(_STARTS):
        order = [list(row) for row in graph.rows]
        if start:
            for row in order:
                generator.shuffle(row)  # type: ignore[arg-type]
        order = graph.improved(order)
        found.setdefault(tuple(map(tuple, order)), graph.crossings(order))
    fewest = min(found.values())
    finalists = [order for order, count in found.items() if count == fewest][:_FINALISTS]
    sizes = {
        point: widths[point[0]] if len(point) == 1 else gap for row in graph.rows for point in row
    }
    _, places = min(
        (graph.spaced(order, sizes, gap) for order in finalists), key=lambda pair: pair[0]
    )
    left = min(places[point] - sizes[point] / 2 for point in places)
    right = max(places[point] + sizes[point] / 2 for point in places)
    return Layout(
        {point[0]: places[point] - left for point in places if len(point) == 1},
        {edge: [places[point] - left for point in graph.chains[edge][1:-1]] for edge in edges},
        right - left,
        fewest,
    )


class _Graph:
    """Nodes and passing edges in rows, connected only between adjacent rows."""

    def __init__(self, rows: Sequence[Sequence[str]], edges: Sequence[Edge]) -> None:
        row_of = {name: index for index, row in enumerate(rows) for name in row}
        self.rows: list[list[_Point]] = [[(name,) for name in row] for row in rows]
        self.chains: dict[Edge, list[_Point]] = {}
        self.above: dict[_Point, list[_Point]] = {}
        self.below: dict[_Point, list[_Point]] = {}
        for source, target in edges:
            if row_of[source] >= row_of[target]:
                raise ValueError(f"edge from {source!r} to {target!r} does not go up")
            chain: list[_Point] = [(source,)]
            for row in range(row_of[source] + 1, row_of[target]):
                chain.append((source, target, str(row)))
                self.rows[row].append(chain[-1])
            chain.append((target,))
            self.chains[(source, target)] = chain
            for low, high in itertools.pairwise(chain):
                self.above.setdefault(low, []).append(high)
                self.below.setdefault(high, []).append(low)

    def crossings(self, order: Sequence[Sequence[_Point]]) -> int:
        """Returns how many pairs of edges cross."""
        place = {point: i for row in order for i, point in enumerate(row)}
        total = 0
        for row in order[:-1]:
            ends = [sorted(place[p] for p in self.above.get(point, ())) for point in row]
            for i, mine in enumerate(ends):
                for others in ends[i + 1 :]:
                    total += _inversions(mine, others)
        return total

    def improved(self, order: list[list[_Point]]) -> list[list[_Point]]:
        """Sorts rows by the mean position of their neighbours and swaps pairs."""
        best, fewest = order, self.crossings(order)
        for sweep in range(_SWEEPS):
            order = [list(row) for row in order]
            down = sweep % 2
            neighbours = self.above if down else self.below
            indices = range(len(order) - 2, -1, -1) if down else range(1, len(order))
            for index in indices:
                place = {p: i for i, p in enumerate(order[index + (1 if down else -1)])}
                own = {p: i for i, p in enumerate(order[index])}
                middles = {
                    p: float(np.mean([place[q] for q in neighbours[p]]))
                    if p in neighbours
                    else float(own[p])
                    for p in order[index]
                }
                order[index].sort(key=middles.__getitem__)
            self._swap(order)
            count = self.crossings(order)
            if count < fewest:
                best, fewest = order, count
        return best

    def _swap(self, order: list[list[_Point]]) -> None:
        """Swaps neighbours while that reduces crossings."""
        improved = True
        while improved:
            improved = False
            place = {point: i for row in order for i, point in enumerate(row)}
            for row in order:
                for i in range(len(row) - 1):
                    gain = 0
                    for neighbours in (self.above, self.below):
                        left, right = (
                            sorted(place[q] for q in neighbours.get(p, ()))
                            for p in (row[i], row[i + 1])
                        )
                        gain += _inversions(left, right) - _inversions(right, left)
                    if gain > 0:
                        row[i], row[i + 1] = row[i + 1], row[i]
                        place[row[i]], place[row[i + 1]] = i, i + 1
                        improved = True

    def spaced(
        self, order: Sequence[Sequence[_Point]], sizes: Mapping[_Point, float], gap: float
    ) -> tuple[float, dict[_Point, float]]:
        """Returns the weighted squared slant of the edges, and the position of each point."""
        from scipy.optimize import lsq_linear

        # The unknowns: a row's first position, then the distances of neighbours beyond the minimum.
        index = {point: i for i, point in enumerate(p for row in order for p in row)}
        matrix = np.zeros((len(index), len(index)))
        offset = np.zeros(len(index))
        low = np.zeros(len(index))
        for row in order:
            first = index[row[0]]
            low[first] = -np.inf
            for place, point in enumerate(row):
                i = index[point]
                matrix[i, first : first + place + 1] = 1.0
                if place:
                    before = row[place - 1]
                    offset[i] = offset[i - 1] + (sizes[before] + sizes[point]) / 2 + gap
        slants, shifts = [], []
        for chain in self.chains.values():
            for a, b in itertools.pairwise(chain):
                weight = _SLANT_WEIGHTS[(len(a) > 1) + (len(b) > 1)] ** 0.5
                slants.append(weight * (matrix[index[a]] - matrix[index[b]]))
                shifts.append(weight * (offset[index[b]] - offset[index[a]]))
        # A weak pull to 0, without which the solution could be shifted arbitrarily.
        slants.extend(1e-3 * matrix)
        shifts.extend(-1e-3 * offset)
        solved = lsq_linear(np.array(slants), np.array(shifts), (low, np.inf), method="bvls")
        values = matrix @ solved.x + offset
        return float(solved.cost), {point: float(values[i]) for point, i in index.items()}


def _inversions(left: Sequence[int], right: Sequence[int]) -> int:
    """Returns how many pairs of the two points' edges cross."""
    return sum(a > b for a in left for b in right)
