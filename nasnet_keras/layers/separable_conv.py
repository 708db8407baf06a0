"""The depthwise-separable convolution, applied once or twice."""

from __future__ import annotations

from typing import Any

import keras

from nasnet_keras.layers.backends.variable_names import short_names
from nasnet_keras.layers.initializer import PACKAGE, FanOutTruncatedNormal
from nasnet_keras.layers.network_layer import Shape
from nasnet_keras.layers.normalized_convolution import convolve_and_normalize
from nasnet_keras.layers.operation import Operation


@keras.saving.register_keras_serializable(PACKAGE)
class SeparableConv(Operation):
    """ReLU-depthwise-pointwise-BN, `repeats` times (slim `_stacked_separable_conv`).

    The stride is taken by the first application; there is neither BN nor ReLU between depthwise
    and pointwise. A dilated one that is strided is computed at full resolution and every second
    pixel kept, because no backend strides and dilates at once (slim refuses).

    Args:
        filters: Channels of the output.
        strides: 1 or 2.
        kernel: Side of the depthwise window, in pixels.
        repeats: Number of applications.
        dilation: Dilation rate of the depthwise window.
        **kwargs: See `NetworkLayer`.
    """

    def __init__(
        self,
        filters: int,
        strides: int = 1,
        kernel: int = 3,
        repeats: int = 2,
        dilation: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(filters, strides, **kwargs)
        self.kernel = kernel
        self.repeats = repeats
        self.dilation = dilation

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "kernel": self.kernel,
            "repeats": self.repeats,
            "dilation": self.dilation,
        }

    def build(self, input_shape: Shape) -> None:
        channels = input_shape[self.channel_axis]
        self.convs, self.bns = [], []
        size = f"{self.kernel}x{self.kernel}"
        for number in range(1, self.repeats + 1):
            first = number == 1
            conv = keras.layers.SeparableConv2D(
                self.filters,
                self.kernel,
                strides=self.strides if first and self.dilation == 1 else 1,
                padding="same",
                dilation_rate=self.dilation,
                use_bias=False,
                depthwise_initializer=FanOutTruncatedNormal(),
                pointwise_initializer=FanOutTruncatedNormal(),
                data_format=self.data_format,
                dtype=self.dtype_policy,
                name=f"separable_{size}_{number}",
            )
            with short_names():
                conv.build(self.channels_shape(channels if first else self.filters))
            self.convs.append(conv)
            self.bns.append(self.batch_norm(self.filters, f"bn_sep_{size}_{number}"))
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        x = inputs
        for number, (conv, bn) in enumerate(zip(self.convs, self.bns, strict=True)):
            x = convolve_and_normalize(self.activate(x), conv, bn, training)
            if number == 0 and self.dilation > 1:
                x = self.subsample(x)
        return self.clip(x)
