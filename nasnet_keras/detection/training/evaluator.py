"""Scores a detector in training, as often as asked."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from PIL import Image

from nasnet_keras.detection.configuration.training_config import TrainingConfig
from nasnet_keras.detection.data.detection_index import DetectionIndex
from nasnet_keras.detection.evaluation.coco_metrics import DetectionMetrics, evaluate_results
from nasnet_keras.detection.evaluation.detecting import detect_batches, detect_split
from nasnet_keras.detection.modeling.batch import IMAGES
from nasnet_keras.detection.modeling.faster_rcnn import FasterRCNN
from nasnet_keras.detection.visualization.drawing import (
    GREEN,
    RED,
    Color,
    contact_sheet,
    draw_boxes,
)
from nasnet_keras.training.callbacks import OnProgress

_PICTURES = 8
_SHOWN_SCORE = 0.3


class DetectorEvaluator:
    """Evaluates a detector on a split; compiled once.

    Under a `tf.distribute` strategy the weights are copied to a detector of one replica.

    Args:
        config: The training.
        index: The images to score.
        replicas: Replicas of the training.

    Attributes:
        picture: Detections (red) beside the truth (green) on the first images of the last
            evaluation, `None` before the first.
    """

    def __init__(self, config: TrainingConfig, index: DetectionIndex, replicas: int = 1) -> None:
        self._config = config
        self._index = index
        self._replicas = replicas
        self._copy: FasterRCNN | None = None
        self._last: tuple[int, DetectionMetrics, list[dict[str, Any]]] | None = None
        self.picture: Image.Image | None = None

    def evaluate(
        self, model: FasterRCNN, on_progress: OnProgress | None = None
    ) -> tuple[DetectionMetrics, list[dict[str, Any]]]:
        """Evaluates, unless that was done after the same step already.

        Args:
            model: The detector, compiled.
            on_progress: Called after each batch with the images so far and in all.

        Returns:
            COCO's numbers, and the detections in COCO's format.

        Raises:
            ValueError: An image of the split cannot be read, or a detection is not finite.
        """
        step = int(keras.ops.convert_to_numpy(model.optimizer.iterations))
        if self._last is None or self._last[0] != step:
            model = self._undistributed(model)
            results = detect_split(model, self._config, self._index, on_progress=on_progress)
            self._draw(model)
            self._last = step, evaluate_results(self._index, results), results
        return self._last[1:]

    def logs(self, model: FasterRCNN, on_progress: OnProgress | None = None) -> dict[str, float]:
        """Evaluates, and returns what belongs into the log of an epoch."""
        metrics, _ = self.evaluate(model, on_progress)
        return {f"evaluation_{name}": value for name, value in metrics.summary.items()}

    def _undistributed(self, model: FasterRCNN) -> FasterRCNN:
        if self._replicas == 1:
            return model
        if self._copy is None:
            self._copy = FasterRCNN(model.config, model.precision)
        for ours, theirs in zip(self._copy.weights, model.weights, strict=True):
            ours.assign(keras.ops.convert_to_numpy(theirs))
        return self._copy

    def _draw(self, model: FasterRCNN) -> None:
        few = self._index.take(range(min(_PICTURES, len(self._index))))
        pictures, captions = [], []
        for batch, found in detect_batches(model, self._config, few):
            for row, pixels in enumerate(batch[IMAGES]):
                real = (batch["labels"][row] >= 0) & ~batch["crowd"][row]
                sure = (found["labels"][row] >= 0) & (found["scores"][row] > _SHOWN_SCORE)
                image = np.clip(np.round(pixels), 0, 255).astype(np.uint8)
                picture = self._boxes(
                    image, batch["boxes"][row][real], batch["labels"][row][real], GREEN
                )
                picture = self._boxes(
                    np.asarray(picture),
                    found["boxes"][row][sure],
                    found["labels"][row][sure],
                    RED,
                    found["scores"][row][sure],
                )
                pictures.append(picture)
                captions.append(f"image {batch['image_ids'][row]}")
        self.picture = contact_sheet(pictures, captions)

    def _boxes(
        self,
        image: np.ndarray,
        boxes: np.ndarray,
        labels: np.ndarray,
        color: Color,
        scores: np.ndarray | None = None,
    ) -> Image.Image:
        names = [self._index.class_names[label] for label in labels]
        return draw_boxes(image, boxes, names, scores, [color] * len(names))
