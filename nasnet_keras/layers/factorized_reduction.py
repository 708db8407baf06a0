"""The reduction that brings h_{i-1} to the size and width of h_i without losing pixels."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nasnet_keras.layers.initializer import PACKAGE
from nasnet_keras.layers.network_layer import NetworkLayer, Shape, parent_scope
from nasnet_keras.layers.normalized_convolution import convolve, convolve_and_normalize


@keras.saving.register_keras_serializable(PACKAGE)
class FactorizedReduction(NetworkLayer):
    """Halves the resolution by two 1x1 convolutions on shifted grids (slim `factorized_reduction`).

    With stride 2, one path reads the even pixels and the other the odd ones (the last row and
    column padded with zeros); the halves are concatenated and normalized. An odd number of filters
    gives the extra channel to the second path. With stride 1 it is a 1x1 convolution and BN.

    Input shape: `(batch, height, width, channels)`, or channels first.
    Output shape: `(batch, ceil(height / strides), ceil(width / strides), filters)`.

    Args:
        filters: Channels of the output.
        strides: 1 or 2.
        activation: Whether a ReLU comes first: yes for h_{i-1}, no in a cell's output.
        owner_scope: Puts the variables into the owner's name scope, as slim does for h_{i-1}.
        **kwargs: See `NetworkLayer`.

    Raises:
        ValueError: `strides` is neither 1 nor 2.
    """

    def __init__(
        self,
        filters: int,
        strides: int = 2,
        activation: bool = True,
        owner_scope: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if strides not in (1, 2):
            raise ValueError(f"strides is 1 or 2, got {strides!r}")
        self.filters = filters
        self.strides = strides
        self.activation = activation
        self.owner_scope = owner_scope

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "strides": self.strides,
            "activation": self.activation,
            "owner_scope": self.owner_scope,
        }

    def build(self, input_shape: Shape) -> None:
        if self.owner_scope:
            with parent_scope(self):
                self._build_parts(input_shape[self.channel_axis])
        else:
            self._build_parts(input_shape[self.channel_axis])
        self.built = True

    def _build_parts(self, channels: int) -> None:
        if self.strides == 1:
            self.path_conv = self.convolution(channels, self.filters, 1, "path_conv")
            self.path_bn = self.batch_norm(self.filters, "path_bn")
            return
        first = self.filters // 2
        # A strided 1x1 convolution is slim's 1x1 average pool of stride 2 and its 1x1 convolution.
        self.path1_conv = self.convolution(
            channels, first, 1, "path1_conv", strides=2, padding="valid"
        )
        self.path2_conv = self.convolution(
            channels, self.filters - first, 1, "path2_conv", strides=2, padding="valid"
        )
        self.final_path_bn = self.batch_norm(self.filters, "final_path_bn")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self.image_shape(input_shape, self.strides, self.filters)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        x = self.activate(inputs) if self.activation else inputs
        if self.strides == 1:
            return convolve_and_normalize(x, self.path_conv, self.path_bn, training)
        # A slice by its size: TensorFlow's gradient of an indexed one is several times slower.
        if self.data_format == "channels_last":
            padded, start = ops.pad(x, [[0, 0], [0, 1], [0, 1], [0, 0]]), (0, 1, 1, 0)
        else:
            padded, start = ops.pad(x, [[0, 0], [0, 0], [0, 1], [0, 1]]), (0, 0, 1, 1)
        shifted = ops.slice(padded, start, ops.shape(x))
        paths = [convolve(x, self.path1_conv), convolve(shifted, self.path2_conv)]
        return self.final_path_bn(ops.concatenate(paths, self.channel_axis), training=training)
