"""Spaces of cells: a cell has a row of indices for each block, a genotype one or two cells."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from nasnet_keras.genotypes import MOST_BLOCKS, Block, Branch, CellGenotype, Genotype
from nasnet_keras.search.spaces.canonical import canonical_order
from nasnet_keras.search.spaces.space import Architecture, Decision, Space
from nasnet_keras.settings import Count, check_most, check_value

Row = tuple[int, int, int, int, int]
"""Inputs (slim's index), operations and combination of a block: I1, I2, O1, O2, C."""

Concat = Literal["unused", "all"]


class CellSpace(Space):
    """Cells of B blocks, each with two inputs, two operations and a combination to decide.

    A block may read the cell's two inputs and every earlier block. Decoded architectures are
    genotypes, for `build_network` and `create_model`.

    Args:
        name: See `Space`.
        num_blocks: B.
        cells: `("normal", "reduction")`, or `("normal",)` to use it with stride 2 too.
        operations: Names of `nasnet_keras.genotypes.OPERATIONS`.
        combiners: Names of `nasnet_keras.genotypes.COMBINERS`; a single one is not a decision.
        concat: Which blocks form a cell's output: `"unused"` (not read by another block) or
            `"all"`.

    Raises:
        ValueError: `num_blocks` is not a whole number of at least 1.
    """

    def __init__(
        self,
        name: str,
        num_blocks: int,
        cells: Sequence[str],
        operations: Sequence[str],
        combiners: Sequence[str],
        concat: Concat,
    ) -> None:
        check_value("num_blocks", Count, num_blocks)
        check_most("num_blocks", num_blocks, MOST_BLOCKS)
        self.num_blocks = num_blocks
        self.cells = tuple(cells)
        self.operations = tuple(operations)
        self.combiners = tuple(combiners)
        self.concat: Concat = concat
        # Decisions of a block.
        self.block_size = 4 + (len(combiners) > 1)
        decisions = []
        for cell in cells:
            for i in range(num_blocks):
                block = f"{cell}/block_{i}" if len(cells) > 1 else f"block_{i}"
                inputs = ("current", "previous", *(f"block_{j}" for j in range(i)))
                decisions += [
                    Decision(f"{block}/input_1", "input", inputs),
                    Decision(f"{block}/input_2", "input", inputs),
                    Decision(f"{block}/operation_1", "operation", self.operations),
                    Decision(f"{block}/operation_2", "operation", self.operations),
                    Decision(f"{block}/combine", "combine", self.combiners),
                ][: self.block_size]
        super().__init__(name, decisions)

    @property
    def block_counts(self) -> range:
        """How many blocks a cell may have."""
        return range(self.num_blocks, self.num_blocks + 1)

    def config(self) -> dict[str, Any]:
        return {"space": self.name, "num_blocks": self.num_blocks}

    def decode(self, architecture: Sequence[int]) -> Genotype:
        """Returns the genotype, named after its canonical form.

        Raises:
            ValueError: It is not an architecture of this space.
        """
        cells = map(self._cell, self._rows(self.check(architecture)))
        digest = hashlib.sha256(self.key(architecture).encode()).hexdigest()
        return Genotype(f"{self.name}_{digest[:10]}", *cells)

    def encode(self, description: Genotype) -> Architecture:
        """Returns the decisions of a genotype's cells; its name is not kept.

        Raises:
            ValueError: The genotype is not in this space; the message names the cell.
        """
        where = f"genotype {description.name!r}"
        if description.reduction is not None and "reduction" not in self.cells:
            raise ValueError(
                f"{where} has a reduction cell; those of this space have one cell only"
            )
        found = []
        for kind, cell in zip(
            self.cells, (description.normal, description.reduction), strict=False
        ):
            blocks = 0 if cell is None else len(cell.blocks)
            if cell is None or blocks not in self.block_counts:
                allowed = " to ".join(map(str, sorted({self.block_counts[0], self.num_blocks})))
                raise ValueError(
                    f"{where}: the {kind} cell of this space has {allowed} blocks, got "
                    f"{blocks or 'none'}"
                )
            try:
                found.append(self._cell_rows(cell))
            except ValueError as error:
                raise ValueError(f"{where}, {kind} cell: {error}") from None
        return self.check(self._architecture(found))

    def canonical(self, architecture: Sequence[int]) -> Architecture:
        return self._architecture(map(canonical_rows, self._rows(self.check(architecture))))

    def _architecture(self, cells: Iterable[Sequence[Row]]) -> Architecture:
        return tuple(value for rows in cells for row in rows for value in row[: self.block_size])

    def _rows(self, architecture: Sequence[int]) -> list[list[Row]]:
        """Returns the rows of each cell."""
        size, combine = self.block_size, (0,) * (5 - self.block_size)
        rows: list[Any] = [
            (*architecture[i : i + size], *combine) for i in range(0, len(architecture), size)
        ]
        return [rows[: self.num_blocks], rows[self.num_blocks :]][: len(self.cells)]

    def _outputs(self, rows: Sequence[Row]) -> tuple[int, ...]:
        """Returns the blocks that form a cell's output."""
        read = {state for row in rows for state in row[:2]} if self.concat == "unused" else set()
        return tuple(state for state in range(2, len(rows) + 2) if state not in read)

    def _cell(self, rows: Sequence[Row]) -> CellGenotype:
        blocks = tuple(
            Block(
                Branch(self.operations[o1], i1), Branch(self.operations[o2], i2), self.combiners[c]
            )
            for i1, i2, o1, o2, c in rows
        )
        return CellGenotype(blocks, concat=self._outputs(rows))

    def _cell_rows(self, cell: CellGenotype) -> list[Row]:
        """Returns the rows of a cell.

        Raises:
            ValueError: It is not in this space; the message says why.
        """
        if cell.num_inputs != 2 or not cell.concat:
            raise ValueError(f"cells of this space have 2 inputs and a concat list, got {cell}")
        rows: list[Row] = []
        for index, block in enumerate(cell.blocks):
            left, right = block.branches
            o1 = self._index("operation", left.operation, self.operations, index)
            o2 = self._index("operation", right.operation, self.operations, index)
            combine = self._index("combination", block.combine, self.combiners, index)
            rows.append((int(left.input), int(right.input), o1, o2, combine))
        expected = self._outputs(rows)
        if set(cell.outputs) != set(expected):
            raise ValueError(
                f"in this space a cell's output consists of {self.concat} blocks, here states "
                f"{list(expected)}, but the cell concatenates {list(cell.outputs)}"
            )
        return rows

    def _index(self, kind: str, name: str, names: Sequence[str], block: int) -> int:
        if name not in names:
            raise ValueError(
                f"block {block}: {kind} {name!r} is not in this space; it has {', '.join(names)}"
            )
        return names.index(name)


def canonical_rows(rows: Sequence[Row]) -> list[Row]:
    """Sorts the halves of every block and orders independent blocks canonically."""
    nodes = [(c, ((i1, o1), (i2, o2))) for i1, i2, o1, o2, c in rows]
    order = canonical_order(nodes, 2)
    moved = {0: 0, 1: 1, **{old + 2: new + 2 for new, old in enumerate(order)}}
    result = []
    for old in order:
        i1, i2, o1, o2, c = rows[old]
        (i1, o1), (i2, o2) = sorted(((moved[i1], o1), (moved[i2], o2)))
        result.append((i1, i2, o1, o2, c))
    return result
