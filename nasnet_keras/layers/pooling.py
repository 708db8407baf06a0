"""Average, maximum and minimum pools that do not count their padding, as slim's."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nasnet_keras.layers.initializer import PACKAGE
from nasnet_keras.layers.network_layer import Shape
from nasnet_keras.layers.normalized_convolution import convolve_and_normalize
from nasnet_keras.layers.operation import Operation
from nasnet_keras.text.suggestions import unknown_name

KINDS = ("avg_pool", "max_pool", "min_pool")
PADDINGS = ("slim", "timm", "keras_applications")


@keras.saving.register_keras_serializable(PACKAGE)
class Pooling(Operation):
    """A SAME pool, then 1x1-BN (no ReLU) only if the width changes (slim `_pooling`).

    Padding is not counted in a mean and never wins a maximum, as in TensorFlow's SAME pools. Two
    reimplementations pad with zeros before a pool of stride 2: keras.applications before every
    one, so that a zero can win a maximum, and timm before means.

    Args:
        filters: Channels of the output.
        strides: 1 or 2.
        kind: `"avg_pool"`, `"max_pool"` or `"min_pool"`.
        kernel: Side of the window, in pixels.
        padding: Whose numbers: `"slim"`, `"timm"` or `"keras_applications"`; the latter two need
            images of a known size.
        **kwargs: See `NetworkLayer`.
    """

    def __init__(
        self,
        filters: int,
        strides: int = 1,
        kind: str = "avg_pool",
        kernel: int = 3,
        padding: str = "slim",
        **kwargs: Any,
    ) -> None:
        super().__init__(filters, strides, **kwargs)
        if kind not in KINDS:
            raise ValueError(unknown_name("pool", kind, KINDS))
        self.kind = kind
        if padding not in PADDINGS:
            raise ValueError(unknown_name("padding", padding, PADDINGS))
        self.kernel = kernel
        self.padding = padding
        counted = padding == "keras_applications" or (padding == "timm" and kind == "avg_pool")
        self.counts_padding = counted and strides == 2

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "kind": self.kind, "kernel": self.kernel} | (
            # Files of networks with slim's own padding stay as they were.
            {} if self.padding == "slim" else {"padding": self.padding}
        )

    def build(self, input_shape: Shape) -> None:
        channels = input_shape[self.channel_axis]
        self.projects = channels != self.filters
        if self.projects:
            self.conv = self.convolution(channels, self.filters, 1, "1x1")
            self.bn = self.batch_norm(self.filters, "bn_1")
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        x = self.activate(inputs) if self.bounded_activation else inputs
        if self.counts_padding:
            x = ops.pad(x, self._pads(x))
        padding = "valid" if self.counts_padding else "same"
        window = (self.kernel, self.strides, padding, self.data_format)
        if self.kind == "avg_pool" and padding == "same" and keras.backend.backend() == "torch":
            x = self._average_by_counting(x)
        elif self.kind == "avg_pool":
            x = ops.average_pool(x, *window)
        elif self.kind == "max_pool":
            x = ops.max_pool(x, *window)
        else:
            x = -ops.max_pool(-x, *window)
        if self.projects:
            x = convolve_and_normalize(x, self.conv, self.bn, training)
        return self.clip(x)

    def _average_by_counting(self, x: Any) -> Any:
        """Averages as the other backends do; torch counts what SAME pads on one side only."""
        pads = self._pads(x)
        window = (self.kernel, self.strides, "valid", self.data_format)
        sums = ops.average_pool(ops.pad(x, pads), *window)
        return sums / ops.average_pool(ops.pad(ops.ones_like(x), pads), *window)

    def _pads(self, x: Any) -> list[tuple[int, int]]:
        """Returns the rows and columns that a SAME pool pads with, which need a known size."""
        first = 1 if self.data_format == "channels_last" else 2
        pads = [(0, 0)] * 4
        for axis in (first, first + 1):
            size = x.shape[axis]
            total = max((-(-size // self.strides) - 1) * self.strides + self.kernel - size, 0)
            pads[axis] = (total // 2, total - total // 2)
        return pads
