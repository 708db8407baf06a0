"""A detector's detections on a split, in COCO's format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np

from nasnet_keras.detection.configuration.streams import evaluation_stream
from nasnet_keras.detection.configuration.training_config import TrainingConfig
from nasnet_keras.detection.data.detection_index import DetectionIndex
from nasnet_keras.detection.evaluation.coco_metrics import coco_results, original_boxes
from nasnet_keras.detection.modeling.batch import IMAGES, SIZES
from nasnet_keras.out_of_memory import memory_for


def detect_batches(
    model: keras.Model,
    config: TrainingConfig,
    index: DetectionIndex,
    batch_size: int | None = None,
) -> Iterator[tuple[dict[str, np.ndarray], dict[str, np.ndarray]]]:
    """Detects on every image of a split.

    Args:
        model: The `FasterRCNN`.
        config: The training that it is of.
        index: The images.
        batch_size: Images at a time. Default: as in training.

    Yields:
        A batch of `evaluation_stream`, and its detections as `select_detections` returns them.

    Raises:
        ValueError: An image cannot be read, or a detection is not finite: the image is named.
    """
    size = 0
    for batch in evaluation_stream(config, index, batch_size):
        count = len(batch[IMAGES])
        size = max(size, count)
        # A smaller last batch is filled up, so that nothing is compiled again.
        inputs = {
            name: np.resize(batch[name], (size, *batch[name].shape[1:])) for name in (IMAGES, SIZES)
        }
        with memory_for(batch_size=size, image_size=inputs[IMAGES].shape[1:3]):
            found: dict[str, Any] = model.predict_on_batch(inputs)
        found = {name: np.asarray(values)[:count] for name, values in found.items()}
        for row, image_id in enumerate(batch["image_ids"]):
            if not all(np.isfinite(found[name][row]).all() for name in ("boxes", "scores")):
                raise ValueError(f"image {image_id}: a detection is not finite")
        yield batch, found


def detect_split(
    model: keras.Model,
    config: TrainingConfig,
    index: DetectionIndex,
    batch_size: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    category_ids: Sequence[int] | None = None,
) -> list[dict[str, Any]]:
    """Detects on every image of a split, in COCO's format of results.

    Args:
        model: The `FasterRCNN`.
        config: The training that it is of.
        index: The images.
        batch_size: Images at a time. Default: as in training.
        on_progress: Called after each batch with the images so far and in all.
        category_ids: The id of each of the detector's classes, see `coco_results`.

    Returns:
        The detections, for `evaluate_results`.

    Raises:
        ValueError: See `detect_batches`.
    """
    results: list[dict[str, Any]] = []
    done = 0
    for batch, found in detect_batches(model, config, index, batch_size):
        boxes = original_boxes(found["boxes"], batch["scales"], batch["original_sizes"])
        results += coco_results(
            index, batch["image_ids"], boxes, found["scores"], found["labels"], category_ids
        )
        done += len(batch["image_ids"])
        if on_progress:
            on_progress(done, len(index))
    return results
