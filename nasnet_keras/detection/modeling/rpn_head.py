"""The head of the region proposal network (RPN): which anchors hold an object, and where."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nasnet_keras.layers.initializer import PACKAGE, unless_blank


class RPNHead(keras.layers.Layer):
    """A convolution with ReLU6, then 1x1 convolutions for boxes and for object or background.

    Input shape: `(batch, height, width, channels)`, channels last.
    Output shape: `(batch, N, 4)` encoded boxes and `(batch, N, 2)` logits, computed in float32
    whatever the layer's precision, with `N = height * width * anchors`.

    Args:
        anchors: Anchors of one position.
        filters: Filters of the convolution.
        kernel: Side of its kernel.
        **kwargs: Keras's own.
    """

    def __init__(self, anchors: int, filters: int = 512, kernel: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.anchors = anchors
        self.filters = filters
        self.kernel = kernel
        self.conv = self._convolution(filters, kernel, "conv", self.dtype_policy, "relu6")
        # What is decoded to boxes is not rounded to half precision; it costs next to nothing.
        self.box_conv = self._convolution(anchors * 4, 1, "boxes", "float32")
        self.logits_conv = self._convolution(anchors * 2, 1, "logits", "float32")

    def _convolution(
        self, filters: int, kernel: int, name: str, dtype: Any, activation: str | None = None
    ) -> Any:
        return keras.layers.Conv2D(
            filters,
            kernel,
            padding="same",
            activation=activation,
            kernel_initializer=unless_blank(keras.initializers.TruncatedNormal(stddev=0.01)),
            data_format="channels_last",
            dtype=dtype,
            name=name,
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "anchors": self.anchors,
            "filters": self.filters,
            "kernel": self.kernel,
        }

    def build(self, input_shape: Any) -> None:
        self.conv.build(input_shape)
        for conv in (self.box_conv, self.logits_conv):
            conv.build((None, None, None, self.filters))
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, height, width, _ = input_shape
        count = None if None in (height, width) else height * width * self.anchors
        return (batch, count, 4), (batch, count, 2)

    def call(self, inputs: Any) -> tuple[Any, Any]:
        x = self.conv(inputs)
        batch, height, width, _ = ops.shape(x)
        count = height * width * self.anchors
        boxes = ops.reshape(self.box_conv(x), (batch, count, 4))
        logits = ops.reshape(self.logits_conv(x), (batch, count, 2))
        return boxes, logits


# Saved files know it by its earlier name: Keras registers a class by its name, and names a layer's
# place in a file after it.
RPNHead.__name__ = "RegionHead"
keras.saving.register_keras_serializable(PACKAGE)(RPNHead)
