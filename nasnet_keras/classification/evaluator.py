"""The evaluation of a network that is still being trained."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from nasnet_keras.classification.evaluation import Evaluation, evaluate
from nasnet_keras.classification.recipe import Recipe
from nasnet_keras.classification.recipe_network import recipe_network_config
from nasnet_keras.data.streams.evaluation_batches import EvaluationBatches, evaluation_batches
from nasnet_keras.models import build_network
from nasnet_keras.models.inference import inference_model
from nasnet_keras.training.callbacks import OnProgress
from nasnet_keras.training.optimizers.moving_average import averaged_weights
from nasnet_keras.training.precision import precision


@contextlib.contextmanager
def _undistributed() -> Iterator[None]:
    """Within the block, Keras spreads nothing over devices (a global setting, on JAX)."""
    before = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(before)


class Evaluator:
    """Evaluates a training network on the evaluation split of its recipe, as often as asked.

    The weights, or their moving averages, are copied to a network of one replica that is compiled
    once: so evaluation takes no part in a strategy and touches nothing of the training.

    Args:
        recipe: The recipe.
        dataset_dir: Where datasets are.
        classes: Number of classes.
    """

    def __init__(
        self, recipe: Recipe, dataset_dir: str | os.PathLike[str] | None, classes: int
    ) -> None:
        self._recipe = recipe
        self._dataset_dir = dataset_dir
        self._classes = classes
        self._network: keras.Model | None = None
        self._batches: EvaluationBatches | None = None
        self._last: dict[int, Evaluation] = {}  # By the training step.

    def evaluate(self, model: keras.Model, on_progress: OnProgress | None = None) -> Evaluation:
        """Evaluates, unless that was done after the same step already.

        Args:
            model: The training network with its optimizer.
            on_progress: Called after each batch with the batches so far and in all.

        Returns:
            The result.

        Raises:
            OSError: The split cannot be read.
            ValueError: An example of it cannot be read, or its classes are others.
        """
        step = int(ops.convert_to_numpy(model.optimizer.iterations))
        if step not in self._last:
            with _undistributed():
                self._last = {step: self._evaluate(model, on_progress)}
        return self._last[step]

    def _evaluate(self, model: keras.Model, on_progress: OnProgress | None) -> Evaluation:
        network = self._network
        if network is None or self._batches is None:
            with precision(self._recipe.precision):
                network = self._network = inference_model(self._build())
            self._batches = evaluation_batches(
                self._recipe.dataset_name,
                self._recipe.evaluation_split_name,
                self._dataset_dir,
                self._recipe.preprocessing_name,
                self._recipe.train_image_size,
                labels_offset=self._recipe.labels_offset,
            )
        averages = averaged_weights(model)
        trained: dict[str, Any] = {weight.path: weight for weight in model.weights}
        for weight in network.weights:
            value = averages.get(weight.path)
            if value is None:
                value = ops.convert_to_numpy(trained[weight.path])
            weight.assign(value)
        return evaluate(network, self._batches, on_progress=on_progress)

    def logs(self, model: keras.Model, on_progress: OnProgress | None = None) -> dict[str, float]:
        """Evaluates, and returns what belongs into the log of an epoch."""
        result = self.evaluate(model, on_progress)
        return {"evaluation_accuracy": result.accuracy, "evaluation_loss": result.loss}

    def _build(self) -> keras.Model:
        recipe = self._recipe
        size = recipe.train_image_size
        return build_network(
            # Nothing is dropped in a prediction.
            recipe_network_config(recipe, drop_path_keep_probability=1.0, dropout=0.0),
            classes=self._classes,
            input_shape=(size, size, 3),
            name=recipe.model_name,
        )
