"""TensorFlow's fused batch normalization of any width has the kernel's values and gradients."""

from typing import Any

import keras
import numpy as np
import pytest

from nasnet_keras.layers.backends.batch_norm_tensorflow import normalize_batch

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="is TensorFlow's")


def plain(x: Any, scale: Any, offset: Any, mean: Any, variance: Any, **settings: Any) -> Any:
    import tensorflow as tf

    return tf.raw_ops.FusedBatchNormV3(
        x=x,
        scale=scale,
        offset=offset,
        mean=mean,
        variance=variance,
        is_training=True,
        **settings,
    )[:3]


@pytest.mark.parametrize("channels", [1, 3, 8, 11, 22])
def test_values_are_the_kernels_to_the_bit_and_gradients_to_rounding(channels: int) -> None:
    import tensorflow as tf

    generator = np.random.default_rng(channels)
    shape = (2, 5, 6, channels)
    x = tf.constant(generator.normal(1.0, 2.0, shape), "float32")
    upstream = tf.constant(generator.normal(size=shape), "float32")
    scale, offset, mean = (
        tf.constant(generator.normal(size=channels), "float32") for _ in range(3)
    )
    variance = tf.constant(generator.uniform(1, 2, channels), "float32")
    settings = {"exponential_avg_factor": 0.1, "epsilon": 1e-3, "data_format": "NHWC"}
    found, expected = [], []
    for function, results in ((normalize_batch, found), (plain, expected)):

        @tf.function(autograph=False)
        def value_and_gradients(function: Any = function) -> Any:
            with tf.GradientTape() as tape:
                tape.watch([x, scale, offset])
                values = function(x, scale, offset, mean, variance, **settings)
            return values, tape.gradient(values[:1], [x, scale, offset], [upstream])

        values, gradients = value_and_gradients()
        results.extend([values, gradients])
    for value, wanted in zip(found[0], expected[0], strict=True):
        np.testing.assert_array_equal(value, wanted)
    for value, wanted in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(value, wanted, rtol=2e-6, atol=2e-5)
