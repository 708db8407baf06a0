"""The convolution in two halves, 1xn and then nx1."""

from __future__ import annotations

from typing import Any

import keras

from nasnet_keras.layers.convolution import BottleneckOperation
from nasnet_keras.layers.initializer import PACKAGE
from nasnet_keras.layers.normalized_convolution import convolve_and_normalize


@keras.saving.register_keras_serializable(PACKAGE)
class FactorizedConv(BottleneckOperation):
    """ReLU-1xn-BN with stride (1, s), then ReLU-nx1-BN with stride (s, 1).

    Source: Zoph et al. 2018, section 3.2; names from `tensorflow/tpu`'s AmoebaNet.
    """

    factorized = True

    def build_window(self, channels: int, filters: int) -> None:
        n = self.kernel
        self.row_conv = self.convolution(
            channels, filters, (1, n), f"1x{n}", strides=(1, self.strides)
        )
        self.row_bn = self.batch_norm(filters, f"bn_1x{n}_{n}x1")
        self.column_conv = self.convolution(
            filters, filters, (n, 1), f"{n}x1", strides=(self.strides, 1)
        )
        self.column_bn = self.batch_norm(filters, "bn")

    def apply_window(self, x: Any, training: bool | None) -> Any:
        x = convolve_and_normalize(self.activate(x), self.row_conv, self.row_bn, training)
        return convolve_and_normalize(self.activate(x), self.column_conv, self.column_bn, training)
