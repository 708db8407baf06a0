"""A narrow strided convolution has no gradient that oneDNN computes outside of its memory."""

import keras
import numpy as np
import pytest

from nasnet_keras.layers.normalized_convolution import convolve
from tests.layer_checks import images


@pytest.mark.tensorflow
@pytest.mark.parametrize(("channels", "strided"), [(2, False), (15, False), (16, True)])
def test_gradient_of_a_strided_pointwise_kernel(channels: int, strided: bool) -> None:
    import tensorflow as tf

    convolution = keras.layers.Conv2D(4, 1, strides=2, use_bias=False)
    convolution.build((None, None, None, channels))
    x = images((3, 32, 32, channels))

    @tf.function
    def gradient(x: tf.Tensor) -> tf.Tensor:
        return tf.gradients(tf.square(convolve(x, convolution)), convolution.kernel.value)[0]

    graph = gradient.get_concrete_function(tf.TensorSpec((None, None, None, channels))).graph
    of_kernel = [node for node in graph.get_operations() if node.type == "Conv2DBackpropFilter"]
    # Run on a narrow one, a strided one ends the process: so the graph is looked at first.
    assert [node.get_attr("strides")[1:3] for node in of_kernel] == [[2, 2] if strided else [1, 1]]
    read = x[:, ::2, ::2].reshape(-1, channels).astype("float64")
    kernel = keras.ops.convert_to_numpy(convolution.kernel)[0, 0]
    expected = 2 * read.T @ (read @ kernel)
    # A sum may cancel out: what is rounded are its terms.
    atol = 1e-5 * np.abs(expected).max()
    np.testing.assert_allclose(gradient(tf.constant(x))[0, 0], expected, rtol=1e-4, atol=atol)
