"""The second stage's head: the class of a proposal, and a box for each class."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nasnet_keras.layers.initializer import PACKAGE, unless_blank


@keras.saving.register_keras_serializable(PACKAGE)
class BoxHead(keras.layers.Layer):
    """Dropout, then one dense layer for the classes and one for a box of each class.

    Input shape: `(batch, N, channels)`: the ROI features.
    Output shape: `(batch, N, classes, 4)` encoded boxes and `(batch, N, classes + 1)` logits, the
    background first; float32.

    Args:
        classes: Classes of objects.
        dropout: Fraction of the features dropped in training.
        **kwargs: Keras's own.
    """

    def __init__(self, classes: int, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = classes
        self.dropout_rate = dropout
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy) if dropout else None
        self.box_dense = self._dense(classes * 4, "boxes")
        self.logits_dense = self._dense(classes + 1, "logits")

    def _dense(self, units: int, name: str) -> Any:
        initializer = unless_blank(keras.initializers.VarianceScaling(1.0, "fan_avg", "uniform"))
        return keras.layers.Dense(
            units, kernel_initializer=initializer, dtype=self.dtype_policy, name=name
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "classes": self.classes, "dropout": self.dropout_rate}

    def build(self, input_shape: Any) -> None:
        self.box_dense.build(input_shape)
        self.logits_dense.build(input_shape)
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        outer = tuple(input_shape[:-1])
        return (*outer, self.classes, 4), (*outer, self.classes + 1)

    def call(self, inputs: Any, training: bool | None = None) -> tuple[Any, Any]:
        x = self.dropout(inputs, training=training) if self.dropout else inputs
        shape = (-1, inputs.shape[1], self.classes, 4)
        boxes = ops.reshape(self.box_dense(x), shape)
        return ops.cast(boxes, "float32"), ops.cast(self.logits_dense(x), "float32")
