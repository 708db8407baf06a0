"""The four ways to join the halves of a block."""

from pathlib import Path

import numpy as np
import pytest

from nasnet_keras.genotypes import COMBINERS
from nasnet_keras.layers import Combine
from tests.layer_checks import check_layer, images


@pytest.mark.parametrize("mode", COMBINERS)
def test_values_and_promises(mode: str, tmp_path: Path) -> None:
    left, right = images((2, 5, 4, 6), 0), images((2, 5, 4, 6), 1)
    [result] = check_layer(lambda: Combine(mode), [left, right], tmp_path)
    total = left + right
    if mode == "add":
        np.testing.assert_allclose(result, total, rtol=1e-6)
    elif mode == "concat":
        np.testing.assert_array_equal(result, np.concatenate([left, right], -1))
    else:
        # Layer normalization over a pixel's channels, instance normalization over a channel.
        axes = (3,) if mode == "add_layer_norm" else (1, 2)
        normal = (total - total.mean(axes, keepdims=True)) / np.sqrt(
            total.var(axes, keepdims=True) + 1e-3
        )
        # `check_layer` gave the scale and offset of each channel random values: fit and compare.
        for channel in range(6):
            scale, offset = np.polyfit(
                normal[..., channel].ravel(), result[..., channel].ravel(), 1
            )
            np.testing.assert_allclose(
                result[..., channel], scale * normal[..., channel] + offset, atol=1e-4
            )


def test_unknown_mode_suggests_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'add_layer_norm'"):
        Combine("add_layernorm")


def test_a_mode_that_no_layer_computes_is_refused(monkeypatch) -> None:
    monkeypatch.setattr("nasnet_keras.layers.combine.COMBINERS", ("multiply",))
    with pytest.raises(ValueError, match="no layer computes combination 'multiply'"):
        Combine("multiply").build([(1, 2, 2, 3)] * 2)
