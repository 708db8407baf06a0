"""Scheduled drop path: whole branches are zeroed at random, more so as training goes on."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nasnet_keras.layers.initializer import PACKAGE
from nasnet_keras.replica_seeds import ReplicaSeedGenerator
from nasnet_keras.text.suggestions import unknown_name

VERSIONS = ("v1", "v2", "v3")


@keras.saving.register_keras_serializable(PACKAGE)
class DropPathSchedule(keras.layers.Layer):
    """Counts training steps in the model's own state.

    The counter is a weight: it is saved, loaded, resumed and mirrored with the model, so that no
    callback has to be remembered. A call in training returns the step and then advances it; each
    replica of a strategy counts for itself, all the same.

    Input shape: any; the values are not read.
    Output shape: `()`, int32: the number of training calls before this one. An integer, because
    mixed precision would round a ratio.
    """

    def build(self, input_shape: Any) -> None:
        self.step = self.add_weight(
            name="step",
            shape=(),
            dtype="int32",
            initializer="zeros",
            trainable=False,
        )
        self.built = True

    def compute_output_spec(self, inputs: Any, training: bool | None = None) -> Any:
        return keras.KerasTensor((), dtype="int32")

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        # A sum is a value of its own; TensorFlow would return the variable, read after the update.
        step = self.step + 0
        if training:
            self.step.assign(step + 1)
        return step


@keras.saving.register_keras_serializable(PACKAGE)
class DropPath(keras.layers.Layer):
    """Zeroes a branch for some examples of the batch and scales the others up (training only).

    With `p` the keep probability at the end, `t = min(1, step / total_steps)` and
    `l = (cell_number + 1) / total_cells`, the keep probability is `1 - t (1 - p)` for `v1` (the
    papers' ScheduledDropPath), `1 - l (1 - p)` for `v2` and `1 - t l (1 - p)` for `v3` (slim's
    default). Source: slim `nasnet_utils._apply_drop_path`, `drop_path`.

    Input shape: `(batch, ...)`. Output shape: the same.

    Args:
        keep_probability: `p`, in (0, 1].
        version: `"v1"`, `"v2"` or `"v3"`.
        total_steps: Training steps over which `t` grows to 1; needed by `v1` and `v3`.
        cell_number: Number of the cell, stem and reduction cells counted, from 0.
        total_cells: Cells in all, as slim counts them.
        seed: Seed of the masks, `None` for a random one.
        **kwargs: Keras's own.

    Raises:
        ValueError: A value is out of range, or `total_steps` is missing.
    """

    def __init__(
        self,
        keep_probability: float,
        version: str = "v3",
        total_steps: int | None = None,
        cell_number: int = 0,
        total_cells: int = 1,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not 0 < keep_probability <= 1:
            raise ValueError(f"keep_probability is in (0, 1], got {keep_probability!r}")
        if version not in VERSIONS:
            raise ValueError(unknown_name("drop path version", version, VERSIONS))
        if version != "v2" and not (total_steps and total_steps > 0):
            raise ValueError(
                f"drop path {version} grows with the training step and needs total_steps > 0, "
                f"got {total_steps!r}"
            )
        self.keep_probability = keep_probability
        self.version = version
        self.total_steps = total_steps
        self.cell_number = cell_number
        self.total_cells = total_cells
        self.seed = seed
        self.seed_generator = ReplicaSeedGenerator(seed)
        self.built = True

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "keep_probability": self.keep_probability,
            "version": self.version,
            "total_steps": self.total_steps,
            "cell_number": self.cell_number,
            "total_cells": self.total_cells,
            "seed": self.seed,
        }

    # Keras saves no generator's state by itself; resuming must not repeat the masks.

    def save_own_variables(self, store: Any) -> None:
        store["seed"] = self.seed_generator.state

    def load_own_variables(self, store: Any) -> None:
        self.seed_generator.state.assign(store["seed"])

    def current_keep_probability(self, step: Any) -> Any:
        """Returns the keep probability at a training step, a float32 scalar.

        Args:
            step: Number of training steps done; not read by `v2`.
        """
        drop = 1.0 - self.keep_probability
        if self.version in ("v2", "v3"):
            drop *= (self.cell_number + 1) / self.total_cells
        if self.version in ("v1", "v3"):
            ratio = ops.cast(step, "float32") / float(self.total_steps or 1)
            return 1.0 - ops.minimum(1.0, ratio) * drop
        return ops.convert_to_tensor(1.0 - drop, "float32")

    def compute_output_shape(self, inputs_shape: Any, step_shape: Any = None) -> Any:
        return inputs_shape

    def call(self, inputs: Any, step: Any = None, training: bool | None = None) -> Any:
        if not training:
            return inputs
        keep = self.current_keep_probability(step)
        shape = (ops.shape(inputs)[0],) + (1,) * (len(inputs.shape) - 1)
        noise = keras.random.uniform(shape, dtype="float32", seed=self.seed_generator)
        mask = ops.floor(keep + noise) / keep
        return inputs * ops.cast(mask, inputs.dtype)
