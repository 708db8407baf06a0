"""Augmentation changes training images as it says, and no others."""

import keras
import numpy as np
import pytest

from nasnet_keras.data.augmentation import Augmentation


@pytest.fixture
def ramps():
    """Images whose first channel is the column and whose second is the row, border excepted."""
    row, column = np.mgrid[0:16, 0:16].astype(np.float32)
    return np.repeat(np.stack([column, row, 0 * row], axis=-1)[np.newaxis], 200, axis=0)


def test_shift_moves_each_image_by_at_most_an_eighth(ramps):
    shifted = np.asarray(Augmentation("shift", seed=3)(ramps, training=True))
    offsets = shifted[:, 8, 8, :2] - 8
    assert np.abs(offsets).max() <= 2 and np.abs(offsets).max() > 1.8
    assert len(np.unique(offsets[:, 0])) > 100
    assert abs(np.corrcoef(offsets.T)[0, 1]) < 0.3
    # The whole image moves, and the border is repeated.
    np.testing.assert_allclose(
        shifted[:, 4:12, 4:12, 0], ramps[:, 4:12, 4:12, 0] + offsets[:, :1, np.newaxis], atol=1e-4
    )
    assert shifted.min() >= -1e-4 and shifted.max() <= 15 + 1e-4


def test_images_pass_unchanged_outside_training(ramps):
    layer = Augmentation("shift")
    for arguments in ({}, {"training": False}):
        np.testing.assert_array_equal(np.asarray(layer(ramps, **arguments)), ramps)
    np.testing.assert_array_equal(np.asarray(Augmentation("none")(ramps, training=True)), ramps)


def test_same_seed_gives_the_same_shifts(ramps):
    first, second = (np.asarray(Augmentation("shift", 5)(ramps, training=True)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    again = Augmentation.from_config(Augmentation("shift", 5).get_config())
    np.testing.assert_array_equal(np.asarray(again(ramps, training=True)), first)


def test_unknown_augmentation_suggests_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'shift'"):
        Augmentation("shft")


def test_shift_survives_half_precision(ramps):
    layer = Augmentation("shift", dtype="mixed_float16")
    result = layer(keras.ops.cast(ramps, "float16"), training=True)
    assert keras.backend.standardize_dtype(result.dtype) == "float16"


def cifar_ramps(count: int, size: int = 32) -> np.ndarray:
    """Images of row, column and one, each counted from 1: zero is border or cutout."""
    row, column = np.mgrid[1 : size + 1, 1 : size + 1].astype(np.float32)
    return np.repeat(np.stack([row, column, row * 0 + 1], axis=-1)[np.newaxis], count, axis=0)


def test_cifar_is_a_crop_out_of_a_border_of_four_and_a_flip():
    images = cifar_ramps(300)
    results = np.asarray(Augmentation("cifar", seed=1)(images, training=True))
    padded = np.pad(images[0], [(4, 4), (4, 4), (0, 0)])
    allowed = {}
    for top in range(9):
        for left in range(9):
            crop = padded[top : top + 32, left : left + 32]
            allowed[crop.tobytes()] = (top, left, False)
            allowed[crop[:, ::-1].tobytes()] = (top, left, True)
    chosen = [allowed[result.tobytes()] for result in results]
    top, left, flip = np.array(chosen).T
    assert set(top) == set(left) == set(range(9)) and 0.4 < flip.mean() < 0.6
    assert abs(np.corrcoef(top, left)[0, 1]) < 0.2


def test_cifar_cutout_also_hides_a_square_of_sixteen():
    images = np.ones((300, 32, 32, 3), np.float32) + cifar_ramps(300)
    plain = np.asarray(Augmentation("cifar", seed=1)(images, training=True))
    cut = np.asarray(Augmentation("cifar_cutout", seed=1)(images, training=True))
    changed = (plain != cut).any(axis=-1)
    assert np.all(cut[changed] == 0)
    for image, shown in zip(cut, plain, strict=True):
        hidden = (image == 0).all(axis=-1)
        assert hidden.sum() >= 64 and (hidden & (shown != 0).all(axis=-1)).sum() <= 256
    areas = changed.sum(axis=(1, 2))
    assert areas.max() == 256 and areas.min() < 150


def test_cifar_augmentation_repeats_with_its_seed_and_survives_a_graph():
    images = cifar_ramps(20)
    network = keras.Sequential([keras.Input((32, 32, 3)), Augmentation("cifar_cutout", 4)])
    expected = np.asarray(Augmentation("cifar_cutout", 4)(images, training=True))
    np.testing.assert_array_equal(np.asarray(network(images, training=True)), expected)
    np.testing.assert_array_equal(network.predict(images, verbose=0), images)


@pytest.mark.tensorflow
@pytest.mark.parametrize("kind", ["shift", "cifar_cutout"])
def test_xla_compiles_what_tensorflow_computes(kind, ramps):
    import tensorflow as tf

    layer = Augmentation(kind, seed=3)
    compiled = tf.function(lambda images: layer(images, training=True), jit_compile=True)
    changed = compiled(ramps).numpy()
    # XLA has random numbers of its own; the pixels are those of the images, moved.
    assert not np.allclose(changed, ramps)
    assert changed.min() >= -1e-4 and changed.max() <= 15 + 1e-4
