"""The learning rate and the optimizer of a recipe."""

from __future__ import annotations

from typing import Any

import keras

from nasnet_keras.classification.recipe import Recipe
from nasnet_keras.training.optimizers import factory, schedules
from nasnet_keras.training.optimizers.schedules import LearningRate


def make_learning_rate(
    recipe: Recipe, total_steps: int, steps_per_epoch: float, replicas: int = 1
) -> LearningRate:
    """Returns the learning rate of a recipe: a number, or a schedule over training steps.

    Source: slim `train_image_classifier._configure_learning_rate`; the papers for the cosine.

    Args:
        recipe: The recipe.
        total_steps: Length of the run, in training steps.
        steps_per_epoch: Training images over the images of a step on all replicas together. It need
            not be whole.
        replicas: How many replicas train in step.
    """
    return schedules.make_learning_rate(
        recipe.learning_rate_decay_type,
        recipe.learning_rate * (replicas if recipe.scale_learning_rate_by_replicas else 1),
        total_steps,
        # slim's `int`: a part of a step is left out.
        decay_steps=max(1, int(steps_per_epoch * recipe.num_epochs_per_decay)),
        decay_factor=recipe.learning_rate_decay_factor,
        end_rate=recipe.end_learning_rate,
        warmup_steps=recipe.warmup_steps,
    )


def make_optimizer(recipe: Recipe, learning_rate: LearningRate) -> keras.optimizers.Optimizer:
    """Returns the optimizer of a recipe; it keeps moving averages where the recipe has them."""
    options: dict[str, Any] = {"global_clipnorm": recipe.gradient_clip_norm}
    if recipe.optimizer in ("rmsprop", "adam") and recipe.opt_epsilon is not None:
        options["epsilon"] = recipe.opt_epsilon
    if recipe.optimizer == "momentum":
        options |= {"momentum": recipe.momentum, "nesterov": recipe.nesterov}
    if recipe.optimizer == "rmsprop":
        options |= {"decay": recipe.rmsprop_decay, "momentum": recipe.rmsprop_momentum}
    return factory.make_optimizer(
        recipe.optimizer, learning_rate, recipe.moving_average_decay, **options
    )
