"""The final classifier: dropout and a dense layer on the pooled features."""

from __future__ import annotations

from typing import Any

import keras

from nasnet_keras.layers.frozen import RemembersFrozen
from nasnet_keras.layers.initializer import PACKAGE, FanOutTruncatedNormal
from nasnet_keras.layers.network_layer import Shape
from nasnet_keras.replica_seeds import ReplicaSeedGenerator


@keras.saving.register_keras_serializable(PACKAGE)
class ClassifierHead(RemembersFrozen):
    """Dropout and a dense layer named as slim's `final_layer/FC`.

    Input shape: `(batch, features)`. Output shape: `(batch, classes)`, logits.

    Args:
        classes: Number of classes.
        dropout: Fraction of the features dropped in training (slim: 1 - dense_dropout_keep_prob).
        **kwargs: Keras's own.
    """

    def __init__(self, classes: int, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = classes
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout is in [0, 1), got {dropout!r}")
        self.dropout = dropout
        # Not `keras.layers.Dropout`, which drops the same features on every replica.
        self.seed_generator = ReplicaSeedGenerator() if dropout else None
        self.dense = keras.layers.Dense(
            classes, kernel_initializer=FanOutTruncatedNormal(), dtype=self.dtype_policy, name="FC"
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "classes": self.classes, "dropout": self.dropout}

    def build(self, input_shape: Shape) -> None:
        self.dense.build(input_shape)
        self.built = True

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], self.classes)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if training and self.dropout:
            inputs = keras.random.dropout(inputs, self.dropout, seed=self.seed_generator)
        return self.dense(inputs)
