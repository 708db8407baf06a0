"""NumPy's preprocessing gives the pixels of the one that every backend has."""

import numpy as np
import pytest

from nasnet_keras.data import numpy_preprocessing, preprocessing
from nasnet_keras.data.numpy_preprocessing import preprocess_picture

SIZES = [(40, 31), (7, 100), (32, 32), (1, 1), (33, 200)]


def test_there_are_the_same_preprocessings():
    assert set(numpy_preprocessing.PREPROCESSINGS) == set(preprocessing.PREPROCESSINGS)


@pytest.mark.parametrize("name", preprocessing.PREPROCESSINGS)
@pytest.mark.parametrize("side", [32, 17])
def test_pixels_are_the_same_as_on_the_backend(name, side):
    generator = np.random.default_rng(0)
    for size in SIZES:
        pixels = generator.integers(0, 256, (*size, 3), np.uint8)
        expected = np.asarray(preprocessing.preprocess(pixels[np.newaxis], name, side))[0]
        found = preprocess_picture(pixels, name, side)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5, err_msg=str(size))


def test_an_unknown_preprocessing_is_told_with_the_nearest():
    with pytest.raises(ValueError, match="'cifer'.*cifar"):
        preprocess_picture(np.zeros((2, 2, 3)), "cifer", 2)
