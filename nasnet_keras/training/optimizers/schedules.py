"""Learning rates over the steps of a run."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nasnet_keras.classification.recipe import Recipe
from nasnet_keras.layers.initializer import PACKAGE

LearningRate = float | keras.optimizers.schedules.LearningRateSchedule


def make_learning_rate(
    recipe: Recipe, total_steps: int, steps_per_epoch: float, replicas: int = 1
) -> LearningRate:
    """Returns the learning rate of a recipe: a number, or a schedule over training steps.

    `exponential` multiplies by the factor after every `num_epochs_per_decay` epochs, at once;
    `polynomial` goes to `end_learning_rate` in a straight line over as many epochs; `cosine` is a
    single period to 0 over the whole run. Source: slim
    `train_image_classifier._configure_learning_rate` for the first two, the papers for the last.

    Args:
        recipe: The recipe.
        total_steps: Length of the run, in training steps.
        steps_per_epoch: Training images over the images of a step on all replicas together. It need
            not be whole.
        replicas: How many replicas train in step.
    """
    rate = recipe.learning_rate * (replicas if recipe.scale_learning_rate_by_replicas else 1)
    kind = recipe.learning_rate_decay_type
    schedules = keras.optimizers.schedules
    # slim's `int`: a part of a step is left out.
    decay_steps = max(1, int(steps_per_epoch * recipe.num_epochs_per_decay))
    schedule: LearningRate = rate
    if kind == "cosine":
        schedule = schedules.CosineDecay(rate, total_steps)
    elif kind == "exponential":
        schedule = schedules.ExponentialDecay(
            rate, decay_steps, recipe.learning_rate_decay_factor, staircase=True
        )
    elif kind == "polynomial":
        schedule = schedules.PolynomialDecay(rate, decay_steps, recipe.end_learning_rate)
    if recipe.warmup_steps:
        schedule = LinearWarmup(schedule, recipe.warmup_steps)
    return schedule


@keras.saving.register_keras_serializable(PACKAGE)
class LinearWarmup(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that starts small: step `n`, from 0, has `(n + 1) / steps` of it, at most 1.

    What is warmed up runs from the first step on, so that a cosine still ends with the run.

    Args:
        schedule: A number or a schedule.
        steps: Length of the warm-up, at least 1.
    """

    def __init__(self, schedule: LearningRate, steps: int) -> None:
        self.schedule = schedule
        self.steps = steps

    def __call__(self, step: Any) -> Any:
        share = ops.minimum(1.0, (ops.cast(step, "float32") + 1.0) / self.steps)
        rate = self.schedule(step) if callable(self.schedule) else self.schedule
        return rate * share

    def get_config(self) -> dict[str, Any]:
        schedule = self.schedule
        if callable(schedule):
            schedule = keras.saving.serialize_keras_object(schedule)
        return {"schedule": schedule, "steps": self.steps}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LinearWarmup:
        config = dict(config)
        if isinstance(config["schedule"], dict):
            config["schedule"] = keras.saving.deserialize_keras_object(config["schedule"])
        return cls(**config)
