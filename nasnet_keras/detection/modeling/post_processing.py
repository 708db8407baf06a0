"""From the second stage's outputs to detections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from nasnet_keras.detection.modeling.box_coder import decode_boxes
from nasnet_keras.detection.modeling.boxes import areas, clip_boxes
from nasnet_keras.detection.modeling.nms import Suppression, non_max_suppression


def decode_detections(
    encodings: Any, logits: Any, proposals: Any, is_valid: Any, box_scales: Sequence[float]
) -> tuple[Any, Any]:
    """Returns the box and the score of each class in each proposal, before NMS.

    Args:
        encodings: `(batch, N, classes, 4)`.
        logits: `(batch, N, classes + 1)`, the background first.
        proposals: `(batch, N, 4)`, in pixels.
        is_valid: `(batch, N)`, bool: which proposals are not padding.
        box_scales: Of the box coder.

    Returns:
        `(boxes, scores)`: `(batch, N, classes, 4)` in pixels and `(batch, N, classes)`
        probabilities, -1 for padding.
    """
    _, count, classes, _ = encodings.shape
    anchors = ops.repeat(proposals, classes, axis=1)
    boxes = decode_boxes(ops.reshape(encodings, (-1, count * classes, 4)), anchors, box_scales)
    scores = ops.where(is_valid[..., None], ops.softmax(logits)[..., 1:], -1.0)
    return ops.reshape(boxes, (-1, count, classes, 4)), scores


def select_detections(
    boxes: Any,
    scores: Any,
    image_sizes: Any,
    iou_threshold: float,
    score_threshold: float,
    per_class: int,
    limit: int,
    suppress: Suppression = non_max_suppression,
) -> dict[str, Any]:
    """Clips boxes, suppresses duplicates class by class and keeps the best of all classes.

    Args:
        boxes: `(batch, N, classes, 4)`, in pixels.
        scores: `(batch, N, classes)`.
        image_sizes: `(batch, 2)`: height and width, in pixels.
        iou_threshold: Of the NMS.
        score_threshold: Score above which a detection is kept.
        per_class: Detections kept of a class.
        limit: Detections kept of an image.
        suppress: The NMS.

    Returns:
        `{"boxes": (batch, limit, 4) in pixels within the image, "scores": (batch, limit) in
        decreasing order, "labels": (batch, limit), int32, "count": (batch,), int32}`. Empty places
        have box 0, score 0 and label -1; a box that has no area within the image is left out.
    """
    _, count, classes, _ = boxes.shape
    boxes = ops.reshape(boxes, (-1, count * classes, 4))
    boxes = ops.reshape(clip_boxes(boxes, image_sizes), (-1, count, classes, 4))
    scores = ops.where(areas(boxes) > 0, scores, -1.0)
    by_class = ops.reshape(ops.transpose(boxes, (0, 2, 1, 3)), (-1, count, 4))
    class_scores = ops.reshape(ops.transpose(scores, (0, 2, 1)), (-1, count))
    indices, picked = suppress(by_class, class_scores, per_class, iou_threshold, score_threshold)
    by_class = ops.take_along_axis(by_class, indices[..., None], axis=1)
    class_scores = ops.where(picked, ops.take_along_axis(class_scores, indices, axis=1), -1.0)
    all_boxes = ops.reshape(by_class, (-1, classes * per_class, 4))
    all_scores = ops.reshape(class_scores, (-1, classes * per_class))
    best, order = ops.top_k(all_scores, limit)
    order = ops.cast(order, "int32")
    is_valid = best > score_threshold
    found = ops.take_along_axis(all_boxes, order[..., None], axis=1)
    return {
        "boxes": ops.where(is_valid[..., None], found, 0.0),
        "scores": ops.where(is_valid, best, 0.0),
        "labels": ops.where(is_valid, order // per_class, -1),
        "count": ops.sum(ops.cast(is_valid, "int32"), axis=-1),
    }
