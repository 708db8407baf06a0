"""Optimizers and learning rates by name."""

import keras
import pytest

from nasnet_keras.training.optimizers.factory import make_optimizer
from nasnet_keras.training.optimizers.schedules import make_learning_rate


def test_unknown_names_suggest_the_nearest() -> None:
    with pytest.raises(ValueError, match="unknown optimizer 'rmsprp'; did you mean 'rmsprop'"):
        make_optimizer("rmsprp", 0.1)
    with pytest.raises(ValueError, match="unknown learning rate decay 'cosin'; did you mean"):
        make_learning_rate("cosin", 0.1, 10)


def test_steps_without_boundaries_are_a_fixed_rate() -> None:
    assert make_learning_rate("steps", 0.1, 10, decay_factor=0.5) == 0.1
    stairs = make_learning_rate("steps", 0.1, 10, decay_factor=0.5, boundaries=[2, 4])
    rates = [float(stairs(step)) for step in (2, 3, 4, 5)]
    assert rates == pytest.approx([0.1, 0.05, 0.05, 0.025])


def test_options_reach_the_optimizer() -> None:
    optimizer = make_optimizer("momentum", 0.1, momentum=0.8, clipnorm=3.0)
    assert isinstance(optimizer, keras.optimizers.SGD)
    assert (optimizer.momentum, optimizer.clipnorm) == (0.8, 3.0)
