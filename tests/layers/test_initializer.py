"""slim's initializer: fan-out truncated normal, reproducible."""

import keras
import numpy as np
import pytest

from nasnet_keras.layers.initializer import FanOutTruncatedNormal


@pytest.mark.parametrize("shape", [(3, 3, 40, 60), (7, 7, 300, 1), (400, 300)])
def test_distribution_is_that_of_keras_variance_scaling(shape: tuple[int, ...]) -> None:
    ours = np.sort(keras.ops.convert_to_numpy(FanOutTruncatedNormal(1)(shape)), axis=None)
    theirs = keras.initializers.VarianceScaling(2.0, "fan_out", "truncated_normal", seed=1)(shape)
    theirs = np.sort(keras.ops.convert_to_numpy(theirs), axis=None)
    assert ours.std() == pytest.approx(theirs.std(), rel=0.02)
    # Kolmogorov-Smirnov: the two sorted samples stay close in every quantile.
    assert np.abs(ours - theirs).max() < 0.25 * theirs.std()
    assert abs(ours).max() == pytest.approx(abs(theirs).max(), rel=0.02)


def draw(initializer: FanOutTruncatedNormal) -> np.ndarray:
    return keras.ops.convert_to_numpy(initializer((3, 3, 2, 4)))


def test_seeds_govern_the_draw() -> None:
    first, second = FanOutTruncatedNormal(), FanOutTruncatedNormal()
    assert (draw(first) != draw(second)).any()
    draws = []
    for _ in range(2):
        keras.utils.set_random_seed(11)
        draws.append(draw(FanOutTruncatedNormal()))
    np.testing.assert_array_equal(*draws)
