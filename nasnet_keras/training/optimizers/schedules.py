"""Learning rates over the steps of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from nasnet_keras.layers.initializer import PACKAGE
from nasnet_keras.text.suggestions import unknown_name

LearningRate = float | keras.optimizers.schedules.LearningRateSchedule
DECAYS = ("fixed", "cosine", "exponential", "polynomial", "steps")


def make_learning_rate(
    kind: str,
    rate: float,
    total_steps: int,
    *,
    decay_steps: int = 1,
    decay_factor: float = 1.0,
    end_rate: float = 0.0,
    boundaries: Sequence[int] = (),
    warmup_steps: int = 0,
) -> LearningRate:
    """Returns a learning rate: a number, or a schedule over training steps.

    Args:
        kind: `"fixed"`; `"cosine"`: a single period to 0 over the whole run; `"exponential"`: times
            the factor after every `decay_steps`, at once; `"steps"`: times the factor after each of
            the boundaries; `"polynomial"`: a straight line to `end_rate` over `decay_steps`.
        rate: The rate at the start.
        total_steps: Length of the run.
        decay_steps: Steps of a stair of `"exponential"`, or of the line of `"polynomial"`.
        decay_factor: Of `"exponential"` and `"steps"`.
        end_rate: Where `"polynomial"` ends.
        boundaries: The steps after which `"steps"` falls, rising; it is fixed without any.
        warmup_steps: Steps over which the rate grows in a straight line, see `LinearWarmup`.
    """
    schedules = keras.optimizers.schedules
    schedule: LearningRate = rate
    if kind == "cosine":
        schedule = schedules.CosineDecay(rate, total_steps)
    elif kind == "exponential":
        schedule = schedules.ExponentialDecay(rate, decay_steps, decay_factor, staircase=True)
    elif kind == "polynomial":
        schedule = schedules.PolynomialDecay(rate, decay_steps, end_rate)
    elif kind == "steps" and boundaries:
        rates = [rate * decay_factor**k for k in range(len(boundaries) + 1)]
        schedule = schedules.PiecewiseConstantDecay(list(boundaries), rates)
    elif kind not in ("fixed", "steps"):
        raise ValueError(unknown_name("learning rate decay", kind, DECAYS))
    return LinearWarmup(schedule, warmup_steps) if warmup_steps else schedule


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
        fraction = ops.minimum(1.0, (ops.cast(step, "float32") + 1.0) / self.steps)
        rate = self.schedule(step) if callable(self.schedule) else self.schedule
        return rate * fraction

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
