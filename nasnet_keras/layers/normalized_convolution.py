"""A convolution followed by batch normalization, as one computation."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import keras
from keras import ops

from nasnet_keras.layers.depthwise_convolution import depthwise_convolution

_SMALL = 1024
"""Pixels of a whole batch up to which a 1x1 convolution is faster as a matrix product."""

_NARROW = 16
"""Channels below which oneDNN, in TensorFlow 2.20 on a CPU with AVX-512, writes outside its memory.

It does so in the gradient of a strided 1x1 convolution's kernel where the image's sides are even;
the process then ends, at once or later.
"""

Convolution: TypeAlias = keras.layers.Conv2D | keras.layers.SeparableConv2D


def convolve_and_normalize(
    x: Any,
    convolution: Convolution,
    normalization: keras.layers.BatchNormalization,
    training: bool | None,
) -> Any:
    """Returns `normalization(convolution(x))`.

    At inference BN is a scale and an offset for each channel. The scale goes into the kernel where
    that is smaller than the feature map, and the offset becomes a bias, which backends fuse into
    the convolution: up to two passes less over the feature map, equal up to rounding.

    Args:
        x: Image, `(batch, height, width, channels)` or channels first.
        convolution: Convolution without bias, built.
        normalization: BN over its channels, built.
        training: Whether BN uses the batch's statistics, as in `keras.layers.BatchNormalization`.

    Returns:
        The normalized image.
    """
    learns = training and normalization.trainable
    dtype = keras.backend.standardize_dtype(x.dtype)
    # A scaled kernel may be beyond float16.
    if learns or dtype not in ("float32", "bfloat16"):
        return normalization(convolve(x, convolution, training), training=training)
    inverse_deviation = ops.rsqrt(normalization.moving_variance + normalization.epsilon)
    scale = normalization.gamma * inverse_deviation
    offset = normalization.beta - normalization.moving_mean * scale
    return convolve(x, convolution, training, ops.cast(scale, dtype), ops.cast(offset, dtype))


def convolve(
    x: Any,
    convolution: Convolution,
    training: bool | None = None,
    scale: Any = None,
    offset: Any = None,
) -> Any:
    """Applies a convolution, then a scale and an offset for each of its filters.

    A 1x1 convolution is computed as a matrix product, whose gradients are products too: on a CPU a
    convolution's call costs up to twice as much. Only a large feature map with an offset, of which
    no gradient is asked for, is left to the convolution, into which TensorFlow fuses the offset and
    the ReLU that follows.

    Args:
        x: Image, `(batch, height, width, channels)` or channels first.
        convolution: Convolution without bias, built.
        training: Whether a gradient is asked for.
        scale: `(filters,)` or `None`.
        offset: `(filters,)` or `None`.

    Returns:
        The image convolved.
    """
    data_format = convolution.data_format
    kernel, strides, dilation = (
        convolution.kernel_size,
        convolution.strides,
        convolution.dilation_rate,
    )
    if isinstance(convolution, keras.layers.SeparableConv2D):
        depthwise = ops.cast(convolution.depthwise_kernel, x.dtype)
        x = depthwise_convolution(
            x, depthwise, strides, convolution.padding, data_format, dilation, training
        )
        weights = convolution.pointwise_kernel
        kernel, strides, dilation = (1, 1), (1, 1), (1, 1)
    else:
        weights = convolution.kernel
    # The layers' own calls would cast; here they are not called.
    weights = ops.cast(weights, x.dtype)
    channels_last = data_format == "channels_last"
    channels = x.shape[-1 if channels_last else 1]
    is_tensorflow = keras.backend.backend() == "tensorflow"
    is_strided = strides != (1, 1)
    if kernel == (1, 1) and is_strided and channels < _NARROW and is_tensorflow:
        # What slim has: the pixels that the convolution looks at, then the convolution; as fast.
        x, strides = ops.average_pool(x, 1, strides, "valid", data_format), (1, 1)
    pixels = math.inf if None in x.shape else math.prod(x.shape) // channels
    # Twice the channels, because a scaled kernel has to be written out and read again.
    if scale is not None and pixels >= 2 * weights.shape[-2]:
        weights, scale = weights * scale, None
    fuses = offset is not None and pixels > _SMALL and not training
    # A product's reshaping hides how many images there are, at which TensorFlow's graph optimizer
    # gives up fusing; so a strided convolution stays one.
    if kernel == (1, 1) and not is_strided and channels_last and not fuses:
        flat = ops.reshape(x, (-1, channels))
        y = ops.matmul(flat, ops.reshape(weights, weights.shape[-2:]))
        y = y if scale is None else y * scale
        y = y if offset is None else y + offset
        return ops.reshape(y, (*ops.shape(x)[:-1], weights.shape[-1]))
    y = ops.conv(x, weights, strides, convolution.padding, data_format, dilation)
    if not channels_last:
        scale = scale if scale is None else ops.reshape(scale, (1, -1, 1, 1))
        offset = offset if offset is None else ops.reshape(offset, (1, -1, 1, 1))
    y = y if scale is None else y * scale
    return y if offset is None else y + offset
