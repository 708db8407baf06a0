"""The optimizer of a detector's training."""

from __future__ import annotations

import keras

from nasnet_keras.detection.configuration.training_config import TrainingConfig
from nasnet_keras.training.optimizers.schedules import LearningRate, LinearWarmup


def make_optimizer(config: TrainingConfig) -> keras.optimizers.Optimizer:
    """Returns the optimizer of a training.

    Args:
        config: The training.

    Returns:
        The optimizer; each variable's gradient is clipped by itself, as in the original.
    """
    rate, clip = make_learning_rate(config), config.gradient_clip_norm
    if config.optimizer == "adam":
        optimizer = keras.optimizers.Adam(rate, beta_2=0.99, clipnorm=clip)
    else:
        optimizer = keras.optimizers.SGD(rate, momentum=config.momentum, clipnorm=clip)
    if config.precision == "mixed_float16":
        # Keras would, but for the detector's own policy, which is float32 for its boxes' sake.
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def make_learning_rate(config: TrainingConfig) -> LearningRate:
    """Returns the learning rate of a training: a number, or a schedule over steps.

    Args:
        config: The training.
    """
    schedules = keras.optimizers.schedules
    boundaries = list(config.learning_rate_boundaries)
    rate: LearningRate = config.learning_rate
    if config.learning_rate_decay_type == "cosine":
        rate = schedules.CosineDecay(config.learning_rate, config.steps)
    elif boundaries:
        factors = [config.learning_rate_decay_factor**k for k in range(len(boundaries) + 1)]
        rates = [config.learning_rate * factor for factor in factors]
        rate = schedules.PiecewiseConstantDecay(boundaries, rates)
    return LinearWarmup(rate, config.warmup_steps) if config.warmup_steps else rate
