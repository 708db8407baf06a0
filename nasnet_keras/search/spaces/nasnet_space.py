"""The space of NASNet: a normal and a reduction cell (Zoph et al. 2018, section 3)."""

from __future__ import annotations

from nasnet_keras.genotypes import NASNET_OPERATIONS
from nasnet_keras.search.spaces.cell_space import CellSpace


class NASNetSpace(CellSpace):
    """Two cells of B blocks, thirteen operations, addition or concatenation.

    The decisions of a block are in the paper's order: input 1, input 2, operation 1, operation 2,
    combination; the normal cell comes first. Unread blocks are concatenated to the cell's output,
    so every block has an effect.

    Args:
        num_blocks: B, 5 in the paper: 50 decisions.

    Raises:
        ValueError: `num_blocks` is below 1.
    """

    def __init__(self, num_blocks: int = 5) -> None:
        super().__init__(
            "nasnet",
            num_blocks,
            cells=("normal", "reduction"),
            operations=NASNET_OPERATIONS,
            combiners=("add", "concat"),
            concat="unused",
        )
