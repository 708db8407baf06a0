"""The losses of both stages, image by image."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


def box_loss(encodings: Any, targets: Any, positive: Any, sampled: Any, delta: float) -> Any:
    """Returns the Huber loss of encoded boxes.

    Args:
        encodings: `(batch, N, 4)`, predicted.
        targets: `(batch, N, 4)`, encoded; not read where not positive.
        positive: `(batch, N)`, bool: examples that have a box to learn.
        sampled: `(batch, N)`, bool: sampled examples.
        delta: Where the loss turns from quadratic to linear.

    Returns:
        `(batch,)`: the sum over positive examples and coordinates, divided by the number of sampled
        examples or by 1.
    """
    # Masked before the difference: masking the loss alone would leave NaN in the gradient.
    targets = ops.where(positive[..., None], targets, ops.stop_gradient(encodings))
    losses = keras.losses.huber(targets, encodings, delta=delta) * 4.0  # Keras takes the mean.
    return _per_sampled(ops.where(positive, losses, 0.0), sampled)


def class_loss(logits: Any, labels: Any, sampled: Any) -> Any:
    """Returns the softmax cross-entropy.

    Args:
        logits: `(batch, N, classes)`.
        labels: `(batch, N)`, int32.
        sampled: `(batch, N)`, bool: sampled examples.

    Returns:
        `(batch,)`: the sum over the sampled examples, divided by their number or by 1.
    """
    losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    return _per_sampled(ops.where(sampled, losses, 0.0), sampled)


def _per_sampled(losses: Any, sampled: Any) -> Any:
    count = ops.sum(ops.cast(sampled, "float32"), axis=-1)
    return ops.sum(losses, axis=-1) / ops.maximum(count, 1.0)
