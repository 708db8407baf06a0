"""Keras's SGD, in one operation a weight on TensorFlow."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nasnet_keras.layers.initializer import PACKAGE
from nasnet_keras.training.optimizers import tensorflow_kernels
from nasnet_keras.training.optimizers.clipping import GlobalNormClipping


@keras.saving.register_keras_serializable(PACKAGE)
class SGD(GlobalNormClipping, keras.optimizers.SGD):
    """`keras.optimizers.SGD`: the same arguments, slots and values, on TensorFlow sooner."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        if keras.backend.backend() != "tensorflow":
            super().update_step(gradient, variable, learning_rate)
            return
        rate = ops.cast(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        if not self.momentum:
            tensorflow_kernels.subtract_scaled(variable, rate, gradient)
            return
        velocity = self.momentums[self._get_variable_index(variable)]
        tensorflow_kernels.apply_momentum(
            variable, velocity, gradient, rate, self.momentum, self.nesterov
        )
