"""A Keras model that trains on several replicas, workers and parts of a batch with TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras

from nasnet_keras.layers.batch_normalization import batch_norms
from nasnet_keras.training.step.accumulation import (
    loss_tracker,
    part_of,
    split_into_parts,
    step_counters,
)

# Typed as the class that it is mixed into.
_Model: Any = keras.Model if TYPE_CHECKING else object


class TensorFlowTraining(_Model):
    """What a `keras.Model` that inherits from this first can do, see `TrainingNetwork`."""

    accumulation_steps: int = 1
    train_function: Any
    test_function: Any

    # ---- One step.

    def train_step(self, data: Any) -> dict[str, Any]:
        import tensorflow as tf

        # TensorFlow would count a step, and draw its random numbers, though its batch cannot be
        # read: then a run is saved as it was before.
        with tf.control_dependencies(keras.tree.flatten(data)[:1]):
            return self._train_step(data)

    def _train_step(self, data: Any) -> dict[str, Any]:
        import tensorflow as tf

        replica = tf.distribute.get_replica_context()
        replicas = replica.num_replicas_in_sync
        if replicas == self.accumulation_steps == 1:
            return super().train_step(data)
        gradients = self._compiled(self.gradients_of_batch)(data)
        if replicas > 1:
            gradients = replica.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
            _take_reduced_gradients(self.optimizer)
        self.optimizer.apply(gradients, self.trainable_weights)
        return self.get_metrics_result()

    def test_step(self, data: Any) -> dict[str, Any]:
        return self._compiled(super().test_step)(data)

    def _compiled(self, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Returns what a replica computes by itself, compiled by XLA where that was asked for.

        What they compute together XLA cannot compile: it has the variables of one device only.
        """
        import tensorflow as tf

        if not self.jit_compile or not self._has_replicas():
            return function
        return tf.function(function, jit_compile=True, autograph=False)

    def _exchanges_batch_statistics(self) -> bool:
        return self._has_replicas() and any(layer.synchronized for layer in batch_norms(self))

    def _gradients(self, data: Any) -> list[Any]:
        """Returns the gradients of a batch, and counts it in the metrics."""
        import tensorflow as tf

        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            outputs = self(x, training=True)
            loss = self.compute_loss(x, y, outputs, sample_weight, training=True)
            scaled = self.optimizer.scale_loss(loss)
        # Zero, not None, where a weight has no part in the loss: replicas add them up.
        gradients = tape.gradient(
            scaled, self.trainable_weights, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        # Keras divides a replica's loss by their number, so that the sum is the mean.
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        rows = tf.shape(keras.tree.flatten(x)[0])[0]
        loss_tracker(self).update_state(loss * replicas, sample_weight=rows)
        self.compute_metrics(x, y, outputs, sample_weight)
        return gradients

    def gradients_of_batch(self, data: Any) -> list[Any]:
        """Returns the mean of the gradients of a batch's parts, of which one is held at a time.

        The mean, because loss is a mean over images; so weight decay counts once.
        """
        import tensorflow as tf

        parts = self.accumulation_steps
        if parts == 1:
            return self._gradients(data)
        rows = keras.tree.flatten(data)[0].shape[0]
        checks = [] if rows is not None else [_check_divisible(data, parts)]
        with tf.control_dependencies(checks):
            data = split_into_parts(data, parts)
        counters = step_counters(self)
        steps = [counter + 0 for counter in counters]

        def add(number: Any, sums: list[Any]) -> list[Any]:
            for counter, step in zip(counters, steps, strict=True):
                counter.assign(step)
            # TensorFlow would start all parts at once, and hold all their activations.
            with tf.control_dependencies(sums):
                part = part_of(data, number)
            gradients = self._gradients(part)
            return [total + gradient for total, gradient in zip(sums, gradients, strict=True)]

        # The first outside the loop, where Keras may make the variables of the metrics.
        sums = self._gradients(part_of(data, 0))
        if self._exchanges_batch_statistics():
            # A strategy allows no exchange between replicas within a loop.
            for number in range(1, parts):
                sums = add(number, sums)
        else:
            _, sums = tf.while_loop(
                lambda number, _: number < parts,
                lambda number, sums: (number + 1, add(number, sums)),
                (tf.constant(1), sums),
                parallel_iterations=1,
            )
        return [total / parts for total in sums]

    # ---- What `fit` makes for replicas and workers. Keras averages a batch over the workers to
    # learn its shapes, which fails, and reduces their logs over an axis that these do not have
    # (keras#20585). Nor does its own repeat or compile steps on several devices.

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        if iterator is not None and self._has_replicas():
            iterator, data_batch = None, self._symbolic_batch()
        super()._maybe_symbolic_build(iterator, data_batch)

    def _symbolic_batch(self) -> Any:
        """Returns inputs and targets as Keras builds metrics from them."""
        # Targets are one-hot, so the network tells all shapes.
        return self.input, self.output

    def make_train_function(self, force: bool = False) -> Any:
        if self.train_function is not None and not force:
            return
        self._make_variables()
        super().make_train_function(force)
        if self._has_replicas():
            if self.jit_compile and self._exchanges_batch_statistics():
                raise ValueError("jit_compile=True and synchronized BN exclude each other")
            self.train_function = self._over_replicas(self.train_step)

    def _make_variables(self) -> None:
        """Makes what a first step would make: such a step is traced twice, which takes as long."""
        with self.distribute_strategy.scope():
            if not self.optimizer.built:
                self.optimizer.build(self.trainable_variables)
            # It counts the mean of each loss where there are several. Targets are one-hot.
            loss = self._compile_loss
            if loss is not None and not loss.built:
                loss.build(self.output, self.output)

    def make_test_function(self, force: bool = False) -> Any:
        if self.test_function is not None and not force:
            return
        super().make_test_function(force)
        if self._has_replicas():
            self.test_function = self._over_replicas(self.test_step)

    def _has_replicas(self) -> bool:
        return self.distribute_strategy.num_replicas_in_sync > 1

    def _over_replicas(self, step: Callable[[Any], dict[str, Any]]) -> Callable[[Any], Any]:
        """Returns a function that takes `steps_per_execution` steps on all replicas."""
        import tensorflow as tf

        strategy = self.distribute_strategy

        def replica_step(data: Any) -> dict[str, Any]:
            logs = step(data)
            replica = tf.distribute.get_replica_context()
            means = replica.all_reduce(tf.distribute.ReduceOp.MEAN, list(logs.values()))
            return dict(zip(logs, means, strict=True))

        def one_step(iterator: Any) -> dict[str, Any]:
            logs = strategy.run(replica_step, (next(iterator),))
            return {name: strategy.experimental_local_results(logs[name])[0] for name in logs}

        compiled_step = one_step
        if not self.run_eagerly:
            compiled_step = tf.function(one_step, reduce_retracing=True, autograph=False)

        def function(iterator: Any) -> dict[str, Any]:
            # `train_on_batch` has no iterator that a graph could read.
            distributed = isinstance(iterator, tf.distribute.DistributedIterator)
            take = compiled_step if distributed else one_step
            logs = take(iterator)
            for _ in range(1, self.steps_per_execution):
                # Not in a loop of the graph, where TensorFlow loses values between replicas.
                try:
                    logs = take(iterator)
                except (StopIteration, tf.errors.OutOfRangeError):
                    break
            return logs

        return function


class TensorFlowNetwork(TensorFlowTraining, keras.Model):
    """The TensorFlow side of `TrainingNetwork`."""


def _check_divisible(data: Any, parts: int) -> Any:
    """Returns the operation that refuses a batch, of a size known when it comes only."""
    import tensorflow as tf

    rows = tf.shape(keras.tree.flatten(data)[0])[0]
    message = f"accumulation_steps={parts} does not divide the batch"
    return tf.debugging.Assert(tf.equal(tf.math.floormod(rows, parts), 0), [message, rows])


def _take_reduced_gradients(optimizer: Any) -> None:
    """Makes an optimizer take gradients that are added up over replicas already.

    Keras's clips each replica's gradients, or looks for infinite ones, before it adds them up.
    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    if not hasattr(optimizer, "_all_reduce_sum_gradients"):
        raise RuntimeError(f"keras {keras.version()} reduces gradients in a way not known here")
    optimizer._all_reduce_sum_gradients = list
