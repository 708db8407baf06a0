"""The Keras model class of a training run: `fit` on any backend, under any distribution."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from nasnet_keras.layers.initializer import PACKAGE
from nasnet_keras.training.step.extra_metrics import ExtraMetrics


def _backend_network() -> Any:
    """Returns the model class that has what the backend needs."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        from nasnet_keras.training.step.tensorflow_network import TensorFlowNetwork

        return TensorFlowNetwork
    if backend == "jax":
        from nasnet_keras.training.step.jax_network import JaxNetwork

        return JaxNetwork
    return keras.Model


@keras.saving.register_keras_serializable(PACKAGE)
class TrainingNetwork(_backend_network()):
    """A functional `keras.Model` whose training step adds up parts, replicas and workers.

    Beyond Keras's own model:

    - `accumulation_steps`: a step trains its batch in so many equal parts, one after another, and
      updates once. It needs the memory of a part, and no schedule changes; BN sees each part by
      itself.
    - Under a `tf.distribute` strategy gradients are clipped after they are added up over the
      replicas, as on one device; and `MultiWorkerMirroredStrategy` works.

    - `class_weights`, `(classes,)`: an image's losses count as much as its class's weight says. The
      mean is over images: with all weights 1 it is Keras's own.
    - `extra_metrics`: metrics beside the compiled ones, see `ExtraMetrics`.

    A saved one is loaded on every backend; none of the three is saved, as they belong to the run.

    Args: As `keras.Model(inputs, outputs, name=None)`.
    """

    _accumulation_steps = 1
    class_weights: np.ndarray | None = None
    extra_metrics: ExtraMetrics | None = None

    @property
    def accumulation_steps(self) -> int:
        """In how many parts a step trains its batch.

        Setting it raises `ValueError` for what is no whole number above 0, or on a backend that
        can train the batch as one only. A batch that is no multiple of it is refused in `fit`.
        """
        return self._accumulation_steps

    @accumulation_steps.setter
    def accumulation_steps(self, steps: int) -> None:
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
            raise ValueError(f"accumulation_steps is a whole number of at least 1, got {steps!r}")
        backend = keras.backend.backend()
        if steps > 1 and backend not in ("tensorflow", "jax"):
            raise ValueError(
                f"accumulation_steps={steps} needs Keras's backend tensorflow or jax, not {backend}"
            )
        self._accumulation_steps = steps
        # Made for the old number.
        self.train_function = None

    def build_metrics(self) -> None:
        """Makes the variables of the compiled metrics, before a batch is there."""
        # Targets are one-hot, so the network tells all shapes. JAX cannot compute all of them where
        # the number of images is not known.
        batch = keras.tree.map_structure(
            lambda each: keras.KerasTensor((1, *each.shape[1:]), each.dtype),
            (self.input, self.output),
        )
        self._symbolic_build(data_batch=batch)

    @property
    def metrics(self) -> list[Any]:
        extra = self.extra_metrics
        return [*super().metrics, *(extra.metrics if extra else ())]

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        if self.class_weights is not None:
            # Targets are one-hot.
            sample_weight = {
                name: ops.sum(ops.cast(labels, "float32") * self.class_weights, axis=-1)
                for name, labels in y.items()
            }
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        if extra := self.extra_metrics:
            extra.update(y[extra.output], y_pred[extra.output])
        return super().compute_metrics(x, y, y_pred, sample_weight)
