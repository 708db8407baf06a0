"""An LSTM over many sequences that share their beginnings, and its gradients, in NumPy.

The state after a beginning is computed once for all sequences that have it, and in one call for
networks with weights of their own (the groups of a `PrefixTree`). The arithmetic is that of
`keras.layers.LSTM`, the gates in the order input, forget, candidate, output.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nasnet_keras.search.strategies.prefix_tree import PrefixTree

# Nodes whose states are computed in one go: they stay in the processor's cache.
_BLOCK = 256


class Buffers:
    """Arrays by name that are used again: fresh memory takes as long as the arithmetic."""

    def __init__(self) -> None:
        self._arrays: dict[str, np.ndarray] = {}

    def take(self, name: str, rows: int, *shape: int) -> np.ndarray:
        """Returns `(rows, *shape)`, with whatever is left there; `shape` is a name's own."""
        if rows > len(self._arrays.get(name, ())):
            self._arrays[name] = np.empty((rows + rows // 8, *shape), "float32")
        return self._arrays[name][:rows]


class LSTMWeights(NamedTuple):
    """Weights, or gradients, of `groups` networks.

    Attributes:
        embedding: `(groups, tokens, size)`.
        kernel: `(groups, size, 4 * units)`.
        recurrent: `(groups, units, 4 * units)`.
        bias: `(groups, 4 * units)`.
    """

    embedding: np.ndarray
    kernel: np.ndarray
    recurrent: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class States:
    """What the LSTM computed for every node.

    Attributes:
        gates: `(nodes, 4 * units)`, after their activations.
        cells: `(nodes, units)`, the cell states.
        tanh_cells: `(nodes, units)`, their hyperbolic tangents.
        outputs: `(nodes, units)`, the outputs.
    """

    gates: np.ndarray
    cells: np.ndarray
    tanh_cells: np.ndarray
    outputs: np.ndarray


def run(weights: LSTMWeights, tree: PrefixTree, buffers: Buffers) -> States:
    """Returns the states after every beginning, which are the buffers' until the next call."""
    groups, units = weights.recurrent.shape[:2]
    # A sigmoid is a hyperbolic tangent of the half: one call then serves all gates.
    half = np.full(4 * units, 0.5, "float32")
    half[2 * units : 3 * units] = 1.0
    shift = 1.0 - half
    # What a token adds to the gates depends on the token alone.
    table = (weights.embedding @ weights.kernel + weights.bias[:, None]) * half
    recurrent = buffers.take("recurrent", groups, units, 4 * units)
    np.multiply(weights.recurrent, half, out=recurrent)
    rows = tree.groups * table.shape[1] + tree.tokens
    table = table.reshape(-1, 4 * units)
    gates = buffers.take("gates", len(rows), 4 * units)
    names = ("cells", "tanh_cells", "outputs")
    cells, tanh_cells, outputs = (buffers.take(name, len(rows), units) for name in names)
    for level in tree.levels:
        parents = tree.parents[level.continued]
        read = _products(outputs[parents], recurrent, level.bounds) if len(parents) else None
        for nodes in _blocks(level.nodes):
            z, c = gates[nodes], cells[nodes]
            np.take(table, rows[nodes], axis=0, out=z, mode="clip")
            place = tree.place[nodes]
            if read is not None:
                z += read[place - level.continued.start]
            np.tanh(z, out=z)
            z *= half
            z += shift
            i, f, g, o = _gates(z)
            np.multiply(i, g, out=c)
            if read is not None:
                c += f * cells[tree.parents[place]]
            np.tanh(c, out=tanh_cells[nodes])
            np.multiply(o, tanh_cells[nodes], out=outputs[nodes])
    return States(gates, cells, tanh_cells, outputs)


def gradients(
    weights: LSTMWeights,
    tree: PrefixTree,
    states: States,
    of_outputs: np.ndarray,
    result: LSTMWeights,
    buffers: Buffers,
) -> None:
    """Finds the gradients of the weights.

    Args:
        weights: Those of `run`.
        tree: That of `run`.
        states: What `run` returned.
        of_outputs: `(nodes, units)`, the gradient of the outputs; it is overwritten.
        result: Where the gradients are written.
        buffers: For all that is between.
    """
    groups, units = weights.recurrent.shape[:2]
    _, forget, _, _ = _gates(states.gates)
    of_gates, output_slope = _slopes(tree, states, buffers)
    of_cells = buffers.take("of_cells", len(of_gates), units)
    of_cells[:] = 0.0
    backward = buffers.take("backward", groups, 4 * units, units)
    backward[:] = weights.recurrent.transpose(0, 2, 1)
    order, pairs = _by_group(tree.groups[tree.parents], groups)
    slot = np.empty_like(order)
    slot[order] = np.arange(len(order))
    # The sums over the children of each parent; those of a group stand together.
    of_parents = buffers.take("of_parents", len(order), 4 * units)
    for level in reversed(tree.levels):
        d_out, d_cell = of_outputs[level.nodes], of_cells[level.nodes]
        d_gates = of_gates[level.nodes].reshape(-1, 4, units)
        d_cell += d_out * output_slope[level.nodes]
        d_gates[:, :3] *= d_cell[:, None]
        d_gates[:, 3] *= d_out
        parents = tree.parents[level.continued]
        if len(parents):
            # Where each parent has one child, these are all nodes, and nothing is copied.
            only = not level.later_children
            firsts = level.nodes if only else tree.first_children[level.continued]
            d_parents = of_gates[firsts]
            d_cell *= forget[level.nodes]
            d_cells = of_cells[firsts]
            for places, nodes in level.later_children:
                d_parents[places] += of_gates[level.nodes][nodes]
                d_cells[places] += d_cell[nodes]
            of_outputs[parents] += _products(d_parents, backward, level.bounds)
            of_cells[parents] = d_cells
            of_parents[slot[level.continued]] = d_parents
    outputs = buffers.take("parents_outputs", len(order), units)
    np.take(states.outputs, tree.parents[order], axis=0, out=outputs, mode="clip")
    for of_recurrent, (begin, end) in zip(result.recurrent, pairs, strict=True):
        np.matmul(outputs[begin:end].T, of_parents[begin:end], out=of_recurrent)
    of_table = _by_token(of_gates, tree, weights.embedding.shape[:2], buffers)
    result.embedding[:] = of_table @ weights.kernel.transpose(0, 2, 1)
    np.matmul(weights.embedding.transpose(0, 2, 1), of_table, out=result.kernel)
    np.sum(of_table, axis=1, out=result.bias)


def _slopes(tree: PrefixTree, states: States, buffers: Buffers) -> tuple[np.ndarray, np.ndarray]:
    """Returns how a cell state depends on the gates, and an output on the cell state.

    Returns:
        `(nodes, 4 * units)`: what the gradient of the cell state is multiplied with to be that of
        the gates before their activations, for the last gate that of the output; and `(nodes,
        units)`: what the gradient of the output is multiplied with to be that of the cell state.
    """
    i, f, g, o = _gates(states.gates)
    output_slope = buffers.take("output_slope", *states.outputs.shape)
    np.square(states.tanh_cells, out=output_slope)
    np.subtract(1.0, output_slope, out=output_slope)
    output_slope *= o
    slopes = buffers.take("slopes", *states.gates.shape)
    np.square(states.gates, out=slopes)
    di, df, dg, do = _gates(slopes)
    np.subtract(i, di, out=di)
    di *= g
    np.subtract(1.0, dg, out=dg)
    dg *= i
    np.subtract(f, df, out=df)
    first = tree.levels[0].nodes.stop
    df[:first] = 0.0
    before = buffers.take("cells_before", len(slopes) - first, states.cells.shape[1])
    np.take(states.cells, tree.parents[tree.place[first:]], axis=0, out=before, mode="clip")
    df[first:] *= before
    np.subtract(o, do, out=do)
    do *= states.tanh_cells
    return slopes, output_slope


def _blocks(nodes: slice) -> list[slice]:
    """Returns parts of so few nodes that they stay in the processor's cache."""
    starts = range(nodes.start, nodes.stop, _BLOCK)
    return [slice(start, min(start + _BLOCK, nodes.stop)) for start in starts]


def _gates(z: np.ndarray) -> list[np.ndarray]:
    units = z.shape[1] // 4
    return [z[:, part * units : (part + 1) * units] for part in range(4)]


def _products(x: np.ndarray, matrices: np.ndarray, bounds: list[int]) -> np.ndarray:
    """Returns `(rows, columns)`: each group of rows times its matrix."""
    result = np.empty((len(x), matrices.shape[2]), "float32")
    for matrix, (begin, end) in zip(matrices, itertools.pairwise(bounds), strict=True):
        np.matmul(x[begin:end], matrix, out=result[begin:end])
    return result


def _by_token(
    values: np.ndarray, tree: PrefixTree, shape: tuple[int, int], buffers: Buffers
) -> np.ndarray:
    """Returns `(groups, tokens, columns)`: the sums over the nodes of each group and token."""
    order, pairs = _by_group(tree.groups, shape[0])
    ordered = buffers.take("by_group", *values.shape)
    np.take(values, order, axis=0, out=ordered, mode="clip")
    one_hot = np.zeros((len(order), shape[1]), "float32")
    one_hot[np.arange(len(order)), tree.tokens[order]] = 1.0
    return np.stack([one_hot[begin:end].T @ ordered[begin:end] for begin, end in pairs])


def _by_group(groups: np.ndarray, count: int) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Returns an order in which each group stands together, and where it begins and ends."""
    order = np.argsort(groups, kind="stable")
    bounds = np.searchsorted(groups[order], np.arange(count + 1)).tolist()
    return order, list(itertools.pairwise(bounds))
