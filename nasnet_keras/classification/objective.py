"""What training minimizes: cross-entropy, the auxiliary head's weighted one, and L2."""

from __future__ import annotations

from typing import Any

import keras

LOGITS, AUXILIARY_LOGITS = "logits", "auxiliary_logits"

# slim regularizes the weights of convolutions and dense layers, neither biases nor BN's variables.
_DECAYED = ("kernel", "depthwise_kernel", "pointwise_kernel")


def cross_entropies(
    auxiliary_weight: float, label_smoothing: float = 0.0
) -> tuple[dict[str, keras.losses.Loss], dict[str, float]]:
    """Returns the losses of a network's named outputs and their weights, for `Model.compile`.

    Targets are one-hot, `(batch, classes)`; a smoothed one is `target * (1 - s) + s / classes`, as
    in TF 1.

    Args:
        auxiliary_weight: Weight of the auxiliary head's loss; 0 for a network without the head.
        label_smoothing: `s`, in [0, 1).
    """

    def cross_entropy() -> keras.losses.Loss:
        return keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=label_smoothing
        )

    weights = {LOGITS: 1.0, AUXILIARY_LOGITS: auxiliary_weight}
    names = output_names(auxiliary_weight)
    return {name: cross_entropy() for name in names}, {name: weights[name] for name in names}


def output_names(auxiliary_weight: float) -> list[str]:
    """Returns the names of the outputs that have a loss."""
    return [LOGITS, AUXILIARY_LOGITS] if auxiliary_weight else [LOGITS]


def logged_values(auxiliary_weight: float) -> list[str]:
    """Returns the names of the values that Keras has of an epoch of a network so compiled."""
    outputs = output_names(auxiliary_weight)
    if len(outputs) == 1:
        return ["loss", "accuracy"]
    return ["loss", *(f"{name}_loss" for name in outputs), f"{LOGITS}_accuracy"]


def decayed_weights(model: keras.Model) -> list[Any]:
    """Returns the weights under L2: kernels of convolutions, depthwise, pointwise and dense."""
    return [weight for weight in model.trainable_weights if weight.name in _DECAYED]


class HalfSquares(keras.regularizers.Regularizer):
    """`factor * sum(w^2) / 2`, slim's L2; on TensorFlow slim's own operation.

    Keras's `L2` costs two passes over every weight and two over every gradient.

    Args:
        factor: Weight decay.
    """

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, x: Any) -> Any:
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            return self.factor * tf.nn.l2_loss(keras.ops.convert_to_tensor(x))
        return self.factor / 2 * keras.ops.sum(keras.ops.square(x))

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor}


def add_weight_decay(model: keras.Model, weight_decay: float) -> None:
    """Adds `weight_decay * sum(w^2) / 2` over all kernels to the model's losses.

    It is set on the variables, because it belongs to the training and not to the network: a saved
    network does not carry it, and a loaded one that is trained further is given it again.

    Args:
        model: A network; changed in place.
        weight_decay: slim's value.
    """
    for weight in decayed_weights(model):
        weight.regularizer = HalfSquares(weight_decay) if weight_decay else None
