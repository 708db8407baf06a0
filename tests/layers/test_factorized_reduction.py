"""The factorized reduction reads every pixel once and gives odd widths to the second path."""

from pathlib import Path

import keras
import numpy as np
import pytest

from nasnet_keras.layers import FactorizedReduction
from tests import reference
from tests.layer_checks import check_layer, images, randomize


@pytest.mark.parametrize("size", [(6, 8), (7, 5)])
def test_paths_read_even_and_odd_pixels(size: tuple[int, int]) -> None:
    x = images((2, *size, 3))
    layer = FactorizedReduction(5, name="reduction")
    layer(x)
    randomize(layer)
    w = {
        v.path.removeprefix("reduction/"): keras.ops.convert_to_numpy(v.value)
        for v in layer.weights
    }
    active = reference.relu(x)
    shifted = np.pad(active, [(0, 0), (0, 1), (0, 1), (0, 0)])[:, 1:, 1:]
    even = reference.convolve(active[:, ::2, ::2], w["path1_conv/kernel"])
    odd = reference.convolve(shifted[:, ::2, ::2], w["path2_conv/kernel"])
    assert even.shape[-1] == 2 and odd.shape[-1] == 3
    wanted = reference.batch_norm(np.concatenate([even, odd], -1), w, "final_path_bn", 1e-3)
    result = keras.ops.convert_to_numpy(layer(x, training=False))
    np.testing.assert_allclose(result, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("strides", [1, 2])
def test_keeps_every_promise_of_a_layer(strides: int, tmp_path: Path) -> None:
    check_layer(
        lambda: FactorizedReduction(4, strides, activation=False), [images((2, 7, 6, 3))], tmp_path
    )


def test_refuses_another_stride() -> None:
    with pytest.raises(ValueError, match="strides is 1 or 2, got 3"):
        FactorizedReduction(4, 3)
