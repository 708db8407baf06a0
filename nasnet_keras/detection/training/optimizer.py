"""The learning rate and the optimizer of a detector's training."""

from __future__ import annotations

import keras

from nasnet_keras.detection.configuration.training_config import TrainingConfig
from nasnet_keras.training.optimizers import factory, schedules
from nasnet_keras.training.optimizers.schedules import LearningRate


def make_optimizer(config: TrainingConfig) -> keras.optimizers.Optimizer:
    """Returns the optimizer of a training: by default SGD with momentum, as in the original.

    Args:
        config: The training.

    Returns:
        The optimizer; each variable's gradient is clipped by itself.
    """
    is_adam = config.optimizer == "adam"
    own = {"beta_2": 0.99} if is_adam else {"momentum": config.momentum}
    optimizer = factory.make_optimizer(
        config.optimizer, make_learning_rate(config), clipnorm=config.gradient_clip_norm, **own
    )
    if config.precision == "mixed_float16":
        # Keras would, but for the detector's own policy, which is float32 for its boxes' sake.
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def make_learning_rate(config: TrainingConfig) -> LearningRate:
    """Returns the learning rate of a training: a number, or a schedule over steps.

    Args:
        config: The training.
    """
    return schedules.make_learning_rate(
        config.learning_rate_decay_type,
        config.learning_rate,
        config.steps,
        decay_factor=config.learning_rate_decay_factor,
        boundaries=config.learning_rate_boundaries,
        warmup_steps=config.warmup_steps,
    )
