"""TensorFlow's fused batch normalization, whose gradient is slow on a CPU for odd widths."""

from __future__ import annotations

from typing import Any

from nasnet_keras.layers.backends.devices import has_accelerator

_FAST_CHANNELS = 4
"""The CPU's gradient of channels that this does not divide takes up to twice as long."""


def normalize_batch(
    x: Any, scale: Any, offset: Any, mean: Any, variance: Any, **settings: Any
) -> tuple[Any, Any, Any]:
    """Normalizes a batch by its own statistics.

    The gradient of a width that four does not divide is computed with channels of zeros beside
    them. The values themselves are not: their rounding would no longer be that of slim.

    Args:
        x: Image, `(batch, height, width, channels)`, or channels first as the settings say.
        scale: Gamma, `(channels,)`, float32; so are the following.
        offset: Beta.
        mean: Moving mean.
        variance: Moving variance.
        **settings: `epsilon`, `data_format` and `exponential_avg_factor` of the kernel.

    Returns:
        The image normalized; the moving mean and variance, moved towards those of the batch.
    """
    import tensorflow as tf

    def normalize(x: Any, scale: Any, offset: Any) -> Any:
        return tf.raw_ops.FusedBatchNormV3(
            x=x,
            scale=scale,
            offset=offset,
            mean=mean,
            variance=variance,
            is_training=True,
            **settings,
        )

    missing = -scale.shape[0] % _FAST_CHANNELS
    is_slow = missing and settings["data_format"] == "NHWC" and x.dtype == tf.float32
    if not is_slow or has_accelerator():
        return tuple(normalize(x, scale, offset)[:3])

    @tf.custom_gradient
    def normalize_odd_width(x: Any, scale: Any, offset: Any) -> Any:
        results = normalize(x, scale, offset)

        def gradient(upstream: Any, *_: Any) -> Any:
            return _gradient(x, upstream, scale, results[3:], missing, settings["epsilon"])

        return tuple(results[:3]), gradient

    return normalize_odd_width(x, scale, offset)


def _gradient(x: Any, upstream: Any, scale: Any, saved: Any, missing: int, epsilon: float) -> Any:
    """Returns the gradients of image, scale and offset."""
    import tensorflow as tf

    def padded(x: Any) -> Any:
        return tf.pad(x, [(0, 0)] * (len(x.shape) - 1) + [(0, missing)])

    mean, variance, third = saved
    of_image, of_scale, of_offset, *_ = tf.raw_ops.FusedBatchNormGradV3(
        y_backprop=padded(upstream),
        x=padded(x),
        scale=padded(scale),
        reserve_space_1=padded(mean),
        reserve_space_2=padded(variance),
        reserve_space_3=third,
        epsilon=epsilon,
        data_format="NHWC",
        is_training=True,
    )
    channels = scale.shape[0]
    return of_image[..., :channels], of_scale[:channels], of_offset[:channels]
