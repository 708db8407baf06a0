"""RMSProp as TF 1 computes it, which is what the ImageNet recipes were tuned with."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nasnet_keras.layers.initializer import PACKAGE
from nasnet_keras.training.optimizers import tensorflow_kernels
from nasnet_keras.training.optimizers.clipping import GlobalNormClipping


@keras.saving.register_keras_serializable(PACKAGE)
class RMSProp(GlobalNormClipping, keras.optimizers.Optimizer):
    """`tf.train.RMSPropOptimizer` of TF 1, not centered.

    With `g` the gradient and `ms` its mean square, which starts at one:
    `ms = decay ms + (1 - decay) g^2`, `m = momentum m + rate g / sqrt(ms + epsilon)`, `w = w - m`.
    Keras's own starts the mean square at zero, so that its first steps are several times longer.

    Args:
        learning_rate: A number or a schedule.
        decay: Fraction of the mean square that a step keeps.
        momentum: Fraction of the last change that a step keeps.
        epsilon: Added to the mean square, inside the root.
        **kwargs: Keras's own, e.g. `global_clipnorm`.
    """

    def __init__(
        self,
        learning_rate: Any,
        decay: float = 0.9,
        momentum: float = 0.9,
        epsilon: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.decay = decay
        self.momentum = momentum
        self.epsilon = epsilon

    def build(self, variables: list[Any]) -> None:
        if self.built:
            return
        super().build(variables)
        self._mean_squares = [
            self.add_variable_from_reference(variable, "mean_square", initializer="ones")
            for variable in variables
        ]
        self._momenta = [
            self.add_variable_from_reference(variable, "momentum") for variable in variables
        ]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        rate = ops.cast(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        number = self._get_variable_index(variable)
        mean_square, momentum = self._mean_squares[number], self._momenta[number]
        if keras.backend.backend() == "tensorflow":
            tensorflow_kernels.apply_rmsprop(
                *(variable, mean_square, momentum, gradient, rate),
                *(self.decay, self.momentum, self.epsilon),
            )
            return
        difference = ops.subtract(ops.square(gradient), mean_square)
        self.assign_add(mean_square, ops.multiply(difference, 1 - self.decay))
        length = ops.sqrt(ops.add(mean_square, self.epsilon))
        change = ops.divide(ops.multiply(rate, gradient), length)
        self.assign(momentum, ops.add(ops.multiply(momentum, self.momentum), change))
        self.assign_sub(variable, momentum)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "decay": self.decay,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }
