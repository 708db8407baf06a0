"""The counts of PNASNet's space."""

import itertools

import numpy as np

from nasnet_keras.genotypes import (
    PNASNET_5,
)
from nasnet_keras.search import (
    PNASSpace,
    get_space,
)


def test_pnas_counts_are_the_papers() -> None:
    space = PNASSpace()
    assert [len(space.block_choices(i)) for i in range(5)] == [136, 300, 528, 820, 1176]
    raw = [int(np.prod([len(d.choices) for d in space.decisions[i : i + 4]]))
           for i in range(0, 20, 4)]  # fmt: skip
    assert raw == [256, 576, 1024, 1600, 2304]
    assert space.count() == 256 * 576 * 1024 * 1600 * 2304 == 556627761561600
    first = space.first_level()
    assert len(first) == len({space.canonical(cell) for cell in first}) == 136
    assert len(space.children(first)) == 136 * 300
    assert len({space.canonical(cell) for cell in space.children(first).tolist()}) == 31620


def test_all_one_block_architectures_are_136_networks() -> None:
    space = PNASSpace(1)
    sizes = [range(len(decision.choices)) for decision in space.decisions]
    assert len({space.key(architecture) for architecture in itertools.product(*sizes)}) == 136


def test_two_block_networks_are_31620_by_brute_force() -> None:
    """Counts classes by joining each architecture with its images under the two symmetries."""
    count = 0
    halves0 = [(i, o) for i in range(2) for o in range(8)]
    halves1 = [(i, o) for i in range(3) for o in range(8)]
    seen = set()
    blocks0 = {tuple(sorted(pair)) for pair in itertools.product(halves0, repeat=2)}
    blocks1 = {tuple(sorted(pair)) for pair in itertools.product(halves1, repeat=2)}
    for first, second in itertools.product(blocks0, blocks1):
        if (first, second) not in seen:
            count += 1
            independent = all(i < 2 for i, _ in second)
            seen |= {(first, second), (second, first)} if independent else {(first, second)}
    assert count == 31620


def test_pnasnet_5_is_in_the_pnas_space() -> None:
    space = PNASSpace()
    architecture = space.encode(PNASNET_5)
    assert space.decode(architecture).normal == PNASNET_5.normal
    assert len(architecture) == 20


def test_a_space_of_two_operations_has_175_cells() -> None:
    space = PNASSpace(2, operations="max_pool_3x3,separable_3x3")
    first = space.first_level()
    keys = {space.key(cell) for cell in space.children(first).tolist()}
    assert (len(first), len(keys)) == (10, 165)
    sizes = [range(len(decision.choices)) for decision in space.decisions]
    assert {space.key(architecture) for architecture in itertools.product(*sizes)} == keys
    assert space.config() == {
        "space": "pnas", "num_blocks": 2, "operations": ["max_pool_3x3", "separable_3x3"]
    }  # fmt: skip
    # Its cells are those of the whole space.
    genotype = space.decode(first[-1])
    assert [b.operation for b in genotype.normal.blocks[0].branches] == ["separable_3x3"] * 2
    assert PNASSpace(2).decode(PNASSpace(2).encode(genotype)).normal == genotype.normal
    # As in a file of a search.
    assert get_space("pnas", num_blocks=2, operations=list(space.operations)).config() == (
        space.config()
    )
