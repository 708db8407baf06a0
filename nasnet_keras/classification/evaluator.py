"""The evaluation of a classifier that is still being trained."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from nasnet_keras.classification.evaluation import Evaluation, evaluate
from nasnet_keras.classification.recipe import Recipe
from nasnet_keras.classification.recipe_network import recipe_network_config
from nasnet_keras.classification.run_options import RunOptions
from nasnet_keras.data.streams.evaluation_batches import EvaluationBatches, evaluation_batches
from nasnet_keras.models import build_network
from nasnet_keras.models.inference import inference_model
from nasnet_keras.training.evaluator import OnProgress, TrainingEvaluator
from nasnet_keras.training.precision import precision


class Evaluator(TrainingEvaluator[Evaluation]):
    """Evaluates a training network on the evaluation split of its recipe.

    Args:
        recipe: The recipe.
        options: How the run is carried out.
        classes: Number of classes.
        metrics: The user's own.
    """

    def __init__(
        self,
        recipe: Recipe,
        options: RunOptions,
        classes: int,
        metrics: Sequence[keras.metrics.Metric] = (),
    ) -> None:
        self._recipe = recipe
        self._options = options
        self._classes = classes
        self._metrics = metrics
        self._batches: EvaluationBatches | None = None

    def build(self, model: keras.Model) -> keras.Model:
        recipe, size = self._recipe, self._recipe.train_image_size
        with precision(recipe.precision):
            network = build_network(
                # Nothing is dropped in a prediction.
                recipe_network_config(recipe, drop_path_keep_probability=1.0, dropout=0.0),
                classes=self._classes,
                input_shape=(size, size, 3),
                name=recipe.model_name,
            )
            return inference_model(network)

    def score(self, network: keras.Model, on_progress: OnProgress | None) -> Evaluation:
        if self._batches is None:
            self._batches = evaluation_batches(
                self._recipe.dataset_name,
                self._recipe.evaluation_split_name,
                self._options.dataset_dir,
                self._recipe.preprocessing_name,
                self._recipe.train_image_size,
                labels_offset=self._recipe.labels_offset,
                exif_orientation=self._recipe.exif_orientation,
                drop_invalid=self._options.drop_invalid,
                allow_empty_classes=self._options.allow_empty_classes,
            )
        return evaluate(network, self._batches, on_progress=on_progress, metrics=self._metrics)

    def summary(self, result: Evaluation) -> dict[str, float]:
        return {
            "evaluation_accuracy": result.accuracy,
            "evaluation_loss": result.loss,
            **{f"evaluation_{name}": value for name, value in result.metrics.items()},
        }
