"""The optimizer of a detector's configuration."""

from __future__ import annotations

import keras

from nasnet_keras.detection.configuration.training_config import TrainingConfig
from nasnet_keras.detection.modeling.config import DetectorConfig
from nasnet_keras.training.optimizers.schedules import LearningRate, LinearWarmup


def make_optimizer(config: DetectorConfig) -> keras.optimizers.Optimizer:
    """Returns stochastic gradient descent with momentum, falling rate and clipped gradients.

    Args:
        config: The detector.

    Returns:
        The optimizer; each variable's gradient is clipped by itself, as in the original.
    """
    rate = _stairs(config)
    return keras.optimizers.SGD(rate, momentum=config.momentum, clipnorm=config.gradient_clip_norm)


def make_training_optimizer(config: TrainingConfig) -> keras.optimizers.Optimizer:
    """Returns the optimizer of a training; like `make_optimizer`'s by default.

    Args:
        config: The training.
    """
    rate, clip = make_learning_rate(config), config.detector.gradient_clip_norm
    if config.optimizer == "adam":
        optimizer = keras.optimizers.Adam(rate, beta_2=0.99, clipnorm=clip)
    else:
        momentum = config.detector.momentum
        optimizer = keras.optimizers.SGD(rate, momentum=momentum, clipnorm=clip)
    if config.precision == "mixed_float16":
        # Keras would, but for the detector's own policy, which is float32 for its boxes' sake.
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def make_learning_rate(config: TrainingConfig) -> LearningRate:
    """Returns the learning rate of a training: a number, or a schedule over steps.

    Args:
        config: The training.
    """
    rate = _stairs(config.detector)
    if config.learning_rate_decay_type == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(config.detector.learning_rate, config.steps)
    return LinearWarmup(rate, config.warmup_steps) if config.warmup_steps else rate


def _stairs(config: DetectorConfig) -> LearningRate:
    boundaries = list(config.learning_rate_boundaries)
    factor = config.learning_rate_decay_factor
    rates = [config.learning_rate * factor**k for k in range(len(boundaries) + 1)]
    if not boundaries:
        return rates[0]
    return keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, rates)
