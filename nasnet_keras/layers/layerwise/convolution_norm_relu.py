"""A layer of Zoph and Le 2017: convolution, batch normalization, ReLU."""

from __future__ import annotations

from typing import Any

import keras

from nasnet_keras.layers.initializer import PACKAGE
from nasnet_keras.layers.network_layer import NetworkLayer, Shape, half
from nasnet_keras.layers.normalized_convolution import convolve_and_normalize


@keras.saving.register_keras_serializable(PACKAGE)
class ConvolutionNormRelu(NetworkLayer):
    """A SAME convolution without bias, BN, ReLU.

    The paper says that there are ReLU and BN, and not in which order. Here the ReLU comes last, so
    that the first layer sees all of the image and padding is as neutral as what it pads.

    Args:
        filters: Number of filters.
        window: Height and width of the window, in pixels.
        strides: Strides along height and width.
        **kwargs: See `NetworkLayer`.
    """

    def __init__(
        self,
        filters: int,
        window: tuple[int, int],
        strides: tuple[int, int] = (1, 1),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        # Lists, where they come from a file.
        self.window = (window[0], window[1])
        self.strides = (strides[0], strides[1])

    def get_config(self) -> dict[str, Any]:
        window, strides = list(self.window), list(self.strides)
        return {
            **super().get_config(),
            "filters": self.filters,
            "window": window,
            "strides": strides,
        }

    def build(self, input_shape: Shape) -> None:
        channels = input_shape[self.channel_axis]
        self.conv = self.convolution(channels, self.filters, self.window, "conv", self.strides)
        self.bn = self.batch_norm(self.filters, "bn")
        self.built = True

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        batch, *rest = input_shape
        if self.data_format == "channels_last":
            sides = [half(size, s) for size, s in zip(rest[:2], self.strides, strict=True)]
            return (batch, *sides, self.filters)
        sides = [half(size, s) for size, s in zip(rest[1:], self.strides, strict=True)]
        return (batch, self.filters, *sides)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.activate(convolve_and_normalize(inputs, self.conv, self.bn, training))
