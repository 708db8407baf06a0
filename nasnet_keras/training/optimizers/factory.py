"""From a recipe to a Keras optimizer with its learning-rate schedule."""

from __future__ import annotations

from typing import Any

import keras

from nasnet_keras.classification.recipe import Recipe
from nasnet_keras.training.optimizers.moving_average import (
    AveragedAdam,
    AveragedRMSProp,
    AveragedSGD,
)
from nasnet_keras.training.optimizers.rmsprop import RMSProp
from nasnet_keras.training.optimizers.schedules import make_learning_rate


def make_optimizer(
    recipe: Recipe, total_steps: int, steps_per_epoch: float, replicas: int = 1
) -> keras.optimizers.Optimizer:
    """Returns the optimizer of a recipe; it keeps moving averages where the recipe has them.

    Args:
        recipe: The recipe.
        total_steps: Length of the run, in training steps.
        steps_per_epoch: Training images over the images of a step on all replicas together.
        replicas: How many replicas train in step.
    """
    options: dict[str, Any] = {
        "learning_rate": make_learning_rate(recipe, total_steps, steps_per_epoch, replicas),
        "global_clipnorm": recipe.gradient_clip_norm,
    }
    if recipe.moving_average_decay:
        options["moving_average_decay"] = recipe.moving_average_decay
        sgd, adam, rmsprop = AveragedSGD, AveragedAdam, AveragedRMSProp
    else:
        sgd, adam, rmsprop = keras.optimizers.SGD, keras.optimizers.Adam, RMSProp
    if recipe.optimizer in ("rmsprop", "adam") and recipe.opt_epsilon is not None:
        options["epsilon"] = recipe.opt_epsilon
    if recipe.optimizer == "rmsprop":
        return rmsprop(decay=recipe.rmsprop_decay, momentum=recipe.rmsprop_momentum, **options)
    if recipe.optimizer == "adam":
        return adam(**options)
    return sgd(momentum=recipe.momentum if recipe.optimizer == "momentum" else 0.0, **options)
