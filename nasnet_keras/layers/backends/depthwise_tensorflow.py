"""The depthwise convolution on TensorFlow's CPU, whose gradient of a wide kernel is slow."""

from __future__ import annotations

from typing import Any

FAST_WIDTH = 3
"""Columns up to which the CPU's gradient of a kernel is fast; 5x5 takes 3 to 6 times 5x3."""


def convolve_on_tensorflow(x: Any, kernel: Any, stride: int, padding: str) -> Any:
    """Convolves each channel by itself.

    Args:
        x: Float32, `(batch, height, width, channels)`.
        kernel: `(height, width, channels, multiplier)`.
        stride: Of rows and columns.
        padding: `"same"` or `"valid"`.

    Returns:
        The image convolved.
    """
    import tensorflow as tf

    padding = padding.upper()
    strides = [1, stride, stride, 1]

    @tf.custom_gradient
    def convolve(x: Any, kernel: Any) -> Any:
        def gradient(upstream: Any) -> tuple[Any, Any]:
            of_image = tf.raw_ops.DepthwiseConv2dNativeBackpropInput(
                input_sizes=tf.shape(x),
                filter=kernel,
                out_backprop=upstream,
                strides=strides,
                padding=padding,
            )
            return of_image, _gradient_of_kernel(x, upstream, kernel.shape, stride, padding)

        return tf.nn.depthwise_conv2d(x, kernel, strides, padding), gradient

    return convolve(tf.convert_to_tensor(x), tf.convert_to_tensor(kernel))


def _gradient_of_kernel(x: Any, upstream: Any, shape: Any, stride: int, padding: str) -> Any:
    """Returns the gradient of a kernel, of a few of its columns at a time."""
    import tensorflow as tf

    height, width, channels, multiplier = shape
    # What the convolution has looked at, from its first pixel to its last.
    rows, columns = (
        (tf.shape(upstream)[axis] - 1) * stride + side for axis, side in ((1, height), (2, width))
    )
    if padding == "SAME":
        border = [
            (missing // 2, missing - missing // 2)
            for missing in (
                tf.maximum(rows - tf.shape(x)[1], 0),
                tf.maximum(columns - tf.shape(x)[2], 0),
            )
        ]
        x = tf.pad(x, [(0, 0), *border, (0, 0)])
    parts = []
    for first in range(0, width, FAST_WIDTH):
        count = min(FAST_WIDTH, width - first)
        parts.append(
            tf.raw_ops.DepthwiseConv2dNativeBackpropFilter(
                input=x[:, :rows, first : first + columns - width + count],
                filter_sizes=[height, count, channels, multiplier],
                out_backprop=upstream,
                strides=[1, stride, stride, 1],
                padding="VALID",
            )
        )
    return tf.concat(parts, axis=1)
