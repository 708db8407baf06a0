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
from nasnet_keras.detection.visualization.drawing import GREEN, RED, contact_sheet, draw_boxes
from nasnet_keras.training.evaluator import OnProgress, TrainingEvaluator

_PICTURES = 8
_SHOWN_SCORE = 0.3
Scored = tuple[DetectionMetrics, list[dict[str, Any]]]


class DetectorEvaluator(TrainingEvaluator[Scored]):
    """Evaluates a detector on a split: COCO's numbers, and the detections in COCO's format.

    A detector of one replica is evaluated as it is, without a copy of its weights.

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
        self.picture: Image.Image | None = None

    def build(self, model: Any) -> keras.Model:
        return model if self._replicas == 1 else FasterRCNN(model.config, model.precision)

    def score(self, network: keras.Model, on_progress: OnProgress | None) -> Scored:
        results = detect_split(network, self._config, self._index, on_progress=on_progress)
        self._draw(network)
        return evaluate_results(self._index, results), results

    def summary(self, result: Scored) -> dict[str, float]:
        return {f"evaluation_{name}": value for name, value in result[0].summary.items()}

    def _draw(self, model: keras.Model) -> None:
        few = self._index.take(range(min(_PICTURES, len(self._index))))
        pictures, captions = [], []
        for batch, found in detect_batches(model, self._config, few):
            for row, pixels in enumerate(batch[IMAGES]):
                picture = Image.fromarray(np.clip(np.round(pixels), 0, 255).astype(np.uint8))
                real = (batch["labels"][row] >= 0) & ~batch["crowd"][row]
                sure = (found["labels"][row] >= 0) & (found["scores"][row] > _SHOWN_SCORE)
                for boxes, shown, color in ((batch, real, GREEN), (found, sure, RED)):
                    names = [self._index.class_names[n] for n in boxes["labels"][row][shown]]
                    scores = boxes["scores"][row][shown] if "scores" in boxes else None
                    colors = [color] * len(names)
                    picture = draw_boxes(picture, boxes["boxes"][row][shown], names, scores, colors)
                pictures.append(picture)
                captions.append(f"image {batch['image_ids'][row]}")
        self.picture = contact_sheet(pictures, captions)
