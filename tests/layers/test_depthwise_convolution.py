"""The depthwise convolution computes what Keras's does, and so do its gradients."""

import keras
import numpy as np
import pytest

from nasnet_keras.layers.depthwise_convolution import depthwise_convolution

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize(("side", "stride"), [(3, 1), (5, 1), (5, 2), (7, 1), (7, 2), (9, 3)])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("image", [(12, 15), (13, 10)])
def test_gradients_are_those_of_the_plain_operation(side, stride, padding, image):
    import tensorflow as tf

    generator = np.random.default_rng(side)
    x = tf.constant(generator.normal(size=(2, *image, 3)), "float32")
    kernel = tf.constant(generator.normal(size=(side, side, 3, 2)), "float32")

    @tf.function(
        input_signature=[tf.TensorSpec((None, None, None, 3)), tf.TensorSpec(kernel.shape)]
    )
    def ours(x, kernel):
        y = depthwise_convolution(
            x, kernel, (stride, stride), padding, "channels_last", (1, 1), training=True
        )
        return y, *tf.gradients(tf.sin(y), [x, kernel])

    with tf.GradientTape() as tape:
        tape.watch((x, kernel))
        y = keras.ops.depthwise_conv(x, kernel, (stride, stride), padding, "channels_last")
        loss = tf.sin(y)
    expected = [y, *tape.gradient(loss, (x, kernel))]
    for value, wanted in zip(ours(x, kernel), expected, strict=True):
        np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=1e-4)


def test_only_training_replaces_the_operation():
    import tensorflow as tf

    kernel = tf.ones((5, 5, 3, 1))

    def operations(training):
        function = tf.function(
            lambda x: depthwise_convolution(
                x, kernel, (1, 1), "same", "channels_last", (1, 1), training
            )
        )
        graph = function.get_concrete_function(tf.TensorSpec((1, 8, 8, 3))).graph
        return {operation.type for operation in graph.get_operations()}

    assert "IdentityN" in operations(True)
    assert "IdentityN" not in operations(False)
