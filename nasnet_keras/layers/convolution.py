"""The plain convolutions: 1x1, 3x3 and 3x3 dilated, with AmoebaNet's bottleneck as an option."""

from __future__ import annotations

from typing import Any

import keras

from nasnet_keras.layers.initializer import PACKAGE
from nasnet_keras.layers.network_layer import Shape
from nasnet_keras.layers.normalized_convolution import convolve_and_normalize
from nasnet_keras.layers.operation import Operation


def bottleneck_width(filters: int, kernel: int, factorized: bool) -> int:
    """Returns the width inside AmoebaNet's bottleneck; 0 means that there is none.

    Source: `tensorflow/tpu` `amoeba_net/network_utils.py`, `_apply_operation`: 3F/8 for 1x3-3x1,
    F/4 for the others, no bottleneck for 1x1 or where the width would be below 1.
    """
    if kernel == 1:
        return 0
    return 3 * filters // 8 if factorized and kernel == 3 else filters // 4


class BottleneckOperation(Operation):
    """Base of the operations that AmoebaNet puts between two 1x1 convolutions.

    Args:
        filters: Channels of the output.
        strides: 1 or 2.
        kernel: Side of the (longest) window, in pixels.
        bottleneck: ReLU-1x1-BN down before and ReLU-1x1-BN up after; NASNet's paper names none.
        **kwargs: See `NetworkLayer`.
    """

    factorized = False

    def __init__(
        self,
        filters: int,
        strides: int = 1,
        kernel: int = 3,
        bottleneck: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(filters, strides, **kwargs)
        self.kernel = kernel
        self.bottleneck = bottleneck

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "kernel": self.kernel, "bottleneck": self.bottleneck}

    def build(self, input_shape: Shape) -> None:
        channels = input_shape[self.channel_axis]
        width = bottleneck_width(self.filters, self.kernel, self.factorized)
        self.squeezes = self.bottleneck and width > 0
        if self.squeezes:
            self.pre_conv = self.convolution(channels, width, 1, "pre_1x1")
            self.pre_bn = self.batch_norm(width, "pre_bn")
            self.build_window(width, width)
            self.post_conv = self.convolution(width, self.filters, 1, "post_1x1")
            self.post_bn = self.batch_norm(self.filters, "post_bn")
        else:
            self.build_window(channels, self.filters)
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        x = inputs
        if self.squeezes:
            x = convolve_and_normalize(self.activate(x), self.pre_conv, self.pre_bn, training)
        x = self.apply_window(x, training)
        if self.squeezes:
            x = convolve_and_normalize(self.activate(x), self.post_conv, self.post_bn, training)
        return self.clip(x)

    def build_window(self, channels: int, filters: int) -> None:
        """Makes the convolution itself."""
        raise NotImplementedError

    def apply_window(self, x: Any, training: bool | None) -> Any:
        """Applies ReLU, the convolution itself, BN."""
        raise NotImplementedError


@keras.saving.register_keras_serializable(PACKAGE)
class Convolution(BottleneckOperation):
    """ReLU, square convolution, BN.

    A dilated one that is strided is computed at full resolution and every second pixel kept,
    because no backend strides and dilates at once (slim refuses).

    Args:
        filters: Channels of the output.
        strides: 1 or 2.
        kernel: Side of the window, in pixels.
        bottleneck: See `BottleneckOperation`.
        dilation: Dilation rate of the window.
        **kwargs: See `NetworkLayer`.
    """

    def __init__(
        self,
        filters: int,
        strides: int = 1,
        kernel: int = 3,
        bottleneck: bool = False,
        dilation: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(filters, strides, kernel, bottleneck, **kwargs)
        self.dilation = dilation

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dilation": self.dilation}

    def build_window(self, channels: int, filters: int) -> None:
        size = f"{self.kernel}x{self.kernel}"
        self.conv = self.convolution(
            channels,
            filters,
            self.kernel,
            f"dilated_{size}" if self.dilation > 1 else size,
            strides=self.strides if self.dilation == 1 else 1,
            dilation=self.dilation,
        )
        self.bn = self.batch_norm(filters, "bn_1" if self.kernel == 1 else "bn")

    def apply_window(self, x: Any, training: bool | None) -> Any:
        x = convolve_and_normalize(self.activate(x), self.conv, self.bn, training)
        return self.subsample(x) if self.dilation > 1 else x
