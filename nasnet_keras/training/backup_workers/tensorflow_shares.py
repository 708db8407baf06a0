"""Shares of a step with TensorFlow: their gradients, and the update that is made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from nasnet_keras.training.backup_workers.flat_variables import FlatVariables, NetworkLayout
from nasnet_keras.training.backup_workers.messages import Contribution, NetworkState
from nasnet_keras.training.step.training_network import TrainingNetwork

INTEGER_TYPE = "int64"


def gradient_function(
    model: TrainingNetwork, layout: NetworkLayout
) -> Callable[[NetworkState, Any], Contribution]:
    """Returns what computes the contribution of a batch, `(images, targets)`.

    Args:
        model: The network, compiled; its values are overwritten.
        layout: Its layout, of `INTEGER_TYPE`.
    """
    import tensorflow as tf

    model.build_metrics()
    metrics = FlatVariables(model.metrics_variables, "float32")
    # Compiled with XLA where the step of an ordinary training is.
    gradients_of = tf.function(
        model.gradients_of_batch, jit_compile=model.jit_compile or None, autograph=False
    )

    @tf.function(autograph=False)
    def compute(floats: Any, integers: Any, data: Any) -> list[Any]:
        _assign(layout.floats, floats)
        _assign(layout.integers, integers)
        for variable in metrics.variables:
            variable.assign(ops.zeros_like(variable))
        gradients = gradients_of(data)
        return [
            layout.trained.join(gradients),
            *(each.join(each.variables) for each in (layout.statistics, layout.integers, metrics)),
        ]

    def contribution(state: NetworkState, data: Any) -> Contribution:
        integers = state.integers.astype(INTEGER_TYPE)
        gradients, statistics, integers, sums = compute(state.floats, integers, data)
        return Contribution(
            gradients.numpy(), statistics.numpy(), integers.numpy().astype("uint32"), sums.numpy()
        )

    return contribution


def train_function(
    model: TrainingNetwork,
    layout: NetworkLayout,
    of_step: Callable[[NetworkState], Contribution],
) -> Callable[[Any], Any]:
    """Returns what `Model.fit` calls for each step, with an iterator of its batches.

    Args:
        model: The network, compiled.
        layout: Its layout, of `INTEGER_TYPE`.
        of_step: Returns the combined contribution of a step; its errors are passed on.
    """
    import tensorflow as tf

    model.optimizer.build(model.trainable_variables)
    model.build_metrics()
    metrics = FlatVariables(model.metrics_variables, "float32")

    @tf.function(autograph=False)
    def read() -> tuple[Any, Any]:
        return tuple(each.join(each.variables) for each in (layout.floats, layout.integers))

    @tf.function(autograph=False)
    def update(gradients: Any, statistics: Any, integers: Any, sums: Any) -> None:
        _assign(layout.statistics, statistics)
        _assign(layout.integers, integers)
        for variable, value in zip(metrics.variables, metrics.split(sums), strict=True):
            variable.assign(variable + value)
        model.optimizer.apply(layout.trained.split(gradients), model.trainable_variables)

    def train(iterator: Any) -> Any:
        next(iterator)
        floats, integers = read()
        state = NetworkState(floats.numpy(), integers.numpy().astype(np.uint32))
        mean = of_step(state)
        update(*mean._replace(integers=mean.integers.astype(INTEGER_TYPE)))
        return model.get_metrics_result()

    return train


def _assign(layout: FlatVariables, array: Any) -> None:
    for variable, value in zip(layout.variables, layout.split(array), strict=True):
        variable.assign(value)
