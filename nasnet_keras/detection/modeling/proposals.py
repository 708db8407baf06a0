"""From the RPN head's outputs to the boxes that the second stage looks at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from nasnet_keras.detection.modeling.box_coder import decode_boxes
from nasnet_keras.detection.modeling.boxes import areas, clip_boxes
from nasnet_keras.detection.modeling.nms import Suppression, non_max_suppression


def propose_boxes(
    encodings: Any,
    logits: Any,
    anchors: Any,
    image_sizes: Any,
    limit: int,
    iou_threshold: float,
    box_scales: Sequence[float],
    allowed: Any = None,
    suppress: Suppression = non_max_suppression,
) -> tuple[Any, Any, Any]:
    """Decodes anchors, clips them to the image and suppresses duplicates.

    As in the original of NASNet's time (`multiclass_non_max_suppression` of 2017; later versions
    clip last), boxes without area within the image take no part. It has no gradient.

    Args:
        encodings: `(batch, N, 4)`.
        logits: `(batch, N, 2)`: background and object.
        anchors: `(N, 4)` or `(batch, N, 4)`.
        image_sizes: `(batch, 2)`: height and width, in pixels.
        limit: Boxes kept of an image.
        iou_threshold: Of the NMS.
        box_scales: Of the box coder.
        allowed: `(batch, N)`, bool: the anchors that take part; all by default.
        suppress: The NMS.

    Returns:
        `(boxes, scores, is_valid)`: `(batch, limit, 4)` in pixels; `(batch, limit)`, probability
        of an object; `(batch, limit)`, bool, false for empty places.
    """
    encodings, logits = ops.stop_gradient(encodings), ops.stop_gradient(logits)
    boxes = clip_boxes(decode_boxes(encodings, anchors, box_scales), image_sizes)
    is_candidate = areas(boxes) > 0
    if allowed is not None:
        is_candidate = ops.logical_and(is_candidate, allowed)
    scores = ops.where(is_candidate, ops.softmax(logits)[..., 1], -1.0)
    indices, is_valid = suppress(boxes, scores, limit, iou_threshold, 0.0)
    boxes = ops.take_along_axis(boxes, indices[..., None], axis=1)
    scores = ops.take_along_axis(scores, indices, axis=1)
    return (
        ops.where(is_valid[..., None], boxes, 0.0),
        ops.where(is_valid, scores, 0.0),
        is_valid,
    )
