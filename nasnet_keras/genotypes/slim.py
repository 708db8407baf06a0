"""Cells from TF-Slim's lists (`nets/nasnet/nasnet_utils.py`, `pnasnet.py`, AmoebaNet's specs)."""

from __future__ import annotations

from collections.abc import Sequence

from nasnet_keras.genotypes.genotype import Block, Branch, CellGenotype
from nasnet_keras.text.suggestions import unknown_name

SLIM_OPERATIONS: dict[str, str] = {
    "none": "identity",
    "separable_3x3_2": "separable_3x3",
    "separable_5x5_2": "separable_5x5",
    "separable_7x7_2": "separable_7x7",
    "avg_pool_3x3": "avg_pool_3x3",
    "max_pool_2x2": "max_pool_2x2",
    "max_pool_3x3": "max_pool_3x3",
    "max_pool_5x5": "max_pool_5x5",
    "max_pool_7x7": "max_pool_7x7",
    "min_pool_2x2": "min_pool_2x2",
    "1x1": "conv_1x1",
    "3x3": "conv_3x3",
    "1x3_3x1": "conv_1x3_3x1",
    "1x7_7x1": "conv_1x7_7x1",
    "dilated_3x3_rate_2": "dilated_3x3",
    "dil_2_separable_5x5_2": "dilated_separable_5x5_twice",
}


def cell_from_slim(
    operations: Sequence[str],
    hiddenstate_indices: Sequence[int],
    used_hiddenstates: Sequence[int],
) -> CellGenotype:
    """Converts the three lists by which slim's cell classes describe a cell.

    Args:
        operations: Two slim operation names a block, left then right.
        hiddenstate_indices: The state that each operation reads; 0 = h_i, 1 = h_{i-1}.
        used_hiddenstates: One flag a state, 1 = not concatenated.

    Returns:
        The cell.

    Raises:
        ValueError: The lists do not fit one another, or an operation is unknown.
    """
    if not operations or len(operations) % 2 or len(operations) != len(hiddenstate_indices):
        raise ValueError(
            "slim lists hold two operations and two indices a block, got "
            f"{len(operations)} operations and {len(hiddenstate_indices)} indices"
        )
    blocks = len(operations) // 2
    if len(used_hiddenstates) != blocks + 2:
        raise ValueError(
            f"{blocks} blocks need {blocks + 2} used_hiddenstates flags, "
            f"got {len(used_hiddenstates)}"
        )
    branches = []
    for number, (operation, state) in enumerate(zip(operations, hiddenstate_indices, strict=True)):
        if operation not in SLIM_OPERATIONS:
            message = unknown_name("slim operation", operation, SLIM_OPERATIONS)
            raise ValueError(f"block {number // 2}: {message}")
        branches.append(Branch(SLIM_OPERATIONS[operation], state))
    return CellGenotype(
        blocks=tuple(
            Block(left, right) for left, right in zip(branches[::2], branches[1::2], strict=True)
        ),
        concat=tuple(i for i, used in enumerate(used_hiddenstates) if not used),
    )
