"""Batch normalization with the statistics of TensorFlow's fused kernel, which slim trained with."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nasnet_keras.layers.frozen import RemembersFrozen
from nasnet_keras.layers.initializer import PACKAGE


@keras.saving.register_keras_serializable(PACKAGE)
class BatchNormalization(RemembersFrozen, keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization`, but in training as slim's `fused=True`.

    The moving variance takes the unbiased variance of the batch, and on TensorFlow the fused kernel
    computes all of it: slim's very rounding, and faster than Keras's separate operations.
    Synchronized, masked or renormalized, and at inference, it is Keras's own.

    Args: As `keras.layers.BatchNormalization`.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        learns = training and self.trainable
        if not learns or mask is not None or self.synchronized or getattr(self, "renorm", False):
            return super().call(inputs, training=training, mask=mask)
        if keras.backend.backend() == "tensorflow":
            outputs, mean, variance = self._fused(inputs)
        else:
            outputs, mean, variance = self._separate(inputs)
        self.moving_mean.assign(mean)
        self.moving_variance.assign(variance)
        return outputs

    def _fused(self, inputs: Any) -> tuple[Any, Any, Any]:
        import tensorflow as tf

        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=ops.cast(self.gamma, "float32"),
            offset=ops.cast(self.beta, "float32"),
            # The kernel moves them towards the batch's and returns them.
            mean=ops.convert_to_tensor(self.moving_mean),
            variance=ops.convert_to_tensor(self.moving_variance),
            exponential_avg_factor=1.0 - self.momentum,
            epsilon=self.epsilon,
            data_format="NCHW" if self.axis == 1 else "NHWC",
            is_training=True,
        )
        return outputs, mean, variance

    def _separate(self, inputs: Any) -> tuple[Any, Any, Any]:
        x = ops.cast(inputs, "float32")
        axes = [axis for axis in range(4) if axis != self.axis % 4]
        mean, variance = ops.moments(x, axes)
        outputs = ops.batch_normalization(
            x,
            mean,
            variance,
            self.axis,
            ops.cast(self.beta, "float32"),
            ops.cast(self.gamma, "float32"),
            self.epsilon,
        )
        shape = ops.shape(x)
        pixels = ops.cast(shape[axes[0]] * shape[axes[1]] * shape[axes[2]], "float32")
        variance = variance * (pixels / ops.maximum(pixels - 1.0, 1.0))
        keep = self.momentum
        return (
            ops.cast(outputs, self.compute_dtype),
            self.moving_mean * keep + mean * (1.0 - keep),
            self.moving_variance * keep + variance * (1.0 - keep),
        )
