"""JAX's sum of shifted images is the depthwise convolution, and so are its gradients."""

import keras
import numpy as np
import pytest

from nasnet_keras.layers.depthwise_convolution import depthwise_convolution

pytestmark = pytest.mark.skipif(keras.backend.backend() != "jax", reason="is JAX's")
WINDOWS = [(1, 2), (2, 3), (3, 1), (3, 2), (5, 1), (5, 2), (7, 2), (9, 3)]


@pytest.mark.parametrize(("side", "stride"), WINDOWS)
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_values_and_gradients_are_those_of_the_plain_operation(side, stride, padding):
    import jax

    settings = (stride, stride), padding, "channels_last"
    generator = np.random.default_rng(side)
    kernel = generator.normal(size=(side, side, 3, 1)).astype("float32")
    for image in ((9, 9), (12, 15), (13, 10)):
        x = generator.normal(size=(2, *image, 3)).astype("float32")

        def ours(x, kernel):
            y = depthwise_convolution(x, kernel, *settings, (1, 1), training=True)
            return keras.ops.sum(keras.ops.sin(y)), y

        def plain(x, kernel):
            y = keras.ops.depthwise_conv(x, kernel, *settings)
            return keras.ops.sum(keras.ops.sin(y)), y

        found, expected = (
            jax.tree.leaves(jax.jit(jax.value_and_grad(function, (0, 1), has_aux=True))(x, kernel))
            for function in (ours, plain)
        )
        for value, wanted in zip(found, expected, strict=True):
            np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=1e-4)


def test_no_convolution_is_left():
    import jax

    kernel = np.ones((5, 5, 3, 1), "float32")

    def loss(x, kernel):
        return depthwise_convolution(
            x, kernel, (2, 2), "same", "channels_last", (1, 1), training=True
        ).sum()

    image = np.ones((1, 8, 8, 3), "float32")
    for function in (loss, jax.grad(loss, (0, 1))):
        text = jax.jit(function).lower(image, kernel).compile().as_text()
        assert " convolution(" not in text
