"""The auxiliary classifier in the middle of the network (training only)."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nasnet_keras.layers.initializer import PACKAGE, FanOutTruncatedNormal
from nasnet_keras.layers.network_layer import NetworkLayer, Shape
from nasnet_keras.layers.normalized_convolution import convolve_and_normalize

POOL_SIZE, POOL_STRIDE = 5, 3


def pooled_size(size: int) -> int:
    """Returns the side after the head's 5x5 VALID average pool of stride 3; below 1: too small."""
    return (size - POOL_SIZE) // POOL_STRIDE + 1


@keras.saving.register_keras_serializable(PACKAGE)
class AuxiliaryHead(NetworkLayer):
    """ReLU, 5x5/3 average pool, 1x1 to 128, BN, ReLU, full-size conv to 768, BN, ReLU, dense.

    Source: slim `nasnet._build_aux_head`.

    Input shape: `(batch, height, width, channels)`, or channels first, height and width fixed and
    at least 5. Output shape: `(batch, classes)`, logits.

    Args:
        classes: Number of classes.
        **kwargs: See `NetworkLayer`.

    Raises:
        ValueError: When built: the height or width is unknown or below 5.
    """

    def __init__(self, classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = classes

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "classes": self.classes}

    def build(self, input_shape: Shape) -> None:
        channels = input_shape[self.channel_axis]
        sides = input_shape[1:3] if self.data_format == "channels_last" else input_shape[2:4]
        if any(side is None or pooled_size(side) < 1 for side in sides):
            raise ValueError(
                f"the auxiliary head needs a fixed feature map of at least {POOL_SIZE}x{POOL_SIZE} "
                f"pixels, got {tuple(sides)}; use a larger fixed input size or auxiliary_head=False"
            )
        window = (pooled_size(sides[0]), pooled_size(sides[1]))
        with keras.name_scope("aux_logits"):
            self.proj = self.convolution(channels, 128, 1, "proj")
            self.aux_bn0 = self.batch_norm(128, "aux_bn0")
            self.conv = self.convolution(128, 768, window, "Conv", padding="valid")
            self.aux_bn1 = self.batch_norm(768, "aux_bn1")
            self.dense = keras.layers.Dense(
                self.classes,
                kernel_initializer=FanOutTruncatedNormal(),
                dtype=self.dtype_policy,
                name="FC",
            )
            self.dense.build((None, 768))
        self.built = True

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], self.classes)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        x = self.activate(inputs)
        x = ops.average_pool(x, POOL_SIZE, POOL_STRIDE, "valid", self.data_format)
        x = convolve_and_normalize(x, self.proj, self.aux_bn0, training)
        x = convolve_and_normalize(self.activate(x), self.conv, self.aux_bn1, training)
        return self.dense(ops.reshape(self.activate(x), (-1, 768)))
