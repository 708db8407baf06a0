"""The space of PNASNet: one cell that grows block by block (Liu et al. 2018, section 3)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from nasnet_keras.search.spaces.cell_space import CellSpace
from nasnet_keras.search.spaces.space import Architecture
from nasnet_keras.text.plain_text import shown
from nasnet_keras.text.suggestions import unknown_name

PNAS_OPERATIONS: tuple[str, ...] = (
    "separable_3x3",
    "separable_5x5",
    "separable_7x7",
    "conv_1x7_7x1",
    "identity",
    "avg_pool_3x3",
    "max_pool_3x3",
    "dilated_3x3",
)
"""The eight operations of the space, in the paper's order."""


class PNASSpace(CellSpace):
    """One cell of one to B blocks, eight operations, addition only.

    A block is (input 1, input 2, operation 1, operation 2). An architecture has `4 * b` decisions,
    b from 1 to B; `sample`, `count` and `decisions` are those of B blocks. All
    blocks are concatenated to the cell's output, read or not, as in the released PNASNet-5, so
    every block has an effect. Reductions use the same cell with stride 2.

    Args:
        num_blocks: B, 5 in the paper.
        operations: Those to choose from, some of `PNAS_OPERATIONS`; or a text, with commas between.
            Two of them and two blocks make a space of 175 cells, which can be trained whole.

    Raises:
        ValueError: `num_blocks` is below 1, or there are no operations, unknown or repeated ones.
    """

    def __init__(
        self, num_blocks: int = 5, operations: str | Sequence[str] = PNAS_OPERATIONS
    ) -> None:
        super().__init__(
            "pnas",
            num_blocks,
            cells=("normal",),
            operations=_checked(operations),
            combiners=("add",),
            concat="all",
        )

    def config(self) -> dict[str, Any]:
        config = super().config()
        if self.operations != PNAS_OPERATIONS:
            config["operations"] = list(self.operations)
        return config

    @property
    def block_counts(self) -> range:
        return range(1, self.num_blocks + 1)

    def check(self, architecture: Sequence[int]) -> Architecture:
        values = self._as_tuple(architecture)
        if not values or len(values) % 4 or len(values) > 4 * self.num_blocks:
            raise ValueError(
                f"an architecture of space {self.name!r} has 4 decisions a block and 1 to "
                f"{self.num_blocks} blocks, got {len(values)} decisions"
            )
        return self._check_choices(values)

    def block_choices(self, index: int) -> np.ndarray:
        """Returns every possible block, once for both orders of its halves.

        Args:
            index: Index of the block.

        Returns:
            `(choices, 4)` integers; with all eight operations 136, 300, 528, 820, 1176 choices for
            the first five indices.
        """
        halves = list(itertools.product(range(index + 2), range(len(self.operations))))
        pairs = itertools.combinations_with_replacement(halves, 2)
        return np.array([(i1, i2, o1, o2) for (i1, o1), (i2, o2) in pairs])

    def children(self, parents: Sequence[Sequence[int]]) -> np.ndarray:
        """Adds every possible block to every cell.

        Args:
            parents: Cells with the same number of blocks, b.

        Returns:
            `(len(parents) * choices, 4 * (b + 1))` integers, parents in order. They may contain a
            network more than once.

        Raises:
            ValueError: There are no parents, they differ in size, or they have all B blocks.
        """
        if not len(parents):
            raise ValueError("there are no cells to expand")
        checked = [self.check(parent) for parent in parents]
        sizes = {len(parent) // 4 for parent in checked}
        if len(sizes) != 1 or max(sizes) >= self.num_blocks:
            raise ValueError(
                f"cells to expand have the same number of blocks, below {self.num_blocks}; got "
                f"{sorted(sizes)}"
            )
        blocks = self.block_choices(sizes.pop())
        repeated = np.repeat(np.array(checked), len(blocks), axis=0)
        return np.concatenate([repeated, np.tile(blocks, (len(checked), 1))], axis=1)

    def first_level(self) -> list[Architecture]:
        """Returns the distinct cells of one block, 136 with all eight operations."""
        return [tuple(block) for block in self.block_choices(0).tolist()]


def _checked(operations: str | Sequence[str]) -> tuple[str, ...]:
    names: Any = operations.split(",") if isinstance(operations, str) else operations
    # A list, where it comes from a file or a flag.
    names = tuple(names) if isinstance(names, list) else names
    if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"operations is names with commas between, got {shown(operations)}")
    for index, name in enumerate(names):
        if name not in PNAS_OPERATIONS:
            raise ValueError(unknown_name("operation", name, PNAS_OPERATIONS))
        if name in names[:index]:
            raise ValueError(f"operations has {name!r} twice")
    if not names:
        raise ValueError("operations has one name or more, got none")
    return names
