"""The depthwise convolution, in the form that each backend computes fastest on a CPU."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nasnet_keras.layers.backends.depthwise_jax import convolve_on_jax
from nasnet_keras.layers.backends.depthwise_tensorflow import FAST_WIDTH, convolve_on_tensorflow
from nasnet_keras.layers.backends.devices import has_accelerator


def depthwise_convolution(
    x: Any,
    kernel: Any,
    strides: tuple[int, int],
    padding: str,
    data_format: str,
    dilation: tuple[int, int],
    training: bool | None,
) -> Any:
    """Convolves each channel by itself, as `keras.ops.depthwise_conv`.

    On a CPU, TensorFlow's gradient of a wide kernel is computed three columns at a time, up to
    three times as fast, and JAX's convolution is a sum of shifted images. Values are the same up to
    float32 rounding.

    Args:
        x: Image, `(batch, height, width, channels)` or channels first.
        kernel: `(height, width, channels, multiplier)`.
        strides: Of rows and columns.
        padding: `"same"` or `"valid"`.
        data_format: Of the image.
        dilation: Of rows and columns.
        training: Whether a gradient is asked for. Exported graphs have TensorFlow's own operation.

    Returns:
        The image convolved.
    """
    suits = (
        data_format == "channels_last"
        and strides[0] == strides[1]
        and tuple(dilation) == (1, 1)
        and keras.backend.standardize_dtype(x.dtype) == "float32"
    )
    backend = keras.backend.backend()
    is_slow_gradient = backend == "tensorflow" and training and kernel.shape[1] > FAST_WIDTH
    if suits and is_slow_gradient and not has_accelerator():
        return convolve_on_tensorflow(x, kernel, strides[0], padding)
    is_known = all(isinstance(side, int) for side in x.shape[1:3])
    is_slow = backend == "jax" and is_known and kernel.shape[3] == 1
    if suits and is_slow and not has_accelerator():
        return convolve_on_jax(x, kernel, strides[0], padding)
    return ops.depthwise_conv(x, kernel, strides, padding, data_format, dilation)
