"""Optimizers by name, with moving averages of the weights or without."""

from __future__ import annotations

from typing import Any

import keras

from nasnet_keras.text.suggestions import unknown_name
from nasnet_keras.training.optimizers.moving_average import (
    AveragedAdam,
    AveragedRMSProp,
    AveragedSGD,
)
from nasnet_keras.training.optimizers.rmsprop import RMSProp
from nasnet_keras.training.optimizers.schedules import LearningRate
from nasnet_keras.training.optimizers.sgd import SGD

# Each without moving averages, and with them.
_OPTIMIZERS: dict[str, tuple[type[Any], type[Any]]] = {
    "adam": (keras.optimizers.Adam, AveragedAdam),
    "momentum": (SGD, AveragedSGD),
    "rmsprop": (RMSProp, AveragedRMSProp),
    "sgd": (SGD, AveragedSGD),
}


def make_optimizer(
    name: str,
    learning_rate: LearningRate,
    moving_average_decay: float = 0.0,
    **options: Any,
) -> keras.optimizers.Optimizer:
    """Returns an optimizer.

    Args:
        name: `"adam"`, `"momentum"` (SGD with it), `"rmsprop"` (TF 1's) or `"sgd"`.
        learning_rate: A number, or a schedule over steps.
        moving_average_decay: Decay of the moving averages of the weights; 0: none are kept.
        **options: Of the optimizer's class, e.g. `momentum`, `epsilon`, `clipnorm`.

    Raises:
        ValueError: There is no such optimizer; the nearest name is suggested.
    """
    if name not in _OPTIMIZERS:
        raise ValueError(unknown_name("optimizer", name, _OPTIMIZERS))
    plain, averaged = _OPTIMIZERS[name]
    if not moving_average_decay:
        return plain(learning_rate, **options)
    return averaged(learning_rate, moving_average_decay=moving_average_decay, **options)
