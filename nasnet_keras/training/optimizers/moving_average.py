"""Moving averages of the weights, kept by the optimizer and used wherever a network predicts."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from nasnet_keras.layers.initializer import PACKAGE
from nasnet_keras.training.optimizers import tensorflow_kernels
from nasnet_keras.training.optimizers.clipping import GlobalNormClipping
from nasnet_keras.training.optimizers.rmsprop import RMSProp
from nasnet_keras.training.optimizers.sgd import SGD


class MovingAverage(GlobalNormClipping):
    """Adds TF 1's `ExponentialMovingAverage(decay, num_updates=global_step)` to an optimizer.

    After step `n`, counted from 1, each average moves towards its weight by `1 - d` of the way,
    `d = min(decay, (1 + n) / (10 + n))`. Only what is trained is averaged; BN's statistics are
    averages already. Keras's `use_ema` has no ramp: after 10,000 steps of 0.9999 its average would
    still be a third the initial weights.

    The averages are slots of the optimizer and are brought up to date in `update_step`: so they are
    saved, resumed and mirrored as momenta are, and wait for a whole step when gradients are
    accumulated.

    To be mixed in before a Keras optimizer.

    Args:
        *args: Of the optimizer.
        moving_average_decay: `decay`, in (0, 1).
        **kwargs: Of the optimizer.

    Raises:
        ValueError: The decay is out of range.
    """

    def __init__(self, *args: Any, moving_average_decay: float = 0.9999, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not 0 < moving_average_decay < 1:
            raise ValueError(f"moving_average_decay is in (0, 1), got {moving_average_decay!r}")
        self.moving_average_decay = moving_average_decay
        self._first_and_fraction: tuple[Any, Any] | None = None

    def build(self: Any, variables: list[Any]) -> None:
        if self.built:
            return
        super().build(variables)  # type: ignore[misc]
        self._averages = [
            self.add_variable_from_reference(variable, "average") for variable in variables
        ]

    def apply(self: Any, grads: Any, trainable_variables: Any = None) -> None:
        on_tensorflow = keras.backend.backend() == "tensorflow"
        if on_tensorflow and not self.built and trainable_variables is not None:
            # As Keras's `apply` does; but the averages have to be there before it.
            with keras.name_scope(self.name, caller=self):
                self.build(list(trainable_variables))
        # Once for all weights: as part of each one's update, they would be most of its operations.
        self._first_and_fraction = self._compute_first_and_fraction()
        if on_tensorflow:
            first, _ = self._first_and_fraction
            tensorflow_kernels.copy_if(first, self._averages, self._trainable_variables)
        try:
            super().apply(grads, trainable_variables)  # type: ignore[misc]
        finally:
            self._first_and_fraction = None

    def _compute_first_and_fraction(self: Any) -> tuple[Any, Any]:
        """Returns whether this step is the first, and `1 - d`."""
        # Keras counts a step when it is over, TF 1's program before it averages.
        step = ops.cast(self.iterations, "float32") + 1.0
        decay = ops.minimum(self.moving_average_decay, (1.0 + step) / (10.0 + step))
        return ops.equal(self.iterations, 0), 1.0 - decay

    def update_step(self: Any, gradient: Any, variable: Any, learning_rate: Any) -> None:
        average = self._averages[self._get_variable_index(variable)]
        first, fraction = self._first_and_fraction or self._compute_first_and_fraction()
        fraction = ops.cast(fraction, variable.dtype)
        if keras.backend.backend() == "tensorflow":
            super().update_step(gradient, variable, learning_rate)  # type: ignore[misc]
            tensorflow_kernels.subtract_scaled(average, fraction, ops.subtract(average, variable))
            return
        # An average starts where its weight does. That is known at the first step only: weights may
        # be loaded between `build` and it.
        start = ops.where(first, ops.convert_to_tensor(variable), ops.convert_to_tensor(average))
        super().update_step(gradient, variable, learning_rate)  # type: ignore[misc]
        change = ops.multiply(ops.subtract(start, variable), fraction)
        self.assign(average, ops.subtract(start, change))

    def average_of(self: Any, variable: keras.Variable) -> keras.Variable | None:
        """Returns the variable that holds the average of a weight; `None` where there is none yet.

        There is none of a weight that is not trained, nor of any before the first step.
        """
        # Through NumPy, because a variable of a strategy is no number.
        if not self.built or not ops.convert_to_numpy(self.iterations):
            return None
        try:
            return self._averages[self._get_variable_index(variable)]
        except KeyError:
            return None

    def get_config(self: Any) -> dict[str, Any]:
        config = super().get_config()  # type: ignore[misc]
        return {**config, "moving_average_decay": self.moving_average_decay}


@keras.saving.register_keras_serializable(PACKAGE)
class AveragedSGD(MovingAverage, SGD):
    """`keras.optimizers.SGD` that keeps moving averages."""


@keras.saving.register_keras_serializable(PACKAGE)
class AveragedAdam(MovingAverage, keras.optimizers.Adam):
    """`keras.optimizers.Adam` that keeps moving averages."""


@keras.saving.register_keras_serializable(PACKAGE)
class AveragedRMSProp(MovingAverage, RMSProp):
    """TF 1's RMSProp that keeps moving averages."""


def averaged_weights(model: keras.Model) -> dict[str, np.ndarray]:
    """Returns the moving averages of a model's weights by variable path.

    Args:
        model: A model with its optimizer, as trained or as loaded.

    Returns:
        The averages; empty where the optimizer keeps none, or has not seen the model yet.
    """
    return {
        variable.path: ops.convert_to_numpy(average) for variable, average in _averages_of(model)
    }


def assign_averages(model: keras.Model) -> bool:
    """Gives the weights of a model the values of their averages, for good.

    Returns:
        Whether there were averages.
    """
    pairs = _averages_of(model)
    for variable, average in pairs:
        variable.assign(ops.convert_to_numpy(average))
    return bool(pairs)


def _averages_of(model: keras.Model) -> list[tuple[Any, Any]]:
    optimizer: Any = getattr(model, "optimizer", None)
    # Mixed precision wraps the optimizer in one that scales the loss.
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    if not isinstance(optimizer, MovingAverage):
        return []
    pairs = [(variable, optimizer.average_of(variable)) for variable in model.weights]
    return [(variable, average) for variable, average in pairs if average is not None]
