"""Shares of a step with JAX: their gradients, and the update that is made of them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from nasnet_keras.training.backup_workers.flat_variables import FlatVariables, NetworkLayout
from nasnet_keras.training.backup_workers.messages import Contribution, NetworkState
from nasnet_keras.training.step.training_network import TrainingNetwork

INTEGER_TYPE = "uint32"


def gradient_function(
    model: TrainingNetwork, layout: NetworkLayout
) -> Callable[[NetworkState, Any], Contribution]:
    """Returns what computes the contribution of a batch, see `tensorflow_shares`."""
    import jax

    model.build_metrics()
    metrics = FlatVariables(model.metrics_variables, "float32")

    @jax.jit
    def compute(floats: Any, integers: Any, data: Any) -> list[Any]:
        trained = layout.trained.split(floats[: len(layout.trained)])
        statistics = layout.statistics.split(floats[len(layout.trained) :])
        others = layout.merge(statistics, layout.integers.split(integers))
        zeros = metrics.split(np.zeros(len(metrics), "float32"))
        gradients, others, sums = model.gradients_of_batch(trained, others, [], zeros, data)
        statistics, integers = layout.divide(others)
        return [
            layout.trained.join(gradients),
            layout.statistics.join(statistics),
            layout.integers.join(integers),
            metrics.join(sums),
        ]

    def contribution(state: NetworkState, data: Any) -> Contribution:
        return Contribution(*map(np.asarray, compute(state.floats, state.integers, data)))

    return contribution


def train_function(
    model: TrainingNetwork,
    layout: NetworkLayout,
    of_step: Callable[[NetworkState], Contribution],
) -> Callable[[Any, Any], Any]:
    """Returns what `Model.fit` calls for each step, see `tensorflow_shares`."""
    import jax

    model.build_metrics()
    metrics = FlatVariables(model.metrics_variables, "float32")

    @jax.jit
    def read(trained: Any, others: Any) -> tuple[Any, Any]:
        statistics, integers = layout.divide(others)
        return layout.floats.join([*trained, *statistics]), layout.integers.join(integers)

    @functools.partial(jax.jit, donate_argnums=0)
    def update(state: Any, mean: Contribution) -> Any:
        trained, _, slots, sums = state
        trained, slots = model.optimizer.stateless_apply(
            slots, layout.trained.split(mean.gradients), trained
        )
        others = layout.merge(
            layout.statistics.split(mean.statistics), layout.integers.split(mean.integers)
        )
        sums = [old + new for old, new in zip(sums, metrics.split(mean.metrics), strict=True)]
        with keras.StatelessScope(zip(model.metrics_variables, sums, strict=True)):
            logs = model.get_metrics_result()
        return logs, (trained, others, slots, sums)

    def train(state: Any, iterator: Any) -> Any:
        next(iterator)
        return update(state, of_step(NetworkState(*map(np.asarray, read(*state[:2])))))

    return train
