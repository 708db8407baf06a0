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
