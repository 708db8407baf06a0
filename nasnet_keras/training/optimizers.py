"""From a recipe to a Keras optimizer with its learning-rate schedule."""

from __future__ import annotations

from typing import Any

import keras

from nasnet_keras.training.recipe import Recipe


def make_learning_rate(recipe: Recipe, total_steps: int) -> Any:
    """Returns the learning rate: a number, or a schedule over `total_steps` training steps."""
    if recipe.learning_rate_decay_type == "cosine":
        return keras.optimizers.schedules.CosineDecay(recipe.learning_rate, total_steps)
    return recipe.learning_rate


def make_optimizer(recipe: Recipe, total_steps: int) -> keras.optimizers.Optimizer:
    """Returns the optimizer of a recipe.

    Args:
        recipe: The recipe.
        total_steps: Length of the run, in training steps.
    """
    rate = make_learning_rate(recipe, total_steps)
    clip = recipe.gradient_clip_norm
    if recipe.optimizer == "adam":
        return keras.optimizers.Adam(rate, global_clipnorm=clip)
    momentum = recipe.momentum if recipe.optimizer == "momentum" else 0.0
    return keras.optimizers.SGD(rate, momentum=momentum, global_clipnorm=clip)
