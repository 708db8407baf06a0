"""The optimizer of a detector's configuration."""

from __future__ import annotations

import keras

from nasnet_keras.detection.config import DetectorConfig


def make_optimizer(config: DetectorConfig) -> keras.optimizers.Optimizer:
    """Returns stochastic gradient descent with momentum, falling rate and clipped gradients.

    Args:
        config: The detector.

    Returns:
        The optimizer; each variable's gradient is clipped by itself, as in the original.
    """
    boundaries = list(config.learning_rate_boundaries)
    factor = config.learning_rate_decay_factor
    rates = [config.learning_rate * factor**k for k in range(len(boundaries) + 1)]
    rate = rates[0]
    if boundaries:
        rate = keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, rates)
    return keras.optimizers.SGD(rate, momentum=config.momentum, clipnorm=config.gradient_clip_norm)
