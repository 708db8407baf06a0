"""Cells of every genotype, alone and with drop path."""

from pathlib import Path

import keras
import numpy as np
import pytest

from nasnet_keras.genotypes import get_genotype
from nasnet_keras.layers import AuxiliaryHead, Cell, ClassifierHead
from tests.layer_checks import check_layer, images, randomize
from tests.networks_of_cells import CELL_GENOTYPES

CELLS = [
    (name, kind)
    for name in CELL_GENOTYPES
    for kind in ("normal", "reduction")
    if getattr(get_genotype(name), kind)
]


@pytest.mark.parametrize(("name", "kind"), CELLS)
def test_every_published_cell_keeps_every_promise(name: str, kind: str, tmp_path: Path) -> None:
    genotype = getattr(get_genotype(name), kind)
    strides = 2 if kind == "reduction" else 1
    widths = [6, 4] if genotype.num_inputs == 2 else [4, 4, 6, 4]
    inputs = [images((2, 6, 7, width), seed) for seed, width in enumerate(widths)]
    outputs = check_layer(lambda: Cell(genotype, 4, strides), inputs, tmp_path)
    assert len(outputs) == (1 if genotype.num_inputs == 2 else 4)


def test_a_larger_previous_state_goes_through_the_factorized_reduction(tmp_path: Path) -> None:
    normal = get_genotype("nasnet_a").normal
    inputs = [images((2, 4, 3, 6), 0), images((2, 7, 5, 6), 1)]
    check_layer(lambda: Cell(normal, 4, previous_reduction=2), inputs, tmp_path)
    cell = Cell(normal, 4, previous_reduction=2, name="cell_4")
    cell.build([x.shape for x in inputs])
    paths = {v.path for v in cell.weights}
    # slim puts these directly into the cell's scope.
    assert {"cell_4/path1_conv/kernel", "cell_4/final_path_bn/gamma"} <= paths
    assert not any("previous" in path for path in paths)


def test_the_first_cell_reads_the_raw_stem(tmp_path: Path) -> None:
    normal = get_genotype("nasnet_a").normal
    check_layer(lambda: Cell(normal, 4), [images((2, 5, 4, 9))], tmp_path)
    cell = Cell(normal, 4, name="cell_0")
    cell.build([(None, 5, 4, 9)])
    shapes = {v.path: tuple(v.shape) for v in cell.weights}
    assert shapes["cell_0/cell_output/reduction_1/path_conv/kernel"] == (1, 1, 9, 4)


def test_drop_path_spares_identities_and_drops_every_other_branch() -> None:
    genotype = get_genotype("nasnet_a").normal
    settings = {"keep_probability": 1e-6, "version": "v1", "total_steps": 1, "seed": 2}
    cell = Cell(genotype, 4, drop_path=settings)
    inputs = [images((3, 5, 5, 4), 0), images((3, 5, 5, 4), 1)]
    cell(inputs, step=1)
    randomize(cell)
    cell.trainable = False  # BN on its moving statistics also in training.
    dropped = keras.ops.convert_to_numpy(cell(inputs, step=1, training=True))
    previous, current_block = inputs[1], dropped[..., 12:16]
    # The concatenation starts with h_{i-1}; block 2 is avg3(0) + id(1), block 4 sep3(0) + id(0).
    np.testing.assert_array_equal(dropped[..., :4], previous)
    np.testing.assert_array_equal(current_block, previous)
    assert (dropped[..., 4:12] == 0).all() and (dropped[..., 16:20] == 0).all()
    assert (dropped[..., 20:] != 0).any()


def test_a_cell_refuses_another_number_of_inputs() -> None:
    with pytest.raises(ValueError, match="a cell with 4 inputs got 2"):
        Cell(get_genotype("nasnet_b").normal, 4).build([(None, 4, 4, 4)] * 2)


def test_heads_keep_every_promise(tmp_path: Path) -> None:
    check_layer(lambda: AuxiliaryHead(3), [images((2, 8, 11, 4))], tmp_path, fixed_size=True)
    head = ClassifierHead(3, dropout=0.5, name="final_layer")
    x = images((64, 6))
    head(x)
    randomize(head)
    w = {v.path: keras.ops.convert_to_numpy(v.value) for v in head.weights}
    result = keras.ops.convert_to_numpy(head(x, training=False))
    wanted = x @ w["final_layer/FC/kernel"] + w["final_layer/FC/bias"]
    np.testing.assert_allclose(result, wanted, rtol=1e-4, atol=1e-5)
    assert (keras.ops.convert_to_numpy(head(x, training=True)) != result).any()


@pytest.mark.parametrize("shape", [(None, 4, 9, 3), (None, None, 9, 3)])
def test_auxiliary_head_needs_five_known_pixels(shape: tuple) -> None:
    with pytest.raises(ValueError, match="at least 5x5 pixels"):
        AuxiliaryHead(3).build(shape)
