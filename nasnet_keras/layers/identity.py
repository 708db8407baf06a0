"""The identity, with a projection where the stride or the width asks for one."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nasnet_keras.layers.initializer import PACKAGE
from nasnet_keras.layers.network_layer import BOUND, Shape
from nasnet_keras.layers.normalized_convolution import convolve_and_normalize
from nasnet_keras.layers.operation import Operation


@keras.saving.register_keras_serializable(PACKAGE)
class Identity(Operation):
    """Nothing, or ReLU-1x1-BN when stride or width changes (slim's operation `none`)."""

    def build(self, input_shape: Shape) -> None:
        channels = input_shape[self.channel_axis]
        self.projects = self.strides > 1 or channels != self.filters
        if self.projects:
            self.conv = self.convolution(channels, self.filters, 1, "1x1", strides=self.strides)
            self.bn = self.batch_norm(self.filters, "bn_1")
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if not self.projects:
            # slim's bounded networks cap even a plain identity from below and above.
            return ops.clip(inputs, 0.0, BOUND) if self.bounded_activation else inputs
        x = convolve_and_normalize(self.activate(inputs), self.conv, self.bn, training)
        return self.clip(x)
