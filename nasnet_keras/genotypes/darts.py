"""Cells from DARTS-style tuples, which number the two inputs the other way round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nasnet_keras.genotypes.genotype import Block, Branch, CellGenotype, Genotype
from nasnet_keras.text.suggestions import unknown_name

DARTS_OPERATIONS: dict[str, str] = {
    "skip_connect": "identity",
    "sep_conv_3x3": "separable_3x3",
    "sep_conv_5x5": "separable_5x5",
    "sep_conv_7x7": "separable_7x7",
    "dil_conv_3x3": "dilated_separable_3x3",
    "dil_conv_5x5": "dilated_separable_5x5",
    "avg_pool_3x3": "avg_pool_3x3",
    "max_pool_3x3": "max_pool_3x3",
    "conv_7x1_1x7": "conv_1x7_7x1",
    "conv_1x1": "conv_1x1",
    "conv_3x3": "conv_3x3",
}


def cell_from_darts(operations: Sequence[tuple[str, int]], concat: Sequence[int]) -> CellGenotype:
    """Converts one cell of a DARTS genotype.

    Only the wiring is DARTS's; the operations are this package's (its pools have no BN, for one).

    Args:
        operations: `(operation, state)` pairs, two a block; state 0 = h_{i-1}, 1 = h_i.
        concat: States that are concatenated, in DARTS's numbering.

    Returns:
        The cell, in slim's numbering (0 = h_i).

    Raises:
        ValueError: The number of pairs is odd or zero, or an operation is unknown.
    """
    if not operations or len(operations) % 2:
        raise ValueError(f"a DARTS cell has two operations a block, got {len(operations)}")

    def slim_index(state: int) -> int:
        return 1 - state if state in (0, 1) else state

    branches = []
    for number, (operation, state) in enumerate(operations):
        if operation not in DARTS_OPERATIONS:
            message = unknown_name("DARTS operation", operation, DARTS_OPERATIONS)
            raise ValueError(f"block {number // 2}: {message}")
        branches.append(Branch(DARTS_OPERATIONS[operation], slim_index(state)))
    return CellGenotype(
        blocks=tuple(
            Block(left, right) for left, right in zip(branches[::2], branches[1::2], strict=True)
        ),
        concat=tuple(slim_index(state) for state in concat),
    )


def genotype_from_darts(genotype: Any, name: str = "darts") -> Genotype:
    """Converts a DARTS `Genotype(normal, normal_concat, reduce, reduce_concat)`.

    Args:
        genotype: That named tuple, or any four values in its order.
        name: Name of the result.

    Returns:
        The genotype.

    Raises:
        ValueError: It has not four parts, or a cell is malformed.
    """
    parts = tuple(genotype)
    if len(parts) != 4:
        raise ValueError(f"a DARTS genotype has four parts, got {len(parts)}")
    normal, normal_concat, reduction, reduction_concat = parts
    return Genotype(
        name, cell_from_darts(normal, normal_concat), cell_from_darts(reduction, reduction_concat)
    )
