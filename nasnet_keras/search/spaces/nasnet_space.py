"""The space of NASNet: a normal and a reduction cell (Zoph et al. 2018, section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nasnet_keras.genotypes import NASNET_OPERATIONS, Genotype
from nasnet_keras.search.spaces.cell_blocks import (
    Row,
    canonical_rows,
    cell_to_rows,
    check_num_blocks,
    input_names,
    rows_to_cell,
    short_hash,
)
from nasnet_keras.search.spaces.space import Architecture, Decision, Space

_COMBINERS = ("add", "concat")
_CELLS = ("normal", "reduction")


class NASNetSpace(Space):
    """Two cells of B blocks, thirteen operations, addition or concatenation.

    A block is decided in the order of the paper: input 1, input 2, operation 1, operation 2,
    combination; the normal cell comes first. A block may read the cell's two inputs and every
    earlier block. Blocks that no block reads are concatenated to the cell's output, so no block is
    without effect.

    Decoded architectures are genotypes, which `build_network` and `create_model` take as they are.

    Args:
        num_blocks: B, 5 in the paper, which makes 50 decisions.

    Raises:
        ValueError: `num_blocks` is below 1.
    """

    def __init__(self, num_blocks: int = 5) -> None:
        check_num_blocks(num_blocks)
        self.num_blocks = num_blocks
        decisions = []
        for cell in _CELLS:
            for number in range(num_blocks):
                block = f"{cell}/block_{number}"
                for side in (1, 2):
                    decisions.append(
                        Decision(f"{block}/input_{side}", "input", input_names(number))
                    )
                for side in (1, 2):
                    decisions.append(
                        Decision(f"{block}/operation_{side}", "operation", NASNET_OPERATIONS)
                    )
                decisions.append(Decision(f"{block}/combine", "combine", _COMBINERS))
        super().__init__("nasnet", decisions)

    def config(self) -> dict[str, Any]:
        return {"space": self.name, "num_blocks": self.num_blocks}

    def decode(self, architecture: Sequence[int]) -> Genotype:
        """Returns the genotype, named after its canonical form.

        Raises:
            ValueError: It is no architecture of this space.
        """
        normal, reduction = (
            rows_to_cell(rows, NASNET_OPERATIONS, _COMBINERS, "unused")
            for rows in self._cells(self.check(architecture))
        )
        return Genotype(f"{self.name}_{short_hash(self.key(architecture))}", normal, reduction)

    def encode(self, description: Genotype) -> Architecture:
        """Returns the decisions that make a genotype's cells; its name is not kept.

        Raises:
            ValueError: The genotype is not in this space; the message names the cell.
        """
        values: list[int] = []
        for kind, cell in zip(_CELLS, (description.normal, description.reduction), strict=True):
            if cell is None or len(cell.blocks) != self.num_blocks:
                blocks = "none" if cell is None else len(cell.blocks)
                raise ValueError(
                    f"genotype {description.name!r}: the {kind} cell of this space has "
                    f"{self.num_blocks} blocks, got {blocks}"
                )
            try:
                rows = cell_to_rows(cell, NASNET_OPERATIONS, _COMBINERS, "unused")
            except ValueError as error:
                raise ValueError(f"genotype {description.name!r}, {kind} cell: {error}") from None
            values += [value for row in rows for value in row]
        return tuple(values)

    def canonical(self, architecture: Sequence[int]) -> Architecture:
        cells = self._cells(self.check(architecture))
        return tuple(value for rows in cells for row in canonical_rows(rows) for value in row)

    def _cells(self, architecture: Architecture) -> list[list[Row]]:
        rows: list[Any] = [architecture[i : i + 5] for i in range(0, len(architecture), 5)]
        return [rows[: self.num_blocks], rows[self.num_blocks :]]
