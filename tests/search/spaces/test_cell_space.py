"""Decoded architectures are networks, and equivalent ones the same function."""

import itertools

import keras
import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.genotypes import (
    CellGenotype,
)
from nasnet_keras.layers.cell import Cell
from nasnet_keras.search import NASNetSpace, PNASSpace, Space
from tests.layer_checks import images, randomize


@pytest.mark.parametrize(
    ("space", "network"), [(NASNetSpace(3), "nasnet_cifar"), (PNASSpace(3), "pnasnet_cifar")]
)
def test_decoded_architectures_build_and_canonical_ones_are_as_large(
    space: Space, network: str
) -> None:
    generator = np.random.default_rng(1)
    architecture = space.sample(generator)
    counts = []
    for choice in (architecture, space.canonical(architecture)):
        model = nk.create_model(
            network, genotype=space.decode(choice), num_cells=3, filters=4, classes=3, weights=None
        )
        answer = keras.ops.convert_to_numpy(model(images((1, 32, 32, 3))))
        assert answer.shape == (1, 3) and np.isfinite(answer).all()
        counts.append(model.count_params())
    assert counts[0] == counts[1]


def matching(first: CellGenotype, second: CellGenotype) -> tuple[list[int], list[bool]]:
    """Finds by trial which block of the second is which of the first, and whose halves swapped."""
    count = len(first.blocks)
    for order in itertools.permutations(range(count)):
        moved = [0, 1, *(order[i] + 2 for i in range(count))]
        swaps = []
        for i, block in enumerate(first.blocks):
            mine = [(b.operation, moved[int(b.input)]) for b in block.branches]
            theirs = [(b.operation, int(b.input)) for b in second.blocks[order[i]].branches]
            if mine not in (theirs, theirs[::-1]):
                break
            swaps.append(mine != theirs)
        else:
            return list(order), swaps
    raise AssertionError("the cells are not isomorphic")


def test_canonical_form_computes_the_same_function() -> None:
    """With the weights moved along, the outputs are equal up to the order of the blocks."""
    space = PNASSpace(4)
    generator = np.random.default_rng(2)
    inputs = [images((2, 8, 8, 6)), images((2, 8, 8, 6), seed=1)]
    reordered = 0
    for _ in range(4):
        architecture = space.sample(generator)
        first = space.decode(architecture).normal
        second = space.decode(space.canonical(architecture)).normal
        cells = []
        for genotype in (first, second):
            cell = Cell(genotype, filters=4)
            cell.build([(None, None, None, 6)] * 2)
            cells.append(cell)
        randomize(cells[0])
        for name in ("base_conv", "base_bn", "prev_conv", "prev_bn"):
            getattr(cells[1], name).set_weights(getattr(cells[0], name).get_weights())
        order, swaps = matching(first, second)
        reordered += order != sorted(order)
        for i, j in enumerate(order):
            for side in range(2):
                source = cells[0].operations[2 * i + side]
                cells[1].operations[2 * j + (side ^ swaps[i])].set_weights(source.get_weights())
        answers = [keras.ops.convert_to_numpy(cell(inputs)) for cell in cells]
        blocks = [answer.reshape(2, 8, 8, 4, 4) for answer in answers]
        np.testing.assert_allclose(blocks[0], blocks[1][..., order, :], rtol=1e-4, atol=1e-4)
        assert np.ptp(blocks[0]) > 0.1
    assert reordered


@pytest.mark.parametrize(
    ("space", "architecture", "key", "name", "operations"),
    [
        (
            NASNetSpace(2),
            [1, 0, 4, 11, 1, 2, 0, 0, 7, 0, 1, 0, 9, 3, 1, 0, 1, 5, 12, 0],
            "0.1.11.4.1.0.2.7.0.0.0.1.3.9.1.0.1.5.12.0",
            "nasnet_ff13e63152",
            ["avg_pool_3x3", "separable_5x5", "identity", "max_pool_7x7"],
        ),
        (
            PNASSpace(2),
            [1, 0, 1, 0, 1, 2, 5, 4],
            "0.1.0.1.1.2.5.4",
            "pnas_f3376da856",
            ["separable_5x5", "separable_3x3", "avg_pool_3x3", "identity"],
        ),
    ],
)
def test_the_journals_of_earlier_searches_mean_what_they_meant(
    space: Space, architecture: list[int], key: str, name: str, operations: list[str]
) -> None:
    genotype = space.decode(architecture)
    assert space.key(architecture) == key and genotype.name == name
    found = [b.operation for block in genotype.normal.blocks for b in block.branches]
    assert found == operations
