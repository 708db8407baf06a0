"""Canonical forms: one for all cells that are isomorphic."""

import itertools

import numpy as np
import pytest

from nasnet_keras.genotypes import (
    Block,
    Branch,
    CellGenotype,
    Genotype,
)
from nasnet_keras.search import (
    NASNetSpace,
)


def rows_of(cell: CellGenotype) -> list[tuple]:
    return [(b.left.input, b.left.operation, b.right.input, b.right.operation, b.combine)
            for b in cell.blocks]  # fmt: skip


def isomorphic(first: CellGenotype, second: CellGenotype) -> bool:
    """Tries every renumbering of the blocks: the definition, not the algorithm under test."""
    if len(first.blocks) != len(second.blocks):
        return False
    count = len(first.blocks)
    for order in itertools.permutations(range(count)):
        moved = [0, 1, *(order[i] + 2 for i in range(count))]
        if {moved[i] for i in first.outputs} == set(second.outputs) and all(
            block.combine == second.blocks[order[i]].combine
            and sorted((moved[int(b.input)], b.operation) for b in block.branches)
            == sorted((int(b.input), b.operation) for b in second.blocks[order[i]].branches)
            for i, block in enumerate(first.blocks)
        ):
            return True
    return False


def shuffled(cell: CellGenotype, generator: np.random.Generator) -> CellGenotype:
    """Writes a cell in another order, with halves swapped."""
    rest = list(range(len(cell.blocks)))
    moved = {0: 0, 1: 1}
    blocks = []
    while rest:
        ready = [i for i in rest if all(int(b.input) in moved for b in cell.blocks[i].branches)]
        number = int(generator.choice(ready))
        halves = [Branch(b.operation, moved[int(b.input)]) for b in cell.blocks[number].branches]
        generator.shuffle(halves)  # type: ignore[arg-type]
        blocks.append(Block(*halves, cell.blocks[number].combine))
        moved[number + 2] = len(moved)
        rest.remove(number)
    return CellGenotype(tuple(blocks), concat=tuple(moved[i] for i in cell.outputs))


def test_canonical_forms_agree_exactly_where_cells_are_isomorphic() -> None:
    """Few operations and many blocks, so that alike blocks and coincidences abound."""
    space = NASNetSpace(4)
    generator = np.random.default_rng(5)
    cells = []
    for _ in range(70):
        architecture = [
            int(generator.integers(2)) if decision.kind == "operation" else value
            for decision, value in zip(space.decisions, space.sample(generator), strict=True)
        ]
        normal = space.decode(architecture).normal
        cells += [normal, shuffled(normal, generator)]
    # Twins that are read in different ways are what a plain sort gets wrong.
    twin = ("identity", 0, "identity", 1)
    for reads in ([2, 2, 3, 3], [2, 3, 2, 3], [2, 3, 3, 3], [3, 3, 2, 2]):
        rows = [twin, twin, ("identity", reads[0], "identity", reads[1]),
                ("identity", reads[2], "conv_1x1", reads[3])]  # fmt: skip
        blocks = tuple(Block(Branch(a, b), Branch(c, d)) for a, b, c, d in rows)
        cells.append(CellGenotype(blocks, concat=(4, 5)))
    forms = [space.key(space.encode(Genotype("cells", cell, cell))) for cell in cells]
    same = 0
    for i, j in itertools.combinations(range(len(cells)), 2):
        expected = isomorphic(cells[i], cells[j])
        same += expected
        assert (forms[i] == forms[j]) == expected, (rows_of(cells[i]), rows_of(cells[j]))
    assert same >= 71


@pytest.mark.parametrize("space", [NASNetSpace(3), NASNetSpace(5)], ids=["3", "5"])
def test_equivalent_architectures_have_one_key(space: NASNetSpace) -> None:
    generator = np.random.default_rng(6)
    for _ in range(40):
        architecture = space.sample(generator)
        genotype = space.decode(architecture)
        assert genotype.reduction is not None
        other = Genotype(
            "other", shuffled(genotype.normal, generator), shuffled(genotype.reduction, generator)
        )
        again = space.encode(other)
        assert space.key(again) == space.key(architecture)
        assert space.decode(again).name == genotype.name
    assert space.key(architecture) != space.key(
        space.mutate(space.canonical(architecture), generator)
    )
