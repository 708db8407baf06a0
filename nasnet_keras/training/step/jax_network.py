"""A Keras model that trains a batch in parts with JAX."""

from __future__ import annotations

from typing import Any

import keras

from nasnet_keras.training.step.accumulation import (
    loss_tracker,
    part_of,
    split_into_parts,
    step_counters,
)


class JaxNetwork(keras.Model):
    """The JAX side of `TrainingNetwork`."""

    accumulation_steps: int

    def train_step(self, state: Any, data: Any) -> Any:
        if self.accumulation_steps == 1:
            return super().train_step(state, data)
        trainable, other, optimizer, metrics = state
        gradients, other, metrics = self.gradients_of_batch(
            trainable, other, optimizer, metrics, data
        )
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, gradients, trainable)
        with keras.StatelessScope(zip(self.metrics_variables, metrics, strict=True)):
            logs = self.get_metrics_result()
        return logs, (trainable, other, optimizer, metrics)

    def gradients_of_batch(
        self, trainable: Any, other: Any, optimizer: Any, metrics: Any, data: Any
    ) -> tuple[list[Any], list[Any], list[Any]]:
        """Returns the mean of the gradients of a batch's parts, of which one is held at a time.

        The mean, because loss is a mean over images; so weight decay counts once.

        Args:
            trainable: Values of the trainable variables.
            other: Those of the variables that are not.
            optimizer: Those of the optimizer's; `[]` where it scales no loss.
            metrics: Those of the metrics'.
            data: The batch.

        Returns:
            The gradients, and the new values of `other` and `metrics`.
        """
        import jax

        parts = self.accumulation_steps
        data = split_into_parts(keras.utils.unpack_x_y_sample_weight(data), parts)
        gradient_of = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
        counters = step_counters(self)

        def add(carry: Any, number: Any) -> Any:
            sums, held, metrics = carry
            # A step's parts see the same step of drop path's schedule.
            for index, variable in enumerate(self.non_trainable_variables):
                if any(variable is counter for counter in counters):
                    held = [*held[:index], other[index], *held[index + 1 :]]
            x, y, sample_weight = part_of(data, number)
            (_, (loss, outputs, held, metrics)), gradients = gradient_of(
                trainable,
                held,
                metrics,
                x,
                y,
                sample_weight,
                training=True,
                optimizer_variables=optimizer,
            )
            metrics = self._counted(metrics, loss, x, y, outputs, sample_weight)
            return (jax.tree.map(jax.numpy.add, sums, gradients), held, metrics), None

        zeros = jax.tree.map(jax.numpy.zeros_like, trainable)
        (sums, other, metrics), _ = jax.lax.scan(
            add, (zeros, other, metrics), jax.numpy.arange(parts)
        )
        return [total / parts for total in sums], other, metrics

    def _counted(
        self, metrics: Any, loss: Any, x: Any, y: Any, outputs: Any, sample_weight: Any
    ) -> list[Any]:
        """Returns the variables of the metrics with a batch counted in."""
        pairs = list(zip(self.metrics_variables, metrics, strict=True))
        with keras.StatelessScope(pairs) as scope:
            rows = keras.tree.flatten(x)[0].shape[0]
            loss_tracker(self).update_state(loss, sample_weight=rows)
            self.compute_metrics(x, y, outputs, sample_weight)
        return [scope.get_current_value(variable) for variable, _ in pairs]
