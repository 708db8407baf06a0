"""A cell as rows of numbers, one a block: what the spaces of cells share."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

from nasnet_keras.genotypes import Block, Branch, CellGenotype
from nasnet_keras.search.spaces.canonical import canonical_order

Row = tuple[int, int, int, int, int]
"""Inputs (slim's index), operations and combination of a block: I1, I2, O1, O2, C."""

Concat = Literal["unused", "all"]


def input_names(block: int) -> tuple[str, ...]:
    """Returns the names of the states that a block of a cell with two inputs may read."""
    return ("current", "previous", *(f"block_{i}" for i in range(block)))


def canonical_rows(rows: Sequence[Row]) -> list[Row]:
    """Sorts the halves of every block and puts independent blocks into one order."""
    nodes = [(c, ((i1, o1), (i2, o2))) for i1, i2, o1, o2, c in rows]
    order = canonical_order(nodes, 2)
    moved = {0: 0, 1: 1, **{old + 2: new + 2 for new, old in enumerate(order)}}
    result = []
    for old in order:
        i1, i2, o1, o2, c = rows[old]
        (i1, o1), (i2, o2) = sorted(((moved[i1], o1), (moved[i2], o2)))
        result.append((i1, i2, o1, o2, c))
    return result


def output_states(rows: Sequence[Row], concat: Concat) -> tuple[int, ...]:
    """Returns the blocks that make the cell's output: all, or those that no other block reads."""
    read = {state for row in rows for state in row[:2]} if concat == "unused" else set()
    return tuple(state for state in range(2, len(rows) + 2) if state not in read)


def rows_to_cell(
    rows: Sequence[Row], operations: Sequence[str], combiners: Sequence[str], concat: Concat
) -> CellGenotype:
    """Returns the cell that the rows describe."""
    blocks = tuple(
        Block(Branch(operations[o1], i1), Branch(operations[o2], i2), combiners[c])
        for i1, i2, o1, o2, c in rows
    )
    return CellGenotype(blocks, concat=output_states(rows, concat))


def cell_to_rows(
    cell: CellGenotype, operations: Sequence[str], combiners: Sequence[str], concat: Concat
) -> list[Row]:
    """Returns the rows of a cell.

    Raises:
        ValueError: An operation or combination is not among those given, or the cell's output is
            not made of the blocks that `concat` says; the message says which.
    """
    if cell.num_inputs != 2 or not cell.concat:
        raise ValueError(f"cells of this space have 2 inputs and a concat list, got {cell}")
    rows: list[Row] = []
    for number, block in enumerate(cell.blocks):
        for branch in block.branches:
            if branch.operation not in operations:
                raise ValueError(
                    f"block {number}: operation {branch.operation!r} is not in this space; it has "
                    f"{', '.join(operations)}"
                )
        if block.combine not in combiners:
            raise ValueError(
                f"block {number}: combination {block.combine!r} is not in this space; it has "
                f"{', '.join(combiners)}"
            )
        left, right = block.branches
        rows.append(
            (
                int(left.input),
                int(right.input),
                operations.index(left.operation),
                operations.index(right.operation),
                combiners.index(block.combine),
            )
        )
    expected = output_states(rows, concat)
    if set(cell.outputs) != set(expected):
        raise ValueError(
            f"in this space a cell's output is made of {concat} blocks, here states "
            f"{list(expected)}, but the cell concatenates {list(cell.outputs)}"
        )
    return rows


def short_hash(key: str) -> str:
    """Returns ten characters that name a key; equal keys have equal names on every machine."""
    return hashlib.sha256(key.encode()).hexdigest()[:10]


def check_num_blocks(num_blocks: int) -> None:
    """Refuses a number of blocks that makes no cell.

    Raises:
        ValueError: It is no whole number of 1 or more.
    """
    if isinstance(num_blocks, bool) or not isinstance(num_blocks, int) or num_blocks < 1:
        raise ValueError(f"num_blocks is a whole number of 1 or more, got {num_blocks!r}")
