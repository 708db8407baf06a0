"""Batch normalization with the statistics of TensorFlow's fused kernel, which slim trained with."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nasnet_keras.layers.backends.batch_norm_tensorflow import normalize_batch
from nasnet_keras.layers.backends.variable_names import short_names
from nasnet_keras.layers.frozen import RemembersFrozen
from nasnet_keras.layers.initializer import PACKAGE


@keras.saving.register_keras_serializable(PACKAGE)
class BatchNormalization(RemembersFrozen, keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization`, but in training as slim's `fused=True`.

    The moving variance takes the unbiased variance of the batch, and on TensorFlow the fused kernel
    computes all of it: slim's very rounding, and faster than Keras's separate operations.
    Masked or renormalized, and at inference, it is Keras's own.

    Args:
        *args: As `keras.layers.BatchNormalization`.
        synchronized: Whether the replicas of a `tf.distribute` strategy normalize by the statistics
            of all their batches, which are of equal size, as one. Without such replicas there is no
            difference: unlike Keras's own, the layer can be built so on every backend.
        **kwargs: As `keras.layers.BatchNormalization`.
    """

    def __init__(self, *args: Any, synchronized: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.synchronized = synchronized

    def add_weight(self, *args: Any, **kwargs: Any) -> keras.Variable:
        with short_names():
            return super().add_weight(*args, **kwargs)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        learns = training and self.trainable
        if not learns or mask is not None or getattr(self, "renorm", False):
            return super().call(inputs, training=training, mask=mask)
        replica = _replica() if self.synchronized else None
        if replica is None and keras.backend.backend() == "tensorflow":
            outputs, mean, variance = self._fused(inputs)
        else:
            outputs, mean, variance = self._separate(inputs, replica)
        self.moving_mean.assign(mean)
        self.moving_variance.assign(variance)
        return outputs

    def _fused(self, inputs: Any) -> tuple[Any, Any, Any]:
        return normalize_batch(
            inputs,
            ops.cast(self.gamma, "float32"),
            ops.cast(self.beta, "float32"),
            ops.convert_to_tensor(self.moving_mean),
            ops.convert_to_tensor(self.moving_variance),
            exponential_avg_factor=1.0 - self.momentum,
            epsilon=self.epsilon,
            data_format="NCHW" if self.axis == 1 else "NHWC",
        )

    def _separate(self, inputs: Any, replica: Any) -> tuple[Any, Any, Any]:
        x = ops.cast(inputs, "float32")
        axes = [axis for axis in range(4) if axis != self.axis % 4]
        mean, variance = ops.moments(x, axes)
        shape = ops.shape(x)
        pixels = ops.cast(shape[axes[0]] * shape[axes[1]] * shape[axes[2]], "float32")
        if replica is not None:
            mean, variance = _of_all_replicas(replica, mean, variance)
            pixels = pixels * replica.num_replicas_in_sync
        outputs = ops.batch_normalization(
            x,
            mean,
            variance,
            self.axis,
            ops.cast(self.beta, "float32"),
            ops.cast(self.gamma, "float32"),
            self.epsilon,
        )
        variance = variance * (pixels / ops.maximum(pixels - 1.0, 1.0))
        keep = self.momentum
        return (
            ops.cast(outputs, self.compute_dtype),
            self.moving_mean * keep + mean * (1.0 - keep),
            self.moving_variance * keep + variance * (1.0 - keep),
        )


def synchronize_batch_norm(model: keras.Model, synchronized: bool = True) -> None:
    """Sets whether all BN of a model normalizes by the batches of all replicas as one.

    The choice is saved with the model. slim's, and so the published networks', is not to.

    Args:
        model: A network of this package, before it is compiled; changed in place.
        synchronized: Whether to.
    """
    for layer in batch_norms(model):
        layer.synchronized = synchronized


def batch_norms(model: keras.Model) -> list[BatchNormalization]:
    """Returns all batch normalizations of a model, at any depth."""
    return [layer for layer in model._flatten_layers() if isinstance(layer, BatchNormalization)]


def _replica() -> Any:
    """Returns the context of the running replica where there are several, else `None`."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    replica = tf.distribute.get_replica_context()
    return replica if replica is not None and replica.num_replicas_in_sync > 1 else None


def _of_all_replicas(replica: Any, mean: Any, variance: Any) -> tuple[Any, Any]:
    """Returns mean and biased variance over all replicas, which have equally many pixels."""
    import tensorflow as tf

    # Two exchanges: the difference of two large squares, which one would need, loses digits.
    total = replica.all_reduce(tf.distribute.ReduceOp.MEAN, mean)
    spread = variance + ops.square(mean - total)
    return total, replica.all_reduce(tf.distribute.ReduceOp.MEAN, spread)
