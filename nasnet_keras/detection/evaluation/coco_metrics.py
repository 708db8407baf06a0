"""COCO's metrics for detections, and their file format."""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nasnet_keras.detection.data.detection_index import DetectionIndex
from nasnet_keras.files.atomic_files import atomic_write
from nasnet_keras.files.input_files import read_file
from nasnet_keras.files.json_text import parse_json

SUMMARY_NAMES = (
    *("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large"),
    *("AR_1", "AR_10", "AR_100", "AR_small", "AR_medium", "AR_large"),
)
METRICS_NAME, RESULTS_NAME = "metrics.json", "results.json"
_KEYS = {"image_id", "category_id", "bbox", "score"}


@dataclass(frozen=True)
class DetectionMetrics:
    """COCO's twelve metrics and the average precision of each class, in [0, 1].

    Attributes:
        summary: The metrics by the names of `SUMMARY_NAMES`; as in COCO, -1 where there is no
            object, e.g. no small one for `AP_small`.
        per_class: For each class, `{"AP": ..., "AP50": ...}`.
        images: Images scored.
    """

    summary: dict[str, float]
    per_class: dict[str, dict[str, float]]
    images: int


def original_boxes(boxes: np.ndarray, scales: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Maps boxes of a resized batch back to the images as stored.

    Args:
        boxes: `(batch, n, 4)`: top, left, bottom, right in pixels of the resized images.
        scales: `(batch, 2)`, as `detection_batches` gives them.
        sizes: `(batch, 2)`, `original_sizes` of the batch.

    Returns:
        `(batch, n, 4)`, float64, cut off where the images end.
    """
    factors, limits = (
        np.tile(np.asarray(x, np.float64), 2)[:, np.newaxis] for x in (scales, sizes)
    )
    return np.clip(np.asarray(boxes, np.float64) / factors, 0, limits)


def coco_results(
    index: DetectionIndex,
    image_ids: np.ndarray,
    boxes: np.ndarray,
    scores: np.ndarray,
    labels: np.ndarray,
    category_ids: Sequence[int] | None = None,
) -> list[dict[str, Any]]:
    """Turns a batch of detections into COCO's format of results.

    Args:
        index: The dataset, for its category ids.
        image_ids: `(batch,)`.
        boxes: `(batch, n, 4)`: top, left, bottom, right in pixels of the images as stored; see
            `original_boxes`.
        scores: `(batch, n)`.
        labels: `(batch, n)`: classes from 0, -1 where there is no detection.
        category_ids: The id of each class, where the detector's classes are not the dataset's;
            what the dataset has no category for is left out.

    Returns:
        One dictionary a detection: `image_id`, `category_id`, `bbox` (left, top, width, height),
        `score`.

    Raises:
        ValueError: A label is out of range, or a box or score is not finite.
    """
    labels, scores = np.asarray(labels), np.asarray(scores, np.float64)
    boxes = np.asarray(boxes, np.float64)
    ids = index.category_ids if category_ids is None else category_ids
    known = {int(each) for each in index.category_ids}
    results = []
    for image, place in zip(*np.nonzero(labels >= 0), strict=True):
        top, left, bottom, right = boxes[image, place].tolist()
        score, label = float(scores[image, place]), int(labels[image, place])
        if label >= len(ids):
            raise ValueError(
                f"image {image_ids[image]}: a detection has label {label}, but there are "
                f"{len(ids)} classes"
            )
        if not np.isfinite([top, left, bottom, right, score]).all():
            raise ValueError(f"image {image_ids[image]}: a detection is not finite")
        if int(ids[label]) not in known:
            continue
        results.append(
            {
                "image_id": int(image_ids[image]),
                "category_id": int(ids[label]),
                "bbox": [left, top, right - left, bottom - top],
                "score": score,
            }
        )
    return results


def evaluate_results(index: DetectionIndex, results: Sequence[dict[str, Any]]) -> DetectionMetrics:
    """Scores detections as COCO does; crowds are passed as crowds.

    Of each image and class, the 100 most confident detections count.

    Args:
        index: The images scored and their true boxes. A part of a split, `index.select(ids)`, is
            scored by itself; results on other images are an error.
        results: As of `coco_results`.

    Returns:
        The metrics, those of pycocotools.

    Raises:
        ValueError: faster-coco-eval is not installed, a result is not in COCO's format, or it is on
            an image or of a category that the dataset does not have.
    """
    try:
        from faster_coco_eval import COCO, COCOeval_faster
    except ImportError as error:
        raise ValueError(
            "COCO's metrics need faster-coco-eval: pip install 'nasnet-keras[detection]'"
        ) from error
    check_results(index, results)
    truth = coco_ground_truth(index)
    # Both write progress to the terminal.
    with contextlib.redirect_stdout(io.StringIO()):
        ground_truth = COCO(truth)
        if results:
            detections = ground_truth.loadRes([dict(result) for result in results])
        else:
            # loadRes takes its cue from the first result.
            detections = COCO({**truth, "annotations": []})
        evaluation = COCOeval_faster(ground_truth, detections, "bbox")
        evaluation.params.imgIds = sorted(index.image_ids.tolist())
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    summary = dict(zip(SUMMARY_NAMES, map(float, evaluation.stats[:12]), strict=True))
    # (thresholds, recalls, classes, areas, limits of detections); -1: no such object.
    precision = np.asarray(evaluation.eval["precision"])[:, :, :, 0, -1]
    per_class = {}
    order = np.argsort(index.category_ids, kind="stable")
    for place, label in enumerate(order):
        per_class[index.class_names[label]] = {
            "AP": _mean(precision[:, :, place]),
            "AP50": _mean(precision[:1, :, place]),
        }
    return DetectionMetrics(summary, per_class, len(index))


def _mean(values: np.ndarray) -> float:
    known = values[values > -1]
    return float(known.mean()) if known.size else -1.0


def coco_ground_truth(index: DetectionIndex) -> dict[str, Any]:
    """Returns the true boxes in COCO's format, as `instances_*.json` has them."""
    counts = index.box_counts()
    images_of_boxes = np.repeat(index.image_ids, counts)
    return {
        "info": {"description": f"{index.name} {index.split}"},
        "images": [
            {"id": int(image_id), "file_name": name, "height": int(size[0]), "width": int(size[1])}
            for image_id, name, size in zip(
                index.image_ids, index.image_names, index.sizes, strict=True
            )
        ],
        "annotations": [
            {
                # Not the dataset's own: to COCO's evaluation, a match with 0 is none.
                "id": row + 1,
                "image_id": int(images_of_boxes[row]),
                "category_id": int(index.category_ids[index.labels[row]]),
                "bbox": index.source_boxes[row].tolist(),
                "area": float(index.areas[row]),
                "iscrowd": int(index.crowd[row]),
            }
            for row in range(len(index.labels))
        ],
        "categories": [
            {"id": int(category), "name": name}
            for category, name in zip(index.category_ids, index.class_names, strict=True)
        ],
    }


def check_results(index: DetectionIndex, results: Any) -> None:
    """Raises an error for results that are not in COCO's format or not of this dataset.

    Raises:
        ValueError: See above; the first such result is named.
    """
    if not isinstance(results, (list, tuple)):
        raise ValueError("results are a list of detections, as COCO's results files have")
    images, categories = set(index.image_ids.tolist()), set(index.category_ids.tolist())
    for row, result in enumerate(results):
        if not isinstance(result, dict) or not result.keys() >= _KEYS:
            raise ValueError(
                f"result {row} is not in COCO's format: it has {', '.join(sorted(_KEYS))}"
            )
        image, category, box = (result[key] for key in ("image_id", "category_id", "bbox"))
        if not isinstance(image, int) or image not in images:
            raise ValueError(
                f"result {row} is on image {image!r}, which is not in {index.split} of {index.name}"
            )
        if not isinstance(category, int) or category not in categories:
            raise ValueError(f"result {row} has the unknown category {category!r}")
        values = [*box, result["score"]] if isinstance(box, (list, tuple)) else []
        if len(values) != 5 or not all(map(_is_finite, values)):
            raise ValueError(f"result {row} is not a box of four numbers with a score")


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def write_results(path: str | os.PathLike[str], results: Sequence[dict[str, Any]]) -> None:
    """Writes detections to a file that COCO's server and pycocotools take."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(list(results)) + "\n")


def write_scores(
    directory: Path,
    index: DetectionIndex,
    metrics: DetectionMetrics,
    results: Sequence[dict[str, Any]],
) -> None:
    """Writes detections as `results.json`, and their numbers and each class's as `metrics.json`."""
    write_results(directory / RESULTS_NAME, results)
    values = {
        "dataset": index.name,
        "split": index.split,
        "images": metrics.images,
        **metrics.summary,
        "per_class": metrics.per_class,
    }
    with atomic_write(directory / METRICS_NAME) as temporary:
        temporary.write_text(json.dumps(values, indent=2) + "\n")


def read_results(path: str | os.PathLike[str], index: DetectionIndex) -> list[dict[str, Any]]:
    """Reads detections written by `write_results` or another program.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not JSON, or not results on this dataset.
    """
    try:
        results = parse_json(read_file(path), finite=False)
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)} is not JSON: {error}") from error
    check_results(index, results)
    return results
